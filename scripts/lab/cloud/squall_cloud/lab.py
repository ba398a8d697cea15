"""The lab's own path, /squall-lab: what is there, what was called, and how it is made to go wrong. For tests alone.

GET    /squall-lab/health             200 once the world stands
GET    /squall-lab/world              ids, names, keys and ports
GET    /squall-lab/writers            the writer of each Aurora cluster
GET    /squall-lab/calls              the log; ?action=, service=, region=, access-key=, code=, since=NUMBER narrow it
DELETE /squall-lab/calls              empties it
GET    /squall-lab/rules              rules that still wait
POST   /squall-lab/rules              a rule or a list of rules (rules.py)
DELETE /squall-lab/rules              forgets them
GET    /squall-lab/settings           durations and behaviours (settings.py)
POST   /squall-lab/settings           changes some
POST   /squall-lab/clock              {"offset": SECONDS} of the cloud's clock against the true time
POST   /squall-lab/sessions/expire    {"access-key": ID}: that session has ended
POST   /squall-lab/health-checks      {"id": ID, "healthy": BOOL}: what the probes of a health check see
POST   /squall-lab/reset              the first world again, without rules, offset and log
"""

from __future__ import annotations

import ipaddress
import json
import threading
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl

from .aurora import Nodes
from .clock import Clock
from .gate import Gate
from .schedule import Schedule
from .settings import Settings
from .wire import Answer, Request
from .world import World


class Lab:
    """Owns the world and answers on its path."""

    def __init__(
        self, gate: Gate, clock: Clock, settings: Settings, nodes: Nodes, moved: Callable[[World], None]
    ) -> None:
        self._gate = gate
        self._clock = clock
        self._settings = settings
        self._schedule = Schedule()
        self._nodes = nodes
        # Called with each new world.
        self._moved = moved
        self._lock = threading.Lock()
        # What the world's description says besides: the ports.
        self.also: dict[str, Any] = {}
        self.world = self._make()

    def _make(self) -> World:
        world = World(self._clock, self._settings, self._schedule, self._nodes)
        self._gate.handlers = world.handlers
        self._gate.tags_of = world.tags_of
        self._moved(world)
        return world

    def __call__(self, request: Request) -> Answer:
        address = ipaddress.ip_address(request.peer)
        if not (address.is_loopback or address.is_private):
            return self._json({"error": "only from this machine and its containers"}, 403)
        try:
            return self._route(request)
        except (ValueError, KeyError, TypeError) as problem:
            return self._json({"error": str(problem)}, 400)

    @staticmethod
    def _json(value: Any, status: int = 200) -> Answer:
        return Answer(status, {"Content-Type": "application/json"}, (json.dumps(value, indent=2) + "\n").encode())

    def _route(self, request: Request) -> Answer:
        name = request.path.removeprefix("/squall-lab/").rstrip("/")
        body = json.loads(request.body) if request.body else {}
        routes: dict[tuple[str, str], Callable[[], Any]] = {
            ("GET", "health"): lambda: {"status": "ok"},
            ("GET", "world"): lambda: {**self.world.description, **self.also},
            ("GET", "writers"): self._writers,
            ("GET", "calls"): lambda: self._gate.calls.list(**dict(parse_qsl(request.query))),
            ("DELETE", "calls"): self._gate.calls.clear,
            ("GET", "rules"): self._gate.rules.all,
            ("POST", "rules"): lambda: self._gate.rules.add(body if isinstance(body, list) else [body]),
            ("DELETE", "rules"): self._gate.rules.clear,
            ("GET", "settings"): self._settings.all,
            ("POST", "settings"): lambda: self._settings.update(body),
            ("POST", "clock"): lambda: setattr(self._clock, "offset", float(body["offset"])),
            ("POST", "sessions/expire"): lambda: self._gate.identities.ended.add(body["access-key"]),
            ("POST", "health-checks"): lambda: self._observe(body["id"], body["healthy"]),
            ("POST", "reset"): self.reset,
        }
        action = routes.get((request.method, name))
        if action is None:
            return self._json({"error": f"there is no {request.method} {request.path}"}, 404)
        result = action()
        return self._json({} if result is None else result)

    def _writers(self) -> dict[str, str | None]:
        return {
            cluster.identifier: next((member.name for member in cluster.members.list() if member.writer), None)
            for cluster in self.world.rds.clusters
        }

    def _observe(self, identifier: str, healthy: bool) -> None:
        self.world.route53.observed[identifier] = bool(healthy)

    def reset(self) -> None:
        with self._lock:
            self._settings.reset()
            self._clock.offset = 0.0
            self._gate.rules.clear()
            self._gate.identities.ended.clear()
            self.world.close()
            self.world = self._make()
            self._gate.calls.clear()
