"""The lab's levers: errors, delays, half answers and lost ones, exactly as often as they were asked for."""

from __future__ import annotations

import http.client
import time
import urllib.error
import urllib.request
from typing import Any
from urllib.parse import urlsplit

from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

from .harness import Cloud, Failed


def _count(cloud: Cloud, action: str) -> int:
    return len(cloud.lab("GET", f"calls?action={action}"))


def an_error_comes_as_often_as_asked(cloud: Cloud) -> None:
    rds = cloud.client("rds")
    rule = {
        "action": "rds:DescribeDBClusters",
        "code": "Throttling",
        "status": 400,
        "times": 2,
        "message": "Rate exceeded",
    }
    cloud.lab("POST", "rules", rule)
    rds.describe_global_clusters()
    for _ in range(2):
        cloud.refused(rds.describe_db_clusters, "Throttling", 400)
    cloud.equal(rds.describe_db_clusters()["ResponseMetadata"]["HTTPStatusCode"], 200, "afterwards")
    cloud.equal(cloud.lab("GET", "rules"), [], "the rules")
    cloud.lab("POST", "rules", {"action": "DescribeAlarms", "code": "Throttling", "status": 400})
    cloud.refused(cloud.client("cloudwatch").describe_alarms, "Throttling", 400)
    cloud.lab("POST", "rules", {"action": "ecs:*", "code": "ThrottlingException", "status": 400, "after": 1})
    cloud.client("ecs").list_clusters()
    cloud.refused(cloud.client("ecs").list_clusters, "ThrottlingException", 400)
    cloud.lab("POST", "rules", {"action": "ec2:DescribeInstances", "code": "RequestLimitExceeded", "status": 503})
    cloud.refused(cloud.client("ec2").describe_instances, "RequestLimitExceeded", 503)
    cloud.lab("POST", "rules", {"action": "*", "region": "us-west-2", "code": "InternalFailure", "status": 500})
    cloud.equal(rds.describe_db_clusters()["ResponseMetadata"]["HTTPStatusCode"], 200, "another region's rule")
    cloud.refused(cloud.client("rds", "us-west-2").describe_db_clusters, "InternalFailure", 500)


def answers_break(cloud: Cloud) -> None:
    rds = cloud.client("rds")
    page = "<html><body>503 Service Unavailable</body></html>"
    cloud.lab("POST", "rules", {"action": "DescribeDBClusters", "body": page, "status": 503})
    _breaks(cloud, rds.describe_db_clusters, "an HTML page")
    cloud.lab("POST", "rules", {"action": "DescribeDBClusters", "truncate": 100})
    _breaks(cloud, rds.describe_db_clusters, "half an answer")
    cloud.lab("POST", "rules", {"action": "DescribeDBClusters", "delay": 0.5})
    started = time.monotonic()
    rds.describe_db_clusters()
    cloud.true(time.monotonic() - started >= 0.5, "the delay")


def _breaks(cloud: Cloud, call: Any, what: str) -> None:
    """The client must see that this is no answer; which of its errors it raises is its own matter."""
    try:
        call()
    except (BotoCoreError, ClientError, ResponseParserError) as problem:
        known = isinstance(problem, ClientError) and problem.response["Error"]["Code"] not in ("503", "")
        cloud.true(not known, f"{what} was taken for {problem!r}")
    else:
        raise Failed(f"{what} was taken for an answer")


def a_lost_answer_still_acted(cloud: Cloud) -> None:
    ec2, identifier = cloud.client("ec2"), cloud.world["instances"][1]["id"]

    def state() -> str:
        return ec2.describe_instances(InstanceIds=[identifier])["Reservations"][0]["Instances"][0]["State"]["Name"]

    cloud.lab("DELETE", "calls")
    cloud.lab("POST", "rules", {"action": "StopInstances", "drop": "before"})
    _breaks(cloud, lambda: ec2.stop_instances(InstanceIds=[identifier]), "a lost request")
    cloud.equal(state(), "running", "the state after a lost request")
    cloud.lab("POST", "rules", {"action": "StopInstances", "drop": "after"})
    _breaks(cloud, lambda: ec2.stop_instances(InstanceIds=[identifier]), "a lost answer")
    cloud.true(state() in ("stopping", "stopped"), "the state after a lost answer")
    cloud.equal(_count(cloud, "StopInstances"), 2, "the calls")
    call = cloud.lab("GET", "calls?action=StopInstances")[-1]
    wanted = ("ec2", "us-east-1", cloud.world["access-key"], 0)
    cloud.equal((call["service"], call["region"], call["access-key"], call["status"]), wanted, "the call")


def the_lab_says_what_it_does_not_know(cloud: Cloud) -> None:
    for path, body in (
        ("settings", {"nonsense": 1}),
        ("settings", {"failover": -1}),
        ("settings", {"aurora-failover": "nonsense"}),
        ("rules", {"nonsense": 1}),
        ("rules", {"drop": "nonsense"}),
    ):
        try:
            cloud.lab("POST", path, body)
        except urllib.error.HTTPError as problem:
            cloud.equal(problem.code, 400, f"{path} {body}")
            problem.close()
        else:
            raise Failed(f"{path} took {body}")


def a_connection_is_kept(cloud: Cloud) -> None:
    address = urlsplit(cloud.endpoint)
    connection = http.client.HTTPConnection(address.hostname or "", address.port or 80, timeout=10)
    connection.request("GET", "/squall-lab/health")
    connection.getresponse().read()
    first = connection.sock
    connection.request("GET", "/squall-lab/health")
    cloud.equal(connection.getresponse().status, 200, "the second request")
    cloud.true(first is connection.sock and first is not None, "the connection was closed")
    connection.close()


CHECKS = (
    an_error_comes_as_often_as_asked,
    answers_break,
    a_lost_answer_still_acted,
    the_lab_says_what_it_does_not_know,
    a_connection_is_kept,
)
