"""Which services there are: signing name, botocore's model, and how a request is recognised as one of theirs."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from urllib.parse import parse_qsl, unquote

from moto.core.model import OperationModel, ServiceModel
from moto.core.utils import get_service_model

from .wire import Request

ACCOUNT = "123456789012"
REGIONS = ("us-east-1", "us-west-2")


@dataclass(frozen=True)
class Service:
    """One service. `signing` is its name in a credential scope, `model` the name of botocore's folder."""

    signing: str
    model: str
    # Has one endpoint for all regions; calls are signed for this one.
    home: str | None = None
    # The actions' prefix in IAM policies, where it is not the signing name.
    iam: str | None = None

    @property
    def prefix(self) -> str:
        return self.iam or self.signing


SERVICES = {
    service.signing: service
    for service in (
        Service("rds", "rds"),
        Service("elasticache", "elasticache"),
        Service("ec2", "ec2"),
        Service("route53", "route53", home="us-east-1"),
        Service("arc-zonal-shift", "arc-zonal-shift"),
        Service("route53-recovery-cluster", "route53-recovery-cluster"),
        Service("ecs", "ecs"),
        Service("fis", "fis"),
        Service("monitoring", "cloudwatch", iam="cloudwatch"),
        Service("sts", "sts"),
        Service("iam", "iam", home="us-east-1"),
        Service("ssm", "ssm"),
        Service("tagging", "resourcegroupstaggingapi", iam="tag"),
    )
}

# What a request shows of its service apart from its signature: a signature for another service is refused, as by AWS.
_BY_VERSION = {
    "2014-10-31": "rds",
    "2015-02-02": "elasticache",
    "2016-11-15": "ec2",
    "2011-06-15": "sts",
    "2010-05-08": "iam",
    "2010-08-01": "monitoring",
}
_BY_TARGET = {
    "AmazonEC2ContainerServiceV20141113": "ecs",
    "AmazonSSM": "ssm",
    "GraniteServiceVersion20100801": "monitoring",
    "ToggleCustomerAPI": "route53-recovery-cluster",
    "ResourceGroupsTaggingAPI_20170126": "tagging",
}
_BY_PATH = (
    (re.compile(r"/2013-04-01/"), "route53"),
    (re.compile(r"/service/GraniteServiceVersion20100801/"), "monitoring"),
    (re.compile(r"/(zonalshifts|managedresources|configuration|autoshifts)\b"), "arc-zonal-shift"),
    (re.compile(r"/(experiments|experimentTemplates|actions|targetResourceTypes|safetyLevers)\b"), "fis"),
)


@cache
def model(service: Service) -> ServiceModel:
    """Botocore's description of the service: its operations, shapes and errors."""
    return get_service_model(service.model)


def form(request: Request) -> dict[str, str]:
    """The parameters of a query protocol's call, from the body or, for a GET, from the address."""
    if request.header("content-type").startswith("application/x-www-form-urlencoded") and request.body:
        return dict(parse_qsl(request.body.decode("utf-8", "replace"), keep_blank_values=True))
    return dict(parse_qsl(request.query, keep_blank_values=True))


def apparent(request: Request) -> str | None:
    """The signing name of the service that the request itself looks like, whatever it is signed for."""
    target = request.header("x-amz-target")
    if target:
        return _BY_TARGET.get(target.rpartition(".")[0])
    for pattern, name in _BY_PATH:
        if pattern.match(request.path):
            return name
    return _BY_VERSION.get(form(request).get("Version", ""))


@cache
def _routes(service: Service) -> list[tuple[str, re.Pattern[str], str]]:
    """Method, path pattern and operation of a REST service, the most literal patterns first."""
    routes = []
    for name in model(service).operation_names:
        http = model(service).operation_model(name).http
        path = http["requestUri"].partition("?")[0]
        pattern = "".join(
            f"(?P<{part[1:-1].rstrip('+')}>.+?)" if part.startswith("{") else re.escape(part)
            for part in re.split(r"(\{[^}]*\})", path.rstrip("/"))
        )
        literal = len(re.sub(r"\{[^}]*\}", "", path))
        routes.append((literal, http["method"], re.compile(pattern + "/?"), name))
    return [route[1:] for route in sorted(routes, key=lambda route: -route[0])]


def operation_of(service: Service, request: Request) -> tuple[str | None, dict[str, str]]:
    """The operation's name, and what its path says (ARNs decoded). None if the service has no such operation."""
    protocol = model(service).metadata["protocol"]
    if request.path.startswith("/service/"):
        return request.path.rpartition("/")[2], {}
    if target := request.header("x-amz-target"):
        return target.rpartition(".")[2], {}
    if not protocol.startswith("rest-"):
        return form(request).get("Action"), {}
    # Over the raw path: an ARN in it holds encoded slashes.
    for method, pattern, name in _routes(service):
        if method == request.method and (match := pattern.fullmatch(request.raw_path)):
            return name, {key: unquote(value) for key, value in match.groupdict().items()}
    return None, {}


def protocol_of(service: Service | None, request: Request) -> str:
    """How this client speaks; CloudWatch is spoken to in three ways."""
    if request.header("smithy-protocol") == "rpc-v2-cbor":
        return "smithy-rpc-v2-cbor"
    if request.header("x-amz-target"):
        return "json"
    declared = model(service).metadata["protocol"] if service else "query"
    if declared in ("json", "smithy-rpc-v2-cbor"):
        return "query" if form(request).get("Action") else "json"
    return declared


def operation_model(service: Service, name: str) -> OperationModel | None:
    return model(service).operation_model(name) if name in model(service).operation_names else None
