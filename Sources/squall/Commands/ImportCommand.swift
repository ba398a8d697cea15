internal import AWS
internal import ArgumentParser
internal import Basics
internal import Experiment
internal import Glibc

/// `squall import`
struct ImportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import", abstract: "Makes an experiment of another tool's.", subcommands: [FISImportCommand.self])
}

/// `squall import fis`
struct FISImportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "fis",
        abstract: "Makes an experiment of an AWS FIS experiment template. Calls nothing.",
        discussion: """
            Reads what aws fis get-experiment-template prints, or the input of create-experiment-template. Actions \
            that Squall has no fault for are refused, each with the reason; with --partial they become comments. With \
            --output the template itself is kept beside the experiment as NAME.fis.json: squall export fis starts \
            from it.

            Examples:
              aws fis get-experiment-template --id EXT1a2b3c4d5e6f7 > template.json
              squall import fis template.json --output zone-loss.yaml
              squall import fis template.json --partial
            """)

    @Argument(help: "The template's JSON.")
    var path: String
    @Option(help: "The experiment file to write; an existing one is never overwritten. Default: standard output.")
    var output: String?
    @Flag(help: "Leaves out what has no counterpart, as comments.")
    var partial = false
    @OptionGroup var format: FormatOptions

    /// What `--format json` prints.
    private struct Result: Encodable {
        var experiment: String?
        var unmapped: [FISObstacle]
        var notes: [String]
    }

    func run() async throws {
        let bytes = try readInput(path, next: "aws fis get-experiment-template --id EXT… > template.json")
        let made = FISImport(try template(String(decoding: bytes, as: UTF8.self)))
        for obstacle in made.unmapped { Output.error("not imported: \(obstacle.line)") }
        for note in made.notes { Output.error("note: \(note)") }
        let isRefused = !made.unmapped.isEmpty && !partial
        let text = made.text(templateFile: output.map { $0.isEmpty ? "" : fileName(sideFile(of: $0)) })
        if format.isJSON {
            try printJSON(Result(experiment: isRefused ? nil : text, unmapped: made.unmapped, notes: made.notes))
        }
        if isRefused {
            throw failure(
                2, "not every action has a counterpart; nothing was written",
                next: "squall import fis \(path) --partial")
        }
        if let output {
            // Both or none: a template beside somebody else's experiment would be taken for that one's.
            for path in [output, sideFile(of: output)] where FileAccess.system.exists(path) {
                throw failure(2, "\(path) is there already", next: "squall import fis \(self.path) --output NAME.yaml")
            }
            try write(Array(text.utf8), to: output)
            try write(bytes, to: sideFile(of: output))
            Output.error("wrote \(output) and \(sideFile(of: output))\nnext: squall validate \(output)")
        } else if !format.isJSON {
            Output.write(text, to: STDOUT_FILENO)
            Output.error("note: what only FIS knows is not in it; squall export fis FILE --template \(path) adds it")
        }
    }

    private func template(_ text: String) throws -> FISTemplate {
        do throws(InvalidInput) {
            return try FISTemplate(parsing: text)
        } catch {
            throw fail(error)
        }
    }

    private func write(_ bytes: [UInt8], to path: String) throws {
        do throws(SystemError) {
            let file = try Descriptor(opening: path, flags: O_WRONLY | O_CREAT | O_EXCL, mode: 0o644)
            try file.writeAll(bytes, subject: path)
        } catch {
            throw failure(2, "\(error)", next: "squall import fis \(self.path) --output another-name.yaml")
        }
    }

    private func fileName(_ path: String) -> String { path.split(separator: "/").last.map(String.init) ?? path }
}

/// Where the template of an experiment lies: `zone-loss.fis.json` beside `zone-loss.yaml`.
func sideFile(of experiment: String) -> String {
    let name = experiment.split(separator: "/").last ?? ""
    let ending = name.lastIndex(of: ".").map { name[$0...] } ?? ""
    return experiment.dropLast(ending.count) + ".fis.json"
}

/// Reads a file that a command names; ends with exit code 2 when it cannot be read.
func readInput(_ path: String, next: String) throws -> [UInt8] {
    do throws(FileProblem) {
        return try FileAccess.system.read(path)
    } catch {
        throw failure(2, "cannot read \(path): \(error)", next: next)
    }
}
