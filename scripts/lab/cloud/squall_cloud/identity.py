"""Who signed: users' keys and assumed roles' sessions, out of moto's IAM and STS."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timezone
from typing import Any

from moto.iam.models import Policy, iam_backends
from moto.sts.models import sts_backends

from .services import ACCOUNT


@dataclass(frozen=True)
class Identity:
    """One key that can sign. A session has a token and ends."""

    access_key: str
    secret: str
    arn: str
    policies: tuple[Any, ...]
    active: bool = True
    token: str | None = None
    # Seconds since the epoch.
    expires: float | None = None


def document(policy: Any) -> str:
    """A policy's JSON, whichever of moto's forms it has."""
    if isinstance(policy, Policy):
        return next(version.document for version in policy.versions if version.is_default)
    return policy if isinstance(policy, str) else policy["policy_document"]


def _user_policies(user: Any) -> tuple[Any, ...]:
    backend = iam_backends[ACCOUNT]["aws"]
    found = [*user.managed_policies.values(), *user.policies.values()]
    for group in backend.groups.values():
        if user.name in {member.name for member in group.users}:
            found += [*group.managed_policies.values(), *group.policies.values()]
    return tuple(document(policy) for policy in found)


def _role_policies(arn: str) -> tuple[Any, ...]:
    role = next((role for role in iam_backends[ACCOUNT]["aws"].roles.values() if role.arn == arn), None)
    if role is None:
        return ()
    return tuple(document(policy) for policy in [*role.managed_policies.values(), *role.policies.values()])


def policies_of(arn: str) -> tuple[Any, ...] | None:
    """The policies of a user or a role by its ARN; None if there is none."""
    backend = iam_backends[ACCOUNT]["aws"]
    user = next((user for user in backend.users.values() if user.arn == arn), None)
    if user:
        return _user_policies(user)
    return _role_policies(arn) if any(role.arn == arn for role in backend.roles.values()) else None


class Identities:
    """Looks keys up at every call, so that what IAM changes holds at once (AWS takes seconds)."""

    def __init__(self) -> None:
        # Sessions that a test ended before their time.
        self.ended: set[str] = set()

    def find(self, access_key: str) -> Identity | None:
        for user in iam_backends[ACCOUNT]["aws"].users.values():
            for key in user.access_keys:
                if key.access_key_id == access_key:
                    return Identity(
                        access_key, key.secret_access_key, user.arn, _user_policies(user), key.status == "Active"
                    )
        for role in sts_backends[ACCOUNT]["aws"].assumed_roles:
            if role.access_key_id == access_key:
                expires = role.expiration.replace(tzinfo=timezone.utc).timestamp()
                return Identity(
                    access_key,
                    role.secret_access_key,
                    role.arn,
                    _role_policies(role.role_arn),
                    token=role.session_token,
                    expires=0.0 if access_key in self.ended else expires,
                )
        return None
