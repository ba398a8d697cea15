import Basics
import Contracts
import Experiment
import Testing

@testable import Network

/// What may stand for a peer outside any container, and what becomes of names.
@Suite struct PeerNameTests {
    @Test(arguments: ["api.example.com", "db_1", "localhost", "xn--bcher-kva.example", "10.example"])
    func aHostNameIsTaken(text: String) {
        #expect(PeerName(parsing: text) == .host(text))
    }

    @Test(arguments: ["10.0.0", "10.0.0.256", "fe80::1%eth0", "-a.example", "a..b", "a b", "", "10.0.0.0/33", "1"])
    func whatIsNeitherIsRefused(text: String) {
        #expect(PeerName(parsing: text) == nil)
    }

    private func source(_ texts: String...) -> (AddressTargetSource?, [String]) {
        let place = Location(file: "t", line: 1, column: 1)
        var diagnostics = Diagnostics()
        let node = Node.mapping(.init([.init("list", at: place, .sequence(texts.map(word), place))], at: place))
        let source = ParameterReader.read(node, AddressTargetSource.parameters, into: &diagnostics) {
            AddressTargetSource(from: &$0)
        }
        return (source, diagnostics.all.map(\.message))
    }

    @Test func aGroupThatOverlapsItselfIsRefused() {
        #expect(source("10.0.0.0/8", "10.1.0.0/16").1 == ["10.1.0.0-10.1.255.255 and 10.0.0.0-10.255.255.255 overlap"])
        #expect(source("2001:db8::1", "2001:db8::1").1 == ["2001:db8::1 and 2001:db8::1 overlap"])
        #expect(
            source("10.0.0.1", "10.0.0.2", "::/0", "0.0.0.0/1").1 == ["0.0.0.0-127.255.255.255 and 10.0.0.1 overlap"])
    }

    private var context: SystemContext {
        SystemContext(time: SystemTimeSource(), services: Services(), secrets: .empty, run: "t") { _ in }
    }

    @Test func aNameIsLookedUpWhenTheTargetIs() async throws {
        let source = try #require(source("192.0.2.0/24", "localhost").0)
        let targets = try await source.resolve(in: context)
        let addresses = try #require(targets.first?.attributes[.addresses])
        #expect(addresses.contains("127.0.0.1") || addresses.contains("::1"))
        #expect(targets.first?.name.contains("localhost") == true)
    }

    @Test func aNameThatNobodyKnowsIsOneClearError() async throws {
        let source = try #require(source("no-such-host.invalid").0)
        let error = await #expect(throws: FaultError.self) { try await source.resolve(in: context) }
        let text = error?.description ?? ""
        #expect(text.hasPrefix("host name 'no-such-host.invalid' has no address"), "\(text)")
        #expect(text.hasSuffix("getent ahosts no-such-host.invalid"))
    }
}

/// Who a process is, by the kernel's own words.
@Suite struct ProcessStartTests {
    @Test func theStartTimeIsFoundWhateverTheProcessIsCalled() {
        let rest = "S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 4711 20 21\n"
        for name in ["sh", "a b", ") S 1", "((", ""] {
            #expect(NetworkNamespace.startTime(in: Array("12 (\(name)) \(rest)".utf8)) == 4_711)
        }
    }

    @Test(arguments: [
        "", "12", "12 (sh", "12 (sh) S 1 2 3", "12 (sh) S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 x 20",
    ])
    func whatIsNoSuchLineHasNone(text: String) {
        #expect(NetworkNamespace.startTime(in: Array(text.utf8)) == nil)
    }
}
