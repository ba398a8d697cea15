"""SSM's Run Command: a command that is pending, then runs, then ends as the test wants it. Nothing is executed."""

from __future__ import annotations

import threading
import uuid
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from .clock import Clock
from .ec2 import instances
from .errors import AWSError
from .gate import Call
from .schedule import Schedule
from .settings import Settings

DOCUMENTS = (
    "AWS-RunShellScript",
    "AWSFIS-Run-CPU-Stress",
    "AWSFIS-Run-IO-Stress",
    "AWSFIS-Run-Kill-Process",
    "AWSFIS-Run-Memory-Stress",
    "AWSFIS-Run-Network-Latency",
    "AWSFIS-Run-Network-Packet-Loss",
)
_ENDED = ("Success", "Failed", "TimedOut", "Cancelled")


@dataclass
class Command:
    """One command; its instances share a fate."""

    region: str
    document: str
    parameters: dict[str, Any]
    instances: list[str]
    comment: str
    requested: datetime
    expires: datetime
    identifier: str = field(default_factory=lambda: str(uuid.uuid4()))
    status: str = "Pending"
    started: datetime | None = None
    ended: datetime | None = None

    def describe(self) -> dict[str, Any]:
        done = len(self.instances) if self.status in _ENDED else 0
        return {
            "CommandId": self.identifier,
            "DocumentName": self.document,
            "DocumentVersion": "$DEFAULT",
            "Comment": self.comment,
            "ExpiresAfter": self.expires,
            "Parameters": self.parameters,
            "InstanceIds": self.instances,
            "Targets": [],
            "RequestedDateTime": self.requested,
            "Status": self.status,
            "StatusDetails": self.status,
            "TargetCount": len(self.instances),
            "CompletedCount": done,
            "ErrorCount": done if self.status in ("Failed", "TimedOut") else 0,
        }

    def _code(self) -> int:
        return {"Success": 0, "Failed": 1}.get(self.status, -1)

    def invocation(self, instance: str) -> dict[str, Any]:
        """GetCommandInvocation's answer for one instance."""
        form = "%Y-%m-%dT%H:%M:%S.%fZ"
        return {
            "CommandId": self.identifier,
            "InstanceId": instance,
            "Comment": self.comment,
            "DocumentName": self.document,
            "DocumentVersion": "$DEFAULT",
            "PluginName": "aws:runShellScript",
            "ResponseCode": self._code(),
            "ExecutionStartDateTime": self.started.strftime(form) if self.started else "",
            "ExecutionEndDateTime": self.ended.strftime(form) if self.ended else "",
            "Status": self.status,
            "StatusDetails": self.status,
            "StandardOutputContent": "done\n" if self.status == "Success" else "",
            "StandardErrorContent": "failed to run commands: exit status 1" if self.status == "Failed" else "",
        }


