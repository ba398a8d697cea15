internal import AWS
import Basics
internal import Checkers
internal import Contracts
internal import Docker
internal import Experiment
internal import Glibc
internal import Network
internal import Postgres
internal import Process
import Redis
import Testing
internal import Web

/// Every file that comes with Squall is read with the real kinds and validated by a foreign implementation.
@Suite struct ShippedFileTests {
    @Test func findsTheShippedFiles() {
        #expect(Shipped.experiments.count >= 7)
        #expect(Shipped.plans.count >= 1)
    }

    @Test(arguments: Shipped.experiments)
    func loadsWithoutAnyFinding(path: String) throws {
        let result = Shipped.loader().load(path)
        let text = DiagnosticRenderer(sources: result.sources).render(result.diagnostics)
        #expect(text == "")
        let experiment = try result.get()
        #expect(experiment.description.count > 80, "say why, and what the system must do")
        #expect(!experiment.tags.isEmpty)
    }

    @Test(arguments: Shipped.experiments)
    func hasARunbookThatAPersonCanFollow(path: String) throws {
        let experiment = try Shipped.loader().load(path).get()
        let runbook = try #require(experiment.runbook)
        let text = try String(validating: FileAccess.system.read(runbook), as: UTF8.self) ?? ""
        for section in ["## Symptoms", "## Confirm", "## Heal by hand", "## Escalate", "```sh"] {
            #expect(text.contains(section), "\(runbook) lacks \(section)")
        }
        let name = path.split(separator: "/").last ?? ""
        #expect(text.contains(name), "\(runbook) does not name the experiment that tests it")
    }

    @Test func matchTheSchema() throws {
        #expect(try Shipped.violations(ExperimentSchema.make(Shipped.registry.catalog), Shipped.experiments) == "")
        #expect(try Shipped.violations(ExperimentSchema.plan(Shipped.registry.catalog), Shipped.plans) == "")
    }

    @Test func startsWithATemplateThatIsValidAsItIs() throws {
        var files = FileAccess.system
        let others = files.read
        files.read = { (path) throws(FileProblem) in
            path == "new.yaml" ? Array(ExperimentTemplate.text.utf8) : try others(path)
        }
        let result = Shipped.loader(files).load("new.yaml")
        #expect(DiagnosticRenderer(sources: result.sources).render(result.diagnostics) == "")
        #expect(result.experiment != nil)
    }
}

/// The files, and what reads them.
enum Shipped {
    static let folder = #filePath.split(separator: "/").dropLast(3).reduce("") { $0 + "/" + $1 }
    static let experiments = files(under: "experiments")
    static let plans = files(under: "fault-plans")

    static var registry: Registry {
        var registry = CheckerKinds.registry
        registry.add(ProcessKinds.registry)
        registry.add(DockerKinds.registry)
        registry.add(WebKinds.registry)
        registry.add(NetworkKinds.registry)
        registry.add(PostgresKinds.registry)
        registry.add(RedisKinds.registry)
        registry.add(AWSKinds.registry)
        return registry
    }

    /// An empty environment: the defaults in the files must do for the lab.
    static func loader(_ files: FileAccess = .system) -> ExperimentLoader {
        ExperimentLoader(catalog: registry.catalog, environment: [:], files: files, currentFolder: folder)
    }

    private static func files(under name: String) -> [String] {
        output("find '\(folder)/\(name)' -name '*.yaml' -type f").split(separator: "\n").map(String.init).sorted()
    }

    /// What the script says that validates with an implementation that shares no code with ours; empty: all match.
    static func violations(_ schema: JSONValue, _ paths: [String]) throws -> String {
        let path = "/tmp/squall-shipped-schema-\(getpid()).json"
        defer { remove(path) }
        let file = try Descriptor(opening: path, flags: O_WRONLY | O_CREAT | O_TRUNC)
        try file.writeAll(Array(try schema.text().utf8))
        let names = paths.map { "'\($0)'" }.joined(separator: " ")
        return output("'\(folder)/scripts/schema-check' '\(path)' \(names) 2>&1 || echo \"exit code $?\"")
    }

    private static func output(_ command: String) -> String {
        guard let pipe = popen(command, "r") else { return "cannot run \(command)" }
        defer { pclose(pipe) }
        var output: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4_096)
        while true {
            let count = fread(&buffer, 1, buffer.count, pipe)
            if count == 0 { return String(decoding: output, as: UTF8.self) }
            output += buffer[..<count]
        }
    }
}
