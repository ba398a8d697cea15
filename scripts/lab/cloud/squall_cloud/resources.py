"""Which resources a call touches, for its rights: AWS's service authorization reference, as far as the drills go."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .services import ACCOUNT, Service

Named = list[tuple[str, dict[str, str]]]

# The tags of a resource by its ARN.
TagsOf = Callable[[str], dict[str, str]]


def _rds(kind: str, name: str) -> Callable[[str, dict[str, Any]], list[str]]:
    def arns(region: str, parameters: dict[str, Any]) -> list[str]:
        value = str(parameters.get(name, ""))
        return [value if value.startswith("arn:") else f"arn:aws:rds:{region}:{ACCOUNT}:{kind}:{value.lower()}"]

    return arns


def _global(region: str, parameters: dict[str, Any]) -> list[str]:
    identifier = str(parameters.get("GlobalClusterIdentifier", "")).lower()
    return [f"arn:aws:rds::{ACCOUNT}:global-cluster:{identifier}", str(parameters.get("TargetDbClusterIdentifier", ""))]


def _instances(region: str, parameters: dict[str, Any]) -> list[str]:
    return [f"arn:aws:ec2:{region}:{ACCOUNT}:instance/{name}" for name in parameters.get("InstanceIds") or ["*"]]


def _commands(region: str, parameters: dict[str, Any]) -> list[str]:
    document = str(parameters.get("DocumentName", ""))
    owner = "" if document.startswith("AWS") else ACCOUNT
    full = document if document.startswith("arn:") else f"arn:aws:ssm:{region}:{owner}:document/{document}"
    return [full, *(f"arn:aws:ec2:{region}:{ACCOUNT}:instance/{name}" for name in parameters.get("InstanceIds") or [])]


def _task(region: str, parameters: dict[str, Any]) -> list[str]:
    cluster = str(parameters.get("cluster", "default")).rpartition("/")[2]
    task = str(parameters.get("task", ""))
    return [task if task.startswith("arn:") else f"arn:aws:ecs:{region}:{ACCOUNT}:task/{cluster}/{task}"]


def _tasks(region: str, parameters: dict[str, Any]) -> list[str]:
    return [arn for task in parameters.get("tasks") or ["*"] for arn in _task(region, {**parameters, "task": task})]


def _zone(region: str, parameters: dict[str, Any]) -> list[str]:
    return [f"arn:aws:route53:::hostedzone/{str(parameters.get('HostedZoneId', '')).rpartition('/')[2]}"]


def _plain(pattern: str, name: str) -> Callable[[str, dict[str, Any]], list[str]]:
    def arns(region: str, parameters: dict[str, Any]) -> list[str]:
        value = str(parameters.get(name, ""))
        return [value if value.startswith("arn:") else pattern.format(region=region, account=ACCOUNT, id=value)]

    return arns


def _experiment(region: str, parameters: dict[str, Any]) -> list[str]:
    start = f"arn:aws:fis:{region}:{ACCOUNT}:"
    return [f"{start}experiment-template/{parameters.get('experimentTemplateId', '')}", f"{start}experiment/*"]


def _controls(region: str, parameters: dict[str, Any]) -> list[str]:
    return [
        str(entry.get("RoutingControlArn", "")) for entry in parameters.get("UpdateRoutingControlStateEntries") or []
    ]


_FIS_EXPERIMENT = "arn:aws:fis:{region}:{account}:experiment/{id}"
_FIS_TEMPLATE = "arn:aws:fis:{region}:{account}:experiment-template/{id}"
_GROUP = "arn:aws:ec2:{region}:{account}:security-group/{id}"
_ACL = "arn:aws:ec2:{region}:{account}:network-acl/{id}"
_TABLE: dict[str, Callable[[str, dict[str, Any]], list[str]]] = {
    "rds:FailoverDBCluster": _rds("cluster", "DBClusterIdentifier"),
    "rds:RebootDBCluster": _rds("cluster", "DBClusterIdentifier"),
    "rds:StopDBCluster": _rds("cluster", "DBClusterIdentifier"),
    "rds:StartDBCluster": _rds("cluster", "DBClusterIdentifier"),
    "rds:RebootDBInstance": _rds("db", "DBInstanceIdentifier"),
    "rds:FailoverGlobalCluster": _global,
    "rds:SwitchoverGlobalCluster": _global,
    "elasticache:TestFailover": _plain(
        "arn:aws:elasticache:{region}:{account}:replicationgroup:{id}", "ReplicationGroupId"
    ),
    "ec2:StopInstances": _instances,
    "ec2:StartInstances": _instances,
    "ec2:RebootInstances": _instances,
    "ec2:TerminateInstances": _instances,
    "ec2:AuthorizeSecurityGroupIngress": _plain(_GROUP, "GroupId"),
    "ec2:AuthorizeSecurityGroupEgress": _plain(_GROUP, "GroupId"),
    "ec2:RevokeSecurityGroupIngress": _plain(_GROUP, "GroupId"),
    "ec2:RevokeSecurityGroupEgress": _plain(_GROUP, "GroupId"),
    "ec2:CreateNetworkAclEntry": _plain(_ACL, "NetworkAclId"),
    "ec2:ReplaceNetworkAclEntry": _plain(_ACL, "NetworkAclId"),
    "ec2:DeleteNetworkAclEntry": _plain(_ACL, "NetworkAclId"),
    "route53:ChangeResourceRecordSets": _zone,
    "route53:ListResourceRecordSets": _zone,
    "route53:GetChange": _plain("arn:aws:route53:::change/{id}", "Id"),
    "route53:UpdateHealthCheck": _plain("arn:aws:route53:::healthcheck/{id}", "HealthCheckId"),
    "route53:GetHealthCheck": _plain("arn:aws:route53:::healthcheck/{id}", "HealthCheckId"),
    "route53:GetHealthCheckStatus": _plain("arn:aws:route53:::healthcheck/{id}", "HealthCheckId"),
    "arc-zonal-shift:StartZonalShift": _plain("{id}", "resourceIdentifier"),
    "arc-zonal-shift:GetManagedResource": _plain("{id}", "resourceIdentifier"),
    "route53-recovery-cluster:GetRoutingControlState": _plain("{id}", "RoutingControlArn"),
    "route53-recovery-cluster:UpdateRoutingControlState": _plain("{id}", "RoutingControlArn"),
    "route53-recovery-cluster:UpdateRoutingControlStates": _controls,
    "ecs:StopTask": _task,
    "ecs:DescribeTasks": _tasks,
    "ssm:SendCommand": _commands,
    "sts:AssumeRole": _plain("{id}", "RoleArn"),
    "fis:StartExperiment": _experiment,
    "fis:GetExperiment": _plain(_FIS_EXPERIMENT, "id"),
    "fis:StopExperiment": _plain(_FIS_EXPERIMENT, "id"),
    "fis:ListExperimentResolvedTargets": _plain(_FIS_EXPERIMENT, "experimentId"),
    "fis:GetExperimentTemplate": _plain(_FIS_TEMPLATE, "id"),
    "fis:DeleteExperimentTemplate": _plain(_FIS_TEMPLATE, "id"),
    "fis:UpdateExperimentTemplate": _plain(_FIS_TEMPLATE, "id"),
}


def _context(service: Service, arn: str, region: str, parameters: dict[str, Any], tags_of: TagsOf) -> dict[str, str]:
    """The condition keys that a policy of ours may use."""
    context = {"aws:RequestedRegion": region}
    for key, value in tags_of(arn).items():
        context[f"aws:ResourceTag/{key}"] = value
        context[f"{service.prefix}:ResourceTag/{key}"] = value
    if service.signing == "ecs" and (cluster := parameters.get("cluster")):
        name = str(cluster).rpartition("/")[2]
        context["ecs:cluster"] = f"arn:aws:ecs:{region}:{ACCOUNT}:cluster/{name}"
    return context


def resources_of(service: Service, operation: str, region: str, parameters: dict[str, Any], tags_of: TagsOf) -> Named:
    """Each resource that must be allowed, with its condition keys; `*` where the action has none that we know."""
    finder = _TABLE.get(f"{service.signing}:{operation}")
    arns = finder(region, parameters) if finder else ["*"]
    return [(arn, _context(service, arn, region, parameters, tags_of)) for arn in arns]
