"""What the world begins with in moto's services: a network in two zones, instances, tasks, a hosted zone, alarms.

Well-known ids are given where moto would draw them, so that a test may name them without asking.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest.mock import patch

from moto.ec2.models import ec2_backends
from moto.ecs.models import ecs_backends
from moto.moto_api._internal import mock_random

from . import motobridge
from .ecs import settle_states
from .services import ACCOUNT, REGIONS

VPC = "vpc-0a000000000000001"
SUBNETS = {"us-east-1a": "subnet-0a000000000000001", "us-east-1b": "subnet-0a000000000000002"}
SECURITY_GROUP = "sg-0a000000000000001"
NETWORK_ACL = "acl-0a000000000000001"
INSTANCES = ("i-0a000000000000001", "i-0a000000000000002", "i-0a000000000000003", "i-0a000000000000004")
WEST_INSTANCE = "i-0b000000000000001"
ZONE = "Z0SQUALLLAB0000000001"
CLUSTER = "squall"


@contextmanager
def given(**names: list[str]) -> Iterator[None]:
    """Moto's generators give these ids, one after the other, while it lasts; then their own again."""
    places = {
        "vpc": "moto.ec2.models.vpcs.random_vpc_id",
        "subnet": "moto.ec2.models.subnets.random_subnet_id",
        "group": "moto.ec2.models.security_groups.random_security_group_id",
        "acl": "moto.ec2.models.network_acls.random_network_acl_id",
        "instance": "moto.ec2.models.instances.random_instance_id",
        "zone": "moto.route53.models.create_route53_zone_id",
    }
    with ExitStack() as stack:
        for kind, identifiers in names.items():
            stack.enter_context(patch(places[kind], side_effect=identifiers))
        yield


