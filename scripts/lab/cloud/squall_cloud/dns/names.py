"""What a name means now: Aurora's endpoints from their clusters, all else from Route 53's published records."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

from ..rds.operations import RDS
from ..records import backend, dotted, values_of
from ..route53 import Route53
from .message import NO_ERROR, NO_NAME, REFUSED, Record

# What Aurora's own endpoints have.
TTL = 5
# A chain of aliases and CNAMEs longer than this is a loop.
LONGEST_CHAIN = 8


class Names:
    """Looks names up. Weighted records are drawn by weight among the healthy ones, as Route 53 does."""

    def __init__(self, rds: RDS, route53: Route53, draw: Callable[[], float] = random.random) -> None:
        self._rds = rds
        self._route53 = route53
        self._draw = draw
        # The last writer's address by cluster: between two writers the old name stays.
        self._writers: dict[str, str] = {}

    def lookup(self, name: str, kind: str) -> tuple[int, list[Record], list[Record]]:
        """Response code, answers and authority."""
        records: list[Record] = []
        for _ in range(LONGEST_CHAIN):
            found, exists = self._once(name, kind)
            records += found
            target = next((one.value for one in found if one.type == "CNAME"), None)
            if target is None or kind == "CNAME":
                break
            name = dotted(target)
        zone = self._zone(name)
        if not records and zone is None and not exists:
            return REFUSED, [], []
        authority = [] if records or zone is None else self._start_of_authority(zone)
        return (NO_ERROR if records or exists else NO_NAME), records, authority

    def _once(self, name: str, kind: str) -> tuple[list[Record], bool]:
        """The records of one name without following it; whether the name exists at all."""
        if (endpoint := self._endpoint(name)) is not None:
            return ([one for one in endpoint if one.type in (kind, "CNAME")], True)
        zone = self._zone(name)
        if zone is None:
            return [], False
        published = self._route53.published.get(zone.resource_id, [])
        at_name = [record for record in published if dotted(record.name) == name]
        if not at_name:
            wildcard = "*." + name.partition(".")[2]
            at_name = [record for record in published if dotted(record.name) == wildcard]
        inner = any(dotted(record.name).endswith("." + name) for record in published)
        wanted = [record for record in at_name if record.type == kind] or [
            record for record in at_name if record.type == "CNAME"
        ]
        return self._answers(name, kind, self._routed(wanted)), bool(at_name) or inner

    def _answers(self, name: str, kind: str, records: list[Any]) -> list[Record]:
        answers = []
        for record in records:
            if record.alias_target is not None:
                target = dotted(record.alias_target["DNSName"])
                found = self.lookup(target, kind)[1]
                answers += [Record(name, one.type, one.ttl, one.value) for one in found if one.type == kind]
            else:
                answers += [Record(name, record.type, int(record.ttl), value) for value in values_of(record)]
        return answers

    def _healthy(self, record: Any) -> bool:
        return record.health_check_id is None or self._route53.healthy(record.health_check_id)

    def _routed(self, records: list[Any]) -> list[Any]:
        """Those that the routing policy picks."""
        if not records or records[0].set_identifier is None:
            return records
        healthy = [record for record in records if self._healthy(record)]
        if records[0].failover:
            order = {"PRIMARY": 0, "SECONDARY": 1}
            # With none healthy Route 53 answers the primary.
            return sorted(healthy or records, key=lambda record: order[record.failover])[:1]
        if records[0].multi_value_answer:
            return (healthy or records)[:8]
        if records[0].weight is not None:
            return self._weighted(healthy or records)
        return (healthy or records)[:1]

    def _weighted(self, records: list[Any]) -> list[Any]:
        weights = [int(record.weight) for record in records]
        if not any(weights):
            # All zero counts as all equal.
            weights = [1] * len(records)
        position = self._draw() * sum(weights)
        for record, weight in zip(records, weights):
            if position < weight:
                return [record]
            position -= weight
        return records[-1:]

    @staticmethod
    def _zone(name: str) -> Any:
        zones = [zone for zone in backend().zones.values() if ("." + name).endswith("." + dotted(zone.name))]
        return max(zones, key=lambda zone: len(zone.name), default=None)

    def _start_of_authority(self, zone: Any) -> list[Record]:
        published = self._route53.published.get(zone.resource_id, [])
        return [
            Record(dotted(zone.name), "SOA", int(record.ttl), values_of(record)[0])
            for record in published
            if record.type == "SOA"
        ]

    def _endpoint(self, name: str) -> list[Record] | None:
        """The records of one of Aurora's endpoints; None if the name is none."""
        for cluster in self._rds.clusters:
            front, back = cluster.identifier, f"{cluster.region}.rds.squall.test."
            members = cluster.members.list if name.endswith(back) else None
            if members is None:
                continue
            if name == f"{front}.cluster-lab.{back}":
                writer = next((member.address for member in members() if member.writer), None)
                address = writer or self._writers.get(cluster.arn)
                if address is None:
                    return []
                self._writers[cluster.arn] = address
                return [Record(name, "A", TTL, address)]
            if name == f"{front}.cluster-ro-lab.{back}":
                readers = [one.address for one in members() if not one.writer and one.status == "available"]
                return [Record(name, "A", TTL, address) for address in random.sample(readers, len(readers))]
            for member in members():
                if name == f"{member.name}.lab.{back}":
                    return [Record(name, "A", TTL, member.address)]
        for database in self._rds.databases:
            if name == dotted(database.endpoint):
                primary = database.primary
                return [
                    Record(name, "CNAME", TTL, f"{primary.identifier}.cluster-lab.{primary.region}.rds.squall.test.")
                ]
        return None
