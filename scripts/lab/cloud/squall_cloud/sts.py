"""STS: AssumeRole for roles that exist and trust the caller. Moto gives a session for any name."""

from __future__ import annotations

import json
from typing import Any

from moto.iam.models import iam_backends

from . import motobridge
from .authorization import denial
from .errors import AWSError
from .gate import Call
from .services import ACCOUNT
from .wire import Answer

# Seconds.
SHORTEST, LONGEST, LONGEST_CHAINED = 900, 43200, 3600


def _invalid(message: str) -> AWSError:
    return AWSError("ValidationError", message)


class STS:
    """AssumeRole, checked before moto makes the session."""

    def handlers(self) -> dict[str, Any]:
        return {"AssumeRole": self.assume_role}

    @staticmethod
    def _external_ids(role: Any) -> set[str]:
        """Those that the role's trust asks for."""
        wanted: set[str] = set()
        for statement in json.loads(role.assume_role_policy_document)["Statement"]:
            value = statement.get("Condition", {}).get("StringEquals", {}).get("sts:ExternalId", [])
            wanted |= set(value if isinstance(value, list) else [value])
        return wanted

    def assume_role(self, call: Call) -> Answer:
        arn = call["RoleArn"]
        role = next((one for one in iam_backends[ACCOUNT]["aws"].roles.values() if one.arn == arn), None)
        wanted = self._external_ids(role) if role else set()
        if call.identity and (role is None or (wanted and call.get("ExternalId") not in wanted)):
            error = denial(call.identity, "sts:AssumeRole", arn, "query")
            error.message = error.message.partition(" because ")[0]
            raise error
        if not 2 <= len(call["RoleSessionName"]) <= 64:
            raise _invalid("RoleSessionName must have between 2 and 64 characters.")
        seconds = call.get("DurationSeconds", 3600)
        if not SHORTEST <= seconds <= LONGEST:
            raise _invalid(f"DurationSeconds must be between {SHORTEST} and {LONGEST}.")
        if call.identity and call.identity.token and seconds > LONGEST_CHAINED:
            reason = "the 1 hour session limit for roles assumed by role chaining"
            raise _invalid(f"The requested DurationSeconds exceeds {reason}")
        return motobridge.forward(call.request)
