import Basics
import Testing

/// FIS templates in both directions and the least policy, as a user types them; none of these calls AWS.
@Suite struct CloudCommandTests {
    private static let template = """
        {"experimentTemplate": {
          "id": "EXT1", "description": "a writer is lost", "roleArn": "arn:aws:iam::123456789012:role/fis",
          "stopConditions": [{"source": "aws:cloudwatch:alarm",
                              "value": "arn:aws:cloudwatch:us-east-1:123456789012:alarm:errors"}],
          "targets": {"orders": {"resourceType": "aws:rds:cluster", "selectionMode": "ALL",
                                 "resourceArns": ["arn:aws:rds:us-east-1:123456789012:cluster:orders"]}},
          "actions": {"fail-over": {"actionId": "aws:rds:failover-db-cluster", "targets": {"Clusters": "orders"}}},
          "tags": {"team": "shop"}, "logConfiguration": {"logSchemaVersion": 2}
        }}
        """

    @Test func aTemplateBecomesAnExperimentThatIsValidAndGoesBackAsItCame() async throws {
        try await withFolder { folder in
            try write(Self.template, to: "\(folder)/template.json")
            let imported = try await SquallBinary.run(
                ["import", "fis", "template.json", "--output", "drill.yaml"], in: folder)
            try #require(imported.code == 0, "\(imported.output)\(imported.errors)")
            let valid = try await SquallBinary.run(["validate", "drill.yaml"], in: folder)
            #expect(valid.code == 0, "\(valid.output)\(valid.errors)")
            let exported = try await SquallBinary.run(["export", "fis", "drill.yaml"], in: folder)
            try #require(exported.code == 0, "\(exported.errors)")
            let original = try #require(try JSONValue(parsing: Self.template)["experimentTemplate"]?.object)
            let back = try #require(try JSONValue(parsing: exported.output).object)
            for (key, value) in original where key != "id" { #expect(back[key] == value, "\(key)") }
            #expect(back["id"] == nil && back["clientToken"] != nil)
            // What is there already is never overwritten.
            let again = try await SquallBinary.run(
                ["import", "fis", "template.json", "--output", "drill.yaml"], in: folder)
            #expect(again.code == 2)
        }
    }

    @Test func anActionWithoutACounterpartIsNamedAndNothingIsWritten() async throws {
        try await withFolder { folder in
            let other = Self.template.replacing("aws:rds:failover-db-cluster", with: "aws:ebs:pause-volume-io")
            try write(other, to: "\(folder)/template.json")
            let refused = try await SquallBinary.run(
                ["import", "fis", "template.json", "--output", "drill.yaml"], in: folder)
            #expect(refused.code == 2)
            #expect(refused.errors.contains("aws:ebs:pause-volume-io"))
            let missing = try await SquallBinary.run(["validate", "drill.yaml"], in: folder)
            #expect(missing.code == 2)
            try write("no JSON", to: "\(folder)/template.json")
            #expect(try await SquallBinary.run(["import", "fis", "template.json"], in: folder).code == 2)
        }
    }

    @Test func aStepThatFISCannotDoIsNamed() async throws {
        try await withFolder { folder in
            let file = """
                title: t
                targets: {orders: {aws: {type: aurora-cluster, ids: [orders], region: us-east-1}}}
                method:
                  - {name: fail-over, fault: aurora.failover, target: orders, to: orders-2}
                """
            try write(file, to: "\(folder)/drill.yaml")
            let refused = try await SquallBinary.run(["export", "fis", "drill.yaml"], in: folder)
            #expect(refused.code == 2)
            #expect(refused.errors.contains("fail-over"), "\(refused.errors)")
            #expect(refused.output.isEmpty)
        }
    }

    @Test func theLeastPolicyNamesTheResourcesAndWhatCouldNotBeNarrowed() async throws {
        try await withFolder { folder in
            let file = """
                title: t
                targets:
                  orders: {aws: {type: aurora-cluster, arns: ["arn:aws:rds:us-east-1:123456789012:cluster:orders"]}}
                method:
                  - {name: fail-over, fault: aurora.failover, target: orders}
                """
            try write(file, to: "\(folder)/drill.yaml")
            let run = try await SquallBinary.run(["iam-policy", "drill.yaml"], in: folder)
            try #require(run.code == 0, "\(run.errors)")
            let policy = try JSONValue(parsing: run.output)
            #expect(policy["Version"]?.string == "2012-10-17")
            let statements = policy["Statement"]?.array ?? []
            let failover = statements.first { $0["Action"]?.array?.contains(.string("rds:FailoverDBCluster")) == true }
            #expect(
                failover?["Resource"]?.array?.contains(.string("arn:aws:rds:us-east-1:123456789012:cluster:orders"))
                    == true)
            #expect(run.errors.contains("rds:DescribeDBClusters"))
            try write("title: t\nmethod: []\n", to: "\(folder)/empty.yaml")
            #expect(try await SquallBinary.run(["iam-policy", "empty.yaml"], in: folder).code == 2)
        }
    }

    @Test func whatCannotBeTakenBackCanBeForbidden() async throws {
        try await withFolder { folder in
            let file = """
                title: t
                targets: {orders: {aws: {type: aurora-cluster, ids: [orders], region: us-east-1}}}
                method:
                  - {name: fail-over, fault: aurora.failover, target: orders}
                limits: {irreversible: forbidden}
                """
            try write(file, to: "\(folder)/drill.yaml")
            for command in ["validate", "plan", "run"] {
                let refused = try await SquallBinary.run([command, "drill.yaml"], in: folder)
                #expect(refused.code == 2, "\(command): \(refused.errors)")
                #expect(refused.errors.contains("aurora.failover cannot be taken back"), "\(refused.errors)")
            }
        }
    }

    /// A run without credentials ends before anything is touched.
    @Test func withoutCredentialsARunIsRefusedBeforeItsFirstFault() async throws {
        try await withFolder { folder in
            let file = """
                title: t
                targets: {orders: {aws: {type: aurora-cluster, ids: [orders], region: us-east-1}}}
                method:
                  - {name: fail-over, fault: aurora.failover, target: orders}
                """
            try write(file, to: "\(folder)/drill.yaml")
            let run = try await SquallBinary.run(
                ["run", "drill.yaml"], in: folder,
                environment: ["AWS_EC2_METADATA_DISABLED": "true", "AWS_CONFIG_FILE": "/nonexistent"])
            #expect(run.code == 5, "\(run.output)\(run.errors)")
            #expect((run.output + run.errors).contains("no AWS credentials"), "\(run.output)\(run.errors)")
        }
    }
}
