import AWSSupport
import Basics
import Contracts
import Experiment
import HTTP
import Testing

@testable import AWS

/// What is not found is clean only where it would have to be.
@Suite struct AccountTests {
    /// With the credentials of another account nothing of the fault is there to be seen.
    @Test func aHealWithAnotherAccountsCredentialsIsRefused() async throws {
        let cloud = try CloudServer()
        let context = try cloud.context(run: "accounts")
        let elsewhere = AWSPlace(region: "us-east-1", account: "999999999999")
        let undo = EC2StopFault.Undo(
            instance: AWSResource("i-0000000000000dead", in: elsewhere), force: false, timeout: .seconds(5))
        let heal = await #expect(throws: FaultError.self) { try await EC2StopFault.heal(undo, in: context) }
        #expect(heal?.code == .denied)
        #expect(heal?.message.contains("account 123456789012, and the change was made in 999999999999") == true)
        let look = await #expect(throws: FaultError.self) { try await EC2StopFault.leftover(of: undo, in: context) }
        #expect(look?.code == .denied)
        // In the account itself, what AWS does not know is gone.
        let here = AWSPlace(region: "us-east-1", account: "123456789012")
        let gone = EC2StopFault.Undo(
            instance: AWSResource("i-0a0000000000dead0", in: here), force: false, timeout: .seconds(5))
        try await EC2StopFault.heal(gone, in: context)
        #expect(try await EC2StopFault.leftover(of: gone, in: context) == nil)
        #expect(try await cloud.count("GetCallerIdentity") == 1)
    }

    /// A proxy's page is not AWS's word.
    @Test func aPageThatSaysNotFoundIsNoProofThatSomethingIsGone() {
        let page = HTTPResponse(status: 404, body: Array("<html><body>Not Found</body></html>".utf8))
        let error = AnswerReader(service: .ec2, subject: "s").failure(page)
        #expect(error?.code == .unexpected)
        let empty = AnswerReader(service: .fis, subject: "s").failure(HTTPResponse(status: 404, body: Array("{}".utf8)))
        #expect(empty?.code == .unexpected)
    }
}

/// Rights that can be asked for before a run.
@Suite struct RightsTests {
    private func findings(_ changes: [String: String]) async throws -> [Finding] {
        let cloud = try CloudServer()
        let target = ResourceType.auroraCluster.target("app", region: "us-east-1")
        return await RightsCheck.findings(
            ["rds:FailoverDBCluster", "rds:DescribeDBClusters"], for: target,
            in: try cloud.context(run: "rights", changes))
    }

    @Test func whoMayHasNoFinding() async throws {
        #expect(try await findings([:]) == [])
    }

    @Test func whoMayNotSimulateIsToldThatNothingWasChecked() async throws {
        let found = try await findings([
            "AWS_ACCESS_KEY_ID": CloudServer.powerless.access, "AWS_SECRET_ACCESS_KEY": CloudServer.powerless.secret,
        ])
        #expect(found.map(\.severity) == [.warning])
        #expect(found.first?.message.contains("rights were not checked before the run") == true, "\(found)")
    }

    @Test(arguments: [
        ("arn:aws:iam::123456789012:user/squall", "arn:aws:iam::123456789012:user/squall"),
        ("arn:aws:sts::123456789012:assumed-role/drill/game-day", "arn:aws:iam::123456789012:role/drill"),
        ("arn:aws:iam::123456789012:root", nil),
    ])
    func aSessionHasTheRightsOfItsRole(arn: String, principal: String?) {
        #expect(RightsCheck.principal(arn) == principal)
    }
}
