package import Basics
package import Contracts
package import Experiment

/// Cuts the network and mends it, over and over: a link that flaps.
package struct NetworkFlapFault: Fault {
    package struct Undo: Codable, Sendable, Hashable {
        package var cut: PartitionUndo
        package var pattern: SwitchPattern
    }

    package static let kind = "network.flap"
    package static let requires: Set<Target.Attribute> = []
    package static let targeting = Targeting.group
    package static let division: String? = PartitionSettings.division
    package static let composes = true

    private static let on = Parameter<Span?>.optional("on", .span, "how long nothing passes; default: 1s")
    private static let off = Parameter<Span?>.optional("off", .span, "how long all passes then; default: as long as on")
    private static let pattern = Parameter<[Span]?>.optional(
        "pattern", .list(.span), "in place of on and off: cut, mended, cut, mended, …, from the start again at its end")
    package static let parameters: [any AnyParameter] = [on, off, pattern] + PartitionSettings.parameters

    /// Below this, a busy machine switches late by more than it switches for.
    private static let shortest = Span.milliseconds(20)

    package let settings: PartitionSettings
    package let switches: SwitchPattern

    package init(from reader: inout ParameterReader) {
        settings = PartitionSettings(from: &reader)
        let (on, off) = (reader.value(Self.on), reader.value(Self.off))
        let list = reader.value(Self.pattern)
        let first = on ?? .seconds(1)
        let spans = list ?? [first, off ?? first]
        let key = list == nil ? (on == nil ? Self.off.key : Self.on.key) : Self.pattern.key
        if list != nil, on != nil || off != nil {
            reader.diagnostics.error(
                "pattern says all that on and off say", at: reader.location(of: Self.pattern.key),
                notes: ["leave on and off out"])
        }
        if let short = spans.first(where: { $0 < Self.shortest }) {
            reader.diagnostics.error("\(short) is shorter than \(Self.shortest)", at: reader.location(of: key))
        }
        if let made = SwitchPattern(spans) {
            switches = made
        } else {
            switches = SwitchPattern.everySecond
            if spans.allSatisfy({ $0 >= Self.shortest }) {
                reader.diagnostics.error(
                    "a pattern is cut and mended in turn: an even number of spans", at: reader.location(of: key),
                    notes: ["for example pattern: [2s, 500ms, 1s, 3s]"])
            }
        }
    }

    package func plan(for target: Target) -> PlannedOperation {
        PlannedOperation(
            operation: settings.operation(on: target, "block and let pass in turn (\(switches)),"),
            undo: PartitionUndo.words, privileges: PartitionUndo.privileges)
    }

    package func prepare(_ target: Target, in context: SystemContext) async throws(FaultError) -> Undo {
        var cut = try await PartitionUndo(settings, target, for: Self.kind, in: context)
        cut.block.isFlapping = true
        return Undo(cut: cut, pattern: switches)
    }

    package func inject(_ undo: Undo, in context: SystemContext) async throws(FaultError) -> Effect {
        let kernel = try context.services.require((any NetworkKernel).self)
        do throws(NetworkError) {
            let effect = try await PartitionProof(undo.cut).prove(kernel) {
                () throws(NetworkError) in
                try await undo.cut.begin(Self.kind, killing: settings.killsEstablished, kernel, in: context)
            }
            // The first stretch lasts until its effect is shown, when that takes longer.
            if case .confirmed(let armed, _) = effect {
                try await kernel.alternate(undo.cut.block.mark, undo.pattern, since: armed.upper)
            }
            return effect
        } catch {
            throw FaultError("cut the network", on: undo.cut.target, error)
        }
    }

    package static func heal(_ undo: Undo, in context: SystemContext) async throws(FaultError) {
        try await NetworkHold.end(undo.cut.block.mark, in: context)
    }

    package static func leftover(
        of undo: Undo, in context: SystemContext
    ) async throws(FaultError) -> Leftover? {
        try await undo.cut.leftover(of: kind, in: context)
    }

    package static func manualHeal(_ undo: Undo) -> [String] { undo.cut.manualHeal }

    package static func lateEffect(of undo: Undo) -> Span { .zero }

    package static let manual = Manual(
        summary: "Cut the network and mend it, over and over, by a pattern",
        details: """
            The same cut as network.partition, with the same parameters, switched on and off in the kernel without making
            rules anew: by on and off, or by a pattern of any even length, which begins with the cut and starts again at
            its end. Each switch has an absolute deadline, is one request per container, and stands in the history with
            the time in which all containers were switched.

            The first cut is shown as network.partition shows its own, and lasts until that is done when on is shorter.
            Between two cuts the tables stay in the containers with nothing in their sets, and stop nothing.

            The heal deletes the rules; the kernel does so by itself when squall dies. When squall hangs, a cut runs out
            after six seconds, and the flapping does not go on when it wakes.
            """,
        example: """
            targets:
              database: {docker: {names: [pg-1, pg-2]}}
              client:   {docker: {names: [web-1]}}
            method:
              - {name: flap, fault: network.flap, between: {a: client, b: database}, on: 2s, off: 3s, duration: 1m}
            """)
}
