import Basics
import Contracts
import Experiment
import Simulation
import Testing

@testable import Controller

/// Targets by their names in the file.
struct NamedTargets: TargetSource {
    static let kind = "named"
    static let manual = Manual(summary: "", details: "", example: "")
    static let names = Parameter<[String]>.required("names", .list(.text), "which")
    static let parameters: [any AnyParameter] = [names]
    let names: [String]
    var summary: String { "named" }

    init(from reader: inout ParameterReader) {
        names = reader.value(Self.names)
    }

    func resolve(in context: SystemContext) async throws(FaultError) -> [Target] {
        names.map { Target(id: "t:\($0)", name: $0, attributes: [:]) }
    }
}

/// A fault between two groups that does nothing but show what it was given.
struct FakeBetweenFault: Fault {
    struct Undo: Codable, Sendable { var sides: [String] }

    static let kind = "fake.between"
    static let manual = Manual(summary: "", details: "", example: "")
    static let parameters: [any AnyParameter] = []
    static let requires: Set<Target.Attribute> = []
    static let targeting = Targeting.between

    init(from reader: inout ParameterReader) {}

    func plan(for target: Target) -> PlannedOperation {
        PlannedOperation(operation: Self.text(target).joined(separator: " | "), undo: "", privileges: [])
    }

    static func text(_ target: Target) -> [String] {
        target.sides.map { "\($0.role): \($0.members.map(\.name).joined(separator: " "))" }
    }

    func prepare(_ target: Target, in context: SystemContext) async throws(FaultError) -> Undo {
        Undo(sides: Self.text(target))
    }

    func inject(_ undo: Undo, in context: SystemContext) async throws(FaultError) -> Effect {
        .confirmed(InstantRange(context.time.now), evidence: undo.sides.joined(separator: " | "))
    }

    static func heal(_ undo: Undo, in context: SystemContext) async throws(FaultError) {}
    static func leftover(of undo: Undo, in context: SystemContext) async throws(FaultError) -> Leftover? { nil }
    static func manualHeal(_ undo: Undo) -> [String] { [] }
}

/// A fault between two groups is one fault, and touches all of their members.
@Suite struct BetweenTests {
    private static let place = Location(file: "t", line: 1, column: 1)

    private func experiment(_ a: [String], _ b: [String], limit: Int? = nil) -> Experiment {
        let names: [(String, [String])] = [("left", a), ("right", b)]
        let fault = Declaration(
            name: "cut", kind: FakeBetweenFault.kind, parameters: .mapping(.init([], at: Self.place)),
            location: Self.place)
        var experiment = fakeExperiment(steps: [
            Step(
                name: "cut", fault: fault,
                targets: [NamedValue(name: "a", value: "left"), NamedValue(name: "b", value: "right")],
                duration: .seconds(1), startAfter: nil, delay: .zero)
        ])
        experiment.targets = names.map { name, members in
            let list = Node.sequence(members.map { .scalar(.init($0, at: Self.place)) }, Self.place)
            let parameters = Node.mapping(.init([.init("names", at: Self.place, list)], at: Self.place))
            let source = Declaration(
                name: name, kind: NamedTargets.kind, parameters: parameters, location: Self.place)
            return TargetDeclaration(name: name, source: .kind(source), mode: .all, location: Self.place)
        }
        experiment.limits.maxTargets = limit
        return experiment
    }

    @Test func bothSidesReachTheFaultAsOneTarget() throws {
        let run = try #require(try SimulatedRun(experiment(["x"], ["y", "z"], limit: 3)))
        #expect(run.history.faults.map(\.evidence) == ["a: x | b: y z"])
        #expect(run.history.faults.map { $0.target.text } == ["x | y, z"])
        #expect(run.history.faults.map(\.stage) == [.healed])
    }

    @Test func everyMemberCountsForTheBlastRadius() throws {
        let run = try #require(try SimulatedRun(experiment(["x"], ["y", "z"], limit: 2)))
        #expect(run.history.faults.isEmpty)
        #expect(run.history.abort != nil)
    }

    @Test func thePlanShowsBothSides() async throws {
        let registry = SimulatedRun.registry
        let context = SystemContext(
            time: SimulatedWorld(seed: 1), services: Services(), secrets: .empty, run: "r", record: { _ in })
        let plan = await RunPlan(
            try RunAssembly(experiment(["x"], ["y", "z"]), registry: registry), context: context)
        #expect(plan.steps.first?.targets.map(\.name) == ["x | y, z"])
        #expect(plan.steps.first?.targets.map(\.operation.operation) == ["a: x | b: y z"])
        let tight = await RunPlan(
            try RunAssembly(experiment(["x"], ["y", "z"], limit: 2), registry: registry), context: context)
        #expect(tight.steps.first?.problem?.contains("3 targets would be touched") == true)
    }

    @Test func allMembersAreLocked() {
        let container = Target(id: "postgres:pg-1", name: "pg-1", attributes: [.containerID: "c1"])
        let other = Target(id: "t:x", name: "x", attributes: [:])
        let both = Target.between([
            TargetSide(role: "a", members: [container]), TargetSide(role: "b", members: [other]),
        ])
        #expect(both.resources == ["postgres:pg-1", "container:c1", "t:x"])
        #expect(both.parts == [container, other])
    }
}
