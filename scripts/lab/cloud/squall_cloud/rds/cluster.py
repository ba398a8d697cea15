"""One Aurora cluster: its status, its endpoints, its instances, and a failover with what clients see meanwhile."""

from __future__ import annotations

import sys
import threading
import time
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from ..errors import AWSError
from ..services import ACCOUNT
from ..settings import Settings
from . import events as sentences
from .events import Events
from .members import Member, Members, Refused


def gone(identifier: str) -> AWSError:
    return AWSError("DBClusterNotFoundFault", f"DBCluster {identifier} not found.", 404)


def invalid_state(identifier: str, status: str) -> AWSError:
    text = f"Db cluster {identifier} is in {status} state. It must be in available state."
    return AWSError("InvalidDBClusterStateFault", text)


@dataclass
class Cluster:
    """`endpoint` and `reader` are what DescribeDBClusters names; both serve on `port`."""

    identifier: str
    region: str
    members: Members
    endpoint: str
    reader: str
    port: int
    created: datetime
    engine: str = "aurora-postgresql"
    version: str = "15.4"
    tags: dict[str, str] = field(default_factory=dict)
    global_identifier: str | None = None
    # In a global database only one cluster has a writer; the readers of the other are all read-only.
    writable: bool = True
    # What DescribeDBClusters says; None follows the members.
    status: str | None = None

    def __post_init__(self) -> None:
        self._lock = threading.Lock()
        self._busy = False
        self._old_writer: str | None = None
        # The writer that our last failover made.
        self._promoted: str | None = None

    @property
    def arn(self) -> str:
        return f"arn:aws:rds:{self.region}:{ACCOUNT}:cluster:{self.identifier}"

    def instance_arn(self, name: str) -> str:
        return f"arn:aws:rds:{self.region}:{ACCOUNT}:db:{name}"

    def shown_status(self, members: list[Member]) -> str:
        if self.status:
            return self.status
        return "available" if any(member.writer for member in members) else "failing-over"

    def describe(self, two_writers: bool = False) -> dict[str, Any]:
        """A DBCluster of the API, read from the members now."""
        members = self.members.list()
        shown = {member.name for member in members if member.writer}
        if two_writers and self._old_writer:
            shown.add(self._old_writer)
        return {
            "DBClusterIdentifier": self.identifier,
            "DBClusterArn": self.arn,
            "DbClusterResourceId": f"cluster-{self.identifier.upper()}",
            "Status": self.shown_status(members),
            "Engine": self.engine,
            "EngineVersion": self.version,
            "EngineMode": "provisioned",
            "Endpoint": self.endpoint,
            "ReaderEndpoint": self.reader,
            "Port": self.port,
            "MultiAZ": len({member.zone for member in members}) > 1,
            "DatabaseName": "app",
            "MasterUsername": "postgres",
            "ClusterCreateTime": self.created,
            "AvailabilityZones": sorted({member.zone for member in members}),
            "GlobalClusterIdentifier": self.global_identifier or "",
            "DBClusterMembers": [
                {
                    "DBInstanceIdentifier": member.name,
                    "IsClusterWriter": member.name in shown,
                    "DBClusterParameterGroupStatus": "in-sync",
                    "PromotionTier": member.tier,
                }
                for member in members
            ],
            "TagList": [{"Key": key, "Value": value} for key, value in self.tags.items()],
        }

    def describe_instance(self, member: Member) -> dict[str, Any]:
        return {
            "DBInstanceIdentifier": member.name,
            "DBInstanceArn": self.instance_arn(member.name),
            "DbiResourceId": f"db-{member.name.upper()}",
            "DBInstanceClass": "db.r6g.large",
            "DBInstanceStatus": member.status,
            "DBClusterIdentifier": self.identifier,
            "Engine": self.engine,
            "EngineVersion": self.version,
            "AvailabilityZone": member.zone,
            "MultiAZ": False,
            "Endpoint": {"Address": member.host, "Port": member.port},
            "PromotionTier": member.tier,
            "InstanceCreateTime": self.created,
            "TagList": [{"Key": key, "Value": value} for key, value in self.tags.items()],
        }

    def event(self, events: Events, message: str, categories: list[str]) -> None:
        events.add(self.region, "db-cluster", self.identifier, self.arn, message, categories)

    def instance_event(self, events: Events, name: str, message: str, categories: list[str]) -> None:
        events.add(self.region, "db-instance", name, self.instance_arn(name), message, categories)

    def claim(self, status: str | None = None) -> list[Member]:
        """Takes the cluster for one operation, or refuses as AWS does. The status may come later: see `notice`."""
        members = self.members.list()
        shown = self.shown_status(members)
        with self._lock:
            if self._busy or shown != "available":
                raise invalid_state(self.identifier, shown if shown != "available" else "failing-over")
            self._busy = True
            self.status = status
        return members

    def release(self, status: str | None = None) -> None:
        with self._lock:
            self._busy = False
            self.status = status

    def told(self, writer: str) -> bool:
        """Whether this writer came by an operation of ours, which leaves its events itself. Asked once for a change."""
        with self._lock:
            ours = self._promoted == writer
            if ours:
                self._promoted = None
            return ours or self._busy

    def choose(self, members: list[Member], target: str | None, wrong: bool) -> tuple[Member, Member]:
        """The writer, and the reader that is to follow it."""
        writer = next((member for member in members if member.writer), None)
        readers = [member for member in members if not member.writer]
        if writer is None or not self.writable or not readers:
            text = f"Cannot failover cluster {self.identifier}: it has no reader that could become the writer."
            raise AWSError("InvalidDBClusterStateFault", text)
        if target and target not in {member.name for member in members}:
            text = f"DBInstance {target} is not a member of cluster {self.identifier}."
            raise AWSError("InvalidParameterValue", text)
        if target == writer.name:
            raise AWSError("InvalidDBClusterStateFault", f"DB instance {target} is already the writer of its cluster.")
        healthy = [reader for reader in readers if reader.status == "available"]
        healthy.sort(key=lambda reader: (not reader.synchronous, reader.tier, reader.name))
        if target:
            chosen = [reader for reader in healthy if (reader.name == target) != wrong]
            if not chosen:
                raise AWSError("InvalidDBInstanceState", f"DB instance {target} is not in available state.")
            return writer, chosen[0]
        if not healthy:
            raise AWSError("InvalidDBInstanceState", "No DB instance of the cluster is in available state.")
        return writer, healthy[0]

    def fail_over(self, target: str | None, settings: Settings, events: Events) -> dict[str, Any]:
        """Accepts a failover and answers with the cluster as it was; a thread carries it out."""
        mode = settings["aurora-failover"]
        members = self.claim()
        try:
            writer, candidate = self.choose(members, target, mode == "wrong-target")
        except AWSError:
            self.release()
            raise
        before = self.describe()
        if mode == "never":
            self.release()
            return before
        arguments = (writer, candidate, mode == "refused", settings, events)
        threading.Thread(
            target=self._carry_out, args=arguments, name=f"failover {self.identifier}", daemon=True
        ).start()
        return before

    def _carry_out(self, writer: Member, candidate: Member, refuse: bool, settings: Settings, events: Events) -> None:
        same_zone = writer.zone == candidate.zone
        notice = settings["failover-notice"]
        time.sleep(notice)
        self.status = "failing-over"
        self._old_writer = writer.name
        self._promoted = candidate.name
        self.event(events, sentences.started(same_zone, candidate.name), sentences.FAILOVER)
        try:
            if refuse:
                time.sleep(settings["failover"] / 2)
                raise Refused("the setting aurora-failover is refused")
            seconds = settings["failover"] - notice if self.scripted else settings["failover-timeout"]
            self.instance_event(events, writer.name, "DB instance shutdown", ["availability"])
            self.members.promote(writer.name, candidate.name, max(seconds, 0.0))
        except Refused as problem:
            print(f"failover of {self.identifier}: {problem}", file=sys.stderr, flush=True)
            self.event(events, sentences.FAILED, sentences.FAILOVER)
        else:
            promoted = "A new writer was promoted. Restarting database as a reader."
            self.instance_event(events, writer.name, promoted, ["availability"])
            self.instance_event(events, writer.name, "DB instance restarted", ["availability"])
            self.event(events, sentences.completed(candidate.name), sentences.FAILOVER)
        finally:
            self._old_writer = writer.name if settings["two-writers"] else None
            self.release()

    @property
    def scripted(self) -> bool:
        return hasattr(self.members, "set_status")
