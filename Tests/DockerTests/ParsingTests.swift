import Basics
import Experiment
import Testing

@testable import Docker

@Suite struct ParsingTests {
    /// Two frames to stdout, one to stderr, an empty one, and one of a stream we do not know.
    private let frames: [UInt8] =
        [1, 0, 0, 0, 0, 0, 0, 3] + Array("abc".utf8)  // stdout, 3 bytes
        + [2, 0, 0, 0, 0, 0, 0, 2] + Array("no".utf8)  // stderr, 2 bytes
        + [1, 0, 0, 0, 0, 0, 0, 0]  // stdout, nothing
        + [1, 0, 0, 0, 0, 0, 1, 4] + [UInt8](repeating: 120, count: 260)  // stdout, 0x104 bytes

    @Test(arguments: [1, 2, 3, 7, 8, 9, 11, 500])
    func framesAreTakenApartWhereverTheChunksEnd(size: Int) {
        var demultiplexer = StreamDemultiplexer(limit: 1_000)
        var rest = frames[...]
        while !rest.isEmpty {
            demultiplexer.append(Array(rest.prefix(size)))
            rest = rest.dropFirst(size)
        }
        #expect(demultiplexer.output.standardOutput == Array("abc".utf8) + [UInt8](repeating: 120, count: 260))
        #expect(demultiplexer.output.standardError == Array("no".utf8))
        #expect(!demultiplexer.isWithinFrame)
    }

    @Test func whatIsOverTheLimitIsCountedAndDropped() {
        var demultiplexer = StreamDemultiplexer(limit: 2)
        demultiplexer.append(frames)
        #expect(demultiplexer.output.standardOutput == Array("ab".utf8))
        #expect(demultiplexer.output.totalOutput == 263)
        #expect(demultiplexer.output.totalError == 2)
    }

    @Test(arguments: [1, 7, 8, 10])
    func anEndWithinAFrameIsNoticed(count: Int) {
        var demultiplexer = StreamDemultiplexer(limit: 10)
        demultiplexer.append(Array(frames.prefix(count)))
        #expect(demultiplexer.isWithinFrame)
    }

    @Test(arguments: [
        (
            "12:freezer:/docker/abc\n0::/docker/abc\n",
            "30 20 0:25 / /sys/fs/cgroup/freezer rw,relatime - cgroup cgroup rw,freezer\n"
                + "31 20 0:26 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n",
            "/sys/fs/cgroup/freezer/docker/abc/freezer.state"
        ),
        (
            "0::/system.slice/docker-abc.scope\n",
            "25 20 0:22 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n",
            "/sys/fs/cgroup/system.slice/docker-abc.scope/cgroup.events"
        ),
        (
            "3:cpu,freezer:/outer/inner\n", "9 1 0:9 /outer /fz rw master:2 shared:1 - cgroup none rw,cpu,freezer\n",
            "/fz/inner/freezer.state"
        ),
    ])
    func theFreezersFileIsFoundInEveryLayout(memberships: String, mounts: String, file: String) {
        #expect(freezerFile(memberships: memberships, mounts: mounts) == file)
    }

    @Test func withoutAFreezerThereIsNoFile() {
        #expect(freezerFile(memberships: "2:cpu:/a\n", mounts: "9 1 0:9 / /c rw - cgroup none rw,cpu\n") == nil)
    }

    @Test(arguments: [
        ("FROZEN\n", FreezerState.frozen), ("THAWED\n", .thawed), ("FREEZING\n", .freezing),
        ("populated 1\nfrozen 1\n", .frozen), ("populated 1\nfrozen 0\n", .thawed),
    ])
    func theFreezersWordsAreRead(text: String, state: FreezerState) {
        #expect(freezerState(text) == state)
    }

    @Test func otherWordsOfTheFreezerAreUnknown() {
        #expect(freezerState("frozen 2\n") == nil)
    }

    @Test func anEventIsReadFromItsLine() throws {
        let line = #"""
            {"status":"die","id":"abc","Type":"container","Action":"die",
             "Actor":{"ID":"abc","Attributes":{"exitCode":"137","name":"web-1"}},"time":1}
            """#
        let event = try #require(EngineEvent(line: Array(line.utf8)))
        #expect(
            event
                == EngineEvent(
                    container: "abc", name: "web-1", action: "die", attributes: ["exitCode": "137", "name": "web-1"]))
        #expect(EngineEvent(line: Array("{}".utf8)) == nil)
        #expect(EngineEvent(line: Array("nonsense".utf8)) == nil)
    }

    @Test func aTwinKeepsAnonymousVolumesNetworksAndLabels() throws {
        let id = String(repeating: "a", count: 64)
        let document: JSONValue = .object([
            "Id": .string(id), "Name": .string("/web"),
            "Config": .object([
                "Image": .string("nginx:1"), "Labels": .object(["app": .string("web")]),
                "Env": .array([.string("PASSWORD=x")]),
            ]),
            "HostConfig": .object([
                "NetworkMode": .string("front"), "Binds": .array([.string("named:/named:ro")]),
                "Mounts": .array([.object(["Type": .string("volume"), "Target": .string("/mounted")])]),
            ]),
            "Mounts": .array(
                [("named", "/named"), ("1234", "/anonymous"), ("5678", "/mounted")].map {
                    .object(["Type": .string("volume"), "Name": .string($0.0), "Destination": .string($0.1)])
                }),
            "NetworkSettings": .object([
                "Networks": .object([
                    "front": .object(["Aliases": .array([.string("web"), .string(String(id.prefix(12)))])]),
                    "back": .object([
                        "IPAMConfig": .object(["IPv4Address": .string("10.0.0.9")]), "Aliases": .null,
                    ]),
                ])
            ]),
        ])
        let twin = ContainerTwin(of: try #require(ContainerDetails(document)), run: "r1", image: nil)
        let host = twin.body["HostConfig"]
        #expect(host?["Binds"] == .array([.string("named:/named:ro"), .string("1234:/anonymous")]))
        #expect(host?["Mounts"]?[0]?["Source"]?.string == "5678")
        #expect(twin.body["Labels"]?["app"]?.string == "web")
        #expect(twin.body["Labels"]?["squall.undo"]?.string == id)
        #expect(twin.body["Env"] == .array([.string("PASSWORD=x")]))
        let endpoints = twin.body["NetworkingConfig"]?["EndpointsConfig"]
        #expect(endpoints?["front"]?["Aliases"] == .array([.string("web")]))
        #expect(endpoints?["back"] == nil)
        #expect(twin.furtherNetworks.map(\.name) == ["back"])
        #expect(twin.furtherNetworks.first?.endpoint["IPAMConfig"]?["IPv4Address"]?.string == "10.0.0.9")
    }
}
