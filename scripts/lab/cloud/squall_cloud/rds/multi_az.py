"""A database instance with a standby in another zone: what RebootDBInstance with ForceFailover is for."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from ..errors import AWSError
from ..schedule import Schedule
from ..services import ACCOUNT
from ..settings import Settings
from .events import Events


@dataclass
class MultiAZInstance:
    """Scripted: its zones change places, its endpoint stays."""

    identifier: str
    region: str
    zone: str
    standby_zone: str
    created: datetime
    status: str = "available"
    tags: dict[str, str] = field(default_factory=dict)

    @property
    def arn(self) -> str:
        return f"arn:aws:rds:{self.region}:{ACCOUNT}:db:{self.identifier}"

    def describe(self) -> dict[str, Any]:
        return {
            "DBInstanceIdentifier": self.identifier,
            "DBInstanceArn": self.arn,
            "DBInstanceClass": "db.m6g.large",
            "DBInstanceStatus": self.status,
            "Engine": "postgres",
            "EngineVersion": "15.4",
            "AvailabilityZone": self.zone,
            "SecondaryAvailabilityZone": self.standby_zone,
            "MultiAZ": True,
            "Endpoint": {"Address": f"{self.identifier}.lab.{self.region}.rds.squall.test", "Port": 5432},
            "InstanceCreateTime": self.created,
            "TagList": [{"Key": key, "Value": value} for key, value in self.tags.items()],
        }

    def _event(self, events: Events, message: str, category: str) -> None:
        events.add(self.region, "db-instance", self.identifier, self.arn, message, [category])

    def reboot(self, forced: bool, settings: Settings, schedule: Schedule, events: Events) -> dict[str, Any]:
        """RDS-EVENT-0013 and 0049 with a failover, 0006 in any case."""
        if self.status != "available":
            text = f"Database instance {self.identifier} is in {self.status} state. It must be in available state."
            raise AWSError("InvalidDBInstanceState", text)
        self.status = "rebooting"
        if forced:
            self._event(events, "Multi-AZ instance failover started.", "failover")

        def swap() -> None:
            if forced:
                self.zone, self.standby_zone = self.standby_zone, self.zone
            self._event(events, "DB instance restarted", "availability")

        def finish() -> None:
            self.status = "available"
            if forced:
                self._event(events, "Multi-AZ instance failover completed", "failover")

        seconds = settings["cluster"]
        schedule.steps((seconds * 0.6, swap), (seconds, finish))
        return self.describe()
