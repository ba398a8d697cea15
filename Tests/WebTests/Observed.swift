import Basics
import Contracts
import Experiment
import Synchronization
import Testing
import Web

private let nowhere = Location(file: "test.yaml", line: 1, column: 1)

/// Parameters as a file would hold them: text, lists of text, mappings of text.
enum Value: ExpressibleByStringLiteral, ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral {
    case text(String)
    case list([Value])
    case map([(String, Value)])

    init(stringLiteral text: String) { self = .text(text) }
    init(arrayLiteral elements: Value...) { self = .list(elements) }
    init(dictionaryLiteral elements: (String, Value)...) { self = .map(elements) }

    var node: Node {
        switch self {
        case .text(let text): .scalar(.init(text, isQuoted: text.isEmpty, at: nowhere))
        case .list(let elements): .sequence(elements.map(\.node), nowhere)
        case .map(let members):
            .mapping(.init(members.map { .init($0.0, at: nowhere, $0.1.node) }, at: nowhere))
        }
    }
}

/// The messages of a refused load.
struct Refused: Error {
    var messages: [String]
}

func makeProbe(_ parameters: [(String, Value)]) throws -> HTTPCheckProbe {
    var diagnostics = Diagnostics()
    let node = Value.map(parameters).node
    let probe = ParameterReader.read(node, HTTPCheckProbe.parameters, into: &diagnostics) {
        HTTPCheckProbe(name: "web", from: &$0)
    }
    guard let probe else { throw Refused(messages: diagnostics.all.map(\.message)) }
    return probe
}

/// What a probe recorded.
final class Record: Sendable {
    private let events = Mutex<[HistoryEvent]>([])

    func append(_ event: HistoryEvent) { events.withLock { $0.append(event) } }
    var all: [HistoryEvent] { events.withLock { $0 } }
    var operations: [Contracts.Operation] {
        all.compactMap { if case .operation(let operation) = $0 { operation } else { nil } }
            .sorted { $0.sequence < $1.sequence }
    }
}

func makeContext(_ record: Record, secrets: [String: String] = [:]) -> SystemContext {
    let references = secrets.keys.map { NamedValue(name: $0, value: SecretReference(type: .env, key: $0)) }
    let store = SecretStore(references) { (reference) throws(FaultError) in
        guard let value = secrets[reference.key] else { throw FaultError(.notFound, "no \(reference.key)") }
        return value
    }
    return SystemContext(time: SystemTimeSource(), services: Services(), secrets: store, run: "test") { event in
        record.append(event)
    }
}

/// Runs the probe until it has recorded `count` operations, then lets it drain.
func observe(_ parameters: [(String, Value)], count: Int = 1, secrets: [String: String] = [:]) async throws -> Record {
    let record = Record()
    let probe = try makeProbe(parameters)
    let context = ProbeContext(system: makeContext(record, secrets: secrets)) { (_, _, _) throws(FaultError) in
        throw FaultError(.unexpected, "this probe changes nothing")
    } closeJournal: { _ in
    }
    let session = try await probe.start(in: context)
    let time = SystemTimeSource()
    let deadline = time.now + .seconds(20)
    try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { await session.run() }
        while record.operations.count < count, time.now < deadline { try await time.sleep(for: .milliseconds(2)) }
        group.cancelAll()
    }
    try await session.close()
    return record
}
