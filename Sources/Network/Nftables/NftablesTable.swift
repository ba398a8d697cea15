/// A table of ours as it is to be made in one namespace. It belongs to the socket that makes it: the kernel deletes it
/// when that socket closes, however its process ends.
struct NftablesTable: Hashable {
    /// Which packets its chains see.
    enum Family: UInt8 {
        /// IPv4 and IPv6, at the hooks of the network layer.
        case inet = 1
        /// Everything on one interface.
        case netdev = 5
    }

    /// Where a chain hooks in, as the kernel counts for the family.
    enum Hook: Hashable {
        case input
        case output
        /// What is sent from here, before its way is chosen, with the right to change where it goes (type nat).
        case outputTranslation
        /// The same packets once it is known where they go.
        case outputTranslated
        /// Leaves the namespace, after its way was chosen.
        case postrouting
        /// Arrives at this interface, before the network layer sees it.
        case ingress(interface: String)
        /// Leaves by this interface (Linux 5.16); a packet dropped here is not reported to its sender.
        case egress(interface: String)

        /// Of the family netdev, whose hooks belong to one.
        var interface: String? {
            switch self {
            case .input, .output, .outputTranslation, .outputTranslated, .postrouting: nil
            case .ingress(let name), .egress(let name): name
            }
        }

        var number: UInt32 {
            switch self {
            case .input: 1
            case .output, .outputTranslation, .outputTranslated: 3
            case .postrouting: 4
            case .ingress: 0
            case .egress: 1
            }
        }

        /// What the kernel calls a chain that does no more than this hook is for.
        var chainType: String {
            switch self {
            case .input, .output, .outputTranslated, .postrouting, .ingress, .egress: "filter"
            case .outputTranslation: "nat"
            }
        }

        /// Before every other hook of the same place, so that no rule of the target's own decides first. A translation
        /// must come after connections are looked up (-200), and before Docker's own for its name server (-100).
        var priority: Int32 {
            switch self {
            case .input, .output, .postrouting, .ingress, .egress: -300
            case .outputTranslation: -150
            case .outputTranslated: 0
            }
        }
    }

    /// Addresses that rules look up. It is empty until the fault is armed.
    struct AddressSet: Hashable {
        var name: String
        var family: AddressFamily
        /// Names the set within the batch that makes it.
        var identifier: UInt32
        /// Holds ranges; one of single addresses only is twice as fast.
        var hasRanges: Bool
        /// No rule looks it up: its element says that the table's owner is alive, while the other sets are empty.
        var isHeartbeat = false
    }

    struct Chain: Hashable {
        var name: String
        var hook: Hook
        var rules: [[Expression]]
    }

    var family: Family
    var name: String
    /// Who made it, for whoever lists it: `nft list ruleset` shows it.
    var comment: String
    var sets: [AddressSet]
    var chains: [Chain]
}
