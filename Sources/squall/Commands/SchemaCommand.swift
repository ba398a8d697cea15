internal import ArgumentParser
internal import Basics
internal import Contracts
internal import Experiment

/// `squall schema`
struct SchemaCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "schema", abstract: "Prints the JSON Schema of experiment files, for editors and validators.",
        discussion: "Example: squall schema > squall.schema.json")

    func run() async throws {
        Output.line(try ExperimentSchema.make(standardRegistry().catalog).text())
    }
}
