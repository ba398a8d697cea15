import Basics
import Testing

@testable import AWS

/// When a failover is over: three facts, in whatever order they come, and none of them twice.
@Suite struct FailoverWatchTests {
    /// What happens, with its instant in milliseconds.
    enum Step: Sendable {
        case look(Int64, writer: String?, isAvailable: Bool)
        case write(Int64, isDone: Bool)
    }

    /// Every note, with its instant.
    private func play(_ steps: [Step]) -> [String] {
        var watch = FailoverWatch()
        return steps.compactMap { step -> FailoverWatch.Ending? in
            switch step {
            case .look(let at, let writer, let isAvailable):
                watch.saw(writer: writer, isAvailable: isAvailable, at: ProbeFixture.instant(at))
            case .write(let at, let isDone):
                watch.wrote(isDone, sent: ProbeFixture.instant(at), end: ProbeFixture.instant(at + 5))
            }
        }.map { "\($0.at.nanoseconds / 1_000_000) \($0.message.prefix(32))" }
    }

    private static let over = "failover is over: orders-2 write"

    @Test func aFailoverIsOverWhenAllThreeHold() {
        let notes = play([
            .look(0, writer: "orders-1", isAvailable: true), .write(10, isDone: true),
            .look(1_000, writer: nil, isAvailable: false), .write(1_010, isDone: false),
            .look(2_000, writer: "orders-2", isAvailable: false), .write(2_010, isDone: true),
            .look(3_000, writer: "orders-2", isAvailable: true), .write(3_010, isDone: true),
            .look(4_000, writer: "orders-2", isAvailable: true),
        ])
        #expect(notes == ["3000 \(Self.over)"])
    }

    @Test func theWriteMayComeLast() {
        let notes = play([
            .look(0, writer: "orders-1", isAvailable: true),
            .look(1_000, writer: "orders-2", isAvailable: true), .write(1_010, isDone: false),
            .look(2_000, writer: "orders-2", isAvailable: true), .write(2_010, isDone: true),
        ])
        #expect(notes == ["2015 \(Self.over)"])
    }

    @Test func aWriteThatBeganBeforeTheNewWriterWasSeenSaysNothing() {
        let notes = play([
            .look(0, writer: "orders-1", isAvailable: true), .write(990, isDone: true),
            .look(1_000, writer: "orders-2", isAvailable: true), .write(999, isDone: true),
            .look(2_000, writer: "orders-2", isAvailable: true),
        ])
        #expect(notes == [])
    }

    @Test func aWriteThatFailsAgainBeforeTheClusterIsAvailableTakesTheFirstOneBack() {
        let notes = play([
            .look(0, writer: "orders-1", isAvailable: true),
            .look(1_000, writer: "orders-2", isAvailable: false), .write(1_010, isDone: true),
            .write(1_510, isDone: false), .look(2_000, writer: "orders-2", isAvailable: true),
            .write(2_010, isDone: true),
        ])
        #expect(notes == ["2015 \(Self.over)"])
    }

    @Test func anAvailableClusterWithItsOldWriterIsNoFailover() {
        let notes = play([
            .look(0, writer: "orders-1", isAvailable: true), .look(1_000, writer: nil, isAvailable: false),
            .look(2_000, writer: "orders-1", isAvailable: true), .write(2_010, isDone: true),
        ])
        #expect(notes == [])
    }

    @Test func aWriterThatGoesBackEndsTheWait() {
        let notes = play([
            .look(0, writer: "orders-1", isAvailable: true), .look(1_000, writer: "orders-2", isAvailable: false),
            .look(2_000, writer: "orders-1", isAvailable: true), .write(2_010, isDone: true),
        ])
        #expect(notes == [])
    }

    @Test func theSecondFailoverIsAnother() {
        let notes = play([
            .look(0, writer: "orders-2", isAvailable: true), .look(1_000, writer: "orders-1", isAvailable: true),
            .write(1_010, isDone: true), .look(2_000, writer: "orders-2", isAvailable: true),
            .write(2_010, isDone: true),
        ])
        #expect(notes == ["1015 failover is over: orders-1 write", "2015 \(Self.over)"])
    }

    @Test func aThirdWriterMustBeWrittenToItself() {
        let notes = play([
            .look(0, writer: "orders-1", isAvailable: true), .look(1_000, writer: "orders-3", isAvailable: false),
            .write(1_010, isDone: true), .look(2_000, writer: "orders-2", isAvailable: true),
            .look(3_000, writer: "orders-2", isAvailable: true), .write(3_010, isDone: true),
        ])
        #expect(notes == ["3015 \(Self.over)"])
    }
}
