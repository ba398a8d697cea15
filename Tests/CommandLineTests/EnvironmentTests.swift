import Basics
import Glibc
import Process
import Testing

/// An environment that is not as the experiment needs it: named with the next command, and nothing touched.
@Suite struct EnvironmentTests {
    @Test func anEngineThatDoesNotAnswerIsNamed() async throws {
        try await withFolder { folder in
            let run = try await SquallBinary.run(
                ["inject", "container.pause", "--target", "name=web-1", "--duration", "5s"], in: folder,
                environment: ["DOCKER_HOST": "unix://\(folder)/no-engine.sock"])
            #expect(run.code == 5, "\(run.output)\(run.errors)")
            #expect(run.output.contains("no-engine.sock"))
            #expect(!run.output.contains("being injected"))
        }
    }

    @Test func anEngineOverSSHIsRefusedWithTheReason() async throws {
        try await withFolder { folder in
            let run = try await SquallBinary.run(
                ["doctor"], in: folder, environment: ["DOCKER_HOST": "ssh://root@somewhere"])
            #expect(run.code == 5, "\(run.output)")
            #expect(run.output.contains("ssh"))
        }
    }

    @Test func aDatabaseThatIsDownIsNamedBeforeAnythingIsInjected() async throws {
        try await withFolder { folder in
            let experiment = """
                title: The lab is down
                probes:
                  orders: {type: postgres.ledger, dsn: "host=127.0.0.1 port=1 user=postgres dbname=app", rate: 10/s, timeout: 1s}
                method:
                  - {name: raise, fault: command.run, inject: [touch, \(folder)/flag], undo: [rm, -f, \(folder)/flag], effect: exit-code}
                criteria:
                  availability: {probe: orders, min: 1%, window: 2s}
                """
            try write(experiment, to: "\(folder)/e.yaml")
            let run = try await SquallBinary.run(["run", "e.yaml"], in: folder)
            #expect(run.code == 5, "\(run.output)\(run.errors)")
            #expect(run.output.contains("127.0.0.1"))
            #expect(run.output.contains("'orders'"))
            #expect(!exists("\(folder)/flag"))
        }
    }

    @Test func aStateFolderThatCannotBeMadeIsFoundBeforeAnythingIsInjected() async throws {
        try await withFolder { folder in
            let experiment = FlagExperiment(folder: folder)
            let nowhere = ["SQUALL_STATE_DIR": "/proc/squall"]
            let run = try await SquallBinary.run(["run", try experiment.file()], in: folder, environment: nowhere)
            #expect(run.code == 5, "\(run.output)\(run.errors)")
            #expect(run.errors.contains("/proc/squall"), "\(run.errors)")
            #expect(run.errors.contains("nothing was touched"))
            #expect(!exists(experiment.flag))
            let doctor = try await SquallBinary.run(["doctor"], in: folder, environment: nowhere)
            #expect(doctor.code == 5)
            #expect(doctor.output.contains("MISSING  state folder"), "\(doctor.output)")
        }
    }

    /// A user without rights over a process of somebody else; needs root to become another user.
    @Test(.enabled(if: getuid() == 0, "needs root to drop it"))
    func aMissingCapabilityIsNamedAndNothingIsTouched() async throws {
        try await withFolder { folder in
            let runner = try LocalCommandRunner()
            let time = SystemTimeSource()
            let name = "squall-sleeper"
            let script = """
                chmod 755 \(folder) && mkdir -m 777 \(folder)/runs \(folder)/.state && cp \(SquallBinary.path) \(folder)/squall &&
                cp "$(command -v sleep)" \(folder)/\(name) && { \(folder)/\(name) 60 & sleeper=$!; } &&
                setpriv --reuid=65534 --regid=65534 --clear-groups \(folder)/squall inject process.signal \
                  --set process=\(name) --set signal=SIGSTOP --duration 2s --runs \(folder)/runs
                code=$?; grep State /proc/$sleeper/status; kill $sleeper; exit $code
                """
            let result = try await runner.run(
                Command(
                    ["sh", "-c", script],
                    environment: ["HOME": folder, "SQUALL_STATE_DIR": SquallBinary.stateFolder(for: folder)],
                    directory: folder),
                until: time.now + .seconds(60))
            #expect(result.exitCode == 3 || result.exitCode == 5, "\(result.output.text)\(result.errors.text)")
            #expect(
                result.output.text.contains("Operation not permitted")
                    || result.output.text.contains("Permission denied"))
            #expect(!result.output.text.contains("State:\tT"))
        }
    }
}
