"""One experiment: what the API shows of it."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from ..services import ACCOUNT

ENDED = ("completed", "stopped", "failed", "cancelled")


@dataclass
class Step:
    """One action of an experiment, as it goes."""

    definition: dict[str, Any]
    status: str = "pending"
    reason: str = "Action is pending."
    start: datetime | None = None
    end: datetime | None = None

    def describe(self) -> dict[str, Any]:
        shown = {**self.definition, "state": {"status": self.status, "reason": self.reason}}
        if self.start:
            shown["startTime"] = self.start
        if self.end:
            shown["endTime"] = self.end
        return shown


@dataclass
class Experiment:
    """`stop` is set by whoever ends it early: a person, or a stop condition."""

    identifier: str
    region: str
    template: dict[str, Any]
    actions_mode: str
    tags: dict[str, str]
    created: datetime
    steps: dict[str, Step]
    status: str = "pending"
    reason: str = "Experiment is pending."
    error: dict[str, str] | None = None
    start: datetime | None = None
    end: datetime | None = None
    resolved: dict[str, list[str]] = field(default_factory=dict)
    stop: threading.Event = field(default_factory=threading.Event)
    stop_reason: str = "Experiment stopped by user."

    @property
    def arn(self) -> str:
        return f"arn:aws:fis:{self.region}:{ACCOUNT}:experiment/{self.identifier}"

    def state(self) -> dict[str, Any]:
        return {"status": self.status, "reason": self.reason, **({"error": self.error} if self.error else {})}

    def _options(self) -> dict[str, Any]:
        return {**(self.template.get("experimentOptions") or {}), "actionsMode": self.actions_mode}

    def summary(self) -> dict[str, Any]:
        return {
            "id": self.identifier,
            "arn": self.arn,
            "experimentTemplateId": self.template["id"],
            "state": self.state(),
            "creationTime": self.created,
            "tags": self.tags,
            "experimentOptions": self._options(),
        }

    def describe(self) -> dict[str, Any]:
        shown = {
            **self.summary(),
            "roleArn": self.template["roleArn"],
            "targets": self.template.get("targets") or {},
            "actions": {name: step.describe() for name, step in self.steps.items()},
            "stopConditions": self.template["stopConditions"],
            "targetAccountConfigurationsCount": 0,
        }
        for name in ("logConfiguration", "experimentReportConfiguration"):
            if self.template.get(name):
                shown[name] = self.template[name]
        if self.start:
            shown["startTime"] = self.start
        if self.end:
            shown["endTime"] = self.end
        return shown
