internal import ArgumentParser
internal import Basics
internal import Experiment
internal import Glibc

/// `squall init`
struct InitCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "init", abstract: "Writes a commented experiment file to start from.",
        discussion: "Example: squall init my-experiment.yaml")

    @Argument(help: "The file to write; an existing one is never overwritten.")
    var path = "experiment.yaml"

    func run() async throws {
        do throws(SystemError) {
            let file = try Descriptor(opening: path, flags: O_WRONLY | O_CREAT | O_EXCL, mode: 0o644)
            try file.writeAll(Array(ExperimentTemplate.text.utf8), subject: path)
        } catch {
            throw failure(2, "\(error)", next: "squall init another-name.yaml")
        }
        Output.line("wrote \(path)\nnext: squall validate \(path)")
    }
}
