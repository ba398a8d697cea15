"""Route 53: changes that are pending first, and are checked as AWS checks them; health checks with a status.

Zones and records are moto's. What the name server answers is the state of the last change that is in sync.
"""

from __future__ import annotations

import copy
import random
import re
import string
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from moto.route53.models import RecordSet, route53_backends

from . import motobridge
from .clock import Clock
from .errors import AWSError
from .gate import Call
from .schedule import Schedule
from .services import ACCOUNT
from .settings import Settings

# A record's routing fields, as the API and as moto name them.
_FIELDS = {
    "SetIdentifier": "set_identifier",
    "Weight": "weight",
    "Region": "region",
    "GeoLocation": "geo_location",
    "Failover": "failover",
    "MultiValueAnswer": "multi_value_answer",
    "HealthCheckId": "health_check_id",
    "AliasTarget": "alias_target",
}
REGIONS = ("us-east-1", "us-west-1", "us-west-2", "eu-west-1", "ap-southeast-1", "sa-east-1")


def backend() -> Any:
    return route53_backends[ACCOUNT]["aws"]


def dotted(name: str) -> str:
    """Lower case, with the dot at the end; `\\052` is Route 53's asterisk."""
    name = name.lower().replace("\\052", "*")
    return name if name.endswith(".") else name + "."


def values_of(record: Any) -> list[str]:
    """A record's values, in either of the two forms that moto keeps them."""
    return [one["Value"] if isinstance(one, dict) else one for one in record.records or []]


def described(record: Any) -> dict[str, Any]:
    """A ResourceRecordSet of the API."""
    shown: dict[str, Any] = {"Name": dotted(record.name).replace("*", "\\052"), "Type": record.type}
    for name, attribute in _FIELDS.items():
        value = getattr(record, attribute)
        if value is not None:
            shown[name] = value
    if record.alias_target is None:
        shown["TTL"] = int(record.ttl)
        shown["ResourceRecords"] = [{"Value": value} for value in values_of(record)]
    return shown


def _order(record: Any) -> tuple[list[str], str, str]:
    """Route 53 sorts by the labels from the right."""
    return list(reversed(dotted(record.name).rstrip(".").split("."))), record.type, record.set_identifier or ""


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
                problem = self._apply(records, item["Action"], item["ResourceRecordSet"], zone.name)
                if problem:
                    problems.append(problem)
            if problems:
                raise AWSError("InvalidChangeBatch", "\n".join(problems))
            zone.rrsets = records
        name = "C" + "".join(random.choices(string.ascii_uppercase + string.digits, k=20))
        change = Change(name, self._clock.now(), call["ChangeBatch"].get("Comment"))
        self._changes[name] = change
        snapshot = copy.deepcopy(records)

        def finish() -> None:
            self.published = {**self.published, zone.resource_id: snapshot}
            change.status = "INSYNC"

        answer = change.describe()
        self._schedule.after(self._settings["route53-change"], finish)
        return answer

    @staticmethod
    def _check(wanted: dict[str, Any], zone: str, label: str) -> str | None:
        name = dotted(wanted["Name"])
        if not name.endswith("." + dotted(zone)) and name != dotted(zone):
            return f"RRSet with DNS name {name} is not permitted in zone {dotted(zone)}"
        plain = "TTL" in wanted and wanted.get("ResourceRecords")
        if bool(plain) == ("AliasTarget" in wanted):
            found = "found none" if not plain else "more than one"
            return f"Invalid request: Expected exactly one of [AliasTarget, all of [TTL, and ResourceRecords], or TrafficPolicyInstanceId], but {found} in Change with [{label}]"
        routed = any(
            wanted.get(key) is not None for key in ("Weight", "Region", "Failover", "GeoLocation", "MultiValueAnswer")
        )
        if routed != bool(wanted.get("SetIdentifier")):
            return f"Invalid request: a SetIdentifier and a routing policy need each other in Change with [{label}]"
        if not 0 <= wanted.get("Weight", 0) <= 255:
            return f"Value {wanted['Weight']} at weight failed to satisfy constraint: between 0 and 255"
        if wanted.get("HealthCheckId") and wanted["HealthCheckId"] not in backend().health_checks:
            return f"Invalid resource record set: no such health check: {wanted['HealthCheckId']}"
        if wanted["Type"] == "A" and not all(
            re.fullmatch(r"(\d{1,3}\.){3}\d{1,3}", one["Value"]) for one in wanted.get("ResourceRecords", [])
        ):
            return f"Invalid Resource Record: 'FATAL problem: ARRDATAIllegalIPv4Address (Value is not a valid IPv4 address) encountered with '{wanted['ResourceRecords'][0]['Value']}''"
        return None

    def _apply(self, records: list[Any], action: str, wanted: dict[str, Any], zone: str) -> str | None:
        """One change on the list; the sentence that refuses it."""
        name, kind, identifier = dotted(wanted["Name"]), wanted["Type"], wanted.get("SetIdentifier")
        label = f"name='{name}', type='{kind}'" + (f", set-identifier='{identifier}'" if identifier else "")
        if problem := self._check(
            wanted, zone, f"Action={action}, Name={name}, Type={kind}, SetIdentifier={identifier or 'null'}"
        ):
            return problem
        same_name = [one for one in records if dotted(one.name) == name and one.type == kind]
        existing = next((one for one in same_name if one.set_identifier == identifier), None)
        if action == "DELETE":
            if existing is None:
                return f"Tried to delete resource record set [{label}] but it was not found"
            if self._comparable(described(existing)) != self._comparable(wanted):
                return f"Tried to delete resource record set [{label}] but the values provided do not match the current values"
            records.remove(existing)
            return None
        if action == "CREATE" and existing is not None:
            return f"Tried to create resource record set [{label}] but it already exists"
        if any((one.set_identifier is None) != (identifier is None) for one in same_name):
            return f"RRSet of type {kind} with DNS name {name} conflicts with other records: all or none need a SetIdentifier"
        others = {one.type for one in records if dotted(one.name) == name} - {kind}
        if others and (kind == "CNAME" or "CNAME" in others):
            return f"RRSet of type {kind} with DNS name {name} is not permitted as it conflicts with other records with the same DNS name in zone {dotted(zone)}"
        values = [one["Value"] for one in wanted.get("ResourceRecords", [])]
        record = RecordSet({**wanted, "Name": name, "ResourceRecords": values})
        if existing is None:
            records.append(record)
        else:
            records[records.index(existing)] = record
        return None

    @staticmethod
    def _comparable(record: dict[str, Any]) -> dict[str, Any]:
        values = sorted(one["Value"] for one in record.get("ResourceRecords", []))
        rest = {key: value for key, value in record.items() if key not in ("ResourceRecords", "Name")}
        return {**rest, "name": dotted(record["Name"]), "values": values}

    def list_records(self, call: Call) -> dict[str, Any]:
        with motobridge.lock:
            records = sorted(self._zone(call).rrsets, key=_order)
        if start := call.get("StartRecordName"):
            labels = list(reversed(dotted(start).rstrip(".").split(".")))
            first = (labels, call.get("StartRecordType", ""), call.get("StartRecordIdentifier", ""))
            records = [record for record in records if _order(record) >= first]
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
                text = f"The value of HealthCheckVersion {version} does not match the current version {check.health_check_version}"
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
