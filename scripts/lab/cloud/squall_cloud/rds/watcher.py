"""Notices that a real cluster's writer changed without being asked to, and leaves the events that Aurora would."""

from __future__ import annotations

import threading

from . import events as sentences
from .cluster import Cluster
from .events import Events

# Seconds between two looks.
EVERY = 0.5


class Watcher:
    """One thread for a cluster, until it is stopped."""

    def __init__(self, cluster: Cluster, events: Events) -> None:
        self._cluster = cluster
        self._events = events
        self._stopped = threading.Event()
        threading.Thread(target=self._run, name=f"watch {cluster.identifier}", daemon=True).start()

    def stop(self) -> None:
        self._stopped.set()

    def _run(self) -> None:
        known = None
        while not self._stopped.wait(EVERY):
            members = self._cluster.members.list()
            writer = next((member for member in members if member.writer), None)
            if writer is None:
                continue
            if known and known.name != writer.name and not self._cluster.told(writer.name):
                same_zone = known.zone == writer.zone
                self._cluster.event(self._events, sentences.started(same_zone, writer.name), sentences.FAILOVER)
                self._cluster.event(self._events, sentences.completed(writer.name), sentences.FAILOVER)
            known = writer
