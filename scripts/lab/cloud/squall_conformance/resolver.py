"""A question to the lab's name server, written apart from the server's own code so that both can be wrong only once."""

from __future__ import annotations

import random
import socket
import struct


def _name(message: bytes, position: int) -> tuple[str, int]:
    labels = []
    while length := message[position]:
        if length & 0xC0:
            target = struct.unpack("!H", message[position : position + 2])[0] & 0x3FFF
            return ".".join([*labels, _name(message, target)[0]]), position + 2
        labels.append(message[position + 1 : position + 1 + length].decode())
        position += 1 + length
    return ".".join(labels), position + 1


def ask(port: int, name: str, kind: int = 1) -> tuple[int, list[tuple[str, int, int, str]]]:
    """Response code, and of each answer the name, type, TTL and value (addresses and names as text)."""
    identifier = random.randrange(65536)
    labels = b"".join(bytes([len(label)]) + label.encode() for label in name.rstrip(".").split("."))
    query = struct.pack("!HHHHHH", identifier, 0x0100, 1, 0, 0, 0) + labels + b"\0" + struct.pack("!HH", kind, 1)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as wire:
        wire.settimeout(5)
        wire.sendto(query, ("127.0.0.1", port))
        message = wire.recv(4096)
    found, flags, _, count = struct.unpack("!HHHH", message[:8])
    assert found == identifier and flags & 0x8000
    position = _name(message, 12)[1] + 4
    answers = []
    for _ in range(count):
        owner, position = _name(message, position)
        number, _, ttl, length = struct.unpack("!HHIH", message[position : position + 10])
        data = message[position + 10 : position + 10 + length]
        value = data.hex()
        if number == 1:
            value = socket.inet_ntoa(data)
        elif number in (2, 5):
            value = _name(message, position + 10)[0]
        elif number == 16:
            value = data[1:].decode()
        answers.append((owner, number, ttl, value))
        position += 10 + length
    return flags & 15, answers
