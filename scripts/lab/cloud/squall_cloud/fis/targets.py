"""Which resources an experiment's targets are: found once, when it starts."""

from __future__ import annotations

import random
import re
from typing import Any

from .. import ec2
from ..errors import AWSError
from ..tagging import Tagging

# FIS's resource type → what an ARN of it looks like.
_ARNS = {
    "aws:ec2:instance": re.compile(r"arn:aws:ec2:[^:]+:\d+:instance/.+"),
    "aws:ec2:subnet": re.compile(r"arn:aws:ec2:[^:]+:\d+:subnet/.+"),
    "aws:ecs:task": re.compile(r"arn:aws:ecs:[^:]+:\d+:task/.+"),
    "aws:rds:cluster": re.compile(r"arn:aws:rds:[^:]+:\d+:cluster:.+"),
    "aws:rds:db": re.compile(r"arn:aws:rds:[^:]+:\d+:db:.+"),
}


def check(name: str, target: dict[str, Any]) -> None:
    """Refuses a target that FIS would refuse in a template."""
    kind = target["resourceType"]
    if kind not in _ARNS:
        raise AWSError("ValidationException", f"Invalid resource type {kind} for target {name}.")
    arns, tags = target.get("resourceArns") or [], target.get("resourceTags") or {}
    if bool(arns) == bool(tags) and not target.get("parameters"):
        raise AWSError("ValidationException", f"Target {name} needs either resourceArns or resourceTags.")
    if len(arns) > 5:
        raise AWSError("ValidationException", f"Target {name} has more than 5 resourceArns.")
    if wrong := [arn for arn in arns if not _ARNS[kind].fullmatch(arn)]:
        raise AWSError("ValidationException", f"{wrong[0]} is no {kind} (target {name}).")
    if not re.fullmatch(r"ALL|COUNT\([1-9]\d*\)|PERCENT\((100|[1-9]\d?)\)", target["selectionMode"]):
        raise AWSError("ValidationException", f"Invalid selectionMode {target['selectionMode']} for target {name}.")


def _field(instance: Any, path: str) -> str:
    """What a filter's path names; only the paths that drills use."""
    return {
        "State.Name": instance.state,
        "Placement.AvailabilityZone": instance.placement.zone,
        "VpcId": instance.vpc_id or "",
        "SubnetId": instance.subnet_id or "",
    }.get(path, "")


def _filtered(target: dict[str, Any], arns: list[str], region: str) -> list[str]:
    if target["resourceType"] != "aws:ec2:instance" or not target.get("filters"):
        return arns
    known = {instance.id: instance for instance in ec2.instances(region)}
    return [
        arn
        for arn in arns
        if (instance := known.get(arn.rpartition("/")[2])) is not None
        and all(_field(instance, one["path"]) in one["values"] for one in target["filters"])
    ]


def resolve(target: dict[str, Any], region: str, tagging: Tagging) -> list[str]:
    """The ARNs that the target selects."""
    pattern = _ARNS[target["resourceType"]]
    tags = target.get("resourceTags") or {}
    known = [(arn, own) for arn, own in tagging.all(region) if pattern.fullmatch(arn)]
    if arns := target.get("resourceArns"):
        existing = {arn for arn, _ in known}
        found = [arn for arn in arns if arn in existing or target["resourceType"] == "aws:ec2:subnet"]
    else:
        found = [arn for arn, own in known if all(own.get(key) == value for key, value in tags.items())]
    found = _filtered(target, found, region)
    mode = re.fullmatch(r"(ALL|COUNT|PERCENT)(?:\((\d+)\))?", target["selectionMode"])
    if mode is None or mode[1] == "ALL":
        return found
    count = int(mode[2]) if mode[1] == "COUNT" else len(found) * int(mode[2]) // 100
    return random.sample(found, min(count, len(found)))
