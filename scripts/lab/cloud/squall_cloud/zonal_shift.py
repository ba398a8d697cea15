"""ARC zonal shift over one load balancer: weights that a shift takes to zero, and gives back when it ends."""

from __future__ import annotations

import re
import threading
import uuid
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from .clock import Clock
from .errors import AWSError
from .gate import Call
from .services import ACCOUNT

LOAD_BALANCER = f"arn:aws:elasticloadbalancing:us-east-1:{ACCOUNT}:loadbalancer/app/squall/0000000000000001"
# The subnets' zones and their ids, as DescribeAvailabilityZones has them.
ZONES = {"us-east-1a": "use1-az6", "us-east-1b": "use1-az1"}
_EXPIRY = re.compile(r"([1-9][0-9]*)(m|h)")


@dataclass
class Shift:
    """One zonal shift. It expires by itself: whoever reads it asks for its status now."""

    resource: str
    away_from: str
    comment: str
    start: datetime
    expiry: datetime
    identifier: str = field(default_factory=lambda: str(uuid.uuid4()))
    canceled: bool = False

    def status(self, now: datetime) -> str:
        if self.canceled:
            return "CANCELED"
        return "ACTIVE" if now < self.expiry else "EXPIRED"

    def describe(self, now: datetime) -> dict[str, Any]:
        return {
            "zonalShiftId": self.identifier,
            "resourceIdentifier": self.resource,
            "awayFrom": self.away_from,
            "comment": self.comment,
            "startTime": self.start,
            "expiryTime": self.expiry,
            "status": self.status(now),
            "shiftType": "ZONAL_SHIFT",
            "appliedStatus": "APPLIED",
        }


def _invalid(reason: str, message: str) -> AWSError:
    return AWSError("ValidationException", message, 400, reason=reason)


def _conflict(reason: str, message: str, shift: str | None = None) -> AWSError:
    fields = {"reason": reason, **({"zonalShiftId": shift} if shift else {})}
    return AWSError("ConflictException", message, 409, **fields)


class ZonalShift:
    """The operations of ARC zonal shift."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._shifts: dict[str, Shift] = {}
        self._lock = threading.Lock()

    def handlers(self) -> dict[str, Any]:
        return {
            "StartZonalShift": self.start,
            "UpdateZonalShift": self.update,
            "CancelZonalShift": self.cancel,
            "ListZonalShifts": self.list_shifts,
            "GetManagedResource": self.resource,
            "ListManagedResources": self.resources,
        }

    def _check_resource(self, call: Call, identifier: str) -> None:
        if identifier != LOAD_BALANCER or call.region != "us-east-1":
            raise AWSError("ResourceNotFoundException", f"Resource {identifier} not found.", 404)

    def _expiry(self, text: str) -> datetime:
        match = _EXPIRY.fullmatch(text)
        if match is None:
            raise _invalid("InvalidExpiresIn", f"Invalid expiresIn '{text}': it must match ([1-9][0-9]*)(m|h).")
        length = timedelta(**{"minutes" if match[2] == "m" else "hours": int(match[1])})
        if length > timedelta(hours=72):
            raise _invalid("InvalidExpiresIn", "expiresIn must be at most 72 hours.")
        return self._clock.now() + length

    def _active(self) -> Shift | None:
        now = self._clock.now()
        return next((shift for shift in self._shifts.values() if shift.status(now) == "ACTIVE"), None)

    def start(self, call: Call) -> dict[str, Any]:
        zone = call["awayFrom"]
        resource, comment, expiry = call["resourceIdentifier"], call["comment"], self._expiry(call["expiresIn"])
        if zone not in ZONES.values():
            raise _invalid("InvalidAz", f"{zone} is no Availability Zone id of resource {resource}.")
        self._check_resource(call, resource)
        with self._lock:
            if active := self._active():
                if active.away_from == zone:
                    text = "There is already an active zonal shift for that resource identifier."
                    raise _conflict("ZonalShiftAlreadyExists", text, active.identifier)
                text = (
                    "There is an active zonal shift away from another Availability Zone for that resource identifier."
                )
                raise _conflict("SimultaneousZonalShiftsConflict", text, active.identifier)
            shift = Shift(resource, zone, comment, self._clock.now(), expiry)
            self._shifts[shift.identifier] = shift
        return shift.describe(self._clock.now())

    def _named(self, call: Call) -> Shift:
        shift = self._shifts.get(call["zonalShiftId"])
        if shift is None:
            raise AWSError("ResourceNotFoundException", f"Zonal shift {call['zonalShiftId']} not found.", 404)
        if shift.status(self._clock.now()) != "ACTIVE":
            raise _conflict("ZonalShiftStatusNotActive", "The zonal shift is not active.", shift.identifier)
        return shift

    def update(self, call: Call) -> dict[str, Any]:
        with self._lock:
            shift = self._named(call)
            if call.get("expiresIn"):
                shift.expiry = self._expiry(call["expiresIn"])
            shift.comment = call.get("comment", shift.comment)
        return shift.describe(self._clock.now())

    def cancel(self, call: Call) -> dict[str, Any]:
        with self._lock:
            shift = self._named(call)
            shift.canceled = True
        return shift.describe(self._clock.now())

    def list_shifts(self, call: Call) -> dict[str, Any]:
        now = self._clock.now()
        shown = [shift.describe(now) for shift in self._shifts.values() if call.region == "us-east-1"]
        wanted = {"status": call.get("status"), "resourceIdentifier": call.get("resourceIdentifier")}
        return {
            "items": [one for one in shown if all(value is None or one[key] == value for key, value in wanted.items())]
        }

    def _weights(self) -> dict[str, float]:
        active = self._active()
        return {zone: 0.0 if active and active.away_from == zone else 1.0 for zone in ZONES.values()}

    def _described(self) -> dict[str, Any]:
        active = self._active()
        return {
            "arn": LOAD_BALANCER,
            "name": "squall",
            "appliedWeights": self._weights(),
            "zonalShifts": [active.describe(self._clock.now())] if active else [],
            "autoshifts": [],
            "zonalAutoshiftStatus": "DISABLED",
        }

    def resource(self, call: Call) -> dict[str, Any]:
        self._check_resource(call, call["resourceIdentifier"])
        return self._described()

    def resources(self, call: Call) -> dict[str, Any]:
        if call.region != "us-east-1":
            return {"items": []}
        return {"items": [{**self._described(), "availabilityZones": list(ZONES.values())}]}
