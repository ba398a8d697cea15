import Basics
import Process
import Testing

/// `squall heal` and `squall leftovers` over journals of every sort that a dead run may have left.
@Suite struct HealTests {
    private func heal(_ arguments: [String], in folder: String) async throws -> SquallBinary.Outcome {
        try await SquallBinary.run(["heal"] + arguments, in: folder)
    }

    @Test func aJournalOfAnotherMachineIsRefusedUnlessThatMachineIsAccepted() async throws {
        try await withFolder { folder in
            let dead = DeadRun(folder: folder, host: "elsewhere")
            try await dead.write()
            let refused = try await heal(["--all"], in: folder)
            #expect(refused.code == 6)
            #expect(refused.errors.contains("written on the machine 'elsewhere'"), "\(refused.errors)")
            #expect(refused.errors.contains("by hand: rm -f \(dead.flag("flag"))"), "\(refused.errors)")
            #expect(refused.errors.contains("runbook: runbooks/flag.md"))
            #expect(refused.errors.contains("--accept-host elsewhere"))
            #expect(exists(dead.flag("flag")))
            let leftovers = try await SquallBinary.run(["leftovers"], in: folder)
            #expect(leftovers.code == 6)
            #expect(leftovers.output.contains("'elsewhere'"))
            let other = try await heal(["--run", dead.run, "--accept-host", "nowhere"], in: folder)
            #expect(other.code == 6)
            let accepted = try await heal(["--run", dead.run, "--accept-host", "elsewhere"], in: folder)
            #expect(accepted.code == 0, "\(accepted.output)\(accepted.errors)")
            #expect(!exists(dead.flag("flag")))
        }
    }

    @Test func aNewerFormatIsRefusedWithWhatItSays() async throws {
        try await withFolder { folder in
            let dead = DeadRun(folder: folder, version: 99)
            try await dead.write()
            let refused = try await heal(["--all"], in: folder)
            #expect(refused.code == 6)
            #expect(refused.errors.contains("newer squall (format 99)"), "\(refused.errors)")
            #expect(refused.errors.contains("by hand: rm -f \(dead.flag("flag"))"))
            #expect(exists(dead.flag("flag")))
        }
    }

    @Test func anEditedRecordIsRefusedAndTheOthersStillSayWhatToType() async throws {
        try await withFolder { folder in
            let dead = DeadRun(folder: folder, flags: ["first", "second", "third"])
            try await dead.write { bytes, lines in
                // As an editor would: another digit in a time.
                bytes[lines[2].upperBound - 20] = UInt8(ascii: "x")
            }
            let refused = try await heal(["--all"], in: folder)
            #expect(refused.code == 6)
            #expect(refused.errors.contains("record 3"), "\(refused.errors)")
            #expect(refused.errors.contains("is damaged"))
            for name in ["first", "third"] {
                #expect(refused.errors.contains("by hand: rm -f \(dead.flag(name))"), "\(refused.errors)")
                #expect(exists(dead.flag(name)))
            }
            let run = try await SquallBinary.run(["run", try FlagExperiment(folder: folder).file()], in: folder)
            #expect(run.code == 6, "\(run.output)\(run.errors)")
        }
    }

    @Test func aJournalThatIsCutShortIsHealedAsFarAsItGoes() async throws {
        try await withFolder { folder in
            let dead = DeadRun(folder: folder, flags: ["first", "second"])
            try await dead.write { bytes, lines in bytes.removeLast(lines[2].count / 2) }
            let healed = try await heal(["--all"], in: folder)
            #expect(healed.code == 0, "\(healed.output)\(healed.errors)")
            #expect(!exists(dead.flag("first")))
            // Its record was never whole, so it was never injected; here it stands for anything of somebody else's.
            #expect(exists(dead.flag("second")))
        }
    }

    @Test func afterARestartOfTheMachineWhatSurvivesItIsHealedAndThatIsSaid() async throws {
        try await withFolder { folder in
            let dead = DeadRun(folder: folder, bootID: "another-boot")
            try await dead.write()
            let healed = try await heal(["--all"], in: folder)
            #expect(healed.code == 0, "\(healed.output)\(healed.errors)")
            #expect(healed.errors.contains("ended with a restart of this machine"), "\(healed.errors)")
            #expect(!exists(dead.flag("flag")))
        }
    }

    @Test func oneThatCannotBeHealedKeepsNoneOfTheOthersFromIt() async throws {
        try await withFolder { folder in
            var first = DeadRun(folder: folder, flags: ["a", "b", "c"])
            first.stuck = ["b"]
            try await first.write()
            let second = DeadRun(folder: folder, run: "20260101-000000-another-0002", flags: ["d"])
            try await second.write()
            let healed = try await heal(["--all"], in: folder)
            #expect(healed.code == 6)
            #expect(healed.output.contains("NOT HEALED  command.run  localhost"), "\(healed.output)")
            #expect(healed.output.contains("runbook: runbooks/flag.md"))
            #expect(healed.output.contains("by hand: false"))
            #expect(["a", "b", "c", "d"].map { exists(first.flag($0)) } == [false, true, false, false])
            let given = try await heal(["--run", first.run, "--abandon"], in: folder)
            #expect(given.code == 0, "\(given.output)\(given.errors)")
            #expect(given.output.contains("abandoned"))
            #expect(exists(first.journal + ".abandoned"))
            let clean = try await heal(["--all"], in: folder)
            #expect(clean.code == 0, "\(clean.output)\(clean.errors)")
        }
    }

