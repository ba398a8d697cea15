import Basics
import Contracts
import Experiment
import Testing

@testable import AWS

/// Templates of FIS and experiments for the tests of both ways.
enum FISFixture {
    /// Loads a file as `squall validate` does; every error is a failure of the test. (That there are no criteria is a
    /// warning: FIS measures nothing.)
    static func experiment(_ text: String, _ location: SourceLocation = #_sourceLocation) throws -> Experiment {
        let loader = ExperimentLoader(
            catalog: AWSKinds.registry.catalog, environment: [:], files: .memory(["drill.yaml": text]),
            currentFolder: "/")
        let result = loader.load("drill.yaml")
        let renderer = DiagnosticRenderer(sources: result.sources)
        let errors = result.diagnostics.all.filter { $0.severity == .error }.map(renderer.render)
        #expect(errors == [], "\(text)", sourceLocation: location)
        return try #require(result.experiment, sourceLocation: location)
    }

    /// A template of these actions, each with a target of its kind.
    static func template(_ actions: String, rest: String = "") throws -> FISTemplate {
        try FISTemplate(
            parsing: """
                {
                  "description": "a drill",
                  "actions": {\(actions)},
                  "targets": {
                    "web": {
                      "resourceType": "aws:ec2:instance", "resourceTags": {"app": "web"}, "selectionMode": "PERCENT(50)"
                    },
                    "orders": {
                      "resourceType": "aws:rds:cluster", "selectionMode": "ALL",
                      "resourceArns": ["arn:aws:rds:us-east-1:123456789012:cluster:orders"]
                    },
                    "ledger": {
                      "resourceType": "aws:rds:db", "selectionMode": "COUNT(1)",
                      "resourceArns": ["arn:aws:rds:us-east-1:123456789012:db:ledger-1"]
                    },
                    "tasks": {
                      "resourceType": "aws:ecs:task", "selectionMode": "COUNT(2)",
                      "parameters": {"cluster": "shop", "service": "checkout"}
                    },
                    "zone": {
                      "resourceType": "aws:ec2:subnet", "selectionMode": "ALL", "resourceTags": {"tier": "data"},
                      "filters": [{"path": "AvailabilityZone", "values": ["us-east-1a"]}]
                    }
                  },
                  "stopConditions": [{
                    "source": "aws:cloudwatch:alarm",
                    "value": "arn:aws:cloudwatch:us-east-1:123456789012:alarm:errors: too many"
                  }],
                  "roleArn": "arn:aws:iam::123456789012:role/fis"\(rest)
                }
                """)
    }

    /// Parallel and serial actions, waits, every action that has a counterpart, and all that only FIS knows.
    static let everything = """
        {
          "experimentTemplate": {
            "id": "EXT1a2b3c4d5e6f7",
            "arn": "arn:aws:fis:us-east-1:123456789012:experiment-template/EXT1a2b3c4d5e6f7",
            "description": "Zone us-east-1a goes.\\nThen the rest.",
            "creationTime": 1767225600.123, "lastUpdateTime": 1767225600.123, "targetAccountConfigurationsCount": 0,
            "roleArn": "arn:aws:iam::123456789012:role/fis",
            "tags": {"Name": "zone loss", "team": "orders"},
            "experimentOptions": {"accountTargeting": "single-account", "emptyTargetResolutionMode": "skip"},
            "logConfiguration": {
              "logSchemaVersion": 2,
              "cloudWatchLogsConfiguration": {"logGroupArn": "arn:aws:logs:us-east-1:123456789012:log-group:fis:*"}
            },
            "experimentReportConfiguration": {"preExperimentDuration": "PT20M", "unknown": [1, 2.5, null, true]},
            "stopConditions": [
              {"source": "aws:cloudwatch:alarm", "value": "arn:aws:cloudwatch:us-east-1:123456789012:alarm:errors"},
              {"source": "aws:cloudwatch:alarm", "value": "arn:aws:cloudwatch:us-east-1:123456789012:alarm:latency"}
            ],
            "targets": {
              "web/all": {
                "resourceType": "aws:ec2:instance", "resourceTags": {"app": "web", "chaos": "true"},
                "filters": [
                  {"path": "Placement.AvailabilityZone", "values": ["us-east-1a"]},
                  {"path": "State.Name", "values": ["running"]}
                ],
                "selectionMode": "PERCENT(33)"
              },
              "orders": {
                "resourceType": "aws:rds:cluster", "selectionMode": "ALL",
                "resourceArns": ["arn:aws:rds:us-east-1:123456789012:cluster:orders"]
              },
              "ledger": {
                "resourceType": "aws:rds:db", "resourceTags": {"app": "ledger"},
                "parameters": {"availabilityZoneIdentifiers": "us-east-1a"}, "selectionMode": "COUNT(1)"
              },
              "tasks": {
                "resourceType": "aws:ecs:task", "parameters": {"cluster": "shop", "service": "checkout"},
                "filters": [{"path": "LastStatus", "values": ["RUNNING"]}], "selectionMode": "COUNT(2)"
              },
              "zone": {
                "resourceType": "aws:ec2:subnet", "resourceTags": {"tier": "data"}, "selectionMode": "ALL",
                "parameters": {"availabilityZoneIdentifier": "us-east-1a"}
              }
            },
            "actions": {
              "cut zone": {
                "actionId": "aws:network:disrupt-connectivity", "description": "the zone's subnets",
                "parameters": {"duration": "PT10M", "scope": "all"}, "targets": {"Subnets": "zone"}
              },
              "wait": {"actionId": "aws:fis:wait", "parameters": {"duration": "PT2M"}},
              "stop": {
                "actionId": "aws:ec2:stop-instances", "targets": {"Instances": "web/all"}, "startAfter": ["wait"],
                "parameters": {"startInstancesAfterDuration": "PT5M", "completeIfInstancesTerminated": "true"}
              },
              "fail-over": {
                "actionId": "aws:rds:failover-db-cluster", "targets": {"Clusters": "orders"}, "startAfter": ["wait"]
              },
              "reboot-db": {
                "actionId": "aws:rds:reboot-db-instances", "targets": {"DBInstances": "ledger"},
                "parameters": {"forceFailover": "true"}, "startAfter": ["fail-over", "stop"]
              },
              "stop-task": {
                "actionId": "aws:ecs:stop-task", "targets": {"Tasks": "tasks"}, "startAfter": ["reboot-db"]
              },
              "stress": {
                "actionId": "aws:ssm:send-command", "targets": {"Instances": "web/all"}, "startAfter": ["cut zone"],
                "parameters": {
                  "documentArn": "arn:aws:ssm:us-east-1::document/AWSFIS-Run-CPU-Stress", "documentVersion": "3",
                  "documentParameters": "{\\"DurationSeconds\\": \\"120\\", \\"CPU\\": 2, \\"X\\": [\\"a\\", \\"b\\"]}",
                  "duration": "PT3M"
                }
              },
              "reboot": {
                "actionId": "aws:ec2:reboot-instances", "targets": {"Instances": "web/all"}, "startAfter": ["stress"]
              },
              "terminate": {
                "actionId": "aws:ec2:terminate-instances", "targets": {"Instances": "web/all"},
                "startAfter": ["reboot", "stop-task"]
              }
            }
          }
        }
        """
}
