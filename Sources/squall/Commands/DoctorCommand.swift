internal import ArgumentParser
internal import Basics
internal import Contracts
internal import Docker
internal import Experiment
internal import Glibc
internal import Journal
internal import Process

/// `squall doctor`
struct DoctorCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor",
        abstract: "Says what is missing on this machine and the exact command that fixes it.",
        discussion: "Exit code 5 when something needed is missing.\n\nExample: squall doctor")

    @OptionGroup var runs: RunsOptions
    @OptionGroup var format: FormatOptions

    func run() async throws {
        try await perform()
    }

    @concurrent private func perform() async throws {
        let systems = try makeSystems()
        let checks = [
            await engine(systems), privileges(), processHandles(systems), cgroups(), runFolder(), diskSpace(),
            stateFolder(), lockFolder(), await medic(systems), await cleanliness(systems),
        ]
        if format.isJSON {
            try printJSON(checks)
        } else {
            for check in checks { show(check) }
        }
        if checks.contains(where: { $0.state == .missing }) { throw ExitCode(5) }
    }

    private func show(_ check: Check) {
        let name = check.name + String(repeating: " ", count: max(0, 16 - check.name.count))
        let mark: String
        switch check.state {
        case .fine: mark = "ok      "
        case .warning: mark = "warning "
        case .missing: mark = "MISSING "
        }
        Output.line("\(mark) \(name) \(check.finding)")
        if let fix = check.fix { Output.line("         fix: \(fix)") }
    }

    /// One thing that was looked at.
    struct Check: Encodable {
        enum State: String, Encodable {
            case fine
            case warning
            case missing
        }

        var name: String
        var state: State
        var finding: String
        var fix: String?
    }

    private func engine(_ systems: Systems) async -> Check {
        do throws(FaultError) {
            if let problem = systems.engineProblem { throw problem }
            let version = try await systems.services.require((any ContainerEngine).self).version()
            return Check(
                name: "docker engine", state: .fine,
                finding: "\(version.engine), API \(version.api), kernel \(version.kernel)")
        } catch {
            return Check(
                name: "docker engine", state: .missing, finding: error.message,
                fix: error.advice.isEmpty ? "scripts/bootstrap --lab" : error.advice)
        }
    }

    private func privileges() -> Check {
        if geteuid() == 0 { return Check(name: "privileges", state: .fine, finding: "root") }
        return Check(
            name: "privileges", state: .warning,
            finding: "not root: faults on processes of containers (pidfd, freezer) will be refused",
            fix: "sudo squall …")
    }

    private func processHandles(_ systems: Systems) -> Check {
        do throws(SystemError) {
            _ = try systems.host.process(getpid())
            return Check(name: "pidfd", state: .fine, finding: "process exits can be timed (Linux 5.3 or newer)")
        } catch {
            return Check(name: "pidfd", state: .missing, finding: "\(error)", fix: "use a kernel of 5.3 or newer")
        }
    }

    private func cgroups() -> Check {
        if access("/sys/fs/cgroup/cgroup.controllers", F_OK) == 0 {
            return Check(name: "cgroups", state: .fine, finding: "version 2")
        }
        if access("/sys/fs/cgroup/freezer", F_OK) == 0 {
            return Check(name: "cgroups", state: .fine, finding: "version 1 with freezer")
        }
        return Check(
            name: "cgroups", state: .warning, finding: "no freezer: a pause cannot be read back from the kernel",
            fix: "mount -t cgroup2 none /sys/fs/cgroup")
    }

    private func runFolder() -> Check {
        let folder = access(runs.folder, F_OK) == 0 ? runs.folder : "."
        if access(folder, W_OK) == 0 {
            return Check(name: "run folder", state: .fine, finding: "\(runs.folder) can be written")
        }
        return Check(
            name: "run folder", state: .missing, finding: "\(folder) cannot be written: the journal must come first",
            fix: "sudo chown $USER \(folder)")
    }

    private func diskSpace() -> Check {
        var facts = statvfs()
        guard statvfs(access(runs.folder, F_OK) == 0 ? runs.folder : ".", &facts) == 0 else {
            return Check(name: "disk", state: .warning, finding: "\(SystemError.last("statvfs", subject: runs.folder))")
        }
        let free = ByteCount(bytes: Int64(facts.f_bavail) * Int64(facts.f_frsize))
        let isEnough = free >= ByteCount(bytes: 512 * 1_024 * 1_024)
        return Check(
            name: "disk", state: isEnough ? .fine : .warning, finding: "\(free) free",
            fix: isEnough ? nil : "rm -r old runs in \(runs.folder)")
    }

    private func medic(_ systems: Systems) async -> Check {
        do {
            let time = try await MedicCheck.run(systems)
            return Check(name: "medic", state: .fine, finding: "ready \(time) after its start")
        } catch {
            return Check(
                name: "medic", state: .missing, finding: "\(error): nothing can be injected without one",
                fix: "ls -l /proc/self/exe /tmp")
        }
    }

    /// Where open journals are found again whatever folder of runs the next command is told.
    private func stateFolder() -> Check {
        let name = "state folder"
        do throws(JournalError) {
            try StateFolder.journals.probe()
            return Check(name: name, state: .fine, finding: "\(StateFolder.path) can be written")
        } catch {
            return Check(
                name: name, state: .missing, finding: error.message,
                fix: "sudo install -d -o $USER \(StateFolder.path), or set SQUALL_STATE_DIR")
        }
    }

    /// Where two runs see that they want the same target.
    private func lockFolder() -> Check {
        let name = "target locks"
        do throws(SystemError) {
            let folder = try TargetLockFiles.sharedFolder()
            if access(folder, W_OK | X_OK) == 0 {
                return Check(name: name, state: .fine, finding: "\(folder) can be written")
            }
            throw SystemError.last("access", subject: folder)
        } catch {
            return Check(
                name: name, state: .missing, finding: "\(error)", fix: "sudo chmod 1777 \(error.subject)")
        }
    }

    private func cleanliness(_ systems: Systems) async -> Check {
        let journals = await DirtyJournals(in: runs.folder, host: systems.host)
        let count = journals.dirty.count + journals.unreadable.count + journals.lost.count
        if count == 0 { return Check(name: "earlier runs", state: .fine, finding: "nothing left to heal") }
        return Check(
            name: "earlier runs", state: .missing, finding: "\(count) run(s) left something behind",
            fix: "squall heal --all --runs \(runs.folder)")
    }
}
