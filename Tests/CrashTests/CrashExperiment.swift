import Basics
import Process
import TestSupport

/// The experiment that is crashed: a short baseline, one fault or several, and a probe that beats all the while.
struct CrashExperiment {
    var victims: [any Victim]
    var duration = Span.milliseconds(400)
    var maxDuration = Span.minutes(2)

    /// Writes the file and gives the arguments that run it.
    func arguments(in space: CrashSpace) throws -> [String] {
        try space.folder.write(text(in: space), to: "experiment.yaml")
        return ["run", "experiment.yaml", "--format", "json"]
    }

    private func text(in space: CrashSpace) -> String {
        let steps = victims.enumerated().map { index, victim in
            "  - {name: break-\(index + 1), \(victim.step), duration: \(duration)}"
                .replacing("target: victim", with: "target: victim-\(index + 1)")
        }
        let targets = victims.enumerated().compactMap { index, victim in
            victim.targets.isEmpty ? nil : "  " + victim.targets.replacing("victim:", with: "victim-\(index + 1):")
        }
        return """
            title: Crashed on purpose
            description: A run that a test kills at a chosen instant.
            \(targets.isEmpty ? "" : "targets:\n" + targets.joined(separator: "\n"))
            probes:
              beat: {type: command.check, command: ["true"], every: 20ms, timeout: 300ms}
            steady-state-hypothesis:
              title: the beat is there
              for: 100ms
              probes:
                - {probe: beat, tolerance: {success: ">= 50%"}}
            method:
            \(steps.joined(separator: "\n"))
            criteria:
              availability: {probe: beat, min: 1%, window: 500ms}
            limits: {max-targets: 10, max-duration: \(maxDuration)}
            """
    }
}
