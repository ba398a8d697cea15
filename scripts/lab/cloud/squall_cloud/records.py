"""Route 53's record sets: how they are shown and sorted, and what a change of them is refused for."""

from __future__ import annotations

import re
from typing import Any

from moto.route53.models import RecordSet, route53_backends

from .services import ACCOUNT

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
_ROUTING = ("Weight", "Region", "Failover", "GeoLocation", "MultiValueAnswer")
_IPV4 = re.compile(r"(\d{1,3}\.){3}\d{1,3}")


def backend() -> Any:
    """Moto's zones and health checks."""
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


def reversed_labels(name: str) -> list[str]:
    return list(reversed(dotted(name).rstrip(".").split(".")))


def order(record: Any) -> tuple[list[str], str, str]:
    """Route 53 sorts by the labels from the right."""
    return reversed_labels(record.name), record.type, record.set_identifier or ""


def _form(wanted: dict[str, Any], label: str) -> str | None:
    """What is wrong with the record set itself."""
    plain = "TTL" in wanted and bool(wanted.get("ResourceRecords"))
    if plain == ("AliasTarget" in wanted):
        ways = "[AliasTarget, all of [TTL, and ResourceRecords], or TrafficPolicyInstanceId]"
        found = "more than one" if plain else "found none"
        return f"Invalid request: Expected exactly one of {ways}, but {found} in Change with [{label}]"
    if any(wanted.get(key) is not None for key in _ROUTING) != bool(wanted.get("SetIdentifier")):
        return f"Invalid request: SetIdentifier and a routing policy need each other in Change with [{label}]"
    if not 0 <= wanted.get("Weight", 0) <= 255:
        return f"Value {wanted['Weight']} at weight failed to satisfy constraint: between 0 and 255"
    if wanted.get("HealthCheckId") and wanted["HealthCheckId"] not in backend().health_checks:
        return f"Invalid resource record set: no such health check: {wanted['HealthCheckId']}"
    values = [one["Value"] for one in wanted.get("ResourceRecords", [])]
    if wanted["Type"] == "A" and (wrong := [value for value in values if not _IPV4.fullmatch(value)]):
        problem = "FATAL problem: ARRDATAIllegalIPv4Address (Value is not a valid IPv4 address)"
        return f"Invalid Resource Record: '{problem} encountered with '{wrong[0]}''"
    return None


def _conflict(records: list[Any], wanted: dict[str, Any], name: str, zone: str) -> str | None:
    """What stands beside the record that it cannot stand beside."""
    kind, identifier = wanted["Type"], wanted.get("SetIdentifier")
    at_name = [one for one in records if dotted(one.name) == name]
    if any((one.set_identifier is None) != (identifier is None) for one in at_name if one.type == kind):
        return f"RRSet of type {kind} with DNS name {name} conflicts with others: all or none have a SetIdentifier"
    others = {one.type for one in at_name} - {kind}
    if others and (kind == "CNAME" or "CNAME" in others):
        reason = f"as it conflicts with other records with the same DNS name in zone {zone}"
        return f"RRSet of type {kind} with DNS name {name} is not permitted {reason}"
    return None


def _comparable(record: dict[str, Any]) -> dict[str, Any]:
    values = sorted(one["Value"] for one in record.get("ResourceRecords", []))
    rest = {key: value for key, value in record.items() if key not in ("ResourceRecords", "Name")}
    return {**rest, "name": dotted(record["Name"]), "values": values}


def apply(records: list[Any], action: str, wanted: dict[str, Any], zone: str) -> str | None:
    """Makes one change in the list, or gives the sentence that refuses it."""
    name, kind, identifier = dotted(wanted["Name"]), wanted["Type"], wanted.get("SetIdentifier")
    label = f"name='{name}', type='{kind}'" + (f", set-identifier='{identifier}'" if identifier else "")
    if not ("." + name).endswith("." + dotted(zone)):
        return f"RRSet with DNS name {name} is not permitted in zone {dotted(zone)}"
    where = f"Action={action}, Name={name}, Type={kind}, SetIdentifier={identifier or 'null'}"
    if problem := _form(wanted, where):
        return problem
    existing = next(
        (one for one in records if (dotted(one.name), one.type, one.set_identifier) == (name, kind, identifier)), None
    )
    if action == "DELETE":
        if existing is None:
            return f"Tried to delete resource record set [{label}] but it was not found"
        if _comparable(described(existing)) != _comparable(wanted):
            reason = "but the values provided do not match the current values"
            return f"Tried to delete resource record set [{label}] {reason}"
        records.remove(existing)
        return None
    if action == "CREATE" and existing is not None:
        return f"Tried to create resource record set [{label}] but it already exists"
    if problem := _conflict(records, wanted, name, dotted(zone)):
        return problem
    values = [one["Value"] for one in wanted.get("ResourceRecords", [])]
    record = RecordSet({**wanted, "Name": name, "ResourceRecords": values})
    if existing is None:
        records.append(record)
    else:
        records[records.index(existing)] = record
    return None
