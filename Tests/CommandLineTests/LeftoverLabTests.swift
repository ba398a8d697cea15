import Basics
import Glibc
import Process
import Testing

/// `squall leftovers` over marks that no journal tells of. Everybody on the machine sees these, other tests too, so that
/// they run alone.
@Suite(.serialized, .enabled(if: getenv("SQUALL_LAB") != nil, "needs the lab: scripts/lab/up, then SQUALL_LAB=1"))
struct LeftoverLabTests {
    @Test func aProcessThatBearsAMarkOfNoJournalIsALeftover() async throws {
        try await withFolder { folder in
            try await mustSucceed("cp \"$(command -v sleep)\" \(folder)/lost")
            // The shell ends and leaves its child behind, as an inject command that makes a daemon does.
            try await mustSucceed(
                "SQUALL_CHANGE=lost-run/host:local/1 \(folder)/lost 60 >/dev/null 2>&1 & echo $! >\(folder)/pid")
            let pid = try read("\(folder)/pid").filter(\.isNumber)
            let leftovers = try await SquallBinary.run(["leftovers"], in: folder)
            try await mustSucceed("kill -KILL \(pid)")
            #expect(leftovers.code == 6)
            #expect(leftovers.output.contains("lost (pid \(pid))"), "\(leftovers.output)")
            #expect(leftovers.output.contains("by hand: kill -KILL \(pid)"))
        }
    }

    @Test func aTwinThatNobodyHealsIsALeftoverUntilItHasItsNameBack() async throws {
        try await withFolder { folder in
            let (name, twin) = ("squall-test-original", "squall-undo-0123456789ab")
            try await mustSucceed("docker rm -f \(name) \(twin) >/dev/null 2>&1 || true")
            let labels =
                "--label squall.test=contract --label squall.undo=\(String(repeating: "a", count: 64)) "
                + "--label squall.undo.run=lost-run --label squall.undo.name=\(name)"
            try await mustSucceed("docker create --network none --name \(twin) \(labels) squall-lab:latest sleep 60")
            let left = try await SquallBinary.run(["leftovers"], in: folder)
            #expect(left.code == 6)
            #expect(left.output.contains("container.remove  \(name)"), "\(left.output)")
            #expect(left.output.contains("by hand: docker rename \(twin) \(name)"))
            try await mustSucceed("docker rename \(twin) \(name)")
            let unstarted = try await SquallBinary.run(["leftovers"], in: folder)
            #expect(unstarted.code == 6)
            #expect(unstarted.output.contains("by hand: docker start \(name)"), "\(unstarted.output)")
            try await mustSucceed("docker start \(name)")
            let clean = try await SquallBinary.run(["leftovers"], in: folder)
            try await mustSucceed("docker rm -f \(name)")
            #expect(clean.code == 0, "\(clean.output)\(clean.errors)")
        }
    }

    /// The marks of a database's cluster, found through an experiment file alone.
    @Test func marksInDatabasesAndInPatroniAreFoundThroughAnExperiment() async throws {
        try await withFolder { folder in
            let experiment = """
                title: t
                probes:
                  roles:
                    type: postgres.roles
                    nodes:
                      pg-1: {dsn: "host=127.0.0.1 port=5001 user=postgres dbname=app", patroni: "http://127.0.0.1:8001"}
                      pg-2: "host=127.0.0.1 port=5002 user=postgres dbname=app"
                      pg-3: "host=127.0.0.1 port=5003 user=postgres dbname=app"
                method: []
                """
            try write(experiment, to: "\(folder)/e.yaml")
            let ask = ["leftovers", "--experiment", "e.yaml"]
            let patch = "curl -sf -X PATCH http://127.0.0.1:8001/config -d"
            let primary = "psql -q -h 127.0.0.1 -p 5000 -U postgres -d app -c"
            // A member that is not the leader shows a new configuration from its next round on, ten seconds later.
            let shows = "for i in $(seq 60); do curl -s http://127.0.0.1:8001/config | grep -c squall_pause | grep -q"
            let pause = "&& exit 0; sleep 0.5; done; exit 1"
            try await mustSucceed("\(patch) '{\"squall_pause\": \"lost-run\"}' && \(shows) 1 \(pause)")
            try await mustSucceed(
                "\(primary) \"CREATE SCHEMA squall_lost; COMMENT ON SCHEMA squall_lost IS 'squall run=lost probe=p'\"")
            let left = try await SquallBinary.run(ask, in: folder)
            try await mustSucceed("\(patch) '{\"squall_pause\": null}' && \(shows) 0 \(pause)")
            try await mustSucceed("\(primary) 'DROP SCHEMA squall_lost'")
            #expect(left.code == 6)
            #expect(left.output.contains("patroni.pause  http://127.0.0.1:8001"), "\(left.output)\(left.errors)")
            #expect(left.output.contains("schema squall_lost"), "\(left.output)\(left.errors)")
            let clean = try await SquallBinary.run(ask, in: folder)
            #expect(clean.code == 0, "\(clean.output)\(clean.errors)")
            #expect(clean.output.contains("no leftovers"), "\(clean.output)")
        }
    }
}
