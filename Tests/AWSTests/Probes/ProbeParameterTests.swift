import Basics
import Contracts
import Experiment
import Testing

@testable import AWS

/// What a file may say about AWS's probes, and calls that take too long.
@Suite struct ProbeParameterTests {
    private typealias Entries = [(String, Node)]

    private func word(_ text: String) -> Node { ProbeFixture.word(text) }
    private func words(_ texts: String...) -> Node { .sequence(texts.map(word), word("").location) }

    @Test func aClusterIsNamedInAnyCaseOrByItsARN() {
        let named = ProbeFixture.read(AuroraClusterProbe.self, [("cluster", word("Orders"))])
        #expect(named.findings == [] && named.probe?.cluster.id == "orders")
        let arn = "arn:aws:rds:eu-west-1:123456789012:cluster:orders"
        let full = ProbeFixture.read(AuroraClusterProbe.self, [("cluster", word(arn))])
        #expect(full.findings == [] && full.probe?.cluster.id == "orders")
        #expect(full.probe?.cluster.arn?.region == "eu-west-1")
        let other = "arn:aws:elasticache:eu-west-1:123456789012:replicationgroup:cache"
        #expect(
            ProbeFixture.read(AuroraClusterProbe.self, [("cluster", word(other))]).findings == [
                "\(other) is no aurora-cluster"
            ])
        #expect(ProbeFixture.read(ReplicationGroupProbe.self, [("group", word(other))]).findings == [])
    }

    @Test(arguments: ["100ms", "6s"])
    func aPaceThatAWSForbidsOrConditionsCannotUseIsRefused(every: String) {
        let findings = ProbeFixture.read(
            CloudWatchAlarmProbe.self, [("alarms", word("a")), ("every", word(every))]
        ).findings
        #expect(findings == ["every must be from 500ms to 5s"])
    }

    @Test func eventsMayBeAskedForSlowly() {
        #expect(ProbeFixture.read(AWSEventsProbe.self, [("every", word("30s"))]).findings == [])
        let rds = ProbeFixture.read(AWSEventsProbe.self, [("services", words("rds")), ("sources", words("Orders"))])
        #expect(rds.findings == [] && rds.probe?.services == [.rds] && rds.probe?.sources == ["orders"])
        #expect(ProbeFixture.read(AWSEventsProbe.self, [("services", words())]).findings == ["no service is listed"])
    }

    @Test func alarmsAreNamedOnceEachAndByTheirNames() {
        let twice = ProbeFixture.read(CloudWatchAlarmProbe.self, [("alarms", words("b", "a", "b"))])
        #expect(twice.findings == [] && twice.probe?.alarms == ["a", "b"])
        #expect(ProbeFixture.read(CloudWatchAlarmProbe.self, [("alarms", words())]).findings == ["no alarm is listed"])
        let many = Node.sequence((0...100).map { word("a\($0)") }, word("").location)
        #expect(ProbeFixture.read(CloudWatchAlarmProbe.self, [("alarms", many)]).findings == ["at most 100 alarms"])
        let arn = ProbeFixture.read(CloudWatchAlarmProbe.self, [("alarms", word("arn:aws:cloudwatch:r:1:alarm:a"))])
        #expect(arn.findings == ["'arn:aws:cloudwatch:r:1:alarm:a' is an ARN; write the alarm's name"])
    }

    @Test func instancesAreNamedOrSelectedNotBothAndNeverAll() {
        #expect(
            ProbeFixture.read(EC2InstanceProbe.self, []).findings == [
                "write ids, tags or zone: nothing selects every instance"
            ])
        let both: Entries = [("ids", words("i-1")), ("zone", word("us-east-1a"))]
        #expect(ProbeFixture.read(EC2InstanceProbe.self, both).findings == ["write either ids, or tags and zone"])
        #expect(
            ProbeFixture.read(EC2InstanceProbe.self, [("ids", word("web"))]).findings == ["'web' is no instance id"])
        let zone = ProbeFixture.read(EC2InstanceProbe.self, [("zone", word("us-east-1a"))])
        #expect(zone.probe?.filters.map(\.name) == ["availability-zone"])
    }

    @Test func aNamedInstanceThatIsNotThereAndAnEmptySelectionAreErrors() throws {
        let named = try #require(ProbeFixture.read(EC2InstanceProbe.self, [("ids", words("i-1", "i-2"))]).probe)
        let found = [try ProbeFixture.compute("i-1", "stopped")]
        #expect(named.findings(on: found, region: "r").map(\.message) == ["probe p: there is no instance i-2 in r"])
        let selected = try #require(ProbeFixture.read(EC2InstanceProbe.self, [("zone", word("z"))]).probe)
        let over = [try ProbeFixture.compute("i-1", "terminated")]
        #expect(selected.findings(on: over, region: "r").map(\.severity) == [.error])
        #expect(selected.findings(on: found, region: "r") == [])
    }

    // MARK: Calls that take too long

    /// Time that is always over: whoever sleeps has slept.
    private struct NoTime: TimeSource {
        var now: Instant { Instant(nanoseconds: 0) }
        var wallClock: WallInstant { ProbeFixture.begin }
        func sleep(until deadline: Instant) async throws(CancellationError) {}
    }

    @Test func aCallThatHangsIsGivenUp() async {
        await #expect {
            try await bounded(.seconds(1), NoTime(), "asking") { () async throws(FaultError) -> Int in
                let silence = AsyncStream<Int> { _ in }
                for await number in silence { return number }
                throw FaultError(.cancelled, "given up")
            }
        } throws: {
            ($0 as? FaultError)?.code == .timeout
        }
    }

    @Test func anAnswerInTimeAndAFailureAreWhatTheyAre() async throws {
        let time = SystemTimeSource()
        let answer = try await bounded(.minutes(1), time, "asking") { () async throws(FaultError) in 7 }
        #expect(answer == 7)
        await #expect {
            try await bounded(.minutes(1), time, "asking") { () async throws(FaultError) -> Int in
                throw FaultError(.denied, "no")
            }
        } throws: {
            ($0 as? FaultError)?.code == .denied
        }
    }

    @Test func aReasonIsAWordThatStaysTheSame() {
        let throttled = AWSError(.throttled, "Rate exceeded", word: "Throttling", requestID: "r-1")
        #expect(throttled.faultError("asking failed").reason == "Throttling")
        #expect(AWSError(.timeout, "t").faultError("asking failed").reason == "timeout")
        #expect(FaultError(.notFound, "n").reason == "notFound")
    }

    @Test func everyProbeIsExplainedWithAnExampleOfItself() {
        let probes: [any Probe.Type] = [
            AuroraClusterProbe.self, AWSEventsProbe.self, CloudWatchAlarmProbe.self, ReplicationGroupProbe.self,
            EC2InstanceProbe.self,
        ]
        for probe in probes {
            #expect(!probe.manual.summary.isEmpty && !probe.manual.details.isEmpty)
            #expect(probe.manual.example.contains(probe.kind))
            #expect(probe.parameters.allSatisfy { !$0.summary.isEmpty })
        }
    }
}
