import Basics
import Testing

@testable import Network

/// The bytes on the wire, field by field: a change here is a change of what the kernel is told.
@Suite struct GoldenBytesTests {
    /// One set, one chain and one rule, as a little-endian machine sends them.
    private func transaction() throws -> NetlinkBatch {
        let table = NftablesTable(
            family: .inet, name: "squall_t", comment: "run r",
            sets: [.init(name: "peers4", family: .version4, identifier: 1, hasRanges: true)],
            chains: [
                .init(
                    name: "in", hook: .input,
                    rules: [
                        [.load(.family), .compare(.equal, [2]), .lookup("peers4", setIdentifier: 1), .decide(.drop)]
                    ])
            ])
        var sequence: UInt32 = 0
        var batch = try NftablesBatch("test") {
            sequence += 1
            return sequence
        }
        try batch.create(table, isLast: true)
        return try batch.finish()
    }

    private func message(_ sequence: UInt32, of batch: NetlinkBatch) throws -> [UInt8] {
        let request = try #require(batch.requests[sequence])
        return Array(batch.bytes[request.range])
    }

    @Test func aBatchBeginsAndEndsWithItsSubsystem() throws {
        let batch = try transaction()
        #expect(
            try message(1, of: batch) == [
                20, 0, 0, 0,  // length
                0x10, 0,  // NFNL_MSG_BATCH_BEGIN
                1, 0,  // NLM_F_REQUEST
                1, 0, 0, 0,  // sequence
                0, 0, 0, 0,  // port
                0, 0, 0, 10,  // family, version, NFNL_SUBSYS_NFTABLES in network order
            ])
        #expect(try message(6, of: batch)[4..<8] == [0x11, 0, 1, 0])  // NFNL_MSG_BATCH_END, NLM_F_REQUEST
        #expect(batch.first == 1)
        #expect(batch.last == 5)
    }

    @Test func aTableNamesItsOwnerFlagAndItsRun() throws {
        #expect(
            try message(2, of: try transaction()) == [
                56, 0, 0, 0,  // length
                0, 0x0a,  // NFT_MSG_NEWTABLE
                1, 6,  // NLM_F_REQUEST, NLM_F_CREATE | NLM_F_EXCL
                2, 0, 0, 0, 0, 0, 0, 0,  // sequence, port
                1, 0, 0, 0,  // NFPROTO_INET, version, resource
                13, 0, 1, 0, 0x73, 0x71, 0x75, 0x61, 0x6c, 0x6c, 0x5f, 0x74, 0, 0, 0, 0,  // NAME "squall_t"
                8, 0, 2, 0, 0, 0, 0, 2,  // FLAGS: NFT_TABLE_F_OWNER
                12, 0, 6, 0, 0, 6, 0x72, 0x75, 0x6e, 0x20, 0x72, 0,  // USERDATA: comment, 6 bytes, "run r"
            ])
    }

    @Test func aSetForgetsItsElementsAndHoldsRanges() throws {
        #expect(
            try message(3, of: try transaction()) == [
                80, 0, 0, 0,  // length
                9, 0x0a,  // NFT_MSG_NEWSET
                1, 6,  // NLM_F_REQUEST, NLM_F_CREATE | NLM_F_EXCL
                3, 0, 0, 0, 0, 0, 0, 0,  // sequence, port
                1, 0, 0, 0,  // NFPROTO_INET, version, resource
                13, 0, 1, 0, 0x73, 0x71, 0x75, 0x61, 0x6c, 0x6c, 0x5f, 0x74, 0, 0, 0, 0,  // TABLE "squall_t"
                11, 0, 2, 0, 0x70, 0x65, 0x65, 0x72, 0x73, 0x34, 0, 0,  // NAME "peers4"
                8, 0, 3, 0, 0, 0, 0, 20,  // FLAGS: INTERVAL 4 | TIMEOUT 16
                8, 0, 4, 0, 0, 0, 0, 7,  // KEY_TYPE: ipv4_addr
                8, 0, 5, 0, 0, 0, 0, 4,  // KEY_LEN
                8, 0, 10, 0, 0, 0, 0, 1,  // ID
            ])
    }

    @Test func aChainStandsBeforeEveryOther() throws {
        #expect(
            try message(4, of: try transaction()).dropFirst(36) == [
                7, 0, 3, 0, 0x69, 0x6e, 0, 0,  // NAME "in"
                20, 0, 4, 0x80,  // HOOK, nested
                8, 0, 1, 0, 0, 0, 0, 1,  // HOOKNUM: NF_INET_LOCAL_IN
                8, 0, 2, 0, 0xff, 0xff, 0xfe, 0xd4,  // PRIORITY: -300
                8, 0, 5, 0, 0, 0, 0, 1,  // POLICY: NF_ACCEPT
                11, 0, 7, 0, 0x66, 0x69, 0x6c, 0x74, 0x65, 0x72, 0, 0,  // TYPE "filter"
            ])
    }

    @Test func aRuleLoadsComparesLooksUpAndDrops() throws {
        #expect(
            try message(5, of: try transaction()).dropFirst(44) == [
                180, 0, 4, 0x80,  // EXPRESSIONS, nested
                36, 0, 1, 0x80,  // LIST_ELEM
                9, 0, 1, 0, 0x6d, 0x65, 0x74, 0x61, 0, 0, 0, 0,  // NAME "meta"
                20, 0, 2, 0x80,  // DATA
                8, 0, 1, 0, 0, 0, 0, 1,  // DREG: register 1
                8, 0, 2, 0, 0, 0, 0, 15,  // KEY: nfproto
                44, 0, 1, 0x80,  // LIST_ELEM
                8, 0, 1, 0, 0x63, 0x6d, 0x70, 0,  // NAME "cmp"
                32, 0, 2, 0x80,  // DATA
                8, 0, 1, 0, 0, 0, 0, 1,  // SREG
                8, 0, 2, 0, 0, 0, 0, 0,  // OP: equal
                12, 0, 3, 0x80,  // DATA
                5, 0, 1, 0, 2, 0, 0, 0,  // VALUE: NFPROTO_IPV4
                48, 0, 1, 0x80,  // LIST_ELEM
                11, 0, 1, 0, 0x6c, 0x6f, 0x6f, 0x6b, 0x75, 0x70, 0, 0,  // NAME "lookup"
                32, 0, 2, 0x80,  // DATA
                11, 0, 1, 0, 0x70, 0x65, 0x65, 0x72, 0x73, 0x34, 0, 0,  // SET "peers4"
                8, 0, 2, 0, 0, 0, 0, 1,  // SREG
                8, 0, 4, 0, 0, 0, 0, 1,  // SET_ID
                48, 0, 1, 0x80,  // LIST_ELEM
                14, 0, 1, 0, 0x69, 0x6d, 0x6d, 0x65, 0x64, 0x69, 0x61, 0x74, 0x65, 0, 0, 0,  // NAME "immediate"
                28, 0, 2, 0x80,  // DATA
                8, 0, 1, 0, 0, 0, 0, 0,  // DREG: the verdict
                16, 0, 2, 0x80,  // DATA
                12, 0, 2, 0x80,  // VERDICT
                8, 0, 1, 0, 0, 0, 0, 0,  // CODE: NF_DROP
            ])
    }

    @Test func aRangeIsItsBeginWithATimeAndTheAddressAfterItsEnd() throws {
        let set = NftablesTable.AddressSet(name: "s", family: .version4, identifier: 1, hasRanges: true)
        let table = NftablesTable(family: .inet, name: "t", comment: "", sets: [set], chains: [])
        var batch = try NftablesBatch("test") { 7 }
        let range = try #require(AddressRange(parsing: "10.0.0.0/8"))
        try batch.add([range], to: set, of: table, milliseconds: 1_500, isLast: true)
        let bytes = try batch.finish().bytes
        #expect(
            bytes[40..<(bytes.count - 20)] == [
                6, 0, 1, 0, 0x74, 0, 0, 0,  // TABLE "t"
                6, 0, 2, 0, 0x73, 0, 0, 0,  // SET "s"
                56, 0, 3, 0x80,  // ELEMENTS
                28, 0, 1, 0x80,  // LIST_ELEM
                12, 0, 1, 0x80, 8, 0, 1, 0, 10, 0, 0, 0,  // KEY: VALUE 10.0.0.0
                12, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0x05, 0xdc,  // TIMEOUT: 1500 ms
                24, 0, 1, 0x80,  // LIST_ELEM
                12, 0, 1, 0x80, 8, 0, 1, 0, 11, 0, 0, 0,  // KEY: VALUE 11.0.0.0
                8, 0, 3, 0, 0, 0, 0, 1,  // FLAGS: INTERVAL_END
            ])
    }
}
