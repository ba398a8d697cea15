internal import AWS
internal import ArgumentParser
internal import Basics
internal import Contracts
internal import Experiment

/// `squall iam-policy`
struct IAMPolicyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "iam-policy",
        abstract: "Prints the least IAM policy that an experiment needs, and what of it could not be narrowed.",
        discussion: """
            It covers the AWS calls of every step, probe and target, limited to the resources, tags, zones and records \
            that the file names. Without --resolve nothing is called; with it AWS is asked for the account and for the \
            resources that the targets are now.

            Examples:
              squall iam-policy aurora-failover.yaml > policy.json
              squall iam-policy aurora-failover.yaml --resolve
              aws iam create-policy --policy-name drill --policy-document file://policy.json
            """)

    @Argument(help: "The experiment file.")
    var path: String
    @Flag(help: "Asks AWS for the account and for the targets; reads only.")
    var resolve = false
    @OptionGroup var file: FileOptions
    @OptionGroup var format: FormatOptions

    /// What `--format json` prints.
    private struct Result: Encodable {
        var policy: JSONValue
        var notNarrowed: [PolicyGap]
    }

    func run() async throws {
        try await perform()
    }

    @concurrent private func perform() async throws {
        let experiment = try file.load(path, registry: standardRegistry())
        guard AccessPolicy(experiment).isNeeded else {
            throw failure(2, "nothing in \(path) calls AWS: it needs no policy", next: "squall plan \(path)")
        }
        let policy = AccessPolicy(experiment, resolve ? try await facts(experiment) : AccessPolicy.Facts())
        if format.isJSON {
            try printJSON(Result(policy: policy.document, notNarrowed: policy.gaps))
            return
        }
        Output.line(try JSONLayout(order: AccessPolicy.keyOrder).text(policy.document))
        for gap in policy.gaps { Output.error("not narrowed: \(gap.line)") }
    }

    private func facts(_ experiment: Experiment) async throws -> AccessPolicy.Facts {
        let context = try Systems().context(run: "iam-policy", secrets: experiment.secrets) { _ in }
        do throws(FaultError) {
            return try await AccessPolicy.Facts.resolve(experiment, in: context)
        } catch {
            throw failure(5, error.explained, next: error.advice.isEmpty ? "squall doctor" : error.advice)
        }
    }
}
