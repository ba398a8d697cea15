"""RDS's operations over our clusters; whatever they do not know is asked of moto."""

from __future__ import annotations

import sys
import threading
import time
from typing import Any

from moto.rds.models import rds_backends

from .. import motobridge
from ..errors import AWSError
from ..gate import Call
from ..schedule import Schedule
from ..services import ACCOUNT
from ..settings import Settings
from .cluster import Cluster, gone, invalid_state
from .events import FAILOVER, Events, completed, started
from .global_database import GlobalDatabase
from .members import Member, Refused
from .multi_az import MultiAZInstance


def plain(identifier: str) -> str:
    """RDS's identifiers know no case, and an ARN does as well as its last part."""
    return identifier.lower().rpartition(":")[2]


class RDS:
    """The world's clusters and what may be done to them."""

    def __init__(self, settings: Settings, schedule: Schedule, events: Events) -> None:
        self._settings = settings
        self._schedule = schedule
        self.events = events
        self.clusters: list[Cluster] = []
        self.databases: list[GlobalDatabase] = []
        self.instances: list[MultiAZInstance] = []

    def handlers(self) -> dict[str, Any]:
        return {
            "DescribeDBClusters": self.describe_clusters,
            "DescribeDBInstances": self.describe_instances,
            "DescribeGlobalClusters": self.describe_global_clusters,
            "DescribeEvents": lambda call: self.events.describe(call.region, call.parameters),
            "FailoverDBCluster": self.failover_cluster,
            "RebootDBInstance": self.reboot_instance,
            "RebootDBCluster": lambda call: self.change_cluster(call, "available", "rebooting", "available"),
            "StopDBCluster": lambda call: self.change_cluster(call, "available", "stopping", "stopped"),
            "StartDBCluster": lambda call: self.change_cluster(call, "stopped", "starting", "available"),
            "SwitchoverGlobalCluster": lambda call: self.move(call, lossy=False),
            "FailoverGlobalCluster": self.failover_global_cluster,
        }

    def find(self, identifier: str, region: str) -> Cluster | None:
        name = plain(identifier)
        return next((one for one in self.clusters if one.identifier == name and one.region == region), None)

    def _filtered(self, call: Call, name: str) -> set[str]:
        """The values of one filter, without their ARNs' fronts."""
        found = [item for item in call.get("Filters") or [] if item["Name"] == name]
        return {plain(value) for item in found for value in item["Values"]}

    def describe_clusters(self, call: Call) -> dict[str, Any]:
        two = self._settings["two-writers"]
        identifier = call.get("DBClusterIdentifier")
        if identifier and (cluster := self.find(identifier, call.region)):
            return {"DBClusters": [cluster.describe(two)]}
        wanted = self._filtered(call, "db-cluster-id")
        if wanted and identifier is None:
            ours = [one for one in self.clusters if one.region == call.region and one.identifier in wanted]
            if len(ours) == len(wanted):
                return {"DBClusters": [one.describe(two) for one in ours]}
        page = motobridge.call("rds", "DescribeDBClusters", call.region, **call.parameters)
        if not identifier:
            ours = [
                one for one in self.clusters if one.region == call.region and (not wanted or one.identifier in wanted)
            ]
            page["DBClusters"] = [one.describe(two) for one in ours] + page.get("DBClusters", [])
        return page

    def _members(self, region: str) -> list[tuple[Cluster, Member]]:
        return [(one, member) for one in self.clusters if one.region == region for member in one.members.list()]

    def describe_instances(self, call: Call) -> dict[str, Any]:
        identifier = call.get("DBInstanceIdentifier")
        clusters = self._filtered(call, "db-cluster-id")
        names = self._filtered(call, "db-instance-id") | ({plain(identifier)} if identifier else set())
        found = [
            cluster.describe_instance(member)
            for cluster, member in self._members(call.region)
            if (not names or member.name in names) and (not clusters or cluster.identifier in clusters)
        ]
        singles = [one for one in self.instances if one.region == call.region and not clusters]
        found += [one.describe() for one in singles if not names or one.identifier in names]
        if found and (identifier or names or clusters):
            return {"DBInstances": found}
        page = motobridge.call("rds", "DescribeDBInstances", call.region, **call.parameters)
        page["DBInstances"] = found + page.get("DBInstances", [])
        return page

    def failover_cluster(self, call: Call) -> dict[str, Any]:
        identifier = call["DBClusterIdentifier"]
        target = call.get("TargetDBInstanceIdentifier")
        if cluster := self.find(identifier, call.region):
            return {"DBCluster": cluster.fail_over(plain(target) if target else None, self._settings, self.events)}
        return self._failover_of_moto(call, plain(identifier), target)

    def _failover_of_moto(self, call: Call, name: str, target: str | None) -> dict[str, Any]:
        """Moto changes the writer at once, whatever the state, and takes a target of another cluster."""
        with motobridge.lock:
            backend = rds_backends[ACCOUNT][call.region]
            cluster = backend.clusters.get(name)
            if cluster is None:
                raise gone(call["DBClusterIdentifier"])
            if cluster.status != "available":
                raise invalid_state(name, cluster.status)
            described = motobridge.call("rds", "DescribeDBClusters", call.region, DBClusterIdentifier=name)[
                "DBClusters"
            ][0]
            members = described["DBClusterMembers"]
            readers = [one["DBInstanceIdentifier"] for one in members if not one["IsClusterWriter"]]
            if not readers:
                raise AWSError("InvalidDBClusterStateFault", f"Cannot failover cluster {name}: it has no reader.")
            chosen = plain(target) if target else readers[0]
            if chosen not in readers:
                raise AWSError("InvalidParameterValue", f"DBInstance {chosen} is no reader of cluster {name}.")
            if self._settings["aurora-failover"] == "never":
                return {"DBCluster": described}
            cluster.status = "failing-over"
        self._moto_event(call.region, name, started(False, chosen))
        seconds = self._settings["failover"]

        def promote() -> None:
            with motobridge.lock:
                backend.failover_db_cluster(name, chosen)
                cluster.status = "failing-over"

        def finish() -> None:
            cluster.status = "available"
            self._moto_event(call.region, name, completed(chosen))

        self._schedule.steps((seconds * 0.7, promote), (seconds, finish))
        return {"DBCluster": {**described, "Status": "available"}}

    def _moto_event(self, region: str, name: str, message: str) -> None:
        self.events.add(region, "db-cluster", name, f"arn:aws:rds:{region}:{ACCOUNT}:cluster:{name}", message, FAILOVER)

    def reboot_instance(self, call: Call) -> dict[str, Any]:
        name = plain(call["DBInstanceIdentifier"])
        forced = bool(call.get("ForceFailover"))
        for single in self.instances:
            if single.identifier == name and single.region == call.region:
                return {"DBInstance": single.reboot(forced, self._settings, self._schedule, self.events)}
        for cluster, member in self._members(call.region):
            if member.name == name:
                return {"DBInstance": self._restart(cluster, member, forced)}
        if forced:
            raise self._not_multi_az()
        answer = motobridge.call("rds", "RebootDBInstance", call.region, **call.parameters)
        instance = rds_backends[ACCOUNT][call.region].databases[name]
        instance.status = "rebooting"
        self._schedule.after(self._settings["cluster"], lambda: setattr(instance, "status", "available"))
        return {"DBInstance": {**answer["DBInstance"], "DBInstanceStatus": "rebooting"}}

    @staticmethod
    def _not_multi_az() -> AWSError:
        text = "Force failover cannot be specified since the instance is not configured for Multi-AZ."
        return AWSError("InvalidParameterCombination", text)

    def _restart(self, cluster: Cluster, member: Member, forced: bool) -> dict[str, Any]:
        if forced:
            # An instance of Aurora is not Multi-AZ by itself: its cluster fails over.
            raise self._not_multi_az()
        if member.status != "available":
            text = f"Database instance {member.name} is in {member.status} state. It must be in available state."
            raise AWSError("InvalidDBInstanceState", text)

        def run() -> None:
            cluster.instance_event(self.events, member.name, "DB instance shutdown", ["availability"])
            try:
                cluster.members.restart(member.name, self._settings["cluster"])
            except Refused as problem:
                print(f"restart of {member.name}: {problem}", file=sys.stderr, flush=True)
            cluster.instance_event(self.events, member.name, "DB instance restarted", ["availability"])

        threading.Thread(target=run, name=f"restart {member.name}", daemon=True).start()
        return {**cluster.describe_instance(member), "DBInstanceStatus": "rebooting"}

    def change_cluster(self, call: Call, needed: str, between: str, after: str) -> dict[str, Any]:
        """Stop, start and reboot: refused in any other state than the needed one."""
        identifier = call["DBClusterIdentifier"]
        if cluster := self.find(identifier, call.region):
            return {"DBCluster": self._change_ours(cluster, needed, between, after)}
        with motobridge.lock:
            cluster = rds_backends[ACCOUNT][call.region].clusters.get(plain(identifier))
            if cluster is None:
                raise gone(identifier)
            if cluster.status != needed:
                raise self._wrong_state(plain(identifier), cluster.status, needed)
            cluster.status = between
        self._schedule.after(self._settings["cluster"], lambda: setattr(cluster, "status", after))
        described = motobridge.call("rds", "DescribeDBClusters", call.region, DBClusterIdentifier=plain(identifier))
        return {"DBCluster": described["DBClusters"][0]}

    @staticmethod
    def _wrong_state(name: str, status: str, needed: str) -> AWSError:
        text = f"Db cluster {name} is in {status} state. It must be in {needed} state."
        return AWSError("InvalidDBClusterStateFault", text)

    def _change_ours(self, cluster: Cluster, needed: str, between: str, after: str) -> dict[str, Any]:
        """A cluster with real nodes only says so: its nodes go on, since other stacks of the lab use them."""
        if needed == "available":
            cluster.claim(between)
        elif cluster.status != needed:
            raise self._wrong_state(cluster.identifier, cluster.shown_status(cluster.members.list()), needed)
        else:
            cluster.status = between

        def run() -> None:
            if cluster.scripted:
                cluster.members.set_status(between)
            time.sleep(self._settings["cluster"])
            if cluster.scripted:
                cluster.members.set_status(after)
            cluster.release(None if after == "available" else after)

        threading.Thread(target=run, name=f"{between} {cluster.identifier}", daemon=True).start()
        return cluster.describe()

    def describe_global_clusters(self, call: Call) -> dict[str, Any]:
        identifier = call.get("GlobalClusterIdentifier")
        ours = [one for one in self.databases if call.region in {cluster.region for cluster in one.clusters}]
        if identifier:
            found = [one for one in ours if one.identifier == plain(identifier)]
            if not found:
                raise AWSError("GlobalClusterNotFoundFault", f"Global cluster {identifier} not found.", 404)
            ours = found
        return {"GlobalClusters": [one.describe() for one in ours]}

    def _database(self, call: Call) -> GlobalDatabase:
        identifier = plain(call["GlobalClusterIdentifier"])
        for database in self.databases:
            if database.identifier == identifier:
                return database
        raise AWSError("GlobalClusterNotFoundFault", f"Global cluster {identifier} not found.", 404)

    def move(self, call: Call, lossy: bool) -> dict[str, Any]:
        target = call["TargetDbClusterIdentifier"]
        return {"GlobalCluster": self._database(call).move(target, lossy, self._settings, self.events)}

    def failover_global_cluster(self, call: Call) -> dict[str, Any]:
        """With neither of the two parameters it is a switchover, as in AWS."""
        if call.get("AllowDataLoss") and call.get("Switchover"):
            text = "AllowDataLoss and Switchover parameters can't be specified together."
            raise AWSError("InvalidParameterCombination", text)
        return self.move(call, lossy=bool(call.get("AllowDataLoss")))
