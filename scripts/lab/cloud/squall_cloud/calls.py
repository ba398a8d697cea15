"""The log of calls: what a test asserts that a call which must not be repeated was sent once on."""

from __future__ import annotations

import itertools
import threading
from collections import deque
from typing import Any


class Calls:
    """The last calls, oldest first. No header and no secret is kept."""

    def __init__(self) -> None:
        self._calls: deque[dict[str, Any]] = deque(maxlen=20000)
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()

    def add(self, **call: Any) -> dict[str, Any]:
        with self._lock:
            entry = {"number": next(self._numbers), **call}
            self._calls.append(entry)
        return entry

    def list(self, **wanted: str) -> list[dict[str, Any]]:
        """Those whose fields have these values; `since` is a number after which the list begins."""
        since = int(wanted.pop("since", "0"))
        with self._lock:
            calls = list(self._calls)
        return [
            call
            for call in calls
            if call["number"] > since and all(str(call.get(name)) == value for name, value in wanted.items())
        ]

    def clear(self) -> None:
        with self._lock:
            self._calls.clear()
