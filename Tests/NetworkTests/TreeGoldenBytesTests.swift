import Basics
import Testing

@testable import Network

/// What the kernel is told about queueing trees, field by field.
@Suite struct TreeGoldenBytesTests {
    private static let mark = TreeMark(minor: 0x10, major: 0xc4a8)

    private func bytes(_ body: (inout TreeBatch) throws -> Void) throws -> [UInt8] {
        var batch = TreeBatch("test") { 7 }
        try body(&batch)
        return batch.batch.bytes
    }

    @Test func theRootSendsWhatNoClassTakesStraightOut() throws {
        #expect(
            try bytes { try $0.addRoot(on: 2) } == [
                80, 0, 0, 0,  // length
                36, 0,  // RTM_NEWQDISC
                5, 6,  // NLM_F_REQUEST | NLM_F_ACK, NLM_F_CREATE | NLM_F_EXCL
                7, 0, 0, 0, 0, 0, 0, 0,  // sequence, port
                0, 0, 0, 0,  // family, padding
                2, 0, 0, 0,  // interface
                0, 0, 0xa5, 0xc4,  // handle c4a5:
                0xff, 0xff, 0xff, 0xff,  // parent: TC_H_ROOT
                0, 0, 0, 0,  // info
                8, 0, 1, 0, 0x68, 0x74, 0x62, 0,  // KIND "htb"
                36, 0, 2, 0,  // OPTIONS
                24, 0, 2, 0,  // INIT
                3, 0, 0, 0, 10, 0, 0, 0,  // version, rate2quantum
                0, 0, 0, 0,  // default class: none
                0, 0, 0, 0, 0, 0, 0, 0,  // debug, direct packets
                8, 0, 5, 0, 0xe8, 3, 0, 0,  // DIRECT_QLEN: 1000
            ])
    }

    @Test func aClassHasNoLimitOfItsOwn() throws {
        let bytes = try bytes { try $0.addClass(Self.mark.shaped, on: 2) }
        #expect(bytes[4..<8] == [40, 0, 5, 6])  // RTM_NEWTCLASS, flags
        #expect(bytes[24..<32] == [0x10, 0, 0xa5, 0xc4, 0, 0, 0xa5, 0xc4])  // handle c4a5:10, parent c4a5:
        let rate: [UInt8] = [
            0, 1,  // cell_log, linklayer: Ethernet
            0, 0, 0xff, 0xff, 0, 0,  // overhead, cell_align -1, mpu
            0xff, 0xff, 0xff, 0xff,  // rate: see RATE64
        ]
        let head: [UInt8] = [
            76, 0, 2, 0,  // OPTIONS
            12, 0, 6, 0, 0, 0xdd, 0x0e, 0xe9, 2, 0, 0, 0,  // RATE64: 12,500,000,000
            12, 0, 7, 0, 0, 0xdd, 0x0e, 0xe9, 2, 0, 0, 0,  // CEIL64
            48, 0, 1, 0,  // PARMS
        ]
        let tail: [UInt8] = [
            9, 0x3d, 0, 0, 9, 0x3d, 0, 0,  // buffer, cbuffer: 1 ms in ticks
            0x60, 0xea, 0, 0,  // quantum: 60000
            0, 0, 0, 0, 0, 0, 0, 0,  // level, priority
        ]
        #expect(Array(bytes[44...]) == head + rate + rate + tail)
    }

    @Test func aTokenBucketSaysItsBurstInBytes() {
        let options = Discipline.tokenBucket(TokenBucket(Bandwidth(bitsPerSecond: 10_000_000), largest: 1_518)).options
        #expect(
            options == [
                40, 0, 1, 0,  // PARMS
                0, 1, 0, 0, 0xff, 0xff, 0, 0,  // cell_log, linklayer, overhead, cell_align, mpu
                0xd0, 0x12, 0x13, 0,  // rate: 1,250,000 bytes per second
                0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,  // peak rate: none
                0x48, 0xe8, 1, 0,  // limit: 125,000 bytes
                0x5a, 0x62, 0x02, 0x00,  // buffer: 12,500 bytes in ticks
                0, 0, 0, 0,  // mtu
                8, 0, 6, 0, 0xd4, 0x30, 0, 0,  // BURST: 12,500 bytes
            ])
        #expect(Discipline.blackhole.options == nil)
    }

    @Test func netemIsToldEverythingWithZerosForWhatIsNotWanted() {
        var impairment = Impairment()
        impairment.delay = .milliseconds(100)
        #expect(
            Discipline.netem(NetemOptions(impairment: impairment)).options == [
                0x84, 0xd7, 0x17, 0,  // latency: 1,562,500 ticks
                0x20, 0x4e, 0, 0,  // limit: 20,000 packets
                0, 0, 0, 0, 0, 0, 0, 0,  // loss, gap
                0, 0, 0, 0, 0, 0, 0, 0,  // duplicate, jitter
                16, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,  // CORR: delay, loss, duplicate
                12, 0, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0,  // REORDER: share, correlation
                12, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0,  // CORRUPT: share, correlation
                20, 0, 6, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,  // RATE: none, no overheads
                12, 0, 8, 0, 0, 0, 0, 0, 0, 0, 0, 0,  // RATE64
                8, 0, 7, 0, 0, 0, 0, 0,  // ECN
                12, 0, 10, 0, 0, 0xe1, 0xf5, 5, 0, 0, 0, 0,  // LATENCY64: 100,000,000 ns
                12, 0, 11, 0, 0, 0, 0, 0, 0, 0, 0, 0,  // JITTER64
            ])
    }

    @Test func burstsAreALossModelOfFourShares() {
        var impairment = Impairment()
        impairment.loss = .bursts(.init(becomesBad: 0.25, becomesGood: 0.5, lossWhenBad: 1, lossWhenGood: 0))
        let options = NetemOptions(impairment: impairment).options
        #expect(
            options.suffix(24) == [
                24, 0, 5, 0x80,  // LOSS, nested
                20, 0, 2, 0,  // GE
                0, 0, 0, 0x40,  // p: becomes bad, 1/4 of 2^32
                0, 0, 0, 0x80,  // r: becomes good
                0, 0, 0, 0,  // h: 1 - what is lost when bad
                0, 0, 0, 0,  // k1: what is lost when good
            ])
    }

    @Test func alwaysIsTheHighestNumberThereIs() {
        #expect(NetemOptions.chance(1) == .max)
        #expect(NetemOptions.chance(0) == 0)
        #expect(NetemOptions.chance(0.5) == 0x8000_0000)
    }

    @Test func aLinkForWhatComesInHasAnIndexThatRulesCanNameBefore() throws {
        let bytes = try bytes {
            try $0.addIntermediate(Self.mark.linkName(1), index: Self.mark.linkIndex(1))
        }
        #expect(
            bytes == [
                64, 0, 0, 0,  // length
                16, 0, 5, 6,  // RTM_NEWLINK, NLM_F_REQUEST | NLM_F_ACK, NLM_F_CREATE | NLM_F_EXCL
                7, 0, 0, 0, 0, 0, 0, 0,  // sequence, port
                0, 0, 0, 0, 1, 2, 0, 0x40,  // family, padding, type; index
                0, 0, 0, 0, 0, 0, 0, 0,  // flags, change mask
                17, 0, 3, 0,  // IFNAME
            ] + Array("sq0010c4a8i1".utf8) + [
                0, 0, 0, 0,  // zero byte, padding
                12, 0, 18, 0x80,  // LINKINFO, nested
                8, 0, 1, 0, 0x69, 0x66, 0x62, 0,  // KIND "ifb"
            ])
    }

    @Test func aRootIsDeletedByItsHandleAndNeverWithout() throws {
        let bytes = try bytes { try $0.deleteRoot(on: 3) }
        #expect(bytes[4..<8] == [37, 0, 5, 0])  // RTM_DELQDISC, NLM_F_REQUEST | NLM_F_ACK
        #expect(bytes[20..<32] == [3, 0, 0, 0, 0, 0, 0xa5, 0xc4, 0xff, 0xff, 0xff, 0xff])
    }

    // MARK: The switch

    private func expression(_ expression: Expression) throws -> [UInt8] {
        let message = try NetlinkMessage(type: 0, flags: 0, sequence: 0, header: [])
        expression.write(to: message)
        return Array(try message.bytes().dropFirst(16))
    }

    @Test func aPriorityIsANumberOfThisMachineInTheRegister() throws {
        #expect(
            try expression(.classify(0xc4a5_0010)) == [
                44, 0, 1, 0x80,  // LIST_ELEM
                14, 0, 1, 0, 0x69, 0x6d, 0x6d, 0x65, 0x64, 0x69, 0x61, 0x74, 0x65, 0, 0, 0,  // NAME "immediate"
                24, 0, 2, 0x80,  // DATA
                8, 0, 1, 0, 0, 0, 0, 1,  // DREG: register 1
                12, 0, 2, 0x80, 8, 0, 1, 0, 0x10, 0, 0xa5, 0xc4,  // DATA: VALUE c4a5:10
                36, 0, 1, 0x80,  // LIST_ELEM
                9, 0, 1, 0, 0x6d, 0x65, 0x74, 0x61, 0, 0, 0, 0,  // NAME "meta"
                20, 0, 2, 0x80,  // DATA
                8, 0, 2, 0, 0, 0, 0, 2,  // KEY: priority
                8, 0, 3, 0, 0, 0, 0, 1,  // SREG
            ])
    }

    @Test func aDrawIsTurnedIntoNetworkOrderBeforeItIsCompared() throws {
        let bytes = try expression(.draw(0.3))
        #expect(
            bytes.prefix(52) == [
                52, 0, 1, 0x80,  // LIST_ELEM
                11, 0, 1, 0, 0x6e, 0x75, 0x6d, 0x67, 0x65, 0x6e, 0, 0,  // NAME "numgen"
                36, 0, 2, 0x80,  // DATA
                8, 0, 1, 0, 0, 0, 0, 1,  // DREG
                8, 0, 2, 0, 0, 0x0f, 0x42, 0x40,  // MODULUS: 1,000,000
                8, 0, 3, 0, 0, 0, 0, 1,  // TYPE: random
                8, 0, 4, 0, 0, 0, 0, 0,  // OFFSET
            ])
        #expect(bytes.suffix(12) == [12, 0, 3, 0x80, 8, 0, 1, 0, 0, 4, 0x93, 0xe0])  // DATA: VALUE 300,000
        #expect(String(decoding: bytes, as: UTF8.self).contains("byteorder"))
    }

    @Test func aForwardNamesTheLinkByItsIndex() throws {
        let bytes = try expression(.forward(interface: 0x4000_0201))
        #expect(bytes[24..<32] == [8, 0, 1, 0, 0, 0, 0, 1])  // DREG: register 1
        #expect(bytes[32..<44] == [12, 0, 2, 0x80, 8, 0, 1, 0, 1, 2, 0, 0x40])  // DATA: VALUE, the index
        #expect(
            bytes.suffix(24) == [
                24, 0, 1, 0x80,  // LIST_ELEM
                8, 0, 1, 0, 0x66, 0x77, 0x64, 0,  // NAME "fwd"
                12, 0, 2, 0x80,  // DATA
                8, 0, 1, 0, 0, 0, 0, 1,  // SREG_DEV
            ])
    }
}
