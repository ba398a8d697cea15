internal import ArgumentParser
internal import Basics
internal import Glibc

/// `squall lab`
struct LabCommand: AsyncParsableCommand {
    /// What to do with the lab.
    enum Action: String, ExpressibleByArgument, CaseIterable {
        case up
        case down
        case status
    }

    static let configuration = CommandConfiguration(
        commandName: "lab", abstract: "Brings the bundled system under test up or down, or shows its state.",
        discussion: "Example: squall lab up --stack postgres")

    @Argument(help: "up, down or status.")
    var action: Action
    @Option(help: "The part of the lab.")
    var stack = "postgres"

    func run() async throws {
        let script = "\(try scriptsFolder())/\(action.rawValue)"
        var arguments: [UnsafeMutablePointer<CChar>?] = [script, "--stack", stack].map { (text: String) in strdup(text)
        }
        arguments.append(nil)
        defer { for argument in arguments { free(argument) } }
        execv(script, &arguments)
        throw failure(5, "\(SystemError.last("execv", subject: script))", next: "ls -l \(script)")
    }

    /// `scripts/lab` of the working folder, else of the checkout this binary was built in.
    private func scriptsFolder() throws -> String {
        var candidates = ["scripts/lab"]
        var buffer = [CChar](repeating: 0, count: 4_096)
        let count = readlink("/proc/self/exe", &buffer, buffer.count - 1)
        if count > 0 {
            let binary = String(decoding: buffer[..<count].map(UInt8.init(bitPattern:)), as: UTF8.self)
            let parts = binary.split(separator: "/")
            if let build = parts.lastIndex(of: ".build") {
                candidates.append("/" + parts[..<build].joined(separator: "/") + "/scripts/lab")
            }
        }
        for candidate in candidates where access("\(candidate)/up", X_OK) == 0 { return candidate }
        throw failure(
            5, "the lab's scripts are not here", next: "cd to a checkout of squall, then: squall lab \(action)")
    }
}
