import Basics
import Glibc
import Process
import Testing

/// The examples of the README.
private enum Readme {
    static func blocks(_ kind: String) throws -> [String] {
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

    /// Runs the blocks as they stand there, one after the other in one folder.
    static func run(_ blocks: [String]) async throws {
        try await withFolder { folder in
            for name in [".build", "experiments", "fault-plans", "runbooks", "scripts"] {
                try #require(symlink("\(SquallBinary.root)/\(name)", "\(folder)/\(name)") == 0)
            }
            let runner = try LocalCommandRunner()
            for block in blocks {
                let result = try await runner.run(
                    Command(
                        ["sh", "-e", "-c", block],
                        environment: ["HOME": folder, "SQUALL_STATE_DIR": SquallBinary.stateFolder(for: folder)],
                        directory: folder),
                    until: SystemTimeSource().now + .minutes(5))
                #expect(result.exitCode == 0, "\(block)\n\(result.output.text)\(result.errors.text)")
            }
        }
    }

}

/// The README's examples that need no lab, and what it says.
@Suite struct ReadmeTests {
    @Test func theExamplesThatNeedNoLabWork() async throws {
        let blocks = try Readme.blocks("sh").map { block in
            // The engine is part of the doctor's answer; without one, 5 is the right code.
            getenv("SQUALL_LAB") == nil ? block.replacing("squall doctor", with: "squall doctor || test $? = 5") : block
        }
        try #require(blocks.count >= 3)
        try await Readme.run(blocks)
    }

    /// Several stacks of the lab may be up, each with nodes in every region.
    @Test func aRegionOfTheLabIsSelectedTogetherWithItsStack() throws {
        let commands = try Readme.blocks("sh lab").map { $0.replacing("\\\n", with: " ") }
            .flatMap { $0.split(separator: "\n") }
        for option in ["--target", "--against"] {
            for command in commands {
                let regions = command.ranges(of: "\(option) label.squall.region=").count
                #expect(command.ranges(of: "\(option) label.squall.stack=").count == regions, "\(command)")
            }
        }
    }

    @Test func theFirstTwoCommandsAreScriptsAndTheSecondIsWhatCIRuns() throws {
        let first = try #require(try Readme.blocks("").first)
        #expect(first == "scripts/quickstart\nscripts/test")
        for name in ["quickstart", "test"] { #expect(access("\(SquallBinary.root)/scripts/\(name)", X_OK) == 0) }
        #expect(try read("\(SquallBinary.root)/.ci/run").contains("scripts/test"))
    }

    @Test func theExampleExperimentIsValid() async throws {
        let yaml = try #require(try Readme.blocks("yaml").first)
        try await withFolder { folder in
            try write(yaml, to: "\(folder)/example.yaml")
            let run = try await SquallBinary.run(["validate", "example.yaml"], in: folder)
            #expect(run.code == 0, "\(run.errors)")
        }
    }
}

/// The README's examples on the lab.
@Suite(.enabled(if: getenv("SQUALL_LAB") != nil, "needs the lab: scripts/lab/up, then SQUALL_LAB=1"))
struct ReadmeLabTests {
    @Test func theExamplesThatNeedTheLabWork() async throws {
        let blocks = try Readme.blocks("sh lab")
        try #require(blocks.count >= 3)
        try await Readme.run(blocks)
    }
}
