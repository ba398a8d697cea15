"""The cloud's own time: wall time plus an offset that tests set, so that a client with a right clock is skewed."""

from __future__ import annotations

import time
from datetime import datetime, timezone


class Clock:
    """Wall time of the cloud. Signatures, expiry, events and the Date header all use it."""

    def __init__(self) -> None:
        self.offset = 0.0

    def seconds(self) -> float:
        """Seconds since the epoch."""
        return time.time() + self.offset

    def now(self) -> datetime:
        """The same as an aware date, at the milliseconds that AWS answers with."""
        seconds = self.seconds()
        return datetime.fromtimestamp(int(seconds * 1000) / 1000, timezone.utc)
