"""What a test may turn: how long things take (seconds), and how they go wrong."""

from __future__ import annotations

import copy
from typing import Any

DEFAULTS: dict[str, Any] = {
    # How long the cluster still says `available` after it took a failover. A waiter that asks in it is deceived.
    "failover-notice": 0.2,
    # A scripted failover, from the call to `available`.
    "failover": 2.0,
    # After this long a real one that has no new writer counts as failed.
    "failover-timeout": 30.0,
    "global-failover": 3.0,
    "cluster": 1.5,
    "elasticache-failover": 2.0,
    "instance": 1.0,
    "instance-checks": 1.0,
    "route53-change": 1.0,
    "ssm-command": 1.0,
    "ecs-task": 1.5,
    "fis-step": 0.1,
    # normal; never: accepted, and nothing happens; refused: the engine says no after it was accepted (event 0069);
    # wrong-target: another reader than the one asked for is promoted.
    "aurora-failover": "normal",
    # Both the old and the new writer are shown as writer.
    "two-writers": False,
    # normal or never.
    "global-switchover": "normal",
    "elasticache": "normal",
    # Success, Failed or TimedOut.
    "ssm": "Success",
    # Whether calls need a signature, and their caller rights.
    "authentication": True,
}
CHOICES = {
    "aurora-failover": ("normal", "never", "refused", "wrong-target"),
    "global-switchover": ("normal", "never"),
    "elasticache": ("normal", "never"),
    "ssm": ("Success", "Failed", "TimedOut"),
}


class Settings:
    """The values in force. A reset brings back those that the cloud was started with."""

    def __init__(self, initial: dict[str, Any] | None = None) -> None:
        self._initial = copy.deepcopy(DEFAULTS)
        self._values = self._initial
        self.update(initial or {})
        self._initial = self._values

    def __getitem__(self, name: str) -> Any:
        return self._values[name]

    def all(self) -> dict[str, Any]:
        return dict(self._values)

    def update(self, changes: dict[str, Any]) -> None:
        """Takes all or none. ValueError says what is wrong."""
        for name, value in changes.items():
            if name not in DEFAULTS:
                raise ValueError(f"there is no setting '{name}'; there are: {', '.join(DEFAULTS)}")
            if name in CHOICES and value not in CHOICES[name]:
                raise ValueError(f"{name} is one of: {', '.join(CHOICES[name])}")
            number = isinstance(DEFAULTS[name], float)
            if number and (isinstance(value, bool) or not isinstance(value, (int, float)) or value < 0):
                raise ValueError(f"{name} is a number of seconds")
            if isinstance(DEFAULTS[name], bool) and not isinstance(value, bool):
                raise ValueError(f"{name} is true or false")
        self._values = {**self._values, **changes}

    def reset(self) -> None:
        self._values = self._initial
