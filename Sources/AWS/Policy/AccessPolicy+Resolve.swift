internal import Basics
package import Contracts
package import Experiment

extension AccessPolicy.Facts {
    /// Asks AWS who the caller is and which resources the targets are; reads, changes nothing.
    ///
    /// A target that matches nothing now stays as the file says it.
    package static func resolve(
        _ experiment: Experiment, in context: SystemContext
    ) async throws(FaultError) -> AccessPolicy.Facts {
        var facts = AccessPolicy.Facts()
        for declaration in experiment.targets {
            guard var target = WrittenTarget(declaration) else { continue }
            let found = try await targets(of: declaration, in: context)
            guard !found.isEmpty else {
                facts.unmatched.append(declaration.name)
                continue
            }
            target.region = found[0].attributes[.awsRegion]
            // A task is another one tomorrow: its cluster stays.
            if target.type != .containerTask {
                target.ids = found.compactMap { $0.attributes[target.type.attribute] }
                target.arns = []
                target.tags = [:]
                target.zone = nil
            }
            facts.targets[declaration.name] = target
        }
        let written = experiment.targets.lazy.compactMap { WrittenTarget($0)?.writtenRegion }.first
        do throws(FaultError) {
            facts.region = try await AWSAccess(written: nil, in: context).region
        } catch {
            // The environment names none, and need not where the file does.
            guard written != nil else { throw error }
        }
        facts.account = try await account(facts.region ?? written, in: context)
        return facts
    }

    private static func targets(
        of declaration: TargetDeclaration, in context: SystemContext
    ) async throws(FaultError) -> [Target] {
        guard case .kind(let source) = declaration.source else { return [] }
        var diagnostics = Diagnostics()
        let made = ParameterReader.read(source.parameters, AWSTargetSource.parameters, into: &diagnostics) {
            AWSTargetSource(from: &$0)
        }
        guard let made else { return [] }
        return try await made.resolve(in: context)
    }

    private static func account(_ region: String?, in context: SystemContext) async throws(FaultError) -> String? {
        let access = try await AWSAccess(written: region, in: context)
        let answer = try await access.perform(.query(.sts, "GetCallerIdentity", [], .read), "asking who the caller is")
        return answer.xml.string("Account")
    }
}
