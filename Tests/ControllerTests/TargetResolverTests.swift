import Basics
import Contracts
import Experiment
import Simulation
import Testing

@testable import Controller

/// A source with as many targets as the file says; web-1 is protected by label.
private struct NumberedTargets: TargetSource {
    static let kind = "numbered"
    static let manual = Manual(summary: "", details: "", example: "")
    static let count = Parameter.required("count", .integer(), "how many")
    static let parameters: [any AnyParameter] = [count]
    let number: Int
    var summary: String { "numbered" }

    init(from reader: inout ParameterReader) {
        number = reader.value(Self.count)
    }

    func resolve(in context: SystemContext) async throws(FaultError) -> [Target] {
        (0..<number).map { index in
            Target(
                id: "t\(index)", name: "web-\(index)", attributes: [.containerName: "web-\(index)"],
                labels: ["n": "\(index)"])
        }
    }
}

@Suite struct TargetResolverTests {
    private static let place = Location(file: "t", line: 1, column: 1)

    private func resolver(_ count: Int, _ mode: SelectionMode, limits: Limits = Limits()) -> TargetResolver {
        let count = Node.mapping(
            .init([.init("count", at: Self.place, .scalar(.init("\(count)", at: Self.place)))], at: Self.place))
        let source = Declaration(name: "web", kind: NumberedTargets.kind, parameters: count, location: Self.place)
        var experiment = Experiment(file: "t", title: "t")
        experiment.targets = [TargetDeclaration(name: "web", source: .kind(source), mode: mode, location: Self.place)]
        experiment.limits = limits
        let context = SystemContext(
            time: SimulatedWorld(seed: 1), services: Services(), secrets: .empty, run: "r", record: { _ in })
        return TargetResolver(
            experiment, registry: Registry(targetSources: [NumberedTargets.self]), probes: [:], context: context)
    }

    private func names(
        _ count: Int, _ mode: SelectionMode, seed: UInt64 = 1, limits: Limits = Limits(),
        requiring attributes: Set<Target.Attribute> = []
    ) async throws -> [String] {
        var generator = SeededGenerator(seed: seed)
        var drawn: Set<String>?
        return try await resolver(count, mode, limits: limits).resolve(
            "web", requiring: attributes, window: LiveWindow(retention: .zero), drawn: &drawn, generator: &generator
        ).map(\.name)
    }

    @Test(arguments: [
        (SelectionMode.all, 10), (.one, 1), (.fixed(3), 3), (.fixedPercent(Share(fraction: 0.25)), 2),
    ])
    func takesAsManyAsTheModeSays(mode: SelectionMode, count: Int) async throws {
        #expect(try await names(10, mode).count == count)
    }

    @Test(arguments: 1...30)
    func aRandomShareIsNeverExceededAndNeverEmpty(seed: Int) async throws {
        let count = try await names(10, .randomMaxPercent(Share(fraction: 0.4)), seed: UInt64(seed)).count
        #expect((1...4).contains(count))
    }

    @Test func theSameSeedDrawsTheSameTargetsAndOthersDrawOthers() async throws {
        #expect(try await names(10, .fixed(3), seed: 5) == names(10, .fixed(3), seed: 5))
        var draws: Set<[String]> = []
        for seed in 1...20 { draws.insert(try await names(10, .one, seed: UInt64(seed))) }
        #expect(draws.count > 3)
    }

    @Test func aSecondStepActsOnTheTargetsOfTheFirst() async throws {
        let resolver = resolver(10, .one)
        var generator = SeededGenerator(seed: 3)
        var drawn: Set<String>?
        let window = LiveWindow(retention: .zero)
        let first = try await resolver.resolve(
            "web", requiring: [], window: window, drawn: &drawn, generator: &generator)
        for _ in 0..<10 {
            let next = try await resolver.resolve(
                "web", requiring: [], window: window, drawn: &drawn, generator: &generator)
            #expect(next == first)
        }
    }

    @Test(arguments: [
        (0, SelectionMode.all, "matches nothing"), (2, .fixed(3), "wants 3"),
        (3, .fixedPercent(Share(fraction: 0.1)), "selects none"),
    ])
    func anEmptyOrShortSelectionIsRefused(count: Int, mode: SelectionMode, says: String) async throws {
        let refusal = await #expect(throws: TargetResolver.Refusal.self) { try await names(count, mode) }
        #expect(refusal?.description.contains(says) == true)
    }

    @Test func protectedTargetsAreRefusedByLabelAndByName() async throws {
        let byLabel = Limits(protectedLabels: [NamedValue(name: "n", value: "1")])
        await #expect(throws: TargetResolver.Refusal.self) { try await names(3, .all, limits: byLabel) }
        await #expect(throws: TargetResolver.Refusal.self) {
            try await names(3, .all, limits: Limits(protectedNames: ["web-2"]))
        }
        #expect(try await names(1, .all, limits: byLabel) == ["web-0"])
    }

    @Test func aTargetThatLacksWhatTheFaultNeedsIsNamed() async throws {
        let error = await #expect(throws: FaultError.self) { try await names(1, .all, requiring: [.postgresDSN]) }
        #expect(error?.message.contains("postgres.dsn") == true)
    }

    @Test func theLimitCountsDistinctTargetsOfTheWholeRun() async throws {
        let resolver = resolver(3, .all, limits: Limits(maxTargets: 2))
        let targets = (0..<3).map { Target(id: "t\($0)", name: "web-\($0)", attributes: [:]) }
        try resolver.checkLimit(["t0"], adding: [targets[0], targets[1]])
        #expect(throws: TargetResolver.Refusal.self) {
            try resolver.checkLimit(["t0"], adding: [targets[1], targets[2]])
        }
    }
}
