import Glibc
import Testing

@testable import Network

/// How a batch ends, from the kernel's answers alone.
@Suite struct BatchConversationTests {
    private func conversation() throws -> BatchConversation {
        var sequence: UInt32 = 0
        var batch = try NftablesBatch("test") {
            sequence += 1
            return sequence
        }
        let table = NftablesTable(
            family: .inet, name: "t", comment: "", sets: [],
            chains: [.init(name: "in", hook: .input, rules: [[.counter, .decide(.drop)]])])
        try batch.create(table, isLast: true)
        return BatchConversation(try batch.finish(), header: 20)
    }

    /// NLMSG_ERROR for a request, capped to the request's header, with an offset when one is given.
    private func answer(_ sequence: UInt32, errno: CInt, offset: UInt32? = nil) -> [UInt8] {
        let words = offset.map { hostOrder(UInt16(8)) + hostOrder(UInt16(2)) + hostOrder($0) } ?? []
        let request = hostOrder(UInt32(20)) + hostOrder(UInt32(0)) + hostOrder(sequence) + hostOrder(UInt32(0))
        let payload = hostOrder(-errno) + request + words
        let header =
            hostOrder(UInt32(16 + payload.count)) + hostOrder(UInt16(2))
            + hostOrder(UInt16(offset == nil ? 0x100 : 0x300))
        return header + hostOrder(sequence) + hostOrder(UInt32(0)) + payload
    }

    @Test func theLastRequestsAcknowledgementEndsIt() throws {
        var conversation = try conversation()
        #expect(throws: Never.self) { try conversation.receive(answer(4, errno: 0))?.get() }
    }

    @Test func anAcknowledgedLastRequestHidesNoErrorBeforeIt() throws {
        var conversation = try conversation()
        #expect(conversation.receive(answer(3, errno: ENOENT)) == nil)
        let error = #expect(throws: NetworkError.self) { try conversation.receive(answer(4, errno: 0))?.get() }
        #expect(error?.errno == ENOENT)
        #expect(error?.operation == "test: create chain in")
    }

    @Test func aRefusedBeginEndsIt() throws {
        var conversation = try conversation()
        let error = #expect(throws: NetworkError.self) { try conversation.receive(answer(1, errno: EPERM))?.get() }
        #expect(error?.code == .denied)
    }

    @Test func answersToOtherRequestsAndTornOnesAreIgnored() throws {
        var conversation = try conversation()
        #expect(conversation.receive(answer(77, errno: EPERM)) == nil)
        #expect(conversation.receive(Array(answer(4, errno: 0).prefix(21))) == nil)
        #expect(conversation.receive([]) == nil)
    }

    @Test func anOffsetIsNamedWithTheExpressionItPointsInto() throws {
        // 20 bytes of headers, TABLE and CHAIN of 8 each, EXPRESSIONS 4: there the first expression begins.
        var conversation = try conversation()
        let error = #expect(throws: NetworkError.self) {
            try conversation.receive(answer(4, errno: ENOENT, offset: 40))?.get()
        }
        #expect(error?.attribute == "4.1[counter]")
    }
}
