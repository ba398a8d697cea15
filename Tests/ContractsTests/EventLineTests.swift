import Basics
import Contracts
import Testing

@Suite struct EventLineTests {
    @Test(arguments: 0..<40)
    func everyEventReadsBackAsItWasWritten(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let events = (0..<200).map { _ in randomEvent(&random) }
        let lines = encoded(events)
        #expect(lines.filter { $0 == UInt8(ascii: "\n") }.count == events.count)

        var decoder = EventLineDecoder()
        var decoded: [HistoryEvent] = []
        // Chunks of any size: a line may be cut anywhere.
        var rest = lines[...]
        while !rest.isEmpty {
            let size = Int.random(in: 1...300, using: &random)
            decoder.feed(rest.prefix(size)) { decoded.append($0) }
            rest = rest.dropFirst(size)
        }
        decoder.finish { decoded.append($0) }

        let firstDifference = zip(decoded, events).first { $0 != $1 }
        #expect(firstDifference == nil)
        #expect(decoder.tally.events == events.count)
        #expect(decoder.tally.malformed == 0 && decoder.tally.unknown == 0 && decoder.tally.tornBytes == 0)
    }

    @Test func equalHistoriesAreEqualFiles() {
        var first = SeededGenerator(seed: 7)
        var second = SeededGenerator(seed: 7)
        #expect(
            encoded((0..<100).map { _ in randomEvent(&first) }) == encoded((0..<100).map { _ in randomEvent(&second) }))
    }

    @Test func theFormatStaysAsItIs() {
        let events: [HistoryEvent] = [
            .run(
                RunRecord(
                    run: "r1", title: "A \"title\"", tags: ["dr"], file: "a.yaml", seed: .max,
                    startedAt: Instant(nanoseconds: 5), startedAtWall: WallInstant(nanoseconds: 1_000_000_000),
                    toolVersion: "0.1.0", environment: ["kernel": "6.1", "cores": "2"], criteria: ["rto: max 30s"],
                    criterionDefinitions: "[]", steps: ["kill"], steadyStateHold: .seconds(5))),
            .operation(
                Operation(
                    probe: "orders", path: "kept", node: "pg-1", action: .write, sequence: 7,
                    due: Instant(nanoseconds: 10), sent: Instant(nanoseconds: 11), end: Instant(nanoseconds: 12),
                    outcome: .ok)),
            .operation(
                Operation(
                    probe: "orders", path: "fresh", action: .write, sequence: 8, due: Instant(nanoseconds: 10),
                    sent: nil, end: Instant(nanoseconds: 12), outcome: .failed, reason: "unsent")),
            .state(
                StateSample(
                    probe: "roles", node: "pg-1", sent: Instant(nanoseconds: 1), end: Instant(nanoseconds: 2),
                    state: "primary", generation: 3, position: 4)),
            .fault(
                FaultTransition(
                    id: "m1", step: "kill", kind: "container.kill", target: "pg-1", stage: .active,
                    at: Instant(nanoseconds: 9),
                    effectiveAt: InstantRange(Instant(nanoseconds: 7), Instant(nanoseconds: 8)), detail: "exit seen")),
            .readBack(
                ReadBack(
                    probe: "orders", node: "pg-2", stage: .final, at: Instant(nanoseconds: 3), isAuthoritative: true,
                    present: [1...5, 7...7], duplicated: [3])),
            .aborted(.signal(2), at: Instant(nanoseconds: 4)), .ended(at: Instant(nanoseconds: 6)),
        ]
        #expect(
            String(decoding: encoded(events), as: UTF8.self) == """
                {"e":"run","v":1,"t":5,"wall":1000000000,"at":"1970-01-01T00:00:01.000Z","run":"r1","title":"A \\"title\\"",\
                "tags":["dr"],"file":"a.yaml","seed":"18446744073709551615","tool":"0.1.0",\
                "env":[["cores","2"],["kernel","6.1"]],"criteria":["rto: max 30s"],"defs":"[]","steps":["kill"],\
                "steady":5000000000}
                {"e":"op","p":"orders","via":"kept","n":"pg-1","a":"write","q":7,"d":10,"s":11,"t":12,"o":"ok"}
                {"e":"op","p":"orders","via":"fresh","a":"write","q":8,"d":10,"t":12,"o":"failed","r":"unsent"}
                {"e":"state","p":"roles","n":"pg-1","s":1,"t":2,"v":"primary","g":3,"x":4}
                {"e":"fault","t":9,"id":"m1","step":"kill","kind":"container.kill","target":"pg-1","stage":"active",\
                "from":7,"to":8,"why":"exit seen"}
                {"e":"read-back","p":"orders","n":"pg-2","t":3,"stage":"final","auth":true,"have":[[1,5],[7,7]],"dup":[3]}
                {"e":"abort","t":4,"why":"signal","signal":2}
                {"e":"end","t":6}

                """)
    }

    @Test func aTornLastLineAndUnknownEventsAreCountedAndTheRestIsRead() {
        let text = """
            {"e":"end","t":6}
            {"e":"weather","t":7,"sky":["grey",{"a":"]}"}]}
            {"e":"phase", "t": 8, "phase":"healing", "new-key":{"x":[1,2]}}
            {"e":"phase","t":8,"phase":"dreaming"}
            no json at all
            {"e":"op","p":"orders","a":"wri
            """
        var decoder = EventLineDecoder()
        var decoded: [HistoryEvent] = []
        decoder.feed(Array(text.utf8)) { decoded.append($0) }
        decoder.finish { decoded.append($0) }
        #expect(decoded == [.ended(at: Instant(nanoseconds: 6)), .phase(.healing, at: Instant(nanoseconds: 8))])
        #expect(decoder.tally.unknown == 1)
        #expect(decoder.tally.malformed == 2)
        #expect(decoder.tally.tornBytes == 31)
    }

    @Test func anotherWritersEscapesAreUnderstood() {
        let line = #"{"e":"note","t":1,"src":"a","lvl":"info","msg":"\u00e9\ud83d\ude00\/\t\u0007 \ud83d"}"#
        var decoder = EventLineDecoder()
        var decoded: [HistoryEvent] = []
        decoder.feed(Array((line + "\n").utf8)) { decoded.append($0) }
        let expected = Note(at: Instant(nanoseconds: 1), source: "a", message: "é😀/\t\u{7} \u{FFFD}")
        #expect(decoded == [.note(expected)])
    }

    @Test(arguments: 0..<200)
    func damagedBytesNeverTrapAndNeverMakeMoreEventsThanLines(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var lines = encoded((0..<20).map { _ in randomEvent(&random) })
        for _ in 0..<30 {
            let index = Int.random(in: lines.indices, using: &random)
            switch Int.random(in: 0..<3, using: &random) {
            case 0: lines[index] = UInt8.random(in: 0...255, using: &random)
            case 1: lines.remove(at: index)
            default: lines.insert(UInt8.random(in: 0...255, using: &random), at: index)
            }
        }
        var decoder = EventLineDecoder()
        var count = 0
        decoder.feed(lines) { _ in count += 1 }
        decoder.finish { _ in count += 1 }
        #expect(count == decoder.tally.events)
        #expect(count <= lines.filter { $0 == UInt8(ascii: "\n") }.count + 1)
    }
}

