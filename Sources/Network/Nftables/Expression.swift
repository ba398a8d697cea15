internal import CNetlink

/// One step of a rule of nf_tables: it loads a value, compares one, or decides. Register 1 holds the value.
enum Expression: Hashable {
    /// What `load` reads of a packet besides its bytes.
    enum Meta: UInt32 {
        /// The Ethernet type, big endian: tells IPv4 from IPv6 in the family netdev.
        case protocolNumber = 1
        /// What the sending socket wrote on it with SO_MARK.
        case mark = 3
        /// Index of the interface that it came in by.
        case inputInterface = 4
        /// Index of the interface that it goes out by.
        case outputInterface = 5
        /// NFPROTO_IPV4 or NFPROTO_IPV6: tells them apart in the family inet.
        case family = 15
        /// TCP, UDP and so on, whatever extension headers stand before it.
        case transport = 16
    }

    /// Where in a packet `payload` counts from.
    enum Base: UInt32 {
        case network = 1
        case transport = 2
    }

    enum Relation: UInt32 {
        case equal = 0
        case notEqual = 1
        case less = 2
        case lessOrEqual = 3
        case greaterOrEqual = 5
    }

    enum Verdict: Hashable {
        case accept
        case drop
        case rejectWithReset
        /// ICMP "administratively prohibited" of either version.
        case rejectWithMessage
    }

    case load(Meta)
    case payload(Base, offset: UInt32, length: UInt32)
    /// Compares bytes as memory: numbers must be in network order for anything but equality.
    case compare(Relation, [UInt8])
    case mask([UInt8])
    /// Goes on when the value is in the set.
    case lookup(String, setIdentifier: UInt32)
    /// Goes on when it is not.
    case lookupMissing(String, setIdentifier: UInt32)
    /// Where the flow that the packet belongs to was sent before anybody changed that.
    case originalDestination(AddressFamily)
    case counter
    /// Puts these bytes into the register.
    case value([UInt8])
    /// In a chain that translates: sends the packet to this machine's own loopback, to the port in the register.
    case redirect
    /// Goes on for a share of the packets, each by chance; leaves the number drawn in the register.
    case draw(Double)
    /// Sets the packet's priority: the class of a queueing tree that takes it.
    case classify(UInt32)
    /// Hands the packet to another interface, where its way ends here (family netdev).
    case forward(interface: UInt32)
    case decide(Verdict)
    /// Turns the number in the register into network order.
    case networkOrder

    /// Draws are among a million: the smallest share is 0.0001 %.
    private static let draws = UInt32(1_000_000)

    /// The kernel's expressions that it stands for, in their order.
    private var steps: [Expression] {
        switch self {
        case .draw(let share):
            // The kernel compares as memory, and draws in the order of this machine.
            [self, .networkOrder, .compare(.less, bigEndian(UInt32((share * Double(Self.draws)).rounded())))]
        case .classify, .forward: [self.immediate, self]
        case .load, .payload, .compare, .mask, .lookup, .lookupMissing, .originalDestination, .counter, .decide, .value,
            .redirect, .networkOrder:
            [self]
        }
    }

    private var immediate: Expression {
        switch self {
        case .classify(let number), .forward(let number): .value(hostOrder(number))
        default: self
        }
    }

    /// The kernel's name of it.
    private var name: String {
        switch self {
        case .load, .classify: "meta"
        case .payload: "payload"
        case .compare: "cmp"
        case .mask: "bitwise"
        case .lookup, .lookupMissing: "lookup"
        case .originalDestination: "ct"
        case .counter: "counter"
        case .value: "immediate"
        case .redirect: "redir"
        case .decide(.accept), .decide(.drop): "immediate"
        case .draw: "numgen"
        case .networkOrder: "byteorder"
        case .forward: "fwd"
        case .decide(.rejectWithReset), .decide(.rejectWithMessage): "reject"
        }
    }

    func write(to message: NetlinkMessage) {
        for step in steps {
            message.nest(NFTA_LIST_ELEM) {
                message.put(NFTA_EXPR_NAME, text: step.name)
                message.nest(NFTA_EXPR_DATA) { step.writeData(to: message) }
            }
        }
    }

