internal import Basics
internal import Glibc

/// The rights that faults on networks need of this process, and which of them it lacks.
enum Capabilities {
    /// Bits of the effective set (linux/capability.h), and what each is for.
    private static let needed: [(bit: UInt64, name: String)] = [
        (12, "CAP_NET_ADMIN"), (19, "CAP_SYS_PTRACE"), (21, "CAP_SYS_ADMIN"),
    ]

    /// Names of those that a status file of the kernel's (`/proc/self/status`) does not have under `CapEff`.
    static func missing(in status: String) -> [String] {
        guard let line = status.split(separator: "\n").first(where: { $0.hasPrefix("CapEff:") }),
            let bits = UInt64(line.dropFirst(7).filter { !$0.isWhitespace }, radix: 16)
        else { return [] }
        return needed.filter { bits & 1 << $0.bit == 0 }.map(\.name)
    }

    /// What to do when the kernel refuses: the missing ones with the command that grants them; with all of them, the
    /// namespace belongs to another user namespace.
    static var advice: String {
        let status = (try? Descriptor(opening: "/proc/self/status", flags: O_RDONLY).readToEnd()) ?? []
        let missing = missing(in: String(decoding: status, as: UTF8.self))
        if missing.isEmpty {
            return
                "squall has all capabilities here: the network is the machine's own, or that of another user namespace"
        }
        let list = missing.map { $0.lowercased() }.joined(separator: ",")
        return "squall lacks \(missing.joined(separator: ", ")): sudo squall …, or "
            + "sudo setcap \(list)+ep $(command -v squall)"
    }
}
