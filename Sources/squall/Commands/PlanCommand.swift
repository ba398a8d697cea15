internal import ArgumentParser
internal import Basics
internal import Contracts
internal import Controller
internal import Experiment

/// `squall plan`
struct PlanCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "plan",
        abstract: "Prints each target, each operation, its undo and the privileges it needs. Touches nothing.",
        discussion: "Example: squall plan experiments/disaster-recovery/postgres-primary-loss.yaml")

    @Argument(help: "The experiment file.")
    var path: String
    @OptionGroup var file: FileOptions
    @OptionGroup var format: FormatOptions

    func run() async throws {
        try await perform()
    }

    @concurrent private func perform() async throws {
        let systems = try makeSystems()
        let experiment = try file.load(path, registry: systems.registry)
        let plan: RunPlan
        do {
            let assembly = try RunAssembly(experiment, registry: systems.registry)
            plan = await RunPlan(
                assembly, context: systems.context(run: "plan", secrets: experiment.secrets) { _ in })
        } catch {
            throw fail(error)
        }
        if format.isJSON { try printJSON(plan) } else { show(plan) }
        if plan.steps.contains(where: { $0.problem != nil }) { throw ExitCode(2) }
    }

    private func show(_ plan: RunPlan) {
        Output.line("\(plan.title)\n")
        for (number, step) in plan.steps.enumerated() {
            Output.line("\(number + 1). \(step.name): \(step.fault)  (\(step.timing))")
            if let problem = step.problem { Output.line("   PROBLEM     \(problem)") }
            for target in step.targets {
                Output.line("   target      \(target.name)")
                Output.line("   operation   \(target.operation.operation)")
                Output.line("   undo        \(target.operation.undo)")
                for privilege in target.operation.privileges { Output.line("   needs       \(privilege)") }
            }
        }
        Output.line("\nprobes")
        for probe in plan.probes { Output.line("   \(probe)") }
        Output.line("criteria")
        for criterion in plan.criteria { Output.line("   \(criterion)") }
        Output.line("limits\n   \(plan.limits)")
    }
}
