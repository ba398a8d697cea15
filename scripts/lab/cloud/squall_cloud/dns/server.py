"""The name server's socket: UDP, one thread; the lookups take microseconds, a cluster's members are asked rarely."""

from __future__ import annotations

import socket
import sys
import threading
import traceback
from collections.abc import Callable

from . import message
from .message import Record

Lookup = Callable[[str, str], tuple[int, list[Record], list[Record]]]


class NameServer:
    """Answers on one UDP port. `lookup` may be replaced while it runs: a reset makes a new world."""

    def __init__(self, host: str, port: int) -> None:
        self.lookup: Lookup = lambda name, kind: (message.REFUSED, [], [])
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind((host, port))
        self.port = self._socket.getsockname()[1]

    def start(self) -> None:
        threading.Thread(target=self._run, name="dns", daemon=True).start()

    def _run(self) -> None:
        while True:
            data, sender = self._socket.recvfrom(4096)
            try:
                if reply := self._reply(data):
                    self._socket.sendto(reply, sender)
            except OSError:
                traceback.print_exc(file=sys.stderr)

    def _reply(self, data: bytes) -> bytes | None:
        try:
            question = message.parse(data)
        except message.Broken:
            # Without a question there is nothing to answer but the header.
            return data[:2] + b"\x80\x01" + bytes(8) if len(data) >= 12 and not data[2] & 0x80 else None
        try:
            return message.answer(question, *self.lookup(question.name, question.type))
        except Exception:  # A record that cannot be encoded must not end the server.
            traceback.print_exc(file=sys.stderr)
            return message.answer(question, message.SERVER_FAILURE, [], [])
