"""The world's Aurora: cluster `app` (the lab's Patroni nodes where they run), a global pair, a Multi-AZ instance."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from .rds.cluster import Cluster
from .rds.global_database import GlobalDatabase
from .rds.members import Member, ScriptedMembers
from .rds.multi_az import MultiAZInstance
from .rds.operations import RDS
from .rds.patroni import PatroniMembers

GLOBAL = "squall-global"
TAGS = {"squall.role": "database", "chaos": "true"}


@dataclass
class Nodes:
    """Where the cluster `app` comes from. Without Patroni's addresses it is scripted."""

    patroni: list[str] = field(default_factory=list)
    # Where SQL clients reach each node, the writer's endpoint, and the readers' one.
    nodes: list[tuple[str, int]] = field(default_factory=list)
    writer: tuple[str, int] | None = None
    reader: tuple[str, int] | None = None


def _zones(region: str) -> list[str]:
    return [region + letter for letter in "abc"]


def scripted(region: str, names: list[str], network: int) -> ScriptedMembers:
    """Instances with an address each from the loopback range, so that a moved endpoint shows in a name's answer."""
    back = f"lab.{region}.rds.squall.test"
    zones = _zones(region)
    return ScriptedMembers(
        [
            Member(name, zones[index % 3], f"{name}.{back}", 5432, f"127.0.{network}.{index + 1}", writer=index == 0)
            for index, name in enumerate(names)
        ]
    )


def _app(nodes: Nodes, created: datetime) -> Cluster:
    region = "us-east-1"
    back = f"{region}.rds.squall.test"
    writer = nodes.writer or (f"app.cluster-lab.{back}", 5432)
    reader = nodes.reader or (f"app.cluster-ro-lab.{back}", 5432)
    members: Any = scripted(region, ["pg-1", "pg-2", "pg-3"], 1)
    if nodes.patroni:
        published = nodes.nodes or [(f"pg-{index + 1}.lab.{back}", 5432) for index in range(len(nodes.patroni))]
        members = PatroniMembers(nodes.patroni, _zones(region), published)
    return Cluster("app", region, members, writer[0], reader[0], writer[1], created, tags=TAGS)


def _half(identifier: str, region: str, network: int, created: datetime, writable: bool) -> Cluster:
    members = scripted(region, [f"{identifier}-1", f"{identifier}-2"], network)
    back = f"{region}.rds.squall.test"
    endpoints = (f"{identifier}.cluster-lab.{back}", f"{identifier}.cluster-ro-lab.{back}")
    return Cluster(identifier, region, members, *endpoints, 5432, created, global_identifier=GLOBAL, writable=writable)


def create(rds: RDS, nodes: Nodes, created: datetime) -> dict[str, Any]:
    """Puts them into RDS; what a test needs to find them."""
    app = _app(nodes, created)
    east = _half("squall-global-east", "us-east-1", 3, created, writable=True)
    west = _half("squall-global-west", "us-west-2", 4, created, writable=False)
    ledger = MultiAZInstance("ledger", "us-east-1", "us-east-1a", "us-east-1b", created, tags=TAGS)
    rds.clusters += [app, east, west]
    rds.databases.append(GlobalDatabase(GLOBAL, [east, west]))
    rds.instances.append(ledger)
    return {
        "cluster": {
            "id": app.identifier,
            "arn": app.arn,
            "real": bool(nodes.patroni),
            "instances": ["pg-1", "pg-2", "pg-3"],
        },
        "endpoints": {
            "writer": f"{app.endpoint}:{app.port}",
            "reader": f"{app.reader}:{app.port}",
            "writer-name": "app.cluster-lab.us-east-1.rds.squall.test",
            "reader-name": "app.cluster-ro-lab.us-east-1.rds.squall.test",
        },
        "global-cluster": {
            "id": GLOBAL,
            "primary-arn": east.arn,
            "secondary-arn": west.arn,
            "endpoint": rds.databases[0].endpoint,
        },
        "multi-az-instance": ledger.identifier,
    }
