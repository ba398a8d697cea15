package import Basics
package import Experiment

/// Services by protocol type, so that the controller knows no system and a simulated world can stand in for any.
package struct Services: Sendable {
    /// Of the service's own type: a box is told by its class at once, while a cast to a protocol searches for it.
    private final class Box<Service: Sendable>: Sendable {
        let service: Service

        init(_ service: Service) {
            self.service = service
        }
    }

    private var boxes: [ObjectIdentifier: any AnyObject & Sendable] = [:]

    package init() {}

    package mutating func register<Service: Sendable>(_ service: Service, as type: Service.Type = Service.self) {
        boxes[ObjectIdentifier(type)] = Box(service)
    }

    /// The service, or an error that names it: a missing registration is our bug and must not trap while a fault is live.
    package func require<Service: Sendable>(_ type: Service.Type) throws(FaultError) -> Service {
        guard let box = boxes[ObjectIdentifier(type)] as? Box<Service> else {
            throw FaultError(.unexpected, "no service of type \(type) is registered")
        }
        return box.service
    }
}

/// What every fault, heal, probe and target source may use.
package struct SystemContext: Sendable {
    package var time: any TimeSource
    package var services: Services
    package var secrets: SecretStore
    /// The run's id: the nonce in every key, row and mark of ours.
    package var run: String
    package var record: @Sendable (HistoryEvent) -> Void
    /// How long the run may take, heal and settling included: credentials must last so long. Zero outside a run.
    package var longestRun = Span.zero
    /// Takes back that a fault's effect was shown: it ended before its time (a lease ran out, the target went away).
    /// Set for the call of `inject`, which may keep it; does nothing anywhere else.
    package var withdraw: @Sendable (_ reason: String) -> Void = { _ in }

    package init(
        time: any TimeSource, services: Services, secrets: SecretStore, run: String,
        record: @escaping @Sendable (HistoryEvent) -> Void
    ) {
        self.time = time
        self.services = services
        self.secrets = secrets
        self.run = run
        self.record = record
    }
}

/// Reveals `${secret}` in a text at the moment of use; never stores or prints a value.
package struct SecretStore: Sendable {
    private let references: [String: SecretReference]
    private let load: @Sendable (SecretReference) throws(FaultError) -> String

    package init(
        _ references: [NamedValue<SecretReference>],
        load: @escaping @Sendable (SecretReference) throws(FaultError) -> String
    ) {
        self.references = Dictionary(references.map { ($0.name, $0.value) }) { first, _ in first }
        self.load = load
    }

    package static let empty = SecretStore([]) { (reference) throws(FaultError) in
        throw FaultError(.notFound, "no secret '\(reference.key)' is declared")
    }

    /// The text with every `${name}` of a declared secret replaced by its value.
    package func reveal(_ text: String) throws(FaultError) -> String {
        guard text.contains("${") else { return text }
        var revealed = text
        for (name, reference) in references {
            let mark = "${\(name)}"
            if revealed.contains(mark) { revealed = revealed.replacing(mark, with: try load(reference)) }
        }
        return revealed
    }

    /// The text with every secret's value replaced by `${name}`: the last line of defence for messages of other programs.
    package func redact(_ text: String) -> String {
        var redacted = text
        for (name, reference) in references {
            guard let value = try? load(reference), value.count >= 4 else { continue }
            redacted = redacted.replacing(value, with: "${\(name)}")
        }
        return redacted
    }
}
