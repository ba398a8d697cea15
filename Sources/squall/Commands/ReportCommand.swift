internal import ArgumentParser
internal import Basics
internal import Contracts
internal import Controller
internal import Experiment
internal import Glibc
internal import Report

/// `squall report`
struct ReportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "report",
        abstract: "Judges a run again from its history alone and writes its files anew.",
        discussion: "Example: squall report latest")

    @Argument(help: "A run's id, 'latest', or the folder of a run.")
    var id = "latest"
    @OptionGroup var runs: RunsOptions
    @OptionGroup var format: FormatOptions

    func run() async throws {
        try await perform()
    }

    @concurrent private func perform() async throws {
        let folder = access("\(id)/events.ndjson", F_OK) == 0 ? id : "\(runs.folder)/\(id)"
        let events = "\(folder)/events.ndjson"
        let history: History
        do throws(SystemError) {
            let read = try EventFile.history(events)
            history = read.history
            if read.tally.malformed > 0 || read.tally.tornBytes > 0 {
                Output.error(
                    "warning: \(events): \(read.tally.malformed) damaged lines, \(read.tally.tornBytes) bytes torn at the end"
                )
            }
        } catch {
            throw failure(2, "\(error)", next: "squall history --runs \(runs.folder)")
        }
        guard let run = history.run else {
            throw failure(2, "\(events) does not begin with a run", next: "squall history --runs \(runs.folder)")
        }
        let report: RunReport
        do {
            report = RunReport(Judgement.verdict(of: history, try Judgement.criteria(of: run)), history)
        } catch let invalid as InvalidInput {
            throw fail(invalid)
        }
        let finished: FinishedRun
        do {
            let files = try RunFiles.write(report, to: folder)
            finished = FinishedRun(
                report: report, folder: RunFolder(root: runs.folder, run: run.run), files: files, failures: [])
        } catch {
            throw failure(5, "\(error)", next: "df -h \(folder)")
        }
        if format.isJSON { Output.line(finished.verdictJSON) } else { finished.print() }
        throw ExitCode(finished.exitCode)
    }
}
