"""Resources by tag, over ours and moto's: what targets are selected by. Moto's own knows nothing of ours."""

from __future__ import annotations

from typing import Any

from moto.ecs.models import ecs_backends

from .ec2 import instances
from .elasticache import ElastiCache
from .errors import AWSError
from .gate import Call
from .rds.operations import RDS
from .services import ACCOUNT, REGIONS

Tagged = list[tuple[str, dict[str, str]]]


class Tagging:
    """GetResources, and the tags of one resource for the rights of a call."""

    def __init__(self, rds: RDS, elasticache: ElastiCache) -> None:
        self._rds = rds
        self._elasticache = elasticache

    def handlers(self) -> dict[str, Any]:
        return {"GetResources": self.get_resources}

    def all(self, region: str) -> Tagged:
        found: Tagged = []
        for cluster in self._rds.clusters:
            if cluster.region == region:
                found.append((cluster.arn, cluster.tags))
                found += [(cluster.instance_arn(member.name), cluster.tags) for member in cluster.members.list()]
        found += [(one.arn, one.tags) for one in self._rds.instances if one.region == region]
        found += [(one.arn, one.tags) for one in self._elasticache.groups if one.region == region]
        for instance in instances(region):
            tags = {tag["key"]: tag["value"] for tag in instance.get_tags()}
            found.append((f"arn:aws:ec2:{region}:{ACCOUNT}:instance/{instance.id}", tags))
        for tasks in ecs_backends[ACCOUNT][region].tasks.values():
            found += [(task.task_arn, {tag["key"]: tag["value"] for tag in task.tags or []}) for task in tasks.values()]
        return found

    def tags_of(self, arn: str) -> dict[str, str]:
        parts = arn.split(":")
        if len(parts) < 4 or parts[3] not in REGIONS:
            return {}
        return next((tags for known, tags in self.all(parts[3]) if known == arn), {})

    @staticmethod
    def _type_matches(arn: str, wanted: str) -> bool:
        """`ec2:instance`, `rds:cluster`, or a service alone."""
        service, _, kind = wanted.partition(":")
        parts = arn.split(":", 5)
        return parts[2] == service and (not kind or parts[5].replace("/", ":").split(":")[0] == kind)

    def get_resources(self, call: Call) -> dict[str, Any]:
        filters, kinds = call.get("TagFilters") or [], call.get("ResourceTypeFilters") or []
        arns = call.get("ResourceARNList") or []
        if arns and (filters or kinds):
            text = "ResourceARNList and filters cannot be used together."
            raise AWSError("InvalidParameterException", text)

        def matches(arn: str, tags: dict[str, str]) -> bool:
            if arns:
                return arn in arns
            if kinds and not any(self._type_matches(arn, kind) for kind in kinds):
                return False
            return bool(tags) and all(
                one["Key"] in tags and (not one.get("Values") or tags[one["Key"]] in one["Values"]) for one in filters
            )

        found = [(arn, tags) for arn, tags in self.all(call.region) if matches(arn, tags)]
        size, first = int(call.get("ResourcesPerPage") or 100), int(call.get("PaginationToken") or 0)
        page = found[first : first + size]
        return {
            "PaginationToken": str(first + size) if first + size < len(found) else "",
            "ResourceTagMappingList": [
                {"ResourceARN": arn, "Tags": [{"Key": key, "Value": value} for key, value in tags.items()]}
                for arn, tags in page
            ],
        }
