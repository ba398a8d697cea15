import Testing

/// What bad input gets: a clear error with file, line and next step, code 2, and nothing touched.
@Suite struct InvalidInputTests {
    /// A change to the valid file, and what the error must say.
    struct Mistake: Sendable, CustomTestStringConvertible {
        var what: String
        var replace: String
        var by: String
        var says: [String]
        var testDescription: String { what }
    }

    static let mistakes = [
        Mistake(
            what: "an unknown key", replace: "confirm:", by: "confrim:",
            says: ["unknown key 'confrim'", "did you mean 'confirm'?"]),
        Mistake(
            what: "a bare number", replace: "every: 20ms", by: "every: 20", says: ["a duration with its unit", "'20'"]),
        Mistake(what: "a wrong unit", replace: "timeout: 1s", by: "timeout: 1mbit", says: ["a duration with its unit"]),
        Mistake(
            what: "a missing variable", replace: "title: A flag is raised", by: "title: A flag ${colour}",
            says: ["'colour'"]),
        Mistake(
            what: "an unknown fault", replace: "fault: command.run", by: "fault: comand.run",
            says: ["did you mean 'command.run'?"]),
        Mistake(
            what: "an unknown probe kind", replace: "type: command.check", by: "type: command.chek",
            says: ["command.check"]),
        Mistake(
            what: "a criterion without its probe", replace: "probe: service, min", by: "probe: sevice, min",
            says: ["sevice", "did you mean 'service'?"]),
        Mistake(
            what: "a tolerance of the wrong unit", replace: "success: \">= 99%\"", by: "success: \">= 99ms\"",
            says: ["a percentage"]),
        Mistake(
            what: "a metric nobody measures", replace: "success: \">= 99%\"", by: "sucess: \">= 99%\"", says: ["sucess"]
        ),
        Mistake(what: "broken YAML", replace: "criteria:", by: "criteria: [", says: ["error:"]),
    ]

    @Test(arguments: mistakes)
    func isNamedWithItsPlaceAndTouchesNothing(mistake: Mistake) async throws {
        try await withFolder { folder in
            let experiment = FlagExperiment(folder: folder)
            let path = try experiment.file()
            let text = try read(path)
            #expect(text.contains(mistake.replace))
            try write(text.replacing(mistake.replace, with: mistake.by), to: path)
            let run = try await SquallBinary.run(["run", path], in: folder)
            #expect(run.code == 2, "\(run.errors)")
            #expect(run.errors.contains("experiment.yaml:"))
            for part in mistake.says { #expect(run.errors.contains(part), "'\(part)' is missing in: \(run.errors)") }
            #expect(!exists("\(folder)/runs"))
            #expect(!exists(experiment.flag))
        }
    }

    @Test func everyErrorOfAFileIsShownAtOnce() async throws {
        try await withFolder { folder in
            let path = try FlagExperiment(folder: folder).file()
            let text = try read(path).replacing("every: 20ms", with: "every: 20").replacing("undo:", with: "udno:")
                .replacing("window: 2s", with: "window: 2")
            try write(text, to: path)
            let run = try await SquallBinary.run(["validate", path], in: folder)
            #expect(run.code == 2)
            #expect(run.errors.ranges(of: "error:").count >= 3, "\(run.errors)")
        }
    }

    @Test func productionIsRefusedUnlessItIsAllowedByName() async throws {
        try await withFolder { folder in
            let path = try FlagExperiment(folder: folder).file()
            let refused = try await SquallBinary.run(
                ["run", path], in: folder, environment: ["TEST_ENVIRONMENT": "production"])
            #expect(refused.code == 2)
            #expect(refused.errors.contains("--allow-production"))
            #expect(!exists("\(folder)/runs"))
            let allowed = try await SquallBinary.run(
                ["run", path, "--allow-production"], in: folder, environment: ["TEST_ENVIRONMENT": "production"])
            #expect(allowed.code == 0, "\(allowed.errors)")
        }
    }

    @Test(arguments: [["run"], ["nonsense"], ["run", "x", "--nonsense"], ["inject", "container.kill"], ["heal"]])
    func wrongUsageEndsWithCode2(arguments: [String]) async throws {
        try await withFolder { folder in
            let run = try await SquallBinary.run(arguments, in: folder)
            #expect(run.code == 2, "\(run.errors)")
            #expect(!run.errors.isEmpty)
        }
    }

    @Test func aMissingFileIsNamed() async throws {
        try await withFolder { folder in
            let run = try await SquallBinary.run(["run", "nowhere.yaml"], in: folder)
            #expect(run.code == 2)
            #expect(run.errors.contains("nowhere.yaml"))
        }
    }

    @Test func aRunFolderThatCannotBeWrittenIsFoundBeforeAnythingIsInjected() async throws {
        try await withFolder { folder in
            let experiment = FlagExperiment(folder: folder)
            try write("a file is in the way", to: "\(folder)/runs")
            let run = try await SquallBinary.run(["run", try experiment.file()], in: folder)
            #expect(run.code == 5, "\(run.errors)")
            #expect(run.errors.contains("nothing was touched"))
            #expect(!exists(experiment.flag))
        }
    }

    @Test func anUnknownKindIsExplainedWithTheNearest() async throws {
        try await withFolder { folder in
            let run = try await SquallBinary.run(["explain", "command.rum"], in: folder)
            #expect(run.code == 2)
            #expect(run.errors.contains("squall explain command.run"))
        }
    }

    @Test func theTemplateOfInitIsValid() async throws {
        try await withFolder { folder in
            let made = try await SquallBinary.run(["init", "mine.yaml"], in: folder)
            #expect(made.code == 0, "\(made.errors)")
            let valid = try await SquallBinary.run(["validate", "mine.yaml"], in: folder)
            #expect(valid.code == 0, "\(valid.errors)")
            let again = try await SquallBinary.run(["init", "mine.yaml"], in: folder)
            #expect(again.code == 2)
        }
    }
}

/// `squall inject` with one side too few, or one too many.
@Suite struct InjectedSidesTests {
    @Test(arguments: [
        (["network.partition", "--target", "name=web-1"], "acts between two sides"),
        (["container.pause", "--target", "name=web-1", "--against", "name=db-1"], "does not act between two sides"),
        (
            ["network.partition", "--target", "name=web-1", "--against", "address=::1", "--against", "name=db-1"],
            "addresses or containers, not both"
        ),
    ])
    func areRefusedBeforeAnythingIsLookedAt(arguments: [String], reason: String) async throws {
        try await withFolder { folder in
            let result = try await SquallBinary.run(["inject"] + arguments + ["--duration", "1s"], in: folder)
            #expect(result.code == 2)
            #expect(result.errors.contains(reason), "\(result.errors)")
        }
    }
}
