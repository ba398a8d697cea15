internal import Basics
package import Contracts

/// Processes of this machine that an inject command has started and that still run, whoever's journal they belong to.
package struct ProcessLeftovers: LeftoverScanner {
    package init() {}

    package func scan(_ known: KnownSystems, in context: SystemContext) async -> [SystemScan] {
        let system = "processes of this machine"
        do {
            let table = try context.services.require((any ProcessTable).self)
            let marked = try table.processes(withVariable: MarkedProcesses.variable)
            return [SystemScan(system: system, marks: try marked.map { try mark($0.process, $0.value, table) })]
        } catch {
            return [SystemScan(system: system, failure: "\(error)")]
        }
    }

    /// The mark is the change's id, `<run>/<target>/<time>`.
    private func mark(
        _ process: ProcessIdentity, _ change: String, _ table: any ProcessTable
    ) throws(SystemError) -> SystemScan.Mark {
        let name = try table.entry(process.pid)?.name ?? "a process"
        let leftover = Leftover(
            kind: CommandRunFault.kind, target: "\(name) (pid \(process.pid))",
            description: "started by the inject command of change \(change), and still runs",
            commands: ["kill -KILL \(process.pid)"])
        return SystemScan.Mark(leftover, run: change.split(separator: "/").first.map(String.init))
    }
}
