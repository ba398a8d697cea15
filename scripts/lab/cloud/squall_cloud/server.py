"""The HTTP server: threads, kept connections, the target as it came, and answers that break off when a test says so.

The standard library's server instead of a WSGI one: clients of AWS keep their connections, and only the socket itself
can lose an answer half way.
"""

from __future__ import annotations

import socket
import sys
import traceback
from collections.abc import Callable
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from .clock import Clock
from .wire import Answer, Request

# A body of AWS's control planes is far below this; more is a mistake of the caller.
LARGEST_BODY = 16 * 1024 * 1024


class BadBody(Exception):
    """The body's length is wrong or its chunks are broken."""


class Handler(BaseHTTPRequestHandler):
    """Reads requests off one connection and writes what the gate answers."""

    protocol_version = "HTTP/1.1"
    server_version = "squall-cloud"
    sys_version = ""
    # A kept connection that nobody uses any more ends by itself.
    timeout = 75
    disable_nagle_algorithm = True
    server: Server

    def handle_one_request(self) -> None:
        try:
            super().handle_one_request()
        except (ConnectionError, TimeoutError):
            self.close_connection = True

    def _serve(self) -> None:
        try:
            body = self._body()
        except BadBody as problem:
            self.send_error(400, str(problem))
            self.close_connection = True
            return
        request = Request(self.command, self.path, self.headers.items(), body, self.client_address[0])
        try:
            answer = self.server.gate(request)
        except Exception:  # The caller gets a 500, and the reason stands in the log.
            traceback.print_exc(file=sys.stderr)
            answer = Answer(500, {"Content-Type": "text/html"}, b"<html><body>Internal Server Error</body></html>")
        self._write(answer)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = _serve

    def _body(self) -> bytes:
        if "chunked" in self.headers.get("Transfer-Encoding", "").lower():
            return self._chunks()
        try:
            length = int(self.headers.get("Content-Length") or 0)
        except ValueError as problem:
            raise BadBody("Content-Length is no number") from problem
        if not 0 <= length <= LARGEST_BODY:
            raise BadBody("Content-Length is out of range")
        return self.rfile.read(length)

    def _chunks(self) -> bytes:
        body = b""
        while True:
            try:
                size = int(self.rfile.readline(64).split(b";")[0], 16)
            except ValueError as problem:
                raise BadBody("a chunk has no size") from problem
            if size < 0 or len(body) + size > LARGEST_BODY:
                raise BadBody("the body is too long")
            body += self.rfile.read(size)
            self.rfile.readline(64)
            if size == 0:
                return body

    def _write(self, answer: Answer) -> None:
        if answer.drop:
            self._hang_up()
            return
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            if name.lower() not in ("content-length", "connection", "date", "server"):
                self.send_header(name, value)
        if answer.status not in (204, 304):
            self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        body = b"" if self.command == "HEAD" else answer.body
        if answer.truncate is not None:
            self.wfile.write(body[: answer.truncate])
            self.wfile.flush()
            self._hang_up()
            return
        self.wfile.write(body)

    def _hang_up(self) -> None:
        self.close_connection = True
        try:
            self.connection.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass  # The client was faster.

    def date_time_string(self, timestamp: float | None = None) -> str:
        return formatdate(self.server.clock.seconds() if timestamp is None else timestamp, usegmt=True)

    def log_message(self, format: str, *args: object) -> None:
        """Quiet: the log of calls is at /squall-lab/calls, and a line must not hold an Authorization header."""


class Server(ThreadingHTTPServer):
    """Listens on one address; `gate` turns each request into an answer."""

    daemon_threads = True
    # Tests open hundreds of connections at once.
    request_queue_size = 256

    def __init__(self, address: tuple[str, int], clock: Clock, gate: Callable[[Request], Answer]) -> None:
        self.clock = clock
        self.gate = gate
        super().__init__(address, Handler)

    def server_bind(self) -> None:
        # The parent looks the host's name up, which may take seconds where there is no name server.
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = self.server_address[:2]
