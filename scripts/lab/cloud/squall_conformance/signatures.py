"""Signatures, sessions, rights: who may call, and each protocol's refusal of who may not."""

from __future__ import annotations

import json
import random
import string
import urllib.error
import urllib.request
from urllib.parse import quote

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from .harness import Cloud

_KEY = {
    "sts": "InvalidClientTokenId",
    "rds": "InvalidClientTokenId",
    "elasticache": "InvalidClientTokenId",
    "route53": "InvalidClientTokenId",
    "ec2": "AuthFailure",
    "ecs": "UnrecognizedClientException",
    "ssm": "UnrecognizedClientException",
    "fis": "UnrecognizedClientException",
    "arc-zonal-shift": "UnrecognizedClientException",
    "cloudwatch": "UnrecognizedClientException",
}
_CALLS = {
    "sts": ("get_caller_identity", {}),
    "rds": ("describe_db_clusters", {}),
    "elasticache": ("describe_replication_groups", {}),
    "route53": ("list_hosted_zones", {}),
    "ec2": ("describe_instances", {}),
    "ecs": ("list_clusters", {}),
    "ssm": ("list_commands", {}),
    "fis": ("list_actions", {}),
    "arc-zonal-shift": ("list_managed_resources", {}),
    "cloudwatch": ("describe_alarms", {}),
}
_STATUS = {"ec2": 401, "ecs": 400, "ssm": 400, "cloudwatch": 400}


def _call(cloud: Cloud, service: str, region: str = "us-east-1", **credentials: str) -> dict:
    name, parameters = _CALLS[service]
    return getattr(cloud.client(service, region, **credentials), name)(**parameters)


def every_service_takes_a_signed_call(cloud: Cloud) -> None:
    for service in _CALLS:
        cloud.equal(_call(cloud, service)["ResponseMetadata"]["HTTPStatusCode"], 200, service)
    identity = cloud.client("sts").get_caller_identity()
    cloud.equal(identity["Arn"], cloud.world["iam"]["user-arn"], "the caller")
    cloud.equal(identity["Account"], cloud.world["account"], "the account")


def an_unknown_key_is_refused(cloud: Cloud) -> None:
    for service, code in _KEY.items():
        status = _STATUS.get(service, 403)
        unknown = {"aws_access_key_id": "AKIASQUALLLAB9999999"}
        cloud.refused(lambda service=service, unknown=unknown: _call(cloud, service, **unknown), code, status)


def a_wrong_secret_is_refused(cloud: Cloud) -> None:
    for service in _CALLS:
        known = _KEY[service]
        code = {"AuthFailure": "AuthFailure", "InvalidClientTokenId": "SignatureDoesNotMatch"}
        wanted = code.get(known, "InvalidSignatureException")
        wrong = {"aws_secret_access_key": "wrong"}
        cloud.refused(
            lambda service=service, wrong=wrong: _call(cloud, service, **wrong), wanted, _STATUS.get(service, 403)
        )


def a_clock_that_is_off_is_refused(cloud: Cloud) -> None:
    wanted = {"rds": ("SignatureDoesNotMatch", 403), "ec2": ("RequestExpired", 400)}
    wanted |= {"ecs": ("InvalidSignatureException", 400), "fis": ("InvalidSignatureException", 403)}
    for offset in (400, -400):
        cloud.lab("POST", "clock", {"offset": offset})
        try:
            for service, (code, status) in wanted.items():
                # Botocore corrects its clock by the answer's date; without retries the first call shows the error.
                cloud._clients.clear()
                answer = cloud.refused(lambda service=service: _call(cloud, service), code, status)
                cloud.true("date" in answer["ResponseMetadata"]["HTTPHeaders"], "there is no Date to correct by")
        finally:
            cloud.lab("POST", "clock", {"offset": 0})
            cloud._clients.clear()
    cloud.lab("POST", "clock", {"offset": 250})
    cloud.equal(_call(cloud, "rds")["ResponseMetadata"]["HTTPStatusCode"], 200, "250 s")
    cloud.lab("POST", "clock", {"offset": 0})


def another_region_or_service_is_refused(cloud: Cloud) -> None:
    for service, code, status in (
        ("rds", "SignatureDoesNotMatch", 403),
        ("ec2", "AuthFailure", 401),
        ("ecs", "InvalidSignatureException", 400),
        ("fis", "InvalidSignatureException", 403),
    ):
        answer = cloud.refused(lambda service=service: _call(cloud, service, "eu-west-1"), code, status)
        cloud.true("eu-west-1" in answer["Error"]["Message"], "the refusal does not name the region")
        cloud.equal(_call(cloud, service, "us-west-2")["ResponseMetadata"]["HTTPStatusCode"], 200, "us-west-2")
    body = b"Action=DescribeDBClusters&Version=2014-10-31"
    status, text = _raw(cloud, "POST", "/", body, service="ec2")
    cloud.true(status == 403 and "scoped to correct service: 'rds'" in text, f"signed for ec2: {status} {text}")


