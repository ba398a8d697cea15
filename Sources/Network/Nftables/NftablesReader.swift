internal import CNetlink

/// Reads what is in a namespace's nf_tables, whoever made it.
enum NftablesReader {
    /// A table as the kernel lists it.
    struct Table: Hashable {
        var family: UInt8
        var name: String
        var flags: UInt32
        /// Netlink port of the socket that it dies with; nil when it belongs to nobody.
        var owner: UInt32?
        var comment: String
    }

    static func tables(_ socket: NetlinkSocket) throws(NetworkError) -> [Table] {
        let answers = try socket.dump("list tables", type: type(NFT_MSG_GETTABLE), header: [0, 0, 0, 0])
        return answers.map { answer in
            let reader = NetlinkReader(answer.payload.dropFirst(4))
            let userData = reader[number(NFTA_TABLE_USERDATA)]
            return Table(
                family: answer.payload.first ?? 0, name: reader[number(NFTA_TABLE_NAME)].map { text($0) } ?? "",
                flags: reader[number(NFTA_TABLE_FLAGS)].map { UInt32(bigEndian: host32($0)) } ?? 0,
                owner: reader[number(NFTA_TABLE_OWNER)].map { UInt32(bigEndian: host32($0)) },
                // Type 0 and a length stand before the text.
                comment: userData.map { text($0.dropFirst(2)) } ?? "")
        }
    }

    /// The keys in a set, ends of intervals left out.
    static func elements(
        of set: String, table: String, family: NftablesTable.Family, _ socket: NetlinkSocket
    ) throws(NetworkError) -> [[UInt8]] {
        let answers = try socket.dump(
            "list set \(set)", type: type(NFT_MSG_GETSETELEM), header: [family.rawValue, 0, 0, 0]
        ) { message in
            message.put(NFTA_SET_ELEM_LIST_TABLE, text: table)
            message.put(NFTA_SET_ELEM_LIST_SET, text: set)
        }
        return answers.flatMap { answer in
            let list = NetlinkReader(answer.payload.dropFirst(4))[number(NFTA_SET_ELEM_LIST_ELEMENTS)] ?? []
            return NetlinkReader(list).attributes.compactMap { key(of: NetlinkReader($0.content)) }
        }
    }

    private static func key(of element: NetlinkReader) -> [UInt8]? {
        let flags = element[number(NFTA_SET_ELEM_FLAGS)].map { UInt32(bigEndian: host32($0)) } ?? 0
        guard flags & UInt32(NFT_SET_ELEM_INTERVAL_END.rawValue) == 0 else { return nil }
        return element[number(NFTA_SET_ELEM_KEY)].flatMap { NetlinkReader($0)[number(NFTA_DATA_VALUE)] }.map(Array.init)
    }

    /// Names of the sets of one table.
    static func sets(of table: String, family: UInt8, _ socket: NetlinkSocket) throws(NetworkError) -> [String] {
        let answers = try socket.dump("list sets", type: type(NFT_MSG_GETSET), header: [family, 0, 0, 0]) { message in
            message.put(NFTA_SET_TABLE, text: table)
        }
        return answers.compactMap { answer in
            NetlinkReader(answer.payload.dropFirst(4))[number(NFTA_SET_NAME)].map { text($0) }
        }
    }

    /// What the counters of a table's rules add up to.
    static func counters(of table: NftablesTable, _ socket: NetlinkSocket) throws(NetworkError) -> Counted {
        let answers = try socket.dump(
            "read the counters of \(table.name)", type: type(NFT_MSG_GETRULE), header: [table.family.rawValue, 0, 0, 0]
        ) { message in
            message.put(NFTA_RULE_TABLE, text: table.name)
        }
        var sum = Counted()
        for answer in answers {
            let reader = NetlinkReader(answer.payload.dropFirst(4))
            // Old kernels list the rules of every table, whatever was asked for.
            guard reader[number(NFTA_RULE_TABLE)].map({ text($0) }) == table.name else { continue }
            let list = reader[number(NFTA_RULE_EXPRESSIONS)] ?? []
            for expression in NetlinkReader(list).attributes { sum = sum + count(NetlinkReader(expression.content)) }
        }
        return sum
    }

    private static func count(_ expression: NetlinkReader) -> Counted {
        guard expression[number(NFTA_EXPR_NAME)].map({ text($0) }) == "counter",
            let data = expression[number(NFTA_EXPR_DATA)].map({ NetlinkReader($0) })
        else { return Counted() }
        return Counted(
            packets: data[number(NFTA_COUNTER_PACKETS)].map { big64($0) } ?? 0,
            bytes: data[number(NFTA_COUNTER_BYTES)].map { big64($0) } ?? 0)
    }

    private static func big64(_ bytes: ArraySlice<UInt8>) -> UInt64 {
        bytes.prefix(8).reduce(0) { $0 << 8 | UInt64($1) }
    }

    private static func type(_ message: nf_tables_msg_types) -> UInt16 {
        UInt16(NFNL_SUBSYS_NFTABLES) << 8 | UInt16(message.rawValue)
    }
}

/// An attribute's number from its name in the kernel's headers.
func number(_ attribute: some RawRepresentable<UInt32>) -> UInt16 { UInt16(truncatingIfNeeded: attribute.rawValue) }
