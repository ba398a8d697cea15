package import Basics
internal import Glibc

/// What the kernel says of a container's control group; a service, because only the target's machine can tell.
package protocol ControlGroups: Sendable {
    /// Whether a process of this machine belongs to the container; false when there is no such process.
    func contains(_ pid: Int32, container id: String) throws(SystemError) -> Bool
    /// The freezer of the process's control group; nil when the process is gone.
    func freezer(of pid: Int32) throws(SystemError) -> FreezerState?
}

/// The states of the kernel's freezer.
package enum FreezerState: String, Sendable, Hashable {
    case thawed
    case freezing
    case frozen
}

/// Reads /proc and the control group file systems of this machine, version 1, version 2, and both at once.
package struct LocalControlGroups: ControlGroups {
    /// `/proc`, or a folder that looks like it.
    private let proc: String

    package init(proc: String = "/proc") {
        self.proc = proc
    }

    package func contains(_ pid: Int32, container id: String) throws(SystemError) -> Bool {
        // Both layouts name the container in the path: /docker/<id> (cgroupfs), docker-<id>.scope (systemd).
        try read("\(proc)/\(pid)/cgroup")?.contains(id) ?? false
    }

    package func freezer(of pid: Int32) throws(SystemError) -> FreezerState? {
        guard let memberships = try read("\(proc)/\(pid)/cgroup") else { return nil }
        let mounts = try read("\(proc)/self/mountinfo") ?? ""
        guard let file = freezerFile(memberships: memberships, mounts: mounts) else {
            throw SystemError("find the freezer", errno: ENOTSUP, subject: "pid \(pid)")
        }
        guard let text = try read(file) else { return nil }
        return freezerState(text)
    }

    /// The whole file, or nil when there is none; files of /proc and of control groups have no size.
    private func read(_ path: String) throws(SystemError) -> String? {
        do throws(SystemError) {
            let file = try Descriptor(opening: path, flags: O_RDONLY)
            var text: [UInt8] = []
            var chunk = [UInt8](repeating: 0, count: 4_096)
            while true {
                let count = try retryingInterrupts("read", subject: path) {
                    Glibc.read(file.number, &chunk, chunk.count)
                }
                if count == 0 { return String(decoding: text, as: UTF8.self) }
                text += chunk[..<count]
            }
        } catch {
            if error.errno == ENOENT || error.errno == ESRCH || error.errno == ENODEV { return nil }
            throw error
        }
    }
}

/// The file that tells a process's freezer state: version 1's freezer.state where that hierarchy is mounted, else
/// version 2's cgroup.events.
///
/// - Parameters:
///   - memberships: /proc/<pid>/cgroup, lines `number:controllers:path`; version 2 has number 0 and no controllers.
///   - mounts: /proc/self/mountinfo, see proc(5).
func freezerFile(memberships: String, mounts: String) -> String? {
    var paths: (freezer: String?, unified: String?)
    for line in memberships.split(separator: "\n") {
        let fields = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
        guard fields.count == 3 else { continue }
        if fields[1].split(separator: ",").contains("freezer") { paths.freezer = String(fields[2]) }
        if fields[0] == "0" && fields[1].isEmpty { paths.unified = String(fields[2]) }
    }
    let table = mounts.split(separator: "\n").compactMap(Mount.init)
    if let path = paths.freezer,
        let mount = table.first(where: { $0.type == "cgroup" && $0.options.contains("freezer") })
    {
        return mount.point + relative(path, to: mount.root) + "/freezer.state"
    }
    if let path = paths.unified, let mount = table.first(where: { $0.type == "cgroup2" }) {
        return mount.point + relative(path, to: mount.root) + "/cgroup.events"
    }
    return nil
}

/// One line of mountinfo: `36 35 98:0 /root /mount/point options [tags] - type source super-options`.
private struct Mount {
    let root: String
    let point: String
    let type: Substring
    let options: [Substring]

    init?(_ line: Substring) {
        let fields = line.split(separator: " ")
        guard let dash = fields.firstIndex(of: "-"), dash >= 6, fields.count > dash + 3 else { return nil }
        root = String(fields[3])
        point = String(fields[4])
        type = fields[dash + 1]
        options = fields[dash + 3].split(separator: ",")
    }
}

/// A control group's path below its mount, which may show only a part of the hierarchy (within a container).
private func relative(_ path: String, to root: String) -> String {
    root != "/" && path.hasPrefix(root) ? String(path.dropFirst(root.count)) : path
}

/// Reads `FROZEN` of version 1 or the line `frozen 1` of version 2; nil for anything else.
func freezerState(_ text: String) -> FreezerState? {
    for line in text.split(separator: "\n") {
        switch line {
        case "THAWED", "frozen 0": return .thawed
        case "FREEZING": return .freezing
        case "FROZEN", "frozen 1": return .frozen
        default: continue
        }
    }
    return nil
}