def a_session_has_a_token_and_ends(cloud: Cloud) -> None:
    sts = cloud.client("sts")
    role = cloud.world["iam"]["role-arn"]
    given = sts.assume_role(RoleArn=role, RoleSessionName="drill", DurationSeconds=900)["Credentials"]
    keys = {"aws_access_key_id": given["AccessKeyId"], "aws_secret_access_key": given["SecretAccessKey"]}
    session = {**keys, "aws_session_token": given["SessionToken"]}
    cloud.true(_call(cloud, "sts", **session)["Arn"].endswith("assumed-role/squall-drill/drill"), "the session's ARN")
    cloud.refused(lambda: _call(cloud, "sts", **keys), "InvalidClientTokenId", 403)
    wrong = {**keys, "aws_session_token": "wrong"}
    cloud.refused(lambda: _call(cloud, "ecs", **wrong), "UnrecognizedClientException", 400)
    cloud.lab("POST", "sessions/expire", {"access-key": given["AccessKeyId"]})
    cloud.refused(lambda: _call(cloud, "sts", **session), "ExpiredToken", 403)
    cloud.refused(lambda: _call(cloud, "ec2", **session), "RequestExpired", 400)
    cloud.refused(lambda: _call(cloud, "ecs", **session), "ExpiredTokenException", 400)
    cloud.refused(lambda: _call(cloud, "fis", **session), "ExpiredTokenException", 403)
    nobody = role.replace("squall-drill", "nobody")
    cloud.refused(lambda: sts.assume_role(RoleArn=nobody, RoleSessionName="drill"), "AccessDenied", 403)
    long = {"RoleArn": role, "RoleSessionName": "drill", "DurationSeconds": 43201}
    cloud.refused(lambda: sts.assume_role(**long), "ValidationError", 400)


def a_web_identity_needs_no_signature(cloud: Cloud) -> None:
    anonymous = cloud.client("sts", aws_access_key_id="AKIANOBODY0000000000", aws_secret_access_key="nothing")
    given = anonymous.assume_role_with_web_identity(
        RoleArn=cloud.world["iam"]["role-arn"], RoleSessionName="web", WebIdentityToken="a.web.token"
    )["Credentials"]
    session = {
        "aws_access_key_id": given["AccessKeyId"],
        "aws_secret_access_key": given["SecretAccessKey"],
        "aws_session_token": given["SessionToken"],
    }
    cloud.true(_call(cloud, "sts", **session)["Arn"].endswith("squall-drill/web"), "the session's ARN")


def who_has_no_rights_is_denied(cloud: Cloud) -> None:
    powerless = {
        "aws_access_key_id": cloud.world["powerless-access-key"],
        "aws_secret_access_key": cloud.world["powerless-secret-key"],
    }
    cloud.equal(_call(cloud, "sts", **powerless)["Arn"], cloud.world["iam"]["powerless-user-arn"], "needs no right")
    for service, code, status in (
        ("rds", "AccessDenied", 403),
        ("ec2", "UnauthorizedOperation", 403),
        ("ecs", "AccessDeniedException", 400),
        ("fis", "AccessDeniedException", 403),
        ("cloudwatch", "AccessDeniedException", 400),
        ("route53", "AccessDenied", 403),
    ):
        answer = cloud.refused(lambda service=service: _call(cloud, service, **powerless), code, status)
        cloud.true("squall-powerless" in answer["Error"]["Message"], "the refusal does not name the caller")


