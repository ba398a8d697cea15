"""Whether a call is signed as AWS asks for it, and the refusal that each protocol gives if not.

The codes differ: EC2 says AuthFailure and RequestExpired, the query services SignatureDoesNotMatch and ExpiredToken,
the JSON ones InvalidSignatureException and ExpiredTokenException. A client has to know them all.
"""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

from . import signature
from .clock import Clock
from .errors import AWSError
from .identity import Identities, Identity
from .services import REGIONS, SERVICES
from .wire import Request

# Problem → family of protocols → code and status. A JSON service without an address in its path answers 400.
_CODES = {
    "missing": {"ec2": ("MissingParameter", 400), "json": ("MissingAuthenticationTokenException", 403)},
    "malformed": {"ec2": ("AuthFailure", 401), "json": ("IncompleteSignatureException", 403)},
    "key": {"ec2": ("AuthFailure", 401), "json": ("UnrecognizedClientException", 403)},
    "signature": {"ec2": ("AuthFailure", 401), "json": ("InvalidSignatureException", 403)},
    "scope": {"ec2": ("AuthFailure", 401), "json": ("InvalidSignatureException", 403)},
    "time": {"ec2": ("RequestExpired", 400), "json": ("InvalidSignatureException", 403)},
    "expired": {"ec2": ("RequestExpired", 400), "json": ("ExpiredTokenException", 403)},
}
_QUERY_CODES = {
    "missing": ("MissingAuthenticationToken", 403),
    "malformed": ("IncompleteSignature", 400),
    "key": ("InvalidClientTokenId", 403),
    "signature": ("SignatureDoesNotMatch", 403),
    "scope": ("SignatureDoesNotMatch", 403),
    "time": ("SignatureDoesNotMatch", 403),
    "expired": ("ExpiredToken", 403),
}
_EC2_SENTENCES = {
    "missing": "The request must contain the parameter AWSAccessKeyId",
    "key": "AWS was not able to validate the provided access credentials",
    "signature": "AWS was not able to validate the provided access credentials",
    "time": "Request has expired.",
    "expired": "Request has expired.",
}
_SIGNATURE = (
    "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key "
    "and signing method. Consult the service documentation for details."
)


def refusal(problem: str, protocol: str, message: str) -> AWSError:
    """The error that a service of this protocol answers an unauthenticated call with."""
    if protocol == "ec2":
        code, status = _CODES[problem]["ec2"]
        return AWSError(code, _EC2_SENTENCES.get(problem, message), status)
    if protocol in ("json", "rest-json", "smithy-rpc-v2-cbor"):
        code, status = _CODES[problem]["json"]
        return AWSError(code, message, status if protocol == "rest-json" else 400)
    code, status = _QUERY_CODES[problem]
    return AWSError(code, message, status)


def _stamp(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, timezone.utc).strftime("%Y%m%dT%H%M%SZ")


def _check_time(signed: signature.Signed, clock: Clock, protocol: str) -> None:
    now, window = clock.seconds(), timedelta(seconds=signature.WINDOW).total_seconds()
    edge = f"{_stamp(now)} {{}} 5 min.)"
    if signed.seconds < now - window:
        text = f"Signature expired: {signed.time} is now earlier than {_stamp(now - window)} ({edge.format('-')}"
        raise refusal("time", protocol, text)
    if signed.seconds > now + window:
        text = (
            f"Signature not yet current: {signed.time} is still later than {_stamp(now + window)} ({edge.format('+')}"
        )
        raise refusal("time", protocol, text)
    if not signed.time.startswith(signed.date):
        text = (
            f"Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '{signed.date}'"
        )
        raise refusal("signature", protocol, text)


def _check_scope(signed: signature.Signed, apparent: str | None, protocol: str) -> None:
    service = SERVICES.get(apparent or signed.service)
    if apparent and apparent != signed.service:
        raise refusal("scope", protocol, f"Credential should be scoped to correct service: '{apparent}'. ")
    valid = (service.home,) if service and service.home else REGIONS
    if signed.region not in valid:
        text = f"Credential should be scoped to a valid region, not '{signed.region}'. "
        raise refusal("scope", protocol, text)


def authenticate(
    request: Request, apparent: str | None, protocol: str, identities: Identities, clock: Clock
) -> tuple[Identity, signature.Signed]:
    """Who called, or the refusal. In AWS's order: form, key, token, expiry, time, scope, signature."""
    try:
        signed = signature.read(request)
    except signature.Malformed as problem:
        raise refusal("malformed", protocol, str(problem)) from problem
    if signed is None:
        raise refusal("missing", protocol, "Request is missing Authentication Token")
    identity = identities.find(signed.access_key)
    invalid = "The security token included in the request is invalid."
    if identity is None or not identity.active:
        raise refusal("key", protocol, invalid)
    token = request.header("x-amz-security-token") or None
    if token != identity.token:
        raise refusal("key", protocol, invalid)
    if identity.expires is not None and identity.expires <= clock.seconds():
        raise refusal("expired", protocol, "The security token included in the request is expired")
    _check_time(signed, clock, protocol)
    _check_scope(signed, apparent, protocol)
    if not signature.verifies(identity.secret, signed, request):
        raise refusal("signature", protocol, _SIGNATURE)
    return identity, signed
