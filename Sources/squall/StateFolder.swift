internal import Glibc
internal import Journal

/// Where this machine, or this user of it, keeps what must be found again whatever folder of runs a command is told.
enum StateFolder {
    /// `$SQUALL_STATE_DIR`; else root's `/var/lib/squall`; else `squall` in the user's state folder (XDG).
    static var path: String {
        if let told = environment("SQUALL_STATE_DIR") { return absolute(told) }
        if geteuid() == 0 { return "/var/lib/squall" }
        // The specification says that a relative path here is to be ignored.
        if let state = environment("XDG_STATE_HOME"), state.hasPrefix("/") { return "\(state)/squall" }
        return "\(environment("HOME") ?? "/tmp/squall-\(geteuid())")/.local/state/squall"
    }

    static var journals: JournalIndex { JournalIndex(stateFolder: path) }

    private static func absolute(_ path: String) -> String {
        if path.hasPrefix("/") { return path }
        guard let folder = getcwd(nil, 0) else { return path }
        defer { free(folder) }
        return "\(String(cString: folder))/\(path)"
    }
}