private func encoded(_ events: [HistoryEvent]) -> [UInt8] {
    var encoder = EventLineEncoder()
    var bytes: [UInt8] = []
    for event in events { encoder.append(event, to: &bytes) }
    return bytes
}

private func randomEvent(_ random: inout SeededGenerator) -> HistoryEvent {
    let texts = ["", "pg-1", "a \"b\" \\ c", "line\nbreak\ttab\u{1}", "ünï😀", "</script>", "25006", "x,y]}"]
    func text() -> String { texts.randomElement(using: &random) ?? "" }
    func label() -> Label { Label(text()) }
    func integer() -> Int64 {
        [0, 1, -1, .max, .min, Int64.random(in: -1_000...1_000_000_000_000, using: &random)]
            .randomElement(using: &random) ?? 0
    }
    func instant() -> Instant { Instant(nanoseconds: integer()) }
    func flag() -> Bool { Bool.random(using: &random) }
    func choice<Value: CaseIterable>(_ type: Value.Type, _ fallback: Value) -> Value {
        Value.allCases.randomElement(using: &random) ?? fallback
    }
    switch Int.random(in: 0..<13, using: &random) {
    case 0:
        return .run(
            RunRecord(
                run: text(), title: text(), description: text(), tags: [text(), text()], file: text(),
                runbook: flag() ? text() : nil, experimentDigest: text(), seed: random.next(), startedAt: instant(),
                startedAtWall: WallInstant(
                    nanoseconds: Int64.random(in: 0...2_000_000_000_000_000_000, using: &random)),
                toolVersion: text(), environment: flag() ? [:] : [text(): text(), "k": text()],
                criteria: flag() ? [] : [text()]))
    case 1: return .phase(choice(Phase.self, .preflight), at: instant())
    case 2:
        return .operation(
            Operation(
                probe: label(), path: label(), node: label(),
                action: [.write, .read, .check].randomElement(using: &random) ?? .read, sequence: integer(),
                due: instant(), sent: flag() ? instant() : nil, end: instant(), outcome: choice(Outcome.self, .ok),
                reason: label()))
    case 3:
        return .state(
            StateSample(
                probe: label(), node: label(), sent: instant(), end: instant(), state: label(),
                generation: flag() ? integer() : nil, position: flag() ? integer() : nil, identity: label(),
                detail: label()))
    case 4:
        let value = [0, -1.5, 1e-300, 0.1 + 0.2, .infinity, -.infinity].randomElement(using: &random) ?? 0
        return .measurement(
            Measurement(
                probe: label(), node: label(), metric: label(), at: instant(), value: value,
                unit: [.seconds, .bytes, .count, .fraction].randomElement(using: &random) ?? .count,
                isCensored: flag()))
    case 5:
        return .readBack(
            ReadBack(
                probe: label(), node: label(), stage: flag() ? .evidence : .final, at: instant(),
                isAuthoritative: flag(), present: flag() ? [] : [1...5, 9...9], duplicated: flag() ? [] : [integer()],
                generation: flag() ? integer() : nil, failure: text()))
    case 6:
        let effect = InstantRange(Instant(nanoseconds: 3), Instant(nanoseconds: 9))
        return .fault(
            FaultTransition(
                id: text(), step: label(), kind: label(), target: label(), stage: choice(FaultStage.self, .active),
                at: instant(), effectiveAt: flag() ? effect : nil, detail: text()))
    case 7: return .stall(ProberStall(from: instant(), to: instant()))
    case 8:
        return .note(
            Note(
                at: instant(), source: label(),
                level: [.info, .warning, .error].randomElement(using: &random) ?? .info, message: text()))
    case 9: return .steadyState(phase: choice(Phase.self, .baseline), held: flag(), at: instant(), detail: text())
    case 10:
        let reasons: [AbortReason] = [
            .signal(15), .stopCondition(text()), .steadyStateNotReached(text()), .injectionFailed(text()),
            .maxDurationReached, .refused(text()), .environment(text()),
            .controllerDied(text()),
        ]
        return .aborted(reasons.randomElement(using: &random) ?? .maxDurationReached, at: instant())
    case 11:
        let leftover = Leftover(kind: text(), target: text(), description: text(), commands: flag() ? [] : [text()])
        return .cleanUp(leftovers: flag() ? [] : [leftover, leftover], at: instant())
    default: return .ended(at: instant())
    }
}
