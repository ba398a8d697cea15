import Basics
import Contracts
import Experiment
import Testing

@testable import Docker

@Suite struct SelectorTests {
    private func messages(_ parameters: [(String, String)]) -> [String] {
        do {
            _ = try read(parameters, DockerTargetSource.parameters) { DockerTargetSource(from: &$0) }
            return []
        } catch let refused as Refused {
            return refused.messages
        } catch {
            return ["\(error)"]
        }
    }

    @Test func aSelectionOfEverythingIsRefused() {
        #expect(messages([]) == ["this selects every container; name at least one condition"])
        #expect(messages([("state", "any")]) == ["this selects every container; name at least one condition"])
    }

    @Test func aBrokenExpressionIsRefusedWhenTheFileIsRead() {
        #expect(messages([("regex", "web-[0-9")]).first?.contains("is no regular expression") == true)
    }

    @Test func aMisspeltKeyIsRefused() {
        #expect(messages([("label", "x")]).first == "unknown key 'label'")
    }

    @Test(arguments: [
        ("web-[0-9]+", ["web-1", "web-12"]), ("web", []), (".*1", ["web-1", "old-web-1"]),
        ("web-1|web-12", ["web-1", "web-12"]),
    ])
    func anExpressionMustMatchTheWholeName(pattern: String, expected: [String]) {
        let all = ["web-1", "web-12", "old-web-1"].map { ContainerSummary(id: $0, name: $0) }
        #expect(ContainerSelector(pattern: pattern).matching(all).map(\.name) == expected)
    }

    @Test(arguments: [
        ("nginx", "nginx:1.25", true), ("nginx", "nginx", true), ("nginx:1.25", "nginx:1.25", true),
        ("nginx:1.2", "nginx:1.25", false), ("nginx", "nginx-unit:1", false),
        ("host:5000/app", "host:5000/app:2", true), ("host:5000/app:2", "host:5000/app:22", false),
        ("sha256:ab", "nginx", true),
    ])
    func anImageWithoutATagMatchesAnyTag(wanted: String, image: String, matches: Bool) {
        let container = ContainerSummary(id: "1", name: "a", image: image, imageID: "sha256:ab")
        #expect(ContainerSelector(image: wanted).matching([container]).isEmpty != matches)
    }

    @Test func everyKindExplainsItself() {
        let registry = DockerKinds.registry
        for manual in registry.faults.map({ $0.manual }) + registry.probes.map({ $0.manual }) {
            #expect(!manual.summary.isEmpty && !manual.details.isEmpty && !manual.example.isEmpty)
        }
        #expect(
            registry.faults.map { $0.kind }.sorted() == [
                "container.kill", "container.pause", "container.remove", "container.restart", "container.stop",
            ])
    }
}
