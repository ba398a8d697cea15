"""The instances of a cluster that Patroni runs: its leader is the writer, and a promotion is a real switchover."""

from __future__ import annotations

import json
import socket
import threading
import time
import urllib.error
import urllib.request
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from typing import Any
from urllib.parse import urlsplit

from .members import Member, Refused

# How long an answer of Patroni's counts as now. Eight pollers then cost as much as one.
FRESH = 0.1
_LEADERS = ("leader", "master", "standby_leader")
_SERVING = ("running", "streaming", "in archive recovery")


class PatroniMembers:
    """Asks the nodes' REST interfaces; the first that answers speaks for all."""

    def __init__(self, urls: list[str], zones: list[str], published: list[tuple[str, int]]) -> None:
        """`published` says for each node where SQL clients outside of its network reach it."""
        self._urls = [url.rstrip("/") for url in urls]
        self._zones = zones
        self._published = published
        self._known: list[Member] = []
        self._names: dict[str, int] = {}
        self._asked = 0.0
        self._lock = threading.Lock()
        self._pool = ThreadPoolExecutor(max_workers=len(urls), thread_name_prefix="patroni")
        # The question that each node has not answered yet; a frozen one gets no second.
        self._asking: dict[str, Future[list[dict[str, Any]]]] = {}

    @staticmethod
    def _http(method: str, url: str, body: Any = None, timeout: float = 2.0) -> tuple[int, str]:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(url, data, {"Content-Type": "application/json"}, method=method)
        try:
            with urllib.request.urlopen(request, timeout=timeout) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as problem:
            return problem.code, problem.read().decode()

    def _cluster_seen_by(self, url: str) -> list[dict[str, Any]]:
        try:
            return json.loads(self._http("GET", f"{url}/cluster", timeout=1.0)[1])["members"]
        except (OSError, ValueError, KeyError):
            return []

    def _ask(self) -> list[dict[str, Any]]:
        """The cluster as two nodes see it: one that was cut off may still name an old leader.

        All are asked at once, and the first two that agree are enough, so that a frozen one costs no time.
        """
        for url in self._urls:
            if url not in self._asking or self._asking[url].done():
                self._asking[url] = self._pool.submit(self._cluster_seen_by, url)
        seen: list[list[dict[str, Any]]] = []
        for done in as_completed([self._asking[url] for url in self._urls]):
            if members := done.result():
                if any(self._leader(other) == self._leader(members) for other in seen):
                    return members
                seen.append(members)
        return seen[0] if seen else []

    @staticmethod
    def _leader(members: list[dict[str, Any]]) -> str | None:
        return next((member["name"] for member in members if member.get("role") in _LEADERS), None)

    def _member(self, found: dict[str, Any]) -> Member:
        name = found["name"]
        digits = "".join(letter for letter in name if letter.isdigit())
        index = (int(digits) - 1 if digits else len(self._names)) % len(self._urls)
        self._names[name] = index
        host, port = self._published[index]
        role = found.get("role", "")
        return Member(
            name,
            self._zones[index % len(self._zones)],
            host,
            port,
            self._address(found.get("host", ""), index),
            writer=role in _LEADERS,
            status="available" if found.get("state") in _SERVING else "rebooting",
            synchronous=role == "sync_standby",
        )

    def _address(self, host: str, index: int) -> str:
        """The node's own address, where its name resolves (in the lab's network); else where its Patroni is asked."""
        for name in (host, urlsplit(self._urls[index]).hostname or "127.0.0.1"):
            try:
                return socket.gethostbyname(name)
            except OSError:
                continue
        return "127.0.0.1"

    def list(self) -> list[Member]:
        with self._lock:
            if time.monotonic() - self._asked > FRESH:
                found = sorted((self._member(member) for member in self._ask()), key=lambda member: member.name)
                # Nobody answers: the instances exist all the same, and none of them writes.
                self._known = found or [
                    Member(**{**vars(member), "writer": False, "status": "rebooting"}) for member in self._known
                ]
                self._asked = time.monotonic()
            return list(self._known)

    def _writer(self) -> str | None:
        return next((member.name for member in self.list() if member.writer), None)

    def promote(self, writer: str, candidate: str, seconds: float) -> None:
        self.list()
        url = self._urls[self._names.get(writer, 0)]
        try:
            status, text = self._http(
                "POST", f"{url}/switchover", {"leader": writer, "candidate": candidate}, timeout=seconds
            )
        except OSError as problem:
            raise Refused(f"Patroni on {writer} did not answer: {problem}") from problem
        if status != 200:
            raise Refused(f"Patroni refused the switchover ({status}): {text.strip()}")
        deadline = time.monotonic() + seconds
        while self._writer() != candidate:
            if time.monotonic() > deadline:
                raise Refused(f"{candidate} did not become the writer within {seconds:g} s")
            time.sleep(FRESH)

    def restart(self, name: str, seconds: float) -> None:
        self.list()
        try:
            status, text = self._http("POST", f"{self._urls[self._names.get(name, 0)]}/restart", {}, timeout=60)
        except OSError as problem:
            raise Refused(f"Patroni on {name} did not answer: {problem}") from problem
        if status not in (200, 202):
            raise Refused(f"Patroni refused the restart ({status}): {text.strip()}")
