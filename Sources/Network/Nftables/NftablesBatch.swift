internal import CNetlink

/// Builds transactions of nf_tables: all of one happens, or none of it.
struct NftablesBatch {
    private(set) var batch: NetlinkBatch
    private let nextSequence: () -> UInt32

    /// An attribute holds 65,535 bytes at most; a range of IPv6 addresses with its end takes 92.
    private static let elementsPerMessage = 500

    /// - Parameter nextSequence: the numbers come from the socket that will send it.
    init(_ operation: String, nextSequence: @escaping () -> UInt32) throws(NetworkError) {
        batch = NetlinkBatch(operation)
        self.nextSequence = nextSequence
        try mark("begin", NFNL_MSG_BATCH_BEGIN)
    }

    /// The complete transaction. The last request before it must have been appended with `isLast`.
    consuming func finish() throws(NetworkError) -> NetlinkBatch {
        try mark("end", NFNL_MSG_BATCH_END)
        return batch
    }

    /// nfgenmsg of the begin and the end names the subsystem: 10, big endian.
    private mutating func mark(_ name: String, _ type: CInt) throws(NetworkError) {
        let sequence = nextSequence()
        let message = try NetlinkMessage(
            type: UInt16(type), flags: UInt16(NLM_F_REQUEST), sequence: sequence,
            header: [0, 0] + bigEndian(UInt16(10)))
        try batch.append(name, message, sequence: sequence)
    }

    private mutating func request(
        _ name: String, _ type: nf_tables_msg_types, flags: CInt, _ family: NftablesTable.Family,
        capacity: Int = 4_096, isLast: Bool = false, _ body: (NetlinkMessage) -> Void
    ) throws(NetworkError) {
        let sequence = nextSequence()
        let acknowledge = isLast ? NLM_F_ACK : 0
        let message = try NetlinkMessage(
            type: UInt16(NFNL_SUBSYS_NFTABLES) << 8 | UInt16(type.rawValue),
            flags: UInt16(NLM_F_REQUEST | flags | acknowledge), sequence: sequence,
            header: [family.rawValue, 0, 0, 0], capacity: capacity)
        body(message)
        try batch.append(name, message, sequence: sequence, isLast: isLast)
    }

    // MARK: Tables

    /// Makes a table with its sets, chains and rules; EXCL: one of the same name is an error, never overwritten.
    mutating func create(_ table: NftablesTable, isLast: Bool) throws(NetworkError) {
        let exclusive = NLM_F_CREATE | NLM_F_EXCL
        try request("create table \(table.name)", NFT_MSG_NEWTABLE, flags: exclusive, table.family) { message in
            message.put(NFTA_TABLE_NAME, text: table.name)
            message.put(NFTA_TABLE_FLAGS, big: UInt32(NFT_TABLE_F_OWNER.rawValue))
            // What nft(8) writes for a comment: type 0, length, text.
            let comment = Array(table.comment.utf8.prefix(120)) + [0]
            message.put(NFTA_TABLE_USERDATA, [0, UInt8(comment.count)] + comment)
        }
        for set in table.sets { try create(set, in: table) }
        for chain in table.chains { try create(chain, in: table) }
        let rules = table.chains.flatMap { chain in chain.rules.map { (chain.name, $0) } }
        for (index, (chain, rule)) in rules.enumerated() {
            try append(rule, to: chain, in: table, isLast: isLast && index == rules.count - 1)
        }
    }

    private mutating func create(_ set: NftablesTable.AddressSet, in table: NftablesTable) throws(NetworkError) {
        let exclusive = NLM_F_CREATE | NLM_F_EXCL
        try request("create set \(set.name)", NFT_MSG_NEWSET, flags: exclusive, table.family) { message in
            let ranges = set.hasRanges ? UInt32(NFT_SET_INTERVAL.rawValue) : 0
            message.put(NFTA_SET_TABLE, text: table.name)
            message.put(NFTA_SET_NAME, text: set.name)
            message.put(NFTA_SET_FLAGS, big: UInt32(NFT_SET_TIMEOUT.rawValue) | ranges)
            // nft's own numbers for its types ipv4_addr and ipv6_addr; the kernel keeps them for listings.
            message.put(NFTA_SET_KEY_TYPE, big: set.family == .version4 ? 7 : 8)
            message.put(NFTA_SET_KEY_LEN, big: UInt32(set.family.length))
            message.put(NFTA_SET_ID, big: set.identifier)
        }
    }

