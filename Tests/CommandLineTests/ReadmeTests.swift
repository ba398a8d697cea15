import Basics
import Glibc
import Process
import Testing

/// Every example of the README is run as it stands there, one block after the other in a folder of its own.
@Suite(.serialized) struct ReadmeTests {
    private static func blocks(_ kind: String) throws -> [String] {
        var blocks: [String] = []
        var current: [Substring]?
        for line in try read("\(SquallBinary.root)/README.md").split(separator: "\n", omittingEmptySubsequences: false)
        {
            if let lines = current {
                if line == "```" {
                    blocks.append(lines.joined(separator: "\n"))
                    current = nil
                } else {
                    current = lines + [line]
                }
            } else if line == "```\(kind)" {
                current = []
            }
        }
        return blocks
    }

    private func run(_ blocks: [String]) async throws {
        try await withFolder { folder in
            for name in [".build", "experiments", "fault-plans", "runbooks", "scripts"] {
                try #require(symlink("\(SquallBinary.root)/\(name)", "\(folder)/\(name)") == 0)
            }
            let runner = try LocalCommandRunner()
            for block in blocks {
                let result = try await runner.run(
                    Command(["sh", "-e", "-c", block], environment: ["HOME": folder], directory: folder),
                    until: SystemTimeSource().now + .minutes(5))
                #expect(result.exitCode == 0, "\(block)\n\(result.output.text)\(result.errors.text)")
            }
        }
    }

    @Test func theExamplesThatNeedNoLabWork() async throws {
        let blocks = try Self.blocks("sh").map { block in
            // The engine is part of the doctor's answer; without one, 5 is the right code.
            getenv("SQUALL_LAB") == nil ? block.replacing("squall doctor", with: "squall doctor || test $? = 5") : block
        }
        try #require(blocks.count >= 3)
        try await run(blocks)
    }

    /// Needs the lab: SQUALL_LAB=1, as scripts/test sets it.
    @Test(.enabled(if: getenv("SQUALL_LAB") != nil, "needs the lab: scripts/lab/up, then SQUALL_LAB=1"))
    func theExamplesThatNeedTheLabWork() async throws {
        let blocks = try Self.blocks("sh lab")
        try #require(blocks.count >= 3)
        try await run(blocks)
    }

    @Test func theFirstTwoCommandsAreScriptsAndTheSecondIsWhatCIRuns() throws {
        let first = try #require(try Self.blocks("").first)
        #expect(first == "scripts/quickstart\nscripts/test")
        for name in ["quickstart", "test"] { #expect(access("\(SquallBinary.root)/scripts/\(name)", X_OK) == 0) }
        #expect(try read("\(SquallBinary.root)/.ci/run").contains("scripts/test"))
    }

    @Test func theExampleExperimentIsValid() async throws {
        let yaml = try #require(try Self.blocks("yaml").first)
        try await withFolder { folder in
            try write(yaml, to: "\(folder)/example.yaml")
            let run = try await SquallBinary.run(["validate", "example.yaml"], in: folder)
            #expect(run.code == 0, "\(run.errors)")
        }
    }
}
