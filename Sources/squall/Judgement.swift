internal import Basics
internal import Checkers
internal import Contracts
internal import Controller
internal import Experiment

/// From a history to a verdict: used at the end of a run and again by `squall report`.
enum Judgement {
    static func verdict(of history: History, _ criteria: [RunAssembly.Criterion]) -> RunVerdict {
        let results = criteria.map { $0.checker.check(history, $0.subject) }
        let leftovers = history.leftovers ?? []
        let run = history.run ?? unknownRun
        let judgement = RunJudgement.judge(
            history, criteria: results, steps: run.steps, hasSteadyState: run.steadyStateHold != nil)
        return RunVerdict(
            run: run, verdict: judgement.verdict, reason: judgement.reason,
            exitCode: RunExitCode.code(
                verdict: judgement.verdict, abort: history.abort?.reason, leftovers: leftovers),
            criteria: results, faults: history.faults, leftovers: leftovers, untested: judgement.untested,
            endedAt: history.endedAt ?? run.startedAt)
    }

    /// The criteria a run was judged by, from its own history.
    static func criteria(of run: RunRecord) throws -> [RunAssembly.Criterion] {
        var experiment = Experiment(file: run.file, title: run.title)
        let records = try JSONValue(parsing: run.criterionDefinitions).decode(as: [CriterionRecord].self)
        experiment.steadyState = run.steadyStateHold.map { SteadyState(title: "", holdFor: $0, expectations: []) }
        experiment.criteria = records.map(\.declaration)
        return try RunAssembly(experiment, registry: standardRegistry()).criteria
    }

    /// Stands in when the first line of the history is lost.
    private static let unknownRun = RunRecord(
        run: "unknown", title: "unknown run", file: "", seed: 0, startedAt: Instant(nanoseconds: 0),
        startedAtWall: WallInstant(nanoseconds: 0), toolVersion: toolVersion)
}
