import Basics
import Contracts
import Controller
import Experiment
import Foundation
import Glibc
import Process
import TestSupport

/// This machine with a process of the name that the example gives, and files of a name of its own.
final class HostFixture: ContractFixture {
    let fault: any Fault
    let context: SystemContext
    let target = Target.localHost
    let provesAbsence = true
    let namesakes = 1

    private let token: String
    private let folder: TemporaryFolder
    private let child: ChildProcess
    private let namesake: Held<ChildProcess>

    init(_ contract: Contract) async throws {
        token = freshToken()
        folder = try TemporaryFolder()
        context = try contractContext(run: "contract-\(token)")
        let name = "contract-\(token)"
        var replacements = ["squall-fill": "squall-fill-\(token)", "2G": "2M"]
        if let process = try Example(Contract.registry.fault(contract.kind) ?? CommandRunFault.self).processName {
            replacements["process: \(process)"] = "process: \(name)"
        }
        fault = try contract.fault(replacing: replacements).fault
        try ChildProcess.run(["cp", "/bin/sleep", "\(folder.path)/\(name)"])
        child = try ChildProcess(["\(folder.path)/\(name)", "600"])
        namesake = Held()
        let program = "\(folder.path)/\(name)"
        let pid = child.pid
        try await until("the process runs under its name") { processTitle(pid) == program }
    }

    func state() async throws -> String { "\(letter(child.pid)) \(try files())" }
    func identity() async throws -> String { "\(child.pid)" }

    func destroy() async throws {
        kill(child.pid, SIGKILL)
        let pid = child.pid
        try await until("the process is dead") { [self] in letter(pid) == "Z" }
        for file in try files() { try FileManager.default.removeItem(atPath: "/var/tmp/\(file)") }
    }

    func putNamesake(_ number: Int) async throws {
        let program = "\(folder.path)/contract-\(token)"
        let other = try ChildProcess([program, "601"])
        namesake.value = other
        try await until("the namesake runs") { processTitle(other.pid) == program }
        kill(other.pid, SIGSTOP)
        try await until("the namesake is stopped") { [self] in letter(other.pid) == "T" }
    }

    func namesakeState() async throws -> String { letter(namesake.value?.pid ?? 0) }

    func remove() async throws {
        for file in try files() { try FileManager.default.removeItem(atPath: "/var/tmp/\(file)") }
    }

    private func files() throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: "/var/tmp").filter { $0.contains(token) }.sorted()
    }

    /// The kernel's state letter; R and S are one, whatever it does at the moment.
    private func letter(_ pid: Int32) -> String {
        guard let text = try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8),
            let letter = text.split(separator: ")").last?.dropFirst().first
        else { return "gone" }
        return letter == "R" ? "S" : String(letter)
    }
}

/// The program that a process runs; empty between fork and exec.
private func processTitle(_ pid: Int32) -> String {
    let text = (try? String(contentsOfFile: "/proc/\(pid)/cmdline", encoding: .utf8)) ?? ""
    return text.split(separator: "\0").first.map(String.init) ?? ""
}
