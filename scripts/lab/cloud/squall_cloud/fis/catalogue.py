"""The actions of FIS that the lab lists: those that its engine carries out, and a few that it only waits through."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from ..services import ACCOUNT

_DURATION = re.compile(r"P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?")


def seconds_of(text: str) -> float | None:
    """An ISO 8601 duration in seconds; None if it is none."""
    match = _DURATION.fullmatch(text)
    if match is None or not any(match.groups()):
        return None
    return sum(int(count or 0) * unit for count, unit in zip(match.groups(), (86400, 3600, 60, 1)))


@dataclass(frozen=True)
class Action:
    """One action: its parameters (required or not) and the one target that it takes."""

    identifier: str
    description: str
    parameters: dict[str, bool] = field(default_factory=dict)
    target: tuple[str, str] | None = None

    def summary(self, region: str) -> dict[str, Any]:
        shown: dict[str, Any] = {
            "id": self.identifier,
            "arn": f"arn:aws:fis:{region}:{ACCOUNT}:action/{self.identifier}",
            "description": self.description,
            "tags": {},
        }
        if self.target:
            shown["targets"] = {self.target[0]: {"resourceType": self.target[1]}}
        return shown

    def describe(self, region: str) -> dict[str, Any]:
        parameters = {name: {"description": name, "required": needed} for name, needed in self.parameters.items()}
        return {**self.summary(region), "parameters": parameters}


_INSTANCES = ("Instances", "aws:ec2:instance")
ACTIONS = {
    action.identifier: action
    for action in (
        Action("aws:fis:wait", "Wait for the specified duration.", {"duration": True}),
        Action(
            "aws:ec2:stop-instances",
            "Stop the specified EC2 instances.",
            {"startInstancesAfterDuration": False, "completeIfInstancesTerminated": False},
            _INSTANCES,
        ),
        Action("aws:ec2:reboot-instances", "Reboot the specified EC2 instances.", {}, _INSTANCES),
        Action("aws:ec2:terminate-instances", "Terminate the specified EC2 instances.", {}, _INSTANCES),
        Action("aws:rds:failover-db-cluster", "Failover a DB cluster.", {}, ("Clusters", "aws:rds:cluster")),
        Action(
            "aws:rds:reboot-db-instances",
            "Reboot DB instances.",
            {"forceFailover": False},
            ("DBInstances", "aws:rds:db"),
        ),
        Action("aws:ecs:stop-task", "Stop the specified tasks.", {}, ("Tasks", "aws:ecs:task")),
        Action(
            "aws:ssm:send-command",
            "Run the specified Systems Manager document.",
            {"documentArn": True, "documentVersion": False, "documentParameters": False, "duration": True},
            _INSTANCES,
        ),
        Action(
            "aws:network:disrupt-connectivity",
            "Disrupt connectivity of the specified subnets.",
            {"duration": True, "scope": True, "prefixListIdentifier": False},
            ("Subnets", "aws:ec2:subnet"),
        ),
        Action(
            "aws:cloudwatch:assert-alarm-state",
            "Assert that alarms are in the specified states.",
            {"alarmArns": True, "alarmStates": True},
        ),
    )
}
TARGET_TYPES = {
    "aws:ec2:instance": "EC2 instances",
    "aws:ec2:subnet": "Subnets",
    "aws:ecs:task": "ECS tasks",
    "aws:rds:cluster": "Aurora DB clusters",
    "aws:rds:db": "RDS DB instances",
}
