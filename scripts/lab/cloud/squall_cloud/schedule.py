"""Delayed transitions (stopping becomes stopped), on one thread, in order of time."""

from __future__ import annotations

import heapq
import itertools
import sys
import threading
import time
import traceback
from collections.abc import Callable


class Schedule:
    """Runs actions later. A reset forgets all that wait, so that no old world's transition reaches the new one."""

    def __init__(self) -> None:
        self._waiting: list[tuple[float, int, Callable[[], None]]] = []
        self._order = itertools.count()
        self._changed = threading.Condition()
        threading.Thread(target=self._run, name="schedule", daemon=True).start()

    def after(self, seconds: float, action: Callable[[], None]) -> None:
        """Runs the action once, so many seconds from now. The action must not block."""
        with self._changed:
            heapq.heappush(self._waiting, (time.monotonic() + seconds, next(self._order), action))
            self._changed.notify()

    def steps(self, *steps: tuple[float, Callable[[], None]]) -> None:
        """Several actions, each with its distance in seconds from now."""
        for seconds, action in steps:
            self.after(seconds, action)

    def clear(self) -> None:
        with self._changed:
            self._waiting.clear()

    def _run(self) -> None:
        while True:
            with self._changed:
                while not self._waiting or self._waiting[0][0] > time.monotonic():
                    self._changed.wait(self._waiting[0][0] - time.monotonic() if self._waiting else None)
                action = heapq.heappop(self._waiting)[2]
            try:
                action()
            except Exception:  # One broken transition must not stop the others; it is shown, and its state stays.
                traceback.print_exc(file=sys.stderr)
