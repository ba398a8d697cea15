"""Who is in a cluster and who writes: scripted here, or asked of a Patroni that runs (patroni.py)."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, replace
from typing import Protocol


@dataclass(frozen=True)
class Member:
    """One instance of a cluster."""

    name: str
    zone: str
    # Where clients reach it, and the address that the name server gives.
    host: str
    port: int
    address: str
    writer: bool = False
    status: str = "available"
    # Preferred as the next writer.
    synchronous: bool = False
    tier: int = 1


class Refused(Exception):
    """The engine did not promote the reader that it was asked to promote."""


class Members(Protocol):
    """What a cluster needs of its instances."""

    def list(self) -> list[Member]:
        """All of them, as they are now."""

    def promote(self, writer: str, candidate: str, seconds: float) -> None:
        """Makes the candidate the writer; returns when it is. Raises Refused when that fails. Blocks."""

    def restart(self, name: str, seconds: float) -> None:
        """Restarts one instance; returns when it is back. Blocks."""


class ScriptedMembers:
    """Instances that exist only here. In a promotion the writer vanishes half way, and the new one appears later."""

    def __init__(self, members: list[Member]) -> None:
        self._members = {member.name: member for member in members}
        self._lock = threading.Lock()

    def list(self) -> list[Member]:
        with self._lock:
            return list(self._members.values())

    def _change(self, name: str, **changes: object) -> None:
        with self._lock:
            self._members[name] = replace(self._members[name], **changes)

    def promote(self, writer: str, candidate: str, seconds: float) -> None:
        time.sleep(seconds * 0.5)
        self._change(writer, writer=False, status="rebooting")
        time.sleep(seconds * 0.2)
        self._change(candidate, writer=True)
        time.sleep(seconds * 0.3)
        self._change(writer, status="available")

    def restart(self, name: str, seconds: float) -> None:
        self._change(name, status="rebooting")
        time.sleep(seconds)
        self._change(name, status="available")

    def set_status(self, status: str) -> None:
        """All instances at once, as when a cluster stops."""
        for name in list(self._members):
            self._change(name, status=status)
