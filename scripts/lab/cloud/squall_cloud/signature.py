"""Signature version 4, checked over the bytes that came: what AWS canonicalises is canonicalised, nothing else is.

Botocore's signer, used as a checker, takes the query as it stands, so it cannot tell a client that sorts or encodes
wrongly. This one decodes and encodes again, as AWS documents it; the conformance script holds both against each other.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from dataclasses import dataclass
from datetime import datetime, timezone
from urllib.parse import quote, unquote_to_bytes

from .wire import Request

# How far a signature's time may be from ours.
WINDOW = 300
_AUTHORIZATION = re.compile(
    r"AWS4-HMAC-SHA256\s+Credential=(?P<credential>[^,\s]+)\s*,?\s*SignedHeaders=(?P<signed>[^,\s]+)\s*,?\s*"
    r"Signature=(?P<signature>[0-9a-fA-F]+)\s*"
)


class Malformed(Exception):
    """The Authorization header or the time beside it is not what version 4 asks for."""


@dataclass(frozen=True)
class Signed:
    """What a request says of its signature."""

    access_key: str
    date: str
    region: str
    service: str
    headers: tuple[str, ...]
    signature: str
    # As in the request: 20261122T120000Z.
    time: str

    @property
    def scope(self) -> str:
        return f"{self.date}/{self.region}/{self.service}/aws4_request"

    @property
    def seconds(self) -> float:
        return datetime.strptime(self.time, "%Y%m%dT%H%M%SZ").replace(tzinfo=timezone.utc).timestamp()


def read(request: Request) -> Signed | None:
    """The signature of a request; None if it has none."""
    header = request.header("authorization")
    if not header:
        return None
    match = _AUTHORIZATION.fullmatch(header.strip())
    parts = match["credential"].split("/") if match else []
    if match is None or len(parts) != 5 or parts[4] != "aws4_request":
        raise Malformed("Authorization header requires 'Credential' parameter, 'Signature' and 'SignedHeaders'.")
    time = request.header("x-amz-date")
    if not re.fullmatch(r"\d{8}T\d{6}Z", time):
        raise Malformed("Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.")
    headers = tuple(match["signed"].split(";"))
    sent = {name.lower() for name, _ in request.headers}
    needed = {"host", "x-amz-date"} | {name for name in sent if name in ("x-amz-security-token", "x-amz-target")}
    if missing := sorted(needed - set(headers)):
        raise Malformed(f"'{missing[0]}' must be a 'SignedHeader' in the AWS Authorization.")
    if list(headers) != sorted(headers):
        raise Malformed("SignedHeaders are not sorted.")
    return Signed(parts[0], parts[1], parts[2], parts[3], headers, match["signature"].lower(), time)


def _encode(data: bytes, safe: str = "-_.~") -> str:
    return quote(data, safe=safe)


def _canonical_path(raw: str) -> str:
    """The path as sent, without dot segments and empty ones, encoded once more: %3A becomes %253A."""
    parts: list[str] = []
    for part in raw.split("/"):
        if part == "..":
            parts = parts[:-1]
        elif part not in ("", "."):
            parts.append(part)
    path = "/" + "/".join(parts)
    if raw.endswith("/") and path != "/":
        path += "/"
    return _encode(path.encode("latin-1"), "/-_.~")


def _canonical_query(raw: str) -> str:
    pairs = []
    for pair in raw.split("&"):
        if pair:
            name, _, value = pair.partition("=")
            pairs.append((_encode(unquote_to_bytes(name)), _encode(unquote_to_bytes(value))))
    return "&".join(f"{name}={value}" for name, value in sorted(pairs))


def canonical(request: Request, headers: tuple[str, ...]) -> str:
    """The canonical request. A header that is named as signed and was not sent counts as empty."""
    values: dict[str, list[str]] = {}
    for name, value in request.headers:
        values.setdefault(name.lower(), []).append(" ".join(value.split()))
    lines = "".join(f"{name}:{','.join(values.get(name, []))}\n" for name in headers)
    return "\n".join(
        (
            request.method,
            _canonical_path(request.raw_path),
            _canonical_query(request.query),
            lines,
            ";".join(headers),
            hashlib.sha256(request.body).hexdigest(),
        )
    )


def sign(secret: str, signed: Signed, request: Request) -> str:
    """The signature that this secret gives this request."""
    key = ("AWS4" + secret).encode()
    for part in (signed.date, signed.region, signed.service, "aws4_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    hashed = hashlib.sha256(canonical(request, signed.headers).encode("latin-1")).hexdigest()
    text = "\n".join(("AWS4-HMAC-SHA256", signed.time, signed.scope, hashed))
    return hmac.digest(key, text.encode(), "sha256").hex()


def verifies(secret: str, signed: Signed, request: Request) -> bool:
    return hmac.compare_digest(sign(secret, signed, request), signed.signature)
