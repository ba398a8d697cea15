"""Where credentials come from besides files: an instance's metadata, a container's endpoint, the portal of SSO.

Each gives a session of the drill's role, which the gate then takes like any other.
"""

from __future__ import annotations

import json
import secrets
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs

from moto.sts.models import sts_backends

from . import motobridge
from .clock import Clock
from .credentials import ROLE
from .landscape import INSTANCES
from .services import ACCOUNT
from .settings import Settings
from .wire import Answer, Request

# What a container's Authorization header and SSO's cached token have to be. No secrets: they open this lab alone.
CONTAINER_TOKEN = "squall-lab-container-token"
SSO_TOKEN = "squall-lab-sso-token"
CONTAINER_PATH = "/squall-credentials"
_SSO_PATH = "/federation/credentials"
_FORM = "%Y-%m-%dT%H:%M:%SZ"


def _json(value: Any, status: int = 200) -> Answer:
    return Answer(status, {"Content-Type": "application/json"}, json.dumps(value).encode())


def _text(value: str, status: int = 200) -> Answer:
    return Answer(status, {"Content-Type": "text/plain"}, value.encode())


class Metadata:
    """Answers without a signature, since it is what signatures begin with."""

    def __init__(self, clock: Clock, settings: Settings) -> None:
        self._clock = clock
        self._settings = settings
        # Token of the second version → when it ends.
        self._tokens: dict[str, float] = {}

    @staticmethod
    def serves(path: str) -> bool:
        return path.startswith("/latest/") or path in (CONTAINER_PATH, _SSO_PATH)

    def _session(self, name: str) -> tuple[Any, str]:
        """A session of the drill's role, as long as the setting says; its end as text."""
        arn = f"arn:aws:iam::{ACCOUNT}:role/{ROLE}"
        motobridge.call("sts", "AssumeRole", RoleArn=arn, RoleSessionName=name)
        session = sts_backends[ACCOUNT]["aws"].assumed_roles[-1]
        end = self._clock.now() + timedelta(seconds=self._settings["session"])
        session.expiration = end.replace(tzinfo=None)
        return session, end.strftime(_FORM)

    def __call__(self, request: Request) -> Answer:
        if request.path == CONTAINER_PATH:
            return self._container(request)
        if request.path == _SSO_PATH:
            return self._portal(request)
        return self._instance(request)

    def _container(self, request: Request) -> Answer:
        if request.header("authorization") != CONTAINER_TOKEN:
            return _json({"code": "AccessDenied", "message": "the Authorization header is not the container's"}, 403)
        session, end = self._session("container")
        return _json(
            {
                "RoleArn": session.role_arn,
                "AccessKeyId": session.access_key_id,
                "SecretAccessKey": session.secret_access_key,
                "Token": session.session_token,
                "Expiration": end,
            }
        )

    def _portal(self, request: Request) -> Answer:
        if request.header("x-amz-sso_bearer_token") != SSO_TOKEN:
            answer = _json({"message": "Session token not found or invalid"}, 401)
            answer.headers["x-amzn-ErrorType"] = "UnauthorizedException"
            return answer
        asked = parse_qs(request.query)
        if asked.get("account_id") != [ACCOUNT] or asked.get("role_name") != [ROLE]:
            answer = _json({"message": "No access"}, 403)
            answer.headers["x-amzn-ErrorType"] = "ForbiddenException"
            return answer
        session, _ = self._session("sso")
        milliseconds = int((self._clock.seconds() + self._settings["session"]) * 1000)
        return _json(
            {
                "roleCredentials": {
                    "accessKeyId": session.access_key_id,
                    "secretAccessKey": session.secret_access_key,
                    "sessionToken": session.session_token,
                    "expiration": milliseconds,
                }
            }
        )

    def _instance(self, request: Request) -> Answer:
        """Version 2 alone: without a token that was fetched before there is no answer."""
        if request.path == "/latest/api/token":
            return self._token(request)
        if self._tokens.get(request.header("x-aws-ec2-metadata-token"), 0) < self._clock.seconds():
            return _text("401 - Unauthorized", 401)
        name = request.path.removeprefix("/latest/").rstrip("/")
        role = "meta-data/iam/security-credentials"
        if name == f"{role}/{ROLE}":
            session, end = self._session(INSTANCES[0])
            return _json(
                {
                    "Code": "Success",
                    "LastUpdated": self._clock.now().strftime(_FORM),
                    "Type": "AWS-HMAC",
                    "AccessKeyId": session.access_key_id,
                    "SecretAccessKey": session.secret_access_key,
                    "Token": session.session_token,
                    "Expiration": end,
                }
            )
        known = {
            role: ROLE,
            "meta-data/instance-id": INSTANCES[0],
            "meta-data/placement/region": "us-east-1",
            "meta-data/placement/availability-zone": "us-east-1a",
        }
        return _text(known[name]) if name in known else _text("404 - Not Found", 404)

    def _token(self, request: Request) -> Answer:
        length = request.header("x-aws-ec2-metadata-token-ttl-seconds")
        if request.method != "PUT":
            return _text("405 - Not Allowed", 405)
        if not length.isdigit() or not 1 <= int(length) <= 21600:
            return _text("400 - Bad Request", 400)
        token = secrets.token_urlsafe(32)
        self._tokens[token] = self._clock.seconds() + int(length)
        answer = _text(token)
        answer.headers["X-Aws-Ec2-Metadata-Token-Ttl-Seconds"] = length
        return answer