def _network() -> dict[str, Any]:
    # A VPC brings a network ACL and a security group of its own; those named here are the ones that are broken.
    with given(vpc=[VPC]):
        motobridge.call("ec2", "CreateVpc", CidrBlock="10.77.0.0/16")
    for number, (zone, subnet) in enumerate(SUBNETS.items(), start=1):
        with given(subnet=[subnet]):
            block = f"10.77.{number}.0/24"
            motobridge.call("ec2", "CreateSubnet", VpcId=VPC, CidrBlock=block, AvailabilityZone=zone)
    with given(group=[SECURITY_GROUP]):
        motobridge.call("ec2", "CreateSecurityGroup", GroupName="squall", Description="the lab's", VpcId=VPC)
    permission = {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
    motobridge.call("ec2", "AuthorizeSecurityGroupIngress", GroupId=SECURITY_GROUP, IpPermissions=[permission])
    default = motobridge.call("ec2", "DescribeNetworkAcls", Filters=[{"Name": "vpc-id", "Values": [VPC]}])
    with given(acl=[NETWORK_ACL]):
        motobridge.call("ec2", "CreateNetworkAcl", VpcId=VPC)
    for egress in (True, False):
        rule = {"RuleNumber": 100, "Protocol": "-1", "RuleAction": "allow", "CidrBlock": "0.0.0.0/0"}
        motobridge.call("ec2", "CreateNetworkAclEntry", NetworkAclId=NETWORK_ACL, Egress=egress, **rule)
    for association in default["NetworkAcls"][0]["Associations"]:
        identifier = association["NetworkAclAssociationId"]
        motobridge.call("ec2", "ReplaceNetworkAclAssociation", AssociationId=identifier, NetworkAclId=NETWORK_ACL)
    return {"vpc": VPC, "subnets": SUBNETS, "security-group": SECURITY_GROUP, "network-acl": NETWORK_ACL}


def _run(identifier: str, role: str, region: str, **more: Any) -> None:
    with given(instance=[identifier]):
        motobridge.call(
            "ec2",
            "RunInstances",
            region,
            ImageId="ami-0a000000000000001",
            InstanceType="t3.micro",
            MinCount=1,
            MaxCount=1,
            TagSpecifications=[
                {
                    "ResourceType": "instance",
                    "Tags": [
                        {"Key": "Name", "Value": f"squall-{role}-{identifier[-1]}"},
                        {"Key": "squall.role", "Value": role},
                        {"Key": "chaos", "Value": "true"},
                    ],
                }
            ],
            **more,
        )


def _instances() -> list[dict[str, str]]:
    shown = []
    places = [*SUBNETS.items(), *SUBNETS.items()]
    for identifier, (zone, subnet), role in zip(INSTANCES, places, ("web", "web", "worker", "worker")):
        _run(identifier, role, "us-east-1", SubnetId=subnet, SecurityGroupIds=[SECURITY_GROUP])
        shown.append({"id": identifier, "zone": zone, "role": role, "region": "us-east-1"})
    _run(WEST_INSTANCE, "web", "us-west-2", Placement={"AvailabilityZone": "us-west-2a"})
    shown.append({"id": WEST_INSTANCE, "zone": "us-west-2a", "role": "web", "region": "us-west-2"})
    return shown


def _tasks() -> dict[str, Any]:
    settle_states()
    motobridge.call("ecs", "CreateCluster", clusterName=CLUSTER)
    motobridge.call(
        "ecs",
        "RegisterTaskDefinition",
        family="orders",
        networkMode="bridge",
        cpu="256",
        memory="512",
        containerDefinitions=[{"name": "orders", "image": "orders:1", "memory": 256, "cpu": 128, "essential": True}],
    )
    wanted = {"cluster": CLUSTER, "taskDefinition": "orders", "launchType": "FARGATE"}
    motobridge.call("ecs", "CreateService", serviceName="orders", desiredCount=2, **wanted)
    tags = [{"key": "squall.role", "value": "orders"}]
    made = motobridge.call("ecs", "RunTask", count=2, group="service:orders", tags=tags, **wanted)
    backend = ecs_backends[ACCOUNT]["us-east-1"]
    service = next(iter(backend.services.values()))
    service.running_count, service.pending_count = 2, 0
    service.deployments[0].update(runningCount=2, pendingCount=0, rolloutState="COMPLETED")
    arns = [task["taskArn"] for task in made["tasks"]]
    return {"cluster": CLUSTER, "service": "orders", "tasks": arns}


def _record(name: str, **more: Any) -> dict[str, Any]:
    return {"Action": "CREATE", "ResourceRecordSet": {"Name": name, **more}}


def records(check: str) -> list[dict[str, Any]]:
    """The zone's first records; our own operation takes them, so that they are checked as all are."""

    def weighted(identifier: str, weight: int, address: str) -> dict[str, Any]:
        return _record(
            "www.squall.test.",
            Type="A",
            SetIdentifier=identifier,
            Weight=weight,
            TTL=5,
            ResourceRecords=[{"Value": address}],
            **({"HealthCheckId": check} if identifier == "us-east-1" else {}),
        )

    return [
        weighted("us-east-1", 90, "127.0.2.1"),
        weighted("us-west-2", 10, "127.0.2.2"),
        _record("plain.squall.test.", Type="A", TTL=60, ResourceRecords=[{"Value": "127.0.2.9"}]),
        _record("text.squall.test.", Type="TXT", TTL=60, ResourceRecords=[{"Value": '"squall"'}]),
        _record("other.squall.test.", Type="CNAME", TTL=60, ResourceRecords=[{"Value": "plain.squall.test."}]),
    ]


def _dns() -> dict[str, Any]:
    with given(zone=[ZONE]):
        motobridge.call("route53", "CreateHostedZone", Name="squall.test.", CallerReference="lab")
    check = motobridge.call(
        "route53",
        "CreateHealthCheck",
        CallerReference="lab",
        HealthCheckConfig={
            "Type": "HTTP",
            "IPAddress": "127.0.2.1",
            "Port": 80,
            "ResourcePath": "/health",
            "RequestInterval": 10,
            "FailureThreshold": 3,
        },
    )["HealthCheck"]["Id"]
    return {"hosted-zone": ZONE, "zone-name": "squall.test.", "health-check": check}


def _alarms() -> dict[str, str]:
    shown = {}
    for region in REGIONS:
        for name, state in (("squall-ok", "OK"), ("squall-alarm", "ALARM")):
            motobridge.call(
                "monitoring",
                "PutMetricAlarm",
                region,
                AlarmName=name,
                MetricName="Errors",
                Namespace="Squall",
                Statistic="Sum",
                Period=60,
                EvaluationPeriods=1,
                Threshold=1.0,
                ComparisonOperator="GreaterThanThreshold",
            )
            motobridge.call(
                "monitoring", "SetAlarmState", region, AlarmName=name, StateValue=state, StateReason="the lab says so"
            )
            if region == "us-east-1":
                shown[name] = f"arn:aws:cloudwatch:{region}:{ACCOUNT}:alarm:{name}"
    return shown


def create() -> dict[str, Any]:
    """Everything above; what a test needs to find it. Drawn ids are the same at every start."""
    mock_random.seed(2026)
    for region in REGIONS:
        ec2_backends[ACCOUNT][region]
    return {
        "network": _network(),
        "instances": _instances(),
        "ecs": _tasks(),
        "route53": _dns(),
        "alarms": _alarms(),
    }
