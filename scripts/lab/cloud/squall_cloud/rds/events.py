"""The events of RDS. The API has no event numbers, so clients know an event by its sentence: AWS's, word for word."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta, timezone
from typing import Any

from ..clock import Clock
from ..errors import AWSError

FAILOVER = ["failover"]
GLOBAL_FAILOVER = ["global failover"]
FAILED = "Cluster failover failed, check the health of your cluster instances and try again."


def started(same_zone: bool, instance: str) -> str:
    """RDS-EVENT-0072 and 0073."""
    return f"Started {'same' if same_zone else 'cross'} AZ failover to DB instance: {instance}"


def completed(instance: str) -> str:
    """RDS-EVENT-0071."""
    return f"Completed failover to DB instance: {instance}"


def _aware(value: datetime) -> datetime:
    return value if value.tzinfo else value.replace(tzinfo=timezone.utc)


class Events:
    """Fourteen days of events, per region."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._events: list[tuple[str, dict[str, Any]]] = []
        self._lock = threading.Lock()

    def add(self, region: str, kind: str, source: str, arn: str, message: str, categories: list[str]) -> None:
        event = {
            "SourceIdentifier": source,
            "SourceType": kind,
            "Message": message,
            "EventCategories": categories,
            "Date": self._clock.now(),
            "SourceArn": arn,
        }
        with self._lock:
            self._events.append((region, event))

    def clear(self) -> None:
        with self._lock:
            self._events.clear()

    def describe(self, region: str, parameters: dict[str, Any]) -> dict[str, Any]:
        """DescribeEvents. Without times it is the last hour."""
        if parameters.get("SourceIdentifier") and not parameters.get("SourceType"):
            raise AWSError("InvalidParameterCombination", "Cannot specify source identifier without source type")
        size = parameters.get("MaxRecords", 100)
        if not 20 <= size <= 100:
            raise AWSError("InvalidParameterValue", f"Invalid value {size} for MaxRecords. Must be between 20 and 100")
        now = self._clock.now()
        end = _aware(parameters["EndTime"]) if "EndTime" in parameters else now
        start = end - timedelta(minutes=parameters.get("Duration", 60))
        if "StartTime" in parameters:
            start = _aware(parameters["StartTime"])
        if start < now - timedelta(days=14):
            raise AWSError("InvalidParameterValue", "The start time must be within the past 14 days.")
        if end < start:
            raise AWSError("InvalidParameterCombination", "The end time must be after the start time.")
        with self._lock:
            events = [event for place, event in self._events if place == region]
        events = [
            event
            for event in events
            if start <= event["Date"] <= end
            and parameters.get("SourceType", event["SourceType"]) == event["SourceType"]
            and parameters.get("SourceIdentifier", event["SourceIdentifier"]).lower() == event["SourceIdentifier"]
            and (
                not parameters.get("EventCategories")
                or set(parameters["EventCategories"]) & set(event["EventCategories"])
            )
        ]
        first = int(parameters.get("Marker") or 0)
        page: dict[str, Any] = {"Events": events[first : first + size]}
        if first + size < len(events):
            page["Marker"] = str(first + size)
        return page