    @Test func aRegisteredJournalIsFoundWhateverFolderItIsIn() async throws {
        try await withFolder { folder in
            let dead = DeadRun(folder: folder, runsFolder: "far/away")
            try await dead.write()
            try dead.register()
            let run = try await SquallBinary.run(["run", try FlagExperiment(folder: folder).file()], in: folder)
            #expect(run.code == 6, "\(run.output)\(run.errors)")
            let leftovers = try await SquallBinary.run(["leftovers"], in: folder)
            #expect(leftovers.code == 6)
            #expect(leftovers.output.contains("command.run"))
            let healed = try await heal(["--all"], in: folder)
            #expect(healed.code == 0, "\(healed.output)\(healed.errors)")
            #expect(!exists(dead.flag("flag")))
            let entries = SquallBinary.stateFolder(for: folder) + "/journals/" + dead.run
            #expect(!exists(entries))
        }
    }

    @Test func aJournalThatWasDeletedIsToldUntilSomebodyGivesItUp() async throws {
        try await withFolder { folder in
            let dead = DeadRun(folder: folder)
            try await dead.write()
            try dead.register()
            try await mustSucceed("rm -r \(folder)/runs/\(dead.run)")
            let healed = try await heal(["--all"], in: folder)
            #expect(healed.code == 6)
            #expect(healed.errors.contains("its journal \(dead.journal) is gone"), "\(healed.errors)")
            let experiment = try FlagExperiment(folder: folder).file()
            try await mustSucceed("rm \(dead.flag("flag"))")
            let refused = try await SquallBinary.run(["run", experiment], in: folder)
            #expect(refused.code == 6, "\(refused.output)\(refused.errors)")
            let given = try await heal(["--run", dead.run, "--abandon"], in: folder)
            #expect(given.code == 0, "\(given.output)\(given.errors)")
            let run = try await SquallBinary.run(["run", experiment], in: folder)
            #expect(run.code == 0, "\(run.output)\(run.errors)")
        }
    }

    @Test func aJournalIsHealedFromAnyPath() async throws {
        try await withFolder { folder in
            let dead = DeadRun(folder: folder, runsFolder: "artifacts")
            try await dead.write()
            let healed = try await heal(["--journal", dead.journal], in: folder)
            #expect(healed.code == 0, "\(healed.output)\(healed.errors)")
            #expect(!exists(dead.flag("flag")))
            let missing = try await heal(["--journal", "nowhere/journal"], in: folder)
            #expect(missing.code == 6)
            #expect(missing.errors.contains("nowhere/journal"))
        }
    }

    @Test func aRunInProgressIsNotTouchedNorIsACopyOfItsJournal() async throws {
        try await withFolder { folder in
            let experiment = FlagExperiment(
                folder: folder, duration: "6s", criteria: "availability: {probe: service, min: 0%, window: 8s}")
            let path = try experiment.file()
            let outcome = try await withThrowingTaskGroup(of: SquallBinary.Outcome?.self) { group in
                group.addTask { try await SquallBinary.run(["run", path], in: folder) }
                group.addTask {
                    let time = SystemTimeSource()
                    let deadline = time.now + .seconds(60)
                    while !exists(experiment.flag) {
                        try #require(time.now < deadline, "the fault was never injected")
                        try await time.sleep(for: .milliseconds(20))
                    }
                    let all = try await heal(["--all"], in: folder)
                    #expect(all.code == 0)
                    #expect(all.output.contains("in progress: "), "\(all.output)")
                    try await mustSucceed("cp \(folder)/runs/latest/journal \(folder)/copy")
                    let copy = try await heal(["--journal", "copy"], in: folder)
                    #expect(copy.code == 2)
                    #expect(copy.output.contains("in progress: copy (not touched)"), "\(copy.output)\(copy.errors)")
                    let leftovers = try await SquallBinary.run(["leftovers"], in: folder)
                    #expect(leftovers.code == 0, "\(leftovers.output)")
                    #expect(exists(experiment.flag), "somebody healed under a live run")
                    return nil
                }
                var outcome: SquallBinary.Outcome?
                for try await result in group { outcome = result ?? outcome }
                return try #require(outcome)
            }
            #expect(outcome.code == 0, "\(outcome.output)\(outcome.errors)")
        }
    }

    @Test func aDatabaseThatDoesNotAnswerIsUnknownAndNoLeftover() async throws {
        try await withFolder { folder in
            let experiment = """
                title: t
                probes:
                  roles: {type: postgres.roles, nodes: {one: "host=127.0.0.1 port=1 user=u connect_timeout=2"}}
                method: []
                """
            try write(experiment, to: "\(folder)/e.yaml")
            let leftovers = try await SquallBinary.run(["leftovers", "--experiment", "e.yaml"], in: folder)
            #expect(leftovers.code == 0, "\(leftovers.output)\(leftovers.errors)")
            #expect(leftovers.errors.contains("unknown: postgres 'host=127.0.0.1 port=1"), "\(leftovers.errors)")
        }
    }
}