    private func writeData(to message: NetlinkMessage) {
        let register = UInt32(NFT_REG_1.rawValue)
        switch self {
        case .load(let meta):
            message.put(NFTA_META_DREG, big: register)
            message.put(NFTA_META_KEY, big: meta.rawValue)
        case .payload(let base, let offset, let length):
            message.put(NFTA_PAYLOAD_DREG, big: register)
            message.put(NFTA_PAYLOAD_BASE, big: base.rawValue)
            message.put(NFTA_PAYLOAD_OFFSET, big: offset)
            message.put(NFTA_PAYLOAD_LEN, big: length)
        case .compare(let relation, let bytes):
            message.put(NFTA_CMP_SREG, big: register)
            message.put(NFTA_CMP_OP, big: relation.rawValue)
            message.nest(NFTA_CMP_DATA) { message.put(NFTA_DATA_VALUE, bytes) }
        case .mask(let bytes):
            message.put(NFTA_BITWISE_SREG, big: register)
            message.put(NFTA_BITWISE_DREG, big: register)
            message.put(NFTA_BITWISE_LEN, big: UInt32(bytes.count))
            message.nest(NFTA_BITWISE_MASK) { message.put(NFTA_DATA_VALUE, bytes) }
            message.nest(NFTA_BITWISE_XOR) {
                message.put(NFTA_DATA_VALUE, [UInt8](repeating: 0, count: bytes.count))
            }
        case .lookup(let set, let identifier):
            message.put(NFTA_LOOKUP_SET, text: set)
            message.put(NFTA_LOOKUP_SREG, big: register)
            message.put(NFTA_LOOKUP_SET_ID, big: identifier)
        case .lookupMissing(let set, let identifier):
            message.put(NFTA_LOOKUP_SET, text: set)
            message.put(NFTA_LOOKUP_SREG, big: register)
            message.put(NFTA_LOOKUP_SET_ID, big: identifier)
            message.put(NFTA_LOOKUP_FLAGS, big: UInt32(NFT_LOOKUP_F_INV.rawValue))
        case .originalDestination(let family):
            let key = family == .version4 ? NFT_CT_DST_IP : NFT_CT_DST_IP6
            message.put(NFTA_CT_DREG, big: register)
            message.put(NFTA_CT_KEY, big: UInt32(key.rawValue))
            // IP_CT_DIR_ORIGINAL
            message.put(NFTA_CT_DIRECTION, [0])
        case .counter:
            message.put(NFTA_COUNTER_BYTES, bigEndian(UInt64(0)))
            message.put(NFTA_COUNTER_PACKETS, bigEndian(UInt64(0)))
        case .value(let bytes):
            message.put(NFTA_IMMEDIATE_DREG, big: register)
            message.nest(NFTA_IMMEDIATE_DATA) { message.put(NFTA_DATA_VALUE, bytes) }
        case .redirect:
            message.put(NFTA_REDIR_REG_PROTO_MIN, big: register)
        case .decide(let verdict): writeVerdict(verdict, to: message)
        case .draw, .networkOrder, .classify, .forward: writeSteering(to: message)
        }
    }

    private func writeSteering(to message: NetlinkMessage) {
        let register = UInt32(NFT_REG_1.rawValue)
        switch self {
        case .draw:
            message.put(NFTA_NG_DREG, big: register)
            message.put(NFTA_NG_MODULUS, big: Self.draws)
            message.put(NFTA_NG_TYPE, big: UInt32(NFT_NG_RANDOM.rawValue))
            message.put(NFTA_NG_OFFSET, big: 0)
        case .networkOrder:
            message.put(NFTA_BYTEORDER_SREG, big: register)
            message.put(NFTA_BYTEORDER_DREG, big: register)
            message.put(NFTA_BYTEORDER_OP, big: UInt32(NFT_BYTEORDER_HTON.rawValue))
            message.put(NFTA_BYTEORDER_LEN, big: 4)
            message.put(NFTA_BYTEORDER_SIZE, big: 4)
        case .classify:
            // NFT_META_PRIORITY is 2 and takes the number in the order of this machine.
            message.put(NFTA_META_KEY, big: 2)
            message.put(NFTA_META_SREG, big: register)
        case .forward:
            message.put(NFTA_FWD_SREG_DEV, big: register)
        case .load, .payload, .compare, .mask, .lookup, .lookupMissing, .originalDestination, .counter, .value,
            .redirect,
            .decide:
            break
        }
    }

    private func writeVerdict(_ verdict: Verdict, to message: NetlinkMessage) {
        switch verdict {
        case .drop, .accept:
            message.put(NFTA_IMMEDIATE_DREG, big: UInt32(NFT_REG_VERDICT.rawValue))
            message.nest(NFTA_IMMEDIATE_DATA) {
                // NF_DROP is 0 and NF_ACCEPT is 1.
                message.nest(NFTA_DATA_VERDICT) { message.put(NFTA_VERDICT_CODE, big: verdict == .drop ? 0 : 1) }
            }
        case .rejectWithReset:
            message.put(NFTA_REJECT_TYPE, big: UInt32(NFT_REJECT_TCP_RST.rawValue))
        case .rejectWithMessage:
            message.put(NFTA_REJECT_TYPE, big: UInt32(NFT_REJECT_ICMPX_UNREACH.rawValue))
            message.put(NFTA_REJECT_ICMP_CODE, [UInt8(NFT_REJECT_ICMPX_ADMIN_PROHIBITED.rawValue)])
        }
    }
}
