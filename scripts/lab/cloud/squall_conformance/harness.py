"""What the checks share: clients, the lab's levers, waiting, and the list of what failed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import traceback
import urllib.request
from collections.abc import Callable
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError


class Failed(AssertionError):
    """A check did not hold, and the rest of its function means nothing."""


class Cloud:
    """One endpoint under test. Every comparison is counted; a failure is noted and the next function goes on."""

    def __init__(self, endpoint: str) -> None:
        self.endpoint = endpoint.rstrip("/")
        self.world: dict[str, Any] = self.lab("GET", "world")
        self.passed = 0
        self.failures: list[str] = []
        self._clients: dict[tuple[Any, ...], Any] = {}
        self._current = ""

    # Clients

    def client(self, service: str, region: str = "us-east-1", **credentials: str) -> Any:
        """A boto3 client without retries: what is asserted is one answer."""
        given = {
            "aws_access_key_id": self.world["access-key"],
            "aws_secret_access_key": self.world["secret-key"],
            **credentials,
        }
        key = (service, region, *sorted(given.items()))
        if key not in self._clients:
            config = Config(retries={"total_max_attempts": 1}, read_timeout=90)
            self._clients[key] = boto3.client(
                service, region_name=region, endpoint_url=self.endpoint, config=config, **given
            )
        return self._clients[key]

    def cli(self, *arguments: str, region: str = "us-east-1") -> Any:
        """The AWS CLI's answer as JSON. Failed carries its words."""
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": "/nonexistent",
            "AWS_ACCESS_KEY_ID": self.world["access-key"],
            "AWS_SECRET_ACCESS_KEY": self.world["secret-key"],
            "AWS_DEFAULT_REGION": region,
            "AWS_MAX_ATTEMPTS": "1",
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        # Not by AWS_ENDPOINT_URL: version 1 of the CLI does not heed it for rds.
        own = ["--endpoint-url", self.endpoint, "--output", "json"]
        command = [sys.executable, "-m", "awscli", *arguments, *own]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)
        if done.returncode != 0:
            raise Failed(f"aws {' '.join(arguments)}: {done.returncode}: {done.stderr.strip()}")
        return json.loads(done.stdout) if done.stdout.strip() else {}

    # Levers

    def lab(self, method: str, path: str, body: Any = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.endpoint}/squall-lab/{path}", data, method=method)
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.loads(answer.read())

    def reset(self) -> None:
        self.lab("POST", "reset")
        self.world = self.lab("GET", "world")

    # Checks

    def equal(self, found: Any, wanted: Any, what: str) -> None:
        if found != wanted:
            raise Failed(f"{what}: {found!r} instead of {wanted!r}")
        self.passed += 1

    def true(self, condition: Any, what: str) -> None:
        if not condition:
            raise Failed(what)
        self.passed += 1

    def refused(self, call: Callable[[], Any], code: str, status: int, **fields: str) -> dict[str, Any]:
        """The call must end with this code and HTTP status; further fields of the error likewise."""
        try:
            answer = call()
        except ClientError as error:
            response = error.response
            found = (response["Error"]["Code"], response["ResponseMetadata"]["HTTPStatusCode"])
            self.equal(found, (code, status), "the error")
            for name, value in fields.items():
                self.equal(response.get(name), value, f"the error's {name}")
            self.true(response["ResponseMetadata"].get("RequestId"), "the error has no request id")
            return response
        raise Failed(f"{code} was expected, not {answer!r}")

    def until(self, seconds: float, what: str, condition: Callable[[], Any]) -> Any:
        """The first answer that is true; many short looks, since states between are short."""
        deadline = time.monotonic() + seconds
        while True:
            if found := condition():
                self.passed += 1
                return found
            if time.monotonic() > deadline:
                raise Failed(f"not within {seconds:g} s: {what}")
            time.sleep(0.02)

    def run(self, check: Callable[[Cloud], None]) -> None:
        started = time.monotonic()
        name = f"{check.__module__.rpartition('.')[2]}.{check.__name__}"
        try:
            check(self)
        except Failed as problem:
            line = traceback.extract_tb(problem.__traceback__)
            own = next((frame for frame in line if frame.name == check.__name__), line[-1])
            self.failures.append(f"{name} (line {own.lineno}): {problem}")
        except Exception:
            self.failures.append(f"{name}: {traceback.format_exc()}")
        if os.environ.get("SQUALL_VERBOSE"):
            print(f"{time.monotonic() - started:6.2f} s  {name}", flush=True)