    private mutating func create(_ chain: NftablesTable.Chain, in table: NftablesTable) throws(NetworkError) {
        let exclusive = NLM_F_CREATE | NLM_F_EXCL
        try request("create chain \(chain.name)", NFT_MSG_NEWCHAIN, flags: exclusive, table.family) { message in
            message.put(NFTA_CHAIN_TABLE, text: table.name)
            message.put(NFTA_CHAIN_NAME, text: chain.name)
            message.nest(NFTA_CHAIN_HOOK) {
                message.put(NFTA_HOOK_HOOKNUM, big: chain.hook.number)
                message.put(NFTA_HOOK_PRIORITY, big: UInt32(bitPattern: chain.hook.priority))
                if let interface = chain.hook.interface { message.put(NFTA_HOOK_DEV, text: interface) }
            }
            // NF_ACCEPT for what no rule decides.
            message.put(NFTA_CHAIN_POLICY, big: 1)
            message.put(NFTA_CHAIN_TYPE, text: chain.hook.chainType)
        }
    }

    private mutating func append(
        _ rule: [Expression], to chain: String, in table: NftablesTable, isLast: Bool
    ) throws(NetworkError) {
        let flags = NLM_F_CREATE | NLM_F_APPEND
        try request("add a rule to \(chain)", NFT_MSG_NEWRULE, flags: flags, table.family, isLast: isLast) { message in
            message.put(NFTA_RULE_TABLE, text: table.name)
            message.put(NFTA_RULE_CHAIN, text: chain)
            message.nest(NFTA_RULE_EXPRESSIONS) {
                for expression in rule { expression.write(to: message) }
            }
        }
    }

    /// Deletes a table of the sending socket with all it holds.
    mutating func delete(_ table: NftablesTable, isLast: Bool) throws(NetworkError) {
        try request("delete table \(table.name)", NFT_MSG_DELTABLE, flags: 0, table.family, isLast: isLast) { message in
            message.put(NFTA_TABLE_NAME, text: table.name)
        }
    }

    // MARK: Elements

    /// Empties a set: what only looks it up has no effect any more.
    mutating func flush(
        _ set: NftablesTable.AddressSet, of table: NftablesTable, isLast: Bool
    ) throws(NetworkError) {
        try request("flush set \(set.name)", NFT_MSG_DELSETELEM, flags: 0, table.family, isLast: isLast) { message in
            message.put(NFTA_SET_ELEM_LIST_TABLE, text: table.name)
            message.put(NFTA_SET_ELEM_LIST_SET, text: set.name)
        }
    }

    /// Adds addresses that the kernel forgets by itself after `milliseconds`.
    ///
    /// - Parameter ranges: neither overlapping nor touching, see `AddressRange.merged`.
    mutating func add(
        _ ranges: [AddressRange], to set: NftablesTable.AddressSet, of table: NftablesTable, milliseconds: UInt64,
        isLast: Bool
    ) throws(NetworkError) {
        var rest = ranges[...]
        while !rest.isEmpty {
            let part = rest.prefix(Self.elementsPerMessage)
            rest = rest.dropFirst(part.count)
            try request(
                "add \(part.count) addresses to \(set.name)", NFT_MSG_NEWSETELEM, flags: NLM_F_CREATE, table.family,
                capacity: 1_024 + part.count * 96, isLast: isLast && rest.isEmpty
            ) { message in
                message.put(NFTA_SET_ELEM_LIST_TABLE, text: table.name)
                message.put(NFTA_SET_ELEM_LIST_SET, text: set.name)
                message.nest(NFTA_SET_ELEM_LIST_ELEMENTS) {
                    for range in part { Self.put(range, hasRanges: set.hasRanges, milliseconds, message) }
                }
            }
        }
    }

    /// An interval is two elements: where it begins, and, marked as an end, the address after its last one. An end has
    /// no timeout, and there is none after the highest address.
    private static func put(
        _ range: AddressRange, hasRanges: Bool, _ milliseconds: UInt64, _ message: NetlinkMessage
    ) {
        message.nest(NFTA_LIST_ELEM) {
            message.nest(NFTA_SET_ELEM_KEY) { message.put(NFTA_DATA_VALUE, range.first) }
            message.put(NFTA_SET_ELEM_TIMEOUT, bigEndian(milliseconds))
        }
        guard hasRanges, let end = range.afterLast else { return }
        message.nest(NFTA_LIST_ELEM) {
            message.nest(NFTA_SET_ELEM_KEY) { message.put(NFTA_DATA_VALUE, end) }
            message.put(NFTA_SET_ELEM_FLAGS, big: UInt32(NFT_SET_ELEM_INTERVAL_END.rawValue))
        }
    }
}
