"""Route 53: changes that are pending first, and are checked as AWS checks them; health checks with a status.

Zones and records are moto's. What the name server answers is the state of the last change that is in sync.
"""

from __future__ import annotations

import copy
import random
import string
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from . import motobridge
from .call import Call
from .clock import Clock
from .errors import AWSError
from .records import apply, backend, described, order, reversed_labels
from .schedule import Schedule
from .settings import Settings

REGIONS = ("us-east-1", "us-west-1", "us-west-2", "eu-west-1", "ap-southeast-1", "sa-east-1")


@dataclass
class Change:
    """A batch; pending until the name server has it."""

    identifier: str
    submitted: datetime
    comment: str | None
    status: str = "PENDING"

    def describe(self) -> dict[str, Any]:
        info = {"Id": f"/change/{self.identifier}", "Status": self.status, "SubmittedAt": self.submitted}
        return {"ChangeInfo": {**info, **({"Comment": self.comment} if self.comment else {})}}


class Route53:
    """The operations, what is published, and what the health checks say."""

    def __init__(self, clock: Clock, settings: Settings, schedule: Schedule) -> None:
        self._clock = clock
        self._settings = settings
        self._schedule = schedule
        self._changes: dict[str, Change] = {}
        # Records by zone, as the name server answers them.
        self.published: dict[str, list[Any]] = {}
        # Zone → the number of the newest change that its published records have.
        self._newest: dict[str, int] = {}
        # What a test says that a check's probes see; healthy without a word.
        self.observed: dict[str, bool] = {}

    def handlers(self) -> dict[str, Any]:
        return {
            "ChangeResourceRecordSets": self.change,
            "ListResourceRecordSets": self.list_records,
            "GetChange": self.get_change,
            "UpdateHealthCheck": self.update_health_check,
            "GetHealthCheckStatus": self.health_status,
        }

    @staticmethod
    def _zone(call: Call) -> Any:
        name = call["HostedZoneId"].rpartition("/")[2]
        zone = backend().zones.get(name)
        if zone is None:
            raise AWSError("NoSuchHostedZone", f"No hosted zone found with ID: {name}", 404)
        return zone

    def publish(self) -> None:
        """All zones as they are now."""
        with motobridge.lock:
            self.published = {zone.resource_id: copy.deepcopy(zone.rrsets) for zone in backend().zones.values()}

    def change(self, call: Call) -> dict[str, Any]:
        """All changes of a batch or none."""
        with motobridge.lock:
            zone = self._zone(call)
            records, problems = list(zone.rrsets), []
            for item in call["ChangeBatch"]["Changes"]:
                problem = apply(records, item["Action"], item["ResourceRecordSet"], zone.name)
                if problem:
                    problems.append(problem)
            if problems:
                # Documented as <InvalidChangeBatch><Messages>; what is answered is an ErrorResponse with all in one.
                raise AWSError("InvalidChangeBatch", f"[{', '.join(problems)}]")
            zone.rrsets = records
        name = "C" + "".join(random.choices(string.ascii_uppercase + string.digits, k=20))
        change = Change(name, self._clock.now(), call["ChangeBatch"].get("Comment"))
        self._changes[name] = change
        snapshot = copy.deepcopy(records)

        number = len(self._changes)

        def finish() -> None:
            # A change that took longer than a later one must not bring its older records back.
            if number > self._newest.get(zone.resource_id, 0):
                self._newest[zone.resource_id] = number
                self.published = {**self.published, zone.resource_id: snapshot}
            change.status = "INSYNC"

        answer = change.describe()
        self._schedule.after(self._settings["route53-change"], finish)
        return answer

    def list_records(self, call: Call) -> dict[str, Any]:
        with motobridge.lock:
            records = sorted(self._zone(call).rrsets, key=order)
        if start := call.get("StartRecordName"):
            first = (reversed_labels(start), call.get("StartRecordType", ""), call.get("StartRecordIdentifier", ""))
            records = [record for record in records if order(record) >= first]
        size = min(int(call.get("MaxItems") or 300), 300)
        page: dict[str, Any] = {
            "ResourceRecordSets": [described(record) for record in records[:size]],
            "IsTruncated": len(records) > size,
            "MaxItems": str(size),
        }
        if len(records) > size:
            following = described(records[size])
            page |= {"NextRecordName": following["Name"], "NextRecordType": following["Type"]}
            if "SetIdentifier" in following:
                page["NextRecordIdentifier"] = following["SetIdentifier"]
        return page

    def get_change(self, call: Call) -> dict[str, Any]:
        name = call["Id"].rpartition("/")[2]
        if name not in self._changes:
            raise AWSError("NoSuchChange", f"Could not find resource with ID: {name}", 404)
        return self._changes[name].describe()

    def _health_check(self, call: Call) -> Any:
        check = backend().health_checks.get(call["HealthCheckId"])
        if check is None:
            text = f"No health check exists with the specified ID: {call['HealthCheckId']}"
            raise AWSError("NoSuchHealthCheck", text, 404)
        return check

    def update_health_check(self, call: Call) -> Any:
        """Moto changes it; the version is compared and counted here."""
        with motobridge.lock:
            check = self._health_check(call)
            version = call.get("HealthCheckVersion")
            if version is not None and version != check.health_check_version:
                current = check.health_check_version
                text = f"The value of HealthCheckVersion {version} does not match the current version {current}"
                raise AWSError("HealthCheckVersionMismatch", text, 409)
            check.health_check_version += 1
            return motobridge.forward(call.request)

    def healthy(self, identifier: str) -> bool:
        """As routing takes it: a disabled check is healthy, an inverted one is turned round, then the disabled one."""
        check = backend().health_checks.get(identifier)
        if check is None:
            return True

        def true(value: Any) -> bool:
            return str(value).lower() == "true"

        observed = True if true(check.disabled) else self.observed.get(identifier, True)
        return observed != true(check.inverted)

    def health_status(self, call: Call) -> dict[str, Any]:
        """What the checkers see; inversion and disabling do not change it."""
        check = self._health_check(call)
        seen = self.observed.get(check.id, True)
        status = "Success: HTTP Status Code 200, OK" if seen else "Failure: Connection timed out."
        report = {"Status": status, "CheckedTime": self._clock.now()}
        return {
            "HealthCheckObservations": [
                {"Region": region, "IPAddress": f"15.177.2.{number}", "StatusReport": report}
                for number, region in enumerate(REGIONS, start=1)
            ]
        }
