package import Basics
internal import Contracts

/// The name by which a file calls a process: what `ps` shows, what was started, or the script an interpreter runs.
package struct ProcessName: Sendable, Hashable, Codable {
    package var text: String

    package init(_ text: String) {
        self.text = text
    }

    /// Programs whose first argument that is no option is what people call the process.
    private static let interpreters = ["python", "perl", "ruby", "node", "java", "php", "lua", "bash", "dash", "sh"]

    /// By the kernel's name (15 bytes), the program's last path component or, for an interpreter, its script's.
    ///
    /// Kernel threads have no arguments and never match: a signal does nothing to them.
    package func matches(name: String, arguments: [String]) -> Bool {
        guard let program = arguments.first else { return false }
        if name == text || lastComponent(program) == text { return true }
        guard isInterpreter(lastComponent(program)) else { return false }
        return arguments.dropFirst().first { !$0.hasPrefix("-") }.map(lastComponent) == text
    }

    /// `python3.11` is a python; `shfmt` is no `sh`.
    private func isInterpreter(_ program: String) -> Bool {
        ProcessName.interpreters.contains { interpreter in
            program.hasPrefix(interpreter)
                && program.dropFirst(interpreter.count).allSatisfy { $0.isASCII && ($0.isNumber || $0 == ".") }
        }
    }
}

private func lastComponent(_ path: String) -> String {
    path.split(separator: "/").last.map(String.init) ?? path
}

extension ProcessTable {
    /// The processes of this name in a container (by its full id), or on this machine outside of any container.
    ///
    /// A container's processes are those whose control group bears its id: Docker, containerd and Podman all name it so,
    /// for every version and driver, and processes of `exec` and of nested pid namespaces are in it too.
    package func processes(named name: ProcessName, inContainer container: String?) throws(SystemError)
        -> [ProcessEntry]
    {
        let matching = try processes().filter { name.matches(name: $0.name, arguments: $0.arguments) }
        if let container { return matching.filter { $0.controlGroup.contains(container) } }
        let own = try ancestry().first.flatMap { pid throws(SystemError) in try entry(pid) }?.namespace
        // A process that hides its namespace even from root (it is not dumpable) is judged by its control group.
        return matching.filter { $0.namespace.map { $0 == own } ?? !$0.isInContainerGroup }
    }
}

extension ProcessEntry {
    /// Whether its control group bears a container's id: 64 hexadecimal digits in one component of the path.
    fileprivate var isInContainerGroup: Bool {
        controlGroup.split { $0 == "/" || $0 == "\n" || $0 == "-" || $0 == "." }
            .contains { $0.utf8.count == 64 && $0.allSatisfy(\.isHexDigit) }
    }
}
