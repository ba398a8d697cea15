"""One world: all services and what they hold. A reset throws it away and makes the next."""

from __future__ import annotations

from typing import Any

from moto.core.base_backend import BackendDict

from . import aurora, credentials, landscape, motobridge
from .aurora import Nodes
from .clock import Clock
from .dns.names import Names
from .ec2 import EC2
from .ecs import ECS
from .elasticache import ElastiCache, ReplicationGroup, Shard
from .fis.engine import Engine
from .fis.operations import FIS
from .gate import Call, Handler
from .network import Network
from .rds.events import Events
from .rds.operations import RDS
from .rds.watcher import Watcher
from .route53 import Route53
from .routing_control import CONTROLS, PANEL, SAFETY_RULE, RoutingControl
from .schedule import Schedule
from .services import ACCOUNT, REGIONS, SERVICES
from .settings import Settings
from .simulation import IAM
from .ssm import SSM
from .sts import STS
from .tagging import Tagging
from .wire import Request
from .zonal_shift import LOAD_BALANCER, ZONES, ZonalShift


class World:
    """The services' state, and the handlers over it."""

    def __init__(self, clock: Clock, settings: Settings, schedule: Schedule, nodes: Nodes) -> None:
        schedule.clear()
        with motobridge.lock:
            for backends in list(BackendDict._instances):
                for account in list(backends.values()):
                    account.reset()
        self.rds = RDS(settings, schedule, Events(clock))
        self.elasticache = ElastiCache(clock, settings, schedule)
        self.route53 = Route53(clock, settings, schedule)
        tagging = Tagging(self.rds, self.elasticache)
        engine = Engine(clock, settings, self.invoke)
        services: dict[str, Any] = {
            "rds": self.rds,
            "elasticache": self.elasticache,
            "ec2": EC2(settings, schedule),
            "ec2 network": Network(),
            "ecs": ECS(clock, settings, schedule),
            "ssm": SSM(clock, settings, schedule),
            "route53": self.route53,
            "arc-zonal-shift": ZonalShift(clock),
            "route53-recovery-cluster": RoutingControl(),
            "tagging": tagging,
            "fis": FIS(clock, engine, tagging),
            "sts": STS(),
            "iam": IAM(),
        }
        self.handlers: dict[tuple[str, str], Handler] = {
            (name.partition(" ")[0], operation): handler
            for name, service in services.items()
            for operation, handler in service.handlers().items()
        }
        self.tags_of = tagging.tags_of
        self._watchers: list[Watcher] = []
        self.names = Names(self.rds, self.route53)
        self.description = self._create(clock, nodes)

    def invoke(self, signing: str, operation: str, region: str, parameters: dict[str, Any]) -> dict[str, Any]:
        """Calls one of our own operations from inside, without a signature."""
        request = Request("POST", "/", [], b"", "127.0.0.1")
        answer = self.handlers[signing, operation](
            Call(SERVICES[signing], operation, region, parameters, request, None)
        )
        assert isinstance(answer, dict)
        return answer

    def _create(self, clock: Clock, nodes: Nodes) -> dict[str, Any]:
        described = {
            "account": ACCOUNT,
            "regions": list(REGIONS),
            "access-key": credentials.ACCESS_KEY,
            "secret-key": credentials.SECRET,
            "powerless-access-key": credentials.POWERLESS_ACCESS_KEY,
            "powerless-secret-key": credentials.POWERLESS_SECRET,
            "iam": credentials.create(),
            **landscape.create(),
            "rds": aurora.create(self.rds, nodes, clock.now()),
            "elasticache": self._caches(clock),
            "zonal-shift": {"resource": LOAD_BALANCER, "zones": ZONES},
            "routing-control": {"panel": PANEL, "controls": CONTROLS, "safety-rule": SAFETY_RULE},
        }
        zone, check = described["route53"]["hosted-zone"], described["route53"]["health-check"]
        batch = {"HostedZoneId": zone, "ChangeBatch": {"Changes": landscape.records(check)}}
        self.invoke("route53", "ChangeResourceRecordSets", "us-east-1", batch)
        self.route53.publish()
        real = [cluster for cluster in self.rds.clusters if not cluster.scripted]
        self._watchers = [Watcher(cluster, self.rds.events) for cluster in real]
        return described

    def close(self) -> None:
        """Ends what would go on in the background."""
        for watcher in self._watchers:
            watcher.stop()

    def _caches(self, clock: Clock) -> dict[str, Any]:
        zones = ["us-east-1a", "us-east-1b", "us-east-1c"]
        nodes = [f"cache-{number:03}" for number in (1, 2, 3)]
        tags = {"squall.role": "cache", "chaos": "true"}
        plain = ReplicationGroup("cache", "us-east-1", [Shard("0001", nodes, nodes[0])], zones, clock.now(), tags=tags)
        shards = []
        for number, slots in ((1, "0-8191"), (2, "8192-16383")):
            members = [f"cache-sharded-{number:04}-{replica:03}" for replica in (1, 2)]
            shards.append(Shard(f"{number:04}", members, members[0], slots))
        sharded = ReplicationGroup("cache-sharded", "us-east-1", shards, zones, clock.now(), cluster_mode=True)
        fixed_nodes = ["cache-fixed-001", "cache-fixed-002"]
        fixed_shard = Shard("0001", fixed_nodes, fixed_nodes[0])
        fixed = ReplicationGroup(
            "cache-fixed", "us-east-1", [fixed_shard], zones, clock.now(), automatic_failover=False
        )
        self.elasticache.groups += [plain, sharded, fixed]
        return {
            "replication-group": "cache",
            "node-group": "0001",
            "nodes": nodes,
            "sharded": "cache-sharded",
            "without-automatic-failover": "cache-fixed",
        }
