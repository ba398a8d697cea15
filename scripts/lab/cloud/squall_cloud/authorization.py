"""Whether the caller's policies allow the call, on the resources that the call names.

Moto's own check ignores conditions and denies whatever is narrower than `*`; a least policy cannot be proven with it.
Here an Allow counts only where action, resource and every condition match; a condition that is not known never does.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from functools import cache
from typing import Any

from .errors import AWSError
from .identity import Identity


@cache
def _pattern(text: str, exact_case: bool) -> re.Pattern[str]:
    body = "".join({"*": ".*", "?": "."}.get(letter, re.escape(letter)) for letter in text)
    return re.compile(body, re.DOTALL if exact_case else re.DOTALL | re.IGNORECASE)


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _matches(patterns: Any, value: str, exact_case: bool = True) -> bool:
    return any(_pattern(str(pattern), exact_case).fullmatch(value) for pattern in _list(patterns))


def _condition_holds(operator: str, wanted: Any, value: str | None) -> bool:
    if value is None:
        return operator.endswith("IfExists")
    base = operator.removesuffix("IfExists")
    values = [str(item) for item in _list(wanted)]
    if base in ("StringEquals", "ArnEquals") and not any("*" in item for item in values):
        return value in values
    if base in ("StringLike", "ArnLike", "ArnEquals"):
        return _matches(values, value)
    if base == "StringEqualsIgnoreCase":
        return value.lower() in (item.lower() for item in values)
    if base == "StringNotEquals":
        return value not in values
    if base == "Bool":
        return value.lower() in (item.lower() for item in values)
    return False


def _conditions_hold(statement: dict[str, Any], context: dict[str, str]) -> bool:
    lowered = {key.lower(): value for key, value in context.items()}
    return all(
        _condition_holds(operator, wanted, lowered.get(key.lower()))
        for operator, pairs in statement.get("Condition", {}).items()
        for key, wanted in pairs.items()
    )


def _concerns(statement: dict[str, Any], action: str, resource: str) -> bool:
    if "NotAction" in statement:
        if _matches(statement["NotAction"], action, exact_case=False):
            return False
    elif not _matches(statement.get("Action", []), action, exact_case=False):
        return False
    if "NotResource" in statement:
        return not _matches(statement["NotResource"], resource)
    return _matches(statement.get("Resource", "*"), resource)


def _effects(policies: Iterable[str], action: str, resource: str, context: dict[str, str]) -> set[str]:
    return {
        statement["Effect"]
        for text in policies
        for statement in _list(json.loads(text)["Statement"])
        if _concerns(statement, action, resource) and _conditions_hold(statement, context)
    }


def allows(policies: Iterable[str], action: str, resource: str, context: dict[str, str]) -> bool:
    """One Allow and no Deny."""
    return _effects(policies, action, resource, context) == {"Allow"}


def denies(policies: Iterable[str], action: str, resource: str, context: dict[str, str]) -> bool:
    """A Deny, which no Allow outweighs."""
    return "Deny" in _effects(policies, action, resource, context)


def authorize(identity: Identity, action: str, resources: Iterable[tuple[str, dict[str, str]]], protocol: str) -> None:
    """Raises AWS's refusal unless every resource of the call is allowed. Each comes with its own condition keys."""
    if action.lower() == "sts:getcalleridentity":
        return
    for resource, context in resources:
        if not allows(identity.policies, action, resource, context):
            raise denial(identity, action, resource, protocol)


def denial(identity: Identity, action: str, resource: str, protocol: str) -> AWSError:
    on = "" if resource == "*" else f" on resource: {resource}"
    sentence = (
        f"User: {identity.arn} is not authorized to perform: {action}{on} "
        f"because no identity-based policy allows the {action} action"
    )
    if protocol == "ec2":
        # The encoded message is an opaque text for sts:DecodeAuthorizationMessage.
        hidden = "c3F1YWxsLWxhYg" * 8
        first = f"You are not authorized to perform this operation. {sentence}. "
        return AWSError("UnauthorizedOperation", f"{first}Encoded authorization failure message: {hidden}", 403)
    if protocol in ("json", "smithy-rpc-v2-cbor"):
        return AWSError("AccessDeniedException", sentence, 400)
    if protocol == "rest-json":
        return AWSError("AccessDeniedException", sentence, 403)
    return AWSError("AccessDenied", sentence, 403)
