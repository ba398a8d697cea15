internal import Basics
import Testing

@testable import Experiment

@Suite struct LoaderTests {
    @Test func readsEverySectionOfACompleteFile() throws {
        let result = load(completeText)
        #expect(result.diagnostics.all == [])
        let experiment = try result.get()
        #expect(experiment.title == "The primary is killed")
        #expect(experiment.tags == ["dr", "gate"])
        #expect(experiment.seed == 7)
        #expect(experiment.runbook == "runbooks/a.md")
        #expect(experiment.targets.map(\.name) == ["database", "primary", "region:region"])
        #expect(experiment.targets[0].mode == .fixedPercent(Share(fraction: 0.5)))
        #expect(experiment.method.map(\.name) == ["kill", "cut", "region:cut", "region:fake.shout", "fake.lag"])
        #expect(
            experiment.method[1].targets == [.init(name: "a", value: "primary"), .init(name: "b", value: "database")])
        #expect(experiment.method[1].startAfter == ["kill"])
        #expect(
            experiment.method[2].targets == [
                .init(name: "a", value: "region:region"), .init(name: "b", value: "primary"),
            ])
        #expect(experiment.method[3].startAfter == ["region:cut"])
        #expect(experiment.method[4].delay == .seconds(1))
        #expect(
            experiment.criteria.map(\.declaration.name) == ["rto", "rpo", "split-brain", "availability", "recovery"])
        #expect(experiment.criteria[0].after == "kill")
        #expect(experiment.limits.protectedNames == ["etcd"])
        #expect(experiment.limits.maxTargets == 3)
        #expect(experiment.secrets.map(\.value) == [SecretReference(type: .file, key: "secrets/pg")])
    }

    @Test(arguments: [("0", 0), ("18446744073709551615", UInt64.max)])
    func takesEverySeedThatARunCanHaveDrawn(text: String, seed: UInt64) throws {
        let file = "title: t\nmethod: []\ncriteria: {recovery: {}}\nseed: \(text)\n"
        #expect(try load(file).get().seed == seed)
    }

    @Test func readsTheSameExperimentEveryTime() throws {
        let (first, second) = (try load(completeText).get(), try load(completeText).get())
        #expect(first.method == second.method)
        #expect(first.targets == second.targets)
        #expect(first.seed == second.seed)
        #expect(first.criteria == second.criteria)
    }
}
