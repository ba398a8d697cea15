"""The AWS CLI as people type it: another client, with parsers of its own."""

from __future__ import annotations

from .harness import Cloud, Failed


def the_cli_reads_every_protocol(cloud: Cloud) -> None:
    identity = cloud.cli("sts", "get-caller-identity")
    cloud.equal(identity["Arn"], cloud.world["iam"]["user-arn"], "query")
    instances = cloud.cli("ec2", "describe-instances", "--query", "Reservations[].Instances[].InstanceId")
    cloud.equal(len(instances), 4, "ec2")
    zone = cloud.world["route53"]["hosted-zone"]
    records = cloud.cli("route53", "list-resource-record-sets", "--hosted-zone-id", zone)
    cloud.equal(records["ResourceRecordSets"][0]["Name"], "squall.test.", "rest-xml")
    arn = cloud.world["zonal-shift"]["resource"]
    resource = cloud.cli("arc-zonal-shift", "get-managed-resource", "--resource-identifier", arn)
    cloud.equal(resource["arn"], arn, "rest-json, an ARN in the path")
    tasks = cloud.cli("ecs", "list-tasks", "--cluster", "squall")
    cloud.equal(len(tasks["taskArns"]), 2, "json 1.1")
    alarms = cloud.cli("cloudwatch", "describe-alarms")
    cloud.equal(len(alarms["MetricAlarms"]), 2, "CloudWatch")
    actions = cloud.cli("fis", "list-actions", region="us-west-2")
    cloud.true("us-west-2" in actions["actions"][0]["arn"], "the other region")
    group = cloud.cli("elasticache", "describe-replication-groups", "--replication-group-id", "cache")
    cloud.equal(group["ReplicationGroups"][0]["Status"], "available", "ElastiCache")


def the_cli_fails_a_cluster_over(cloud: Cloud) -> None:
    """The scripted one; the real one is failed over by boto3."""
    name = "squall-global-east"
    cloud.lab("POST", "settings", {"failover": 0.6})
    cloud.cli("rds", "failover-db-cluster", "--db-cluster-identifier", name)
    cloud.cli("rds", "wait", "db-cluster-available", "--db-cluster-identifier", name)
    events = cloud.cli("rds", "describe-events", "--source-type", "db-cluster", "--source-identifier", name)
    cloud.equal(len(events["Events"]), 2, "the events")
    cloud.cli("rds", "wait", "db-cluster-available", "--db-cluster-identifier", "app")
    identifier = cloud.world["instances"][0]["id"]
    try:
        cloud.cli("ec2", "stop-instances", "--instance-ids", identifier, "--dry-run")
    except Failed as problem:
        cloud.true("DryRunOperation" in str(problem), str(problem))
    else:
        cloud.true(False, "a dry run without its error")


CHECKS = (the_cli_reads_every_protocol, the_cli_fails_a_cluster_over)