class SSM:
    """The operations of Run Command."""

    def __init__(self, clock: Clock, settings: Settings, schedule: Schedule) -> None:
        self._clock = clock
        self._settings = settings
        self._schedule = schedule
        self._commands: dict[str, Command] = {}
        self._lock = threading.Lock()

    def handlers(self) -> dict[str, Any]:
        return {
            "SendCommand": self.send,
            "GetCommandInvocation": self.invocation,
            "ListCommands": self.list_commands,
            "ListCommandInvocations": self.list_invocations,
            "CancelCommand": self.cancel,
            "DescribeInstanceInformation": self.agents,
        }

    def _targets(self, call: Call) -> list[str]:
        """Instances by id, or by tag as AWS's Targets name them."""
        running = {one.id: one for one in instances(call.region) if one.state == "running"}
        named = call.get("InstanceIds") or []
        for target in call.get("Targets") or []:
            if target["Key"].lower() == "instanceids":
                named = [*named, *target["Values"]]
            elif target["Key"].startswith("tag:"):
                key = target["Key"][4:]
                named += [
                    one.id
                    for one in running.values()
                    if any(tag["key"] == key and tag["value"] in target["Values"] for tag in one.get_tags())
                ]
        if any(name not in running for name in named):
            raise AWSError(
                "InvalidInstanceId",
                f"Instances {[name for name in named if name not in running]} not in a valid state for account",
            )
        if len(set(named)) != len(named):
            raise AWSError("DuplicateInstanceId", "An instance id was given twice.")
        return list(named)

    def send(self, call: Call) -> dict[str, Any]:
        document = call["DocumentName"].rpartition("/")[2]
        if document not in DOCUMENTS:
            raise AWSError("InvalidDocument", f"document {document} does not exist.")
        now = self._clock.now()
        command = Command(
            call.region,
            document,
            call.get("Parameters", {}),
            self._targets(call),
            call.get("Comment", ""),
            now,
            now + timedelta(seconds=call.get("TimeoutSeconds", 3600)),
        )
        if not command.instances:
            raise AWSError("InvalidParameters", "The command has no target.")
        self._commands[command.identifier] = command
        seconds = self._settings["ssm-command"]
        self._schedule.steps(
            (seconds * 0.3, lambda: self._enter(command, "InProgress")),
            (seconds, lambda: self._enter(command, self._settings["ssm"])),
        )
        return {"Command": command.describe()}

    def _enter(self, command: Command, status: str) -> None:
        with self._lock:
            if command.status in _ENDED:
                return
            if command.status == "Cancelling" and status != "Cancelled":
                return
            command.status = status
            if status == "InProgress":
                command.started = self._clock.now()
            if status in _ENDED:
                command.ended = self._clock.now()

    def _find(self, call: Call) -> Command:
        command = self._commands.get(call["CommandId"])
        if command is None or command.region != call.region:
            raise AWSError("InvalidCommandId", "The specified command ID isn't valid.")
        return command

    def invocation(self, call: Call) -> dict[str, Any]:
        command = self._commands.get(call["CommandId"])
        if command is None or call["InstanceId"] not in command.instances:
            # What a client sees that asks right after SendCommand, too.
            raise AWSError("InvocationDoesNotExist", "")
        return command.invocation(call["InstanceId"])

    def _wanted(self, call: Call) -> list[Command]:
        return [
            one
            for one in self._commands.values()
            if one.region == call.region and call.get("CommandId", one.identifier) == one.identifier
        ]

    def list_commands(self, call: Call) -> dict[str, Any]:
        return {"Commands": [command.describe() for command in self._wanted(call)]}

    def list_invocations(self, call: Call) -> dict[str, Any]:
        found = []
        for command in self._wanted(call):
            for instance in command.instances:
                if call.get("InstanceId", instance) == instance:
                    names = ("CommandId", "Comment", "DocumentName", "DocumentVersion", "Status", "StatusDetails")
                    full = command.invocation(instance)
                    found.append(
                        {
                            "InstanceId": instance,
                            "RequestedDateTime": command.requested,
                            **{name: full[name] for name in names},
                        }
                    )
        return {"CommandInvocations": found}

    def agents(self, call: Call) -> dict[str, Any]:
        """Every instance has an agent; it answers while the instance runs."""
        return {
            "InstanceInformationList": [
                {
                    "InstanceId": one.id,
                    "PingStatus": "Online" if one.state == "running" else "ConnectionLost",
                    "LastPingDateTime": self._clock.now(),
                    "AgentVersion": "3.3.0.0",
                    "PlatformType": "Linux",
                    "ResourceType": "EC2Instance",
                }
                for one in instances(call.region)
                if one.state != "terminated"
            ]
        }

    def cancel(self, call: Call) -> dict[str, Any]:
        command = self._find(call)
        with self._lock:
            if command.status in _ENDED:
                return {}
            command.status = "Cancelling"
        self._schedule.after(self._settings["ssm-command"] * 0.3, lambda: self._enter(command, "Cancelled"))
        return {}
