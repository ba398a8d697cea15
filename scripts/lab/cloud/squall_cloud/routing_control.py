"""ARC routing controls: two switches, and a safety rule that one of them stays on."""

from __future__ import annotations

import threading
from typing import Any

from .errors import AWSError
from .gate import Call
from .services import ACCOUNT

PANEL = f"arn:aws:route53-recovery-control::{ACCOUNT}:controlpanel/00000000000000000000000000000001"
CONTROLS = {
    "squall-us-east-1": f"{PANEL}/routingcontrol/0000000000000001",
    "squall-us-west-2": f"{PANEL}/routingcontrol/0000000000000002",
}
SAFETY_RULE = f"{PANEL}/safetyrule/0000000000000001"


class RoutingControl:
    """The data plane's operations; a real cluster has five endpoints, the lab's has one."""

    def __init__(self) -> None:
        self._states = {CONTROLS["squall-us-east-1"]: "On", CONTROLS["squall-us-west-2"]: "Off"}
        self._lock = threading.Lock()

    def handlers(self) -> dict[str, Any]:
        return {
            "GetRoutingControlState": self.get,
            "UpdateRoutingControlState": self.update,
            "UpdateRoutingControlStates": self.update_all,
            "ListRoutingControls": self.list_controls,
        }

    def _known(self, arn: str) -> str:
        if arn not in self._states:
            raise AWSError("ResourceNotFoundException", f"Routing control {arn} not found.", 400)
        return arn

    @staticmethod
    def _name(arn: str) -> str:
        return next(name for name, known in CONTROLS.items() if known == arn)

    def get(self, call: Call) -> dict[str, Any]:
        arn = self._known(call["RoutingControlArn"])
        return {
            "RoutingControlArn": arn,
            "RoutingControlState": self._states[arn],
            "RoutingControlName": self._name(arn),
        }

    def _change(self, changes: dict[str, str], overridden: list[str]) -> None:
        with self._lock:
            wanted = {**self._states, **changes}
            if "On" not in wanted.values() and SAFETY_RULE not in overridden:
                reason = "at least 1 routing control must be On"
                text = f"The following safety rules prevented the update: {SAFETY_RULE} ({reason})"
                raise AWSError("ConflictException", text)
            self._states = wanted

    def update(self, call: Call) -> dict[str, Any]:
        state = self._state(call["RoutingControlState"])
        self._change({self._known(call["RoutingControlArn"]): state}, call.get("SafetyRulesToOverride") or [])
        return {}

    @staticmethod
    def _state(value: str) -> str:
        if value not in ("On", "Off"):
            raise AWSError("ValidationException", f"RoutingControlState must be On or Off, not {value}.")
        return value

    def update_all(self, call: Call) -> dict[str, Any]:
        entries = call["UpdateRoutingControlStateEntries"]
        changes = {self._known(one["RoutingControlArn"]): self._state(one["RoutingControlState"]) for one in entries}
        self._change(changes, call.get("SafetyRulesToOverride") or [])
        return {}

    def list_controls(self, call: Call) -> dict[str, Any]:
        if call.get("ControlPanelArn", PANEL) != PANEL:
            raise AWSError("ResourceNotFoundException", f"Control panel {call.get('ControlPanelArn')} not found.")
        return {
            "RoutingControls": [
                {
                    "ControlPanelArn": PANEL,
                    "ControlPanelName": "squall",
                    "RoutingControlArn": arn,
                    "RoutingControlName": name,
                    "RoutingControlState": self._states[arn],
                    "Owner": ACCOUNT,
                }
                for name, arn in CONTROLS.items()
            ]
        }
