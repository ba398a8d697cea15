"""The command line: starts the cloud, says on which ports, and serves until it is told to end."""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import threading

from .aurora import Nodes
from .clock import Clock
from .dns.server import NameServer
from .gate import Gate
from .lab import Lab
from .server import Server
from .settings import Settings
from .world import World


def _address(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    if not host or not port.isdigit():
        raise argparse.ArgumentTypeError(f"'{text}' is not HOST:PORT")
    return host, int(port)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="serve", description="The lab's cloud on this machine.")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (127.0.0.1)")
    parser.add_argument("--port", type=int, default=4566, help="port for HTTP; 0 takes any free one (4566)")
    parser.add_argument("--dns-port", type=int, default=5354, help="port for names over UDP; 0 takes any (5354)")
    parser.add_argument("--patroni", default="", metavar="URL,…", help="Patroni's nodes behind cluster app")
    parser.add_argument("--nodes", default="", metavar="HOST:PORT,…", help="where SQL clients reach those nodes")
    parser.add_argument("--writer", type=_address, metavar="HOST:PORT", help="where they reach the writer")
    parser.add_argument("--reader", type=_address, metavar="HOST:PORT", help="where they reach the readers")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="a setting to begin with")
    parser.add_argument("--with-parent", action="store_true", help="ends when its standard input does")
    return parser.parse_args()


def _settings(assignments: list[str]) -> Settings:
    values = {}
    for assignment in assignments:
        name, _, text = assignment.partition("=")
        try:
            values[name] = json.loads(text)
        except ValueError:
            values[name] = text
    return Settings(values)


def _end_with_input() -> None:
    """The parent holds the other end of our input; when it is gone, however it went, so are we."""

    def wait() -> None:
        while os.read(0, 4096):
            pass
        os._exit(0)

    threading.Thread(target=wait, daemon=True).start()


def main() -> None:
    arguments = _arguments()
    if arguments.with_parent:
        _end_with_input()
    signal.signal(signal.SIGTERM, lambda number, frame: os._exit(0))
    clock, settings = Clock(), _settings(arguments.set)
    nodes = Nodes(
        [url for url in arguments.patroni.split(",") if url],
        [_address(text) for text in arguments.nodes.split(",") if text],
        arguments.writer,
        arguments.reader,
    )
    names = NameServer(arguments.host, arguments.dns_port)

    def moved(world: World) -> None:
        names.lookup = world.names.lookup

    gate = Gate(clock, settings, {})
    server = Server((arguments.host, arguments.port), clock, gate)
    lab = Lab(gate, clock, settings, nodes, moved)
    ports = {"port": server.server_port, "dns-port": names.port}
    lab.also = {**ports, "endpoint": f"http://127.0.0.1:{server.server_port}"}
    gate.lab = lab
    names.start()
    print(json.dumps(ports), flush=True)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        sys.exit(0)


main()
