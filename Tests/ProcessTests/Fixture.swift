import Basics
import Contracts
import Experiment
import FoundationEssentials
import Process
import Synchronization
import Testing

/// What faults and probes get, over this machine; keeps what they record.
final class Fixture: Sendable {
    let host: LocalHost
    let context: SystemContext
    private let events: Events

    private final class Events: Sendable {
        let list = Mutex<[HistoryEvent]>([])
    }

    init(secrets: [String: String] = [:]) throws {
        let events = Events()
        var services = Services()
        host = try LocalHost()
        services.register(host, as: (any Host).self)
        services.register(host, as: (any ProcessTable).self)
        services.register(try LocalCommandRunner(), as: (any CommandRunner).self)
        let references = secrets.keys.map { NamedValue(name: $0, value: SecretReference(type: .env, key: $0)) }
        let store = SecretStore(references) { (reference) throws(FaultError) in
            guard let value = secrets[reference.key] else { throw FaultError(.notFound, "no \(reference.key)") }
            return value
        }
        context = SystemContext(time: SystemTimeSource(), services: services, secrets: store, run: "test") { event in
            events.list.withLock { $0.append(event) }
        }
        self.events = events
    }

    var recorded: [HistoryEvent] { events.list.withLock { $0 } }

    var operations: [Contracts.Operation] {
        recorded.compactMap { if case .operation(let operation) = $0 { operation } else { nil } }
    }
}

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

/// The messages of a refused load, for tests of bad input.
struct Refused: Error {
    var messages: [String]
}

func makeFault<Kind: Fault>(_ kind: Kind.Type, _ parameters: Value) throws -> Kind {
    var diagnostics = Diagnostics()
    let fault = ParameterReader.read(parameters.node, kind.parameters, into: &diagnostics) { Kind(from: &$0) }
    guard let fault else { throw Refused(messages: diagnostics.all.map(\.message)) }
    return fault
}

func makeProbe<Kind: Probe>(_ kind: Kind.Type, _ parameters: Value) throws -> Kind {
    var diagnostics = Diagnostics()
    let probe = ParameterReader.read(parameters.node, kind.parameters, into: &diagnostics) {
        Kind(name: "probe", from: &$0)
    }
    guard let probe else { throw Refused(messages: diagnostics.all.map(\.message)) }
    return probe
}

/// A value as it comes back from the journal.
func roundTrip<Value: Codable>(_ value: Value) throws -> Value {
    try JSONDecoder().decode(Value.self, from: try JSONEncoder().encode(value))
}