def a_policy_holds_for_its_resources_alone(cloud: Cloud) -> None:
    iam = cloud.client("iam")
    arn = cloud.world["rds"]["cluster"]["arn"]
    statements = [
        {"Effect": "Allow", "Action": "rds:StopDBCluster", "Resource": arn},
        {"Effect": "Allow", "Action": "ec2:RebootInstances", "Resource": "*", "Condition": _tagged("worker")},
    ]
    document = {"Version": "2012-10-17", "Statement": statements}
    iam.put_user_policy(UserName="squall-powerless", PolicyName="least", PolicyDocument=json.dumps(document))
    powerless = {
        "aws_access_key_id": cloud.world["powerless-access-key"],
        "aws_secret_access_key": cloud.world["powerless-secret-key"],
    }
    rds, ec2 = cloud.client("rds", **powerless), cloud.client("ec2", **powerless)
    other = {"DBClusterIdentifier": "squall-global-east"}
    cloud.refused(lambda: rds.stop_db_cluster(**other), "AccessDenied", 403)
    cloud.refused(lambda: rds.start_db_cluster(DBClusterIdentifier="app"), "AccessDenied", 403)
    web, worker = cloud.world["instances"][0]["id"], cloud.world["instances"][2]["id"]
    ec2.reboot_instances(InstanceIds=[worker])
    cloud.refused(lambda: ec2.reboot_instances(InstanceIds=[web]), "UnauthorizedOperation", 403)
    user = cloud.world["iam"]["powerless-user-arn"]
    actions = ["rds:StopDBCluster", "rds:FailoverDBCluster"]
    simulated = iam.simulate_principal_policy(PolicySourceArn=user, ActionNames=actions, ResourceArns=[arn])
    decisions = [one["EvalDecision"] for one in simulated["EvaluationResults"]]
    cloud.equal(decisions, ["allowed", "implicitDeny"], "the simulation")
    iam.delete_user_policy(UserName="squall-powerless", PolicyName="least")


def _tagged(role: str) -> dict:
    return {"StringEquals": {"aws:ResourceTag/squall.role": role}}


def _raw(
    cloud: Cloud, method: str, path: str, body: bytes, service: str, headers: dict | None = None
) -> tuple[int, str]:
    """One request as botocore's signer signs it; the target goes out as it stands."""
    url = cloud.endpoint + path
    sent = {"Content-Type": "application/x-www-form-urlencoded", **(headers or {})}
    request = AWSRequest(method=method, url=url, data=body, headers=sent)
    SigV4Auth(Credentials(cloud.world["access-key"], cloud.world["secret-key"]), service, "us-east-1").add_auth(request)
    wire = urllib.request.Request(url, body or None, dict(request.headers.items()), method=method)
    try:
        with urllib.request.urlopen(wire, timeout=30) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as problem:
        return problem.code, problem.read().decode()


def botocore_signs_what_the_gate_verifies(cloud: Cloud) -> None:
    """Paths with ARNs, queries in any order, headers with blanks: what botocore signs must be accepted."""
    draw = random.Random(4)
    letters = string.ascii_letters + string.digits + " +/:=&%*~-_.é"
    for _ in range(60):
        pairs = []
        for _ in range(draw.randrange(4)):
            words = ["".join(draw.choices(letters, k=draw.randrange(1, 9))) for _ in "kv"]
            pairs.append("=".join(quote(word, safe="-_.~") for word in words))
        name = quote("arn:aws:x:us-east-1:1:y/" + "".join(draw.choices(letters, k=6)), safe="-_.~")
        # Botocore's signer takes the query as sent: sorted by its caller, as botocore's clients do not need to be.
        path = f"/managedresources/{name}" + ("?" + "&".join(pairs) if pairs else "")
        spaced = "  two   words " if draw.random() < 0.5 else "one"
        status, text = _raw(cloud, "GET", path, b"", "arc-zonal-shift", {"X-Amz-Meta-Lab": spaced})
        cloud.true(status == 404 and "not found" in text, f"{path}: {status} {text}")


def a_request_without_its_parts_is_refused(cloud: Cloud) -> None:
    body = b"Action=DescribeDBClusters&Version=2014-10-31"
    plain = urllib.request.Request(cloud.endpoint + "/", body)
    cloud.true("MissingAuthenticationToken" in _error(plain), "no signature")
    plain.add_header("Authorization", "AWS4-HMAC-SHA256 Credential=x")
    cloud.true("IncompleteSignature" in _error(plain), "half a signature")
    signed = "AWS4-HMAC-SHA256 Credential=A/20261122/us-east-1/rds/aws4_request, SignedHeaders=host, Signature=00"
    plain.add_header("Authorization", signed)
    cloud.true("IncompleteSignature" in _error(plain), "no date")


def _error(request: urllib.request.Request) -> str:
    try:
        urllib.request.urlopen(request, timeout=10).close()
    except urllib.error.HTTPError as problem:
        return problem.read().decode()
    return ""


CHECKS = (
    every_service_takes_a_signed_call,
    an_unknown_key_is_refused,
    a_wrong_secret_is_refused,
    a_clock_that_is_off_is_refused,
    another_region_or_service_is_refused,
    a_session_has_a_token_and_ends,
    a_web_identity_needs_no_signature,
    who_has_no_rights_is_denied,
    a_policy_holds_for_its_resources_alone,
    botocore_signs_what_the_gate_verifies,
    a_request_without_its_parts_is_refused,
)
