package import Basics
package import Contracts

/// A process as the whole table of a host shows it.
package struct ProcessEntry: Sendable, Hashable {
    package var identity: ProcessIdentity
    package var parent: Int32
    /// The kernel's name for it, at most 15 bytes.
    package var name: String
    /// May hold secrets: never printed, journalled or reported.
    package var arguments: [String]
    /// Names the pid namespace it runs in (`pid:[4026531836]`); nil when we may not look.
    package var namespace: String?
    /// Its place in each control group hierarchy, one line per hierarchy as in /proc/<pid>/cgroup.
    package var controlGroup: String
    /// Signals it ignores, bit n-1 for signal n.
    package var ignoredSignals: UInt64

    package init(
        identity: ProcessIdentity, parent: Int32, name: String, arguments: [String], namespace: String?,
        controlGroup: String, ignoredSignals: UInt64
    ) {
        self.identity = identity
        self.parent = parent
        self.name = name
        self.arguments = arguments
        self.namespace = namespace
        self.controlGroup = controlGroup
        self.ignoredSignals = ignoredSignals
    }
}

/// A host whose processes can be listed, and looked at by thread; not every host offers that.
package protocol ProcessTable: Host {
    /// Every process that lives (zombies left out), by ascending pid. One that ends during the walk is left out.
    func processes() throws(SystemError) -> [ProcessEntry]
    /// One process of the table; nil when it is gone.
    func entry(_ pid: Int32) throws(SystemError) -> ProcessEntry?
    /// Every process with this variable in the environment it was started with; those we may not look into are left out.
    func processes(withVariable name: String, value: String) throws(SystemError) -> [ProcessIdentity]
    /// Every process with this variable, and its value; those we may not look into are left out.
    func processes(withVariable name: String) throws(SystemError) -> [(process: ProcessIdentity, value: String)]
    /// The state letter of each thread; empty when the process is gone.
    func threadStates(of identity: ProcessIdentity) throws(SystemError) -> [Character]
    /// The controller itself and all that started it: a fault must never hit these.
    func ancestry() throws(SystemError) -> [Int32]
}

extension LocalHost: ProcessTable {
    package func processes() throws(SystemError) -> [ProcessEntry] {
        var found: [ProcessEntry] = []
        for pid in try numbers(in: "/proc") ?? [] {
            if let entry = try entry(pid) { found.append(entry) }
        }
        return found
    }

    package func entry(_ pid: Int32) throws(SystemError) -> ProcessEntry? {
        let folder = "/proc/\(pid)"
        guard let status = try ProcessStatus(folder: folder), !status.isDead,
            let arguments = try readFile(folder + "/cmdline", goneIsNil: true),
            let controlGroup = try readFile(folder + "/cgroup", goneIsNil: true),
            let details = try readFile(folder + "/status", goneIsNil: true)
        else { return nil }
        let namespace = readLink(folder + "/ns/pid")
        // The files were read one after another: they are of one process only if it is still the same at the end.
        guard try ProcessStatus(folder: folder)?.startTime == status.startTime else { return nil }
        return ProcessEntry(
            identity: ProcessIdentity(pid: pid, startTime: status.startTime, bootID: bootID), parent: status.parent,
            name: status.name, arguments: arguments.split(separator: "\0").map(String.init), namespace: namespace,
            controlGroup: controlGroup, ignoredSignals: ignoredSignals(in: details))
    }

    package func processes(withVariable name: String, value: String) throws(SystemError) -> [ProcessIdentity] {
        try processes(withVariable: name).filter { $0.value == value }.map { $0.process }
    }

    package func processes(withVariable name: String) throws(SystemError) -> [(process: ProcessIdentity, value: String)]
    {
        let wanted = Array("\(name)=".utf8)
        var found: [(process: ProcessIdentity, value: String)] = []
        for pid in try numbers(in: "/proc") ?? [] {
            // Unreadable (EACCES) is another user's, which the mark of ours cannot be in.
            guard let text = try? readFile("/proc/\(pid)/environ"),
                let entry = text.utf8.split(separator: 0).first(where: { $0.starts(with: wanted) }),
                let status = try ProcessStatus(folder: "/proc/\(pid)"), !status.isDead
            else { continue }
            let identity = ProcessIdentity(pid: pid, startTime: status.startTime, bootID: bootID)
            found.append((identity, String(decoding: entry.dropFirst(wanted.count), as: UTF8.self)))
        }
        return found
    }

    package func threadStates(of identity: ProcessIdentity) throws(SystemError) -> [Character] {
        let folder = "/proc/\(identity.pid)"
        guard identity.bootID == bootID, try ProcessStatus(folder: folder)?.startTime == identity.startTime else {
            return []
        }
        var states: [Character] = []
        for thread in try numbers(in: folder + "/task") ?? [] {
            if let status = try ProcessStatus(folder: folder + "/task/\(thread)") { states.append(status.state) }
        }
        return states
    }

    package func ancestry() throws(SystemError) -> [Int32] {
        var line: [Int32] = []
        var next = ownProcess()
        while next > 0, !line.contains(next) {
            line.append(next)
            next = try ProcessStatus(folder: "/proc/\(next)")?.parent ?? 0
        }
        return line
    }
}
