import Basics
import Experiment
import Testing

@testable import AWS

/// Regions, accounts and resources of a policy: from the file, from AWS, or not known.
@Suite struct PolicyPlaceTests {
    @Test func anARNSaysTheAccountForEverything() throws {
        let made = AccessPolicy(try PolicyFixture.experiment("- {fault: aurora.failover, target: by-arn}"))
        #expect(
            PolicyFixture.lines(made).contains(
                "rds:FailoverDBCluster on arn:aws:rds:eu-west-1:123456789012:cluster:orders"))
        #expect(!made.gaps.contains { $0.reason.hasPrefix("the account is not known") })
    }

    @Test func anUnknownAccountAndRegionAreStarsAndAreReported() throws {
        let made = AccessPolicy(try PolicyFixture.experiment("- {fault: ec2.reboot, target: anywhere}"))
        #expect(PolicyFixture.lines(made).contains("ec2:RebootInstances on arn:aws:ec2:*:*:instance/i-0a"))
        let reasons = made.gaps.filter { $0.actions == ["ec2:RebootInstances"] }.map(\.reason)
        #expect(
            Set(reasons) == [
                "the account is not known: write ARNs, or use --resolve",
                "no region is written: write one, or use --resolve",
            ])
    }

    @Test func whatAWSSaidOfATargetTakesThePlaceOfItsTags() throws {
        var facts = AccessPolicy.Facts(account: "123456789012")
        var target = WrittenTarget(type: .computeInstance)
        target.ids = ["i-0a", "i-0b"]
        target.region = "eu-west-1"
        facts.targets["web"] = target
        let made = AccessPolicy(try PolicyFixture.experiment("- {fault: ec2.reboot, target: web}"), facts)
        #expect(
            PolicyFixture.lines(made).filter { $0.hasPrefix("ec2:RebootInstances") }.sorted() == [
                "ec2:RebootInstances on arn:aws:ec2:eu-west-1:123456789012:instance/i-0a",
                "ec2:RebootInstances on arn:aws:ec2:eu-west-1:123456789012:instance/i-0b",
            ])
    }

    @Test func theEnvironmentsRegionIsTakenWhereNoneIsWritten() throws {
        var facts = AccessPolicy.Facts(account: "123456789012")
        facts.region = "us-east-2"
        facts.unmatched = ["anywhere"]
        let made = AccessPolicy(try PolicyFixture.experiment("- {fault: ec2.reboot, target: anywhere}"), facts)
        #expect(
            PolicyFixture.lines(made).contains(
                "ec2:RebootInstances on arn:aws:ec2:us-east-2:123456789012:instance/i-0a"))
        #expect(
            made.gaps.map(\.line).contains(
                "ec2:DescribeInstances: target anywhere matches nothing now and is limited as it is written"
            ))
    }

    @Test func otherPartitionsHaveNamesOfTheirOwn() throws {
        var experiment = try PolicyFixture.experiment("- {fault: ec2.reboot, target: anywhere}")
        var target = WrittenTarget(type: .computeInstance)
        target.ids = ["i-0a"]
        target.region = "cn-north-1"
        var facts = AccessPolicy.Facts(account: "1")
        facts.targets["anywhere"] = target
        experiment.probes = []
        #expect(
            PolicyFixture.lines(AccessPolicy(experiment, facts)).contains(
                "ec2:RebootInstances on arn:aws-cn:ec2:cn-north-1:1:instance/i-0a"))
    }
}
