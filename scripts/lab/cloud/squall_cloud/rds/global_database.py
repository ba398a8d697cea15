"""An Aurora global database: two clusters in two regions, one of which writes, and the two ways to change which."""

from __future__ import annotations

import threading
import time
from typing import Any

from ..errors import AWSError
from ..services import ACCOUNT
from ..settings import Settings
from .cluster import Cluster, invalid_state
from .events import GLOBAL_FAILOVER, Events


class GlobalDatabase:
    """`clusters` are its members; the one that is writable is the primary. Scripted: no data moves."""

    def __init__(self, identifier: str, clusters: list[Cluster]) -> None:
        self.identifier = identifier
        self.clusters = clusters
        self.status = "available"
        self._failover: dict[str, Any] | None = None
        self._resyncing: set[str] = set()
        self._lock = threading.Lock()

    @property
    def arn(self) -> str:
        return f"arn:aws:rds::{ACCOUNT}:global-cluster:{self.identifier}"

    @property
    def primary(self) -> Cluster:
        return next(cluster for cluster in self.clusters if cluster.writable)

    @property
    def endpoint(self) -> str:
        return f"{self.identifier}.global-lab.global.rds.squall.test"

    def describe(self) -> dict[str, Any]:
        """A GlobalCluster of the API."""
        primary = self.primary
        members = []
        for cluster in self.clusters:
            member: dict[str, Any] = {
                "DBClusterArn": cluster.arn,
                "IsWriter": cluster is primary,
                "Readers": [other.arn for other in self.clusters if other is not primary] if cluster is primary else [],
                "GlobalWriteForwardingStatus": "disabled",
            }
            if cluster is not primary:
                resyncing = cluster.identifier in self._resyncing
                member["SynchronizationStatus"] = "pending-resync" if resyncing else "connected"
            members.append(member)
        described = {
            "GlobalClusterIdentifier": self.identifier,
            "GlobalClusterResourceId": "cluster-squallglobal0001",
            "GlobalClusterArn": self.arn,
            "Status": self.status,
            "Engine": primary.engine,
            "EngineVersion": primary.version,
            "StorageEncrypted": False,
            "DeletionProtection": False,
            "GlobalClusterMembers": members,
            "Endpoint": self.endpoint,
            "TagList": [],
        }
        if self._failover:
            described["FailoverState"] = self._failover
        return described

    def _target(self, identifier: str) -> Cluster:
        """The member that the call names by its ARN."""
        for cluster in self.clusters:
            if identifier in (cluster.arn, cluster.identifier):
                return cluster
        raise AWSError("DBClusterNotFoundFault", f"DBCluster {identifier} not found.", 404)

    def move(self, target: str, lossy: bool, settings: Settings, events: Events) -> dict[str, Any]:
        """Accepts a switchover, or with `lossy` a failover, and answers with the database as it is then."""
        cluster = self._target(target)
        with self._lock:
            if self.status != "available":
                text = f"Global cluster {self.identifier} is in {self.status} state. It must be in available state."
                raise AWSError("InvalidGlobalClusterStateFault", text)
            if cluster is self.primary:
                text = f"Cluster {cluster.arn} is already the primary cluster of global cluster {self.identifier}."
                raise AWSError("InvalidDBClusterStateFault", text)
            if cluster.shown_status(cluster.members.list()) != "available":
                raise invalid_state(cluster.identifier, cluster.status or "failing-over")
            if settings["global-switchover"] == "never":
                return self.describe()
            self.status = "failing-over" if lossy else "switching-over"
            self._failover = {
                "Status": "pending",
                "FromDbClusterArn": self.primary.arn,
                "ToDbClusterArn": cluster.arn,
                "IsDataLossAllowed": lossy,
            }
            accepted = self.describe()
        run = self._fail_over if lossy else self._switch_over
        threading.Thread(target=run, args=(self.primary, cluster, settings, events), daemon=True).start()
        return accepted

    def _event(self, events: Events, region: str, message: str) -> None:
        events.add(region, "global-cluster", self.identifier, self.arn, message, GLOBAL_FAILOVER)

    def _both(self, events: Events, message: str) -> None:
        for cluster in self.clusters:
            cluster.event(events, message, GLOBAL_FAILOVER)

    def _switch_over(self, old: Cluster, new: Cluster, settings: Settings, events: Events) -> None:
        """RDS-EVENT-0181 to 0185."""
        seconds = settings["global-failover"]
        self._both(events, f"Global switchover to DB cluster {new.identifier} in Region {new.region} started.")
        time.sleep(seconds * 0.2)
        self._set("switching-over", old, new, old_status="switching-over", new_status="switching-over")
        text = f"Old primary DB cluster {old.identifier} in Region {old.region} successfully shut down."
        old.event(events, text, GLOBAL_FAILOVER)
        time.sleep(seconds * 0.2)
        self._both(events, "Waiting for data synchronization across global cluster members.")
        time.sleep(seconds * 0.2)
        self._promote(old, new)
        text = f"New primary DB cluster {new.identifier} in Region {new.region} was successfully promoted."
        new.event(events, text, GLOBAL_FAILOVER)
        time.sleep(seconds * 0.4)
        self._finish(old, new)
        self._both(events, f"Global switchover to DB cluster {new.identifier} in Region {new.region} finished.")
        self._moved(new, events)

    def _fail_over(self, old: Cluster, new: Cluster, settings: Settings, events: Events) -> None:
        """RDS-EVENT-0238, 0240 and 0241: the old primary is resynchronised after the new one serves."""
        seconds = settings["global-failover"]
        time.sleep(seconds * 0.1)
        self._set("failing-over", old, new, old_status=None, new_status="failing-over")
        time.sleep(seconds * 0.4)
        self._resyncing.add(old.identifier)
        self._promote(old, new)
        time.sleep(seconds * 0.2)
        self._finish(old, new)
        text = f"Global failover to DB cluster {new.identifier} in Region {new.region} completed."
        new.event(events, text, GLOBAL_FAILOVER)
        self._moved(new, events)
        old.event(
            events, f"DB cluster {old.identifier} in Region {old.region} resynchronization started.", GLOBAL_FAILOVER
        )
        time.sleep(seconds * 0.3)
        self._resyncing.discard(old.identifier)
        old.event(
            events, f"DB cluster {old.identifier} in Region {old.region} resynchronization finished.", GLOBAL_FAILOVER
        )

    def _set(self, state: str, old: Cluster, new: Cluster, old_status: str | None, new_status: str | None) -> None:
        with self._lock:
            # The model's enumeration lacks `switching-over`, which the API answers all the same.
            self._failover = {**(self._failover or {}), "Status": state}
            old.status, new.status = old_status, new_status

    def _promote(self, old: Cluster, new: Cluster) -> None:
        with self._lock:
            old.writable, new.writable = False, True

    def _finish(self, old: Cluster, new: Cluster) -> None:
        with self._lock:
            self.status = "available"
            self._failover = None
            old.status = new.status = None

    def _moved(self, new: Cluster, events: Events) -> None:
        """RDS-EVENT-0397."""
        new.event(events, "Aurora finished changing the DNS entry of the global writer endpoint.", GLOBAL_FAILOVER)
