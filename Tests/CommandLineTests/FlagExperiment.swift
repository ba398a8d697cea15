/// A system under test that needs nothing but a file system: the service is up while no flag file exists.
struct FlagExperiment {
    var folder: String
    var title = "A flag is raised"
    /// Lines under `method:`; `nil`: the flag is raised and removed again by the undo.
    var method: String?
    /// nil: the flag stays up until the healing phase.
    var duration: String? = "600ms"
    var probe = "[test, \"!\", -e, FLAG]"
    var criteria = "availability: {probe: service, min: 1%, window: 2s}"
    var extra = ""
    var hold = "1s"

    var flag: String { "\(folder)/flag" }

    var text: String {
        let raise = """
              - name: raise
                fault: command.run
                inject: [touch, FLAG]
                confirm: [test, -e, FLAG]
                undo: [rm, -f, FLAG]
                check-clean: [test, "!", -e, FLAG]
            """ + (duration.map { "\n    duration: \($0)" } ?? "")
        return """
            title: \(title)
            description: Nothing but a file is touched.
            probes:
              service: {type: command.check, command: \(probe), every: 20ms, timeout: 1s}
            steady-state-hypothesis:
              title: the flag is down
              for: \(hold)
              probes:
                - {probe: service, tolerance: {success: ">= 99%"}}
            method:
            \(method ?? raise)
            criteria:
              \(criteria)
            \(extra)
            """.replacing("FLAG", with: flag)
    }

    /// Writes the file and gives its path.
    func file() throws -> String {
        let path = "\(folder)/experiment.yaml"
        try write(text, to: path)
        return path
    }
}
