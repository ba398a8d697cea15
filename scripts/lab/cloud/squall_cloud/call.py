"""One call that has passed the gate, and what an operation of ours makes of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from .errors import AWSError
from .identity import Identity
from .services import Service
from .wire import Answer, Request


@dataclass
class Call:
    """A call that may be carried out. `parameters` are the model's, whatever the protocol was."""

    service: Service
    operation: str
    region: str
    parameters: dict[str, Any]
    request: Request
    identity: Identity | None

    def __getitem__(self, name: str) -> Any:
        """A parameter that the model requires; without it the call is refused."""
        value = self.parameters.get(name)
        if value is None:
            raise AWSError("ValidationError", f"The request must contain the parameter {name}")
        return value

    def get(self, name: str, default: Any = None) -> Any:
        return self.parameters.get(name, default)


def refuse_dry_run(call: Call) -> None:
    """EC2's answer to a call that may be made and was not meant."""
    if call.get("DryRun"):
        raise AWSError("DryRunOperation", "Request would have succeeded, but DryRun flag is set.", 412)


# Answers with the output shape's values, or with a whole answer of its own.
Handler = Callable[[Call], dict[str, Any] | Answer]
