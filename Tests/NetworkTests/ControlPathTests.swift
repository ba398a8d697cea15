import Contracts
import Testing

@testable import Network

/// What squall does not cut off itself by.
@Suite struct ControlPathTests {
    private func refusal(_ engine: String, _ session: String, _ ranges: [String]) async -> String? {
        let known = ["engine.example": "10.1.1.5"]
        let path = await ControlPath(engine: engine, session: session) { name in
            [AddressRange(parsing: known[name] ?? name)].compactMap { $0 }
        }
        do throws(FaultError) {
            try path.refuse(ranges.compactMap { AddressRange(parsing: $0) })
            return nil
        } catch {
            return error.description
        }
    }

    @Test(arguments: [
        ("tcp://engine.example:2376", "10.1.1.5"), ("tcp://10.1.1.5:2375", "10.1.1.0/24"),
        ("https://[2001:db8::7]:2376", "2001:db8::/32"), ("ssh://admin@engine.example", "0.0.0.0/0"),
    ])
    func theEngineItTalksToIsRefused(engine: String, range: String) async {
        let text = await refusal(engine, "", [range])
        #expect(text?.contains("the Docker engine's: squall's own control path") == true)
        #expect(text?.contains("force: true") == true)
    }

    @Test func theSSHSessionItRunsInIsRefused() async {
        let session = "203.0.113.9 50022 198.51.100.4 22"
        #expect(
            await refusal("unix:///var/run/docker.sock", session, ["203.0.113.0/24"])?.contains("SSH session") == true)
        #expect(await refusal("unix:///var/run/docker.sock", session, ["203.0.113.10"]) == nil)
    }

    @Test func whatIsOnThisMachineIsNoPath() async {
        #expect(await refusal("unix:///var/run/docker.sock", "", ["0.0.0.0/0", "::/0"]) == nil)
        #expect(await refusal("tcp://127.0.0.1:2375", "::1 50022 ::1 22", ["0.0.0.0/0", "::/0"]) == nil)
    }
}
