"""ElastiCache: replication groups whose TestFailover changes roles, takes time, leaves AWS's events and has its quota.

Scripted: no Redis changes its role. The lab's own Redis stack is failed over through its Sentinels.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from . import motobridge
from .clock import Clock
from .errors import AWSError
from .gate import Call
from .rds.events import Events
from .schedule import Schedule
from .services import ACCOUNT
from .settings import Settings

# Shards that may be failed over in any 24 hours, per account and region.
QUOTA = 15


@dataclass
class Shard:
    """A node group. The first of `nodes` that `primary` names takes writes."""

    identifier: str
    nodes: list[str]
    primary: str
    slots: str = "0-16383"
    status: str = "available"


@dataclass
class ReplicationGroup:
    """A replication group. With cluster mode, AWS shows no roles: followers of a failover read the events."""

    identifier: str
    region: str
    shards: list[Shard]
    zones: list[str]
    created: datetime
    cluster_mode: bool = False
    automatic_failover: bool = True
    status: str = "available"
    tags: dict[str, str] = field(default_factory=dict)

    @property
    def arn(self) -> str:
        return f"arn:aws:elasticache:{self.region}:{ACCOUNT}:replicationgroup:{self.identifier}"

    def _address(self, name: str) -> dict[str, Any]:
        return {"Address": f"{name}.lab.{self.region}.cache.squall.test", "Port": 6379}

    def _member(self, shard: Shard, node: str) -> dict[str, Any]:
        zone = self.zones[shard.nodes.index(node) % len(self.zones)]
        member: dict[str, Any] = {"CacheClusterId": node, "CacheNodeId": "0001", "PreferredAvailabilityZone": zone}
        if not self.cluster_mode:
            member["ReadEndpoint"] = self._address(node)
            member["CurrentRole"] = "primary" if node == shard.primary else "replica"
        return member

    def _shard(self, shard: Shard) -> dict[str, Any]:
        described: dict[str, Any] = {
            "NodeGroupId": shard.identifier,
            "Status": shard.status,
            "NodeGroupMembers": [self._member(shard, node) for node in shard.nodes],
        }
        if self.cluster_mode:
            described["Slots"] = shard.slots
        else:
            described["PrimaryEndpoint"] = self._address(self.identifier)
            described["ReaderEndpoint"] = self._address(f"{self.identifier}-ro")
        return described

    def describe(self) -> dict[str, Any]:
        described = {
            "ReplicationGroupId": self.identifier,
            "Description": "The lab's cache",
            "ARN": self.arn,
            "Status": self.status,
            "MemberClusters": [node for shard in self.shards for node in shard.nodes],
            "NodeGroups": [self._shard(shard) for shard in self.shards],
            "AutomaticFailover": "enabled" if self.automatic_failover else "disabled",
            "MultiAZ": "enabled" if self.automatic_failover else "disabled",
            "ClusterEnabled": self.cluster_mode,
            "CacheNodeType": "cache.r6g.large",
            "Engine": "redis",
            "ReplicationGroupCreateTime": self.created,
        }
        if self.cluster_mode:
            described["ConfigurationEndpoint"] = self._address(self.identifier)
        return described


class ElastiCache:
    """The operations. Groups that moto made are shown beside ours, and cannot be failed over."""

    def __init__(self, clock: Clock, settings: Settings, schedule: Schedule) -> None:
        self._clock = clock
        self._settings = settings
        self._schedule = schedule
        self._lock = threading.Lock()
        self._calls: list[tuple[str, datetime]] = []
        self.events = Events(clock)
        self.groups: list[ReplicationGroup] = []

    def handlers(self) -> dict[str, Any]:
        return {
            "DescribeReplicationGroups": self.describe,
            "TestFailover": self.test_failover,
            "DescribeEvents": self.describe_events,
        }

    def _find(self, identifier: str, region: str) -> ReplicationGroup | None:
        name = identifier.lower()
        return next((one for one in self.groups if one.identifier == name and one.region == region), None)

    def describe(self, call: Call) -> dict[str, Any]:
        if identifier := call.get("ReplicationGroupId"):
            if group := self._find(identifier, call.region):
                return {"ReplicationGroups": [group.describe()]}
            return motobridge.call(
                "elasticache", "DescribeReplicationGroups", call.region, ReplicationGroupId=identifier
            )
        page = motobridge.call("elasticache", "DescribeReplicationGroups", call.region, **call.parameters)
        ours = [group.describe() for group in self.groups if group.region == call.region]
        return {**page, "ReplicationGroups": ours + page.get("ReplicationGroups", [])}

    def describe_events(self, call: Call) -> dict[str, Any]:
        page = self.events.describe(call.region, call.parameters)
        names = ("SourceIdentifier", "SourceType", "Message", "Date")
        return {**page, "Events": [{name: event[name] for name in names} for event in page["Events"]]}

    def test_failover(self, call: Call) -> dict[str, Any]:
        group = self._find(call["ReplicationGroupId"], call.region)
        if group is None:
            text = f"ReplicationGroup not found: {call['ReplicationGroupId']}"
            raise AWSError("ReplicationGroupNotFoundFault", text, 404)
        shard = next((one for one in group.shards if one.identifier == call["NodeGroupId"]), None)
        if shard is None:
            raise AWSError("NodeGroupNotFoundFault", f"Node group {call['NodeGroupId']} not found.", 404)
        with self._lock:
            self._check(group, shard, call.region)
            if self._settings["elasticache"] == "normal":
                group.status = "modifying"
                shard.status = "modifying"
        self._event(group, f"Test Failover API called for node group {shard.identifier}")
        if self._settings["elasticache"] == "normal":
            self._follow(group, shard)
        return {"ReplicationGroup": group.describe()}

    def _check(self, group: ReplicationGroup, shard: Shard, region: str) -> None:
        if not group.automatic_failover:
            text = "Automatic failover is not enabled for the replication group."
            raise AWSError("TestFailoverNotAvailableFault", text)
        if group.status != "available":
            text = f"Replication group {group.identifier} is not in available state, it is {group.status}."
            raise AWSError("InvalidReplicationGroupState", text)
        if len(shard.nodes) < 2 or shard.status != "available":
            raise AWSError(
                "InvalidCacheClusterState", f"Node group {shard.identifier} has no replica that is available."
            )
        day = self._clock.now() - timedelta(hours=24)
        self._calls = [(place, when) for place, when in self._calls if when > day]
        if sum(place == region for place, _ in self._calls) >= QUOTA:
            text = f"The customer has exceeded the allowed rate of API calls: {QUOTA} shards in any rolling 24 hours."
            raise AWSError("APICallRateForCustomerExceeded", text)
        self._calls.append((region, self._clock.now()))

    def _event(self, group: ReplicationGroup, message: str, node: str | None = None) -> None:
        if node:
            arn = f"arn:aws:elasticache:{group.region}:{ACCOUNT}:cluster:{node}"
            self.events.add(group.region, "cache-cluster", node, arn, message, [])
        else:
            self.events.add(group.region, "replication-group", group.identifier, group.arn, message, [])

    def _follow(self, group: ReplicationGroup, shard: Shard) -> None:
        """Role, recovery, available: in the order of the events that AWS documents."""
        old = shard.primary
        new = next(node for node in shard.nodes if node != old)
        seconds = self._settings["elasticache-failover"]

        def promote() -> None:
            shard.primary = new
            message = f"Failover from primary node {old} to replica node {new} completed"
            self._event(group, message, old)
            self._event(group, message)

        def finish() -> None:
            self._event(group, f"Finished recovery for cache nodes {old}", old)
            shard.status = "available"
            group.status = "available"

        self._schedule.steps(
            (seconds * 0.4, promote),
            (seconds * 0.6, lambda: self._event(group, f"Recovering cache nodes {old}", old)),
            (seconds, finish),
        )
