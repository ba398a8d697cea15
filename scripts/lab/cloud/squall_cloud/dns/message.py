"""DNS messages (RFC 1035): a question taken apart, an answer put together."""

from __future__ import annotations

import ipaddress
import struct
from dataclasses import dataclass

TYPES = {"A": 1, "NS": 2, "CNAME": 5, "SOA": 6, "PTR": 12, "MX": 15, "TXT": 16, "AAAA": 28, "SRV": 33}
NAMES = {number: name for name, number in TYPES.items()}
NO_ERROR, FORMAT_ERROR, SERVER_FAILURE, NO_NAME, NOT_IMPLEMENTED, REFUSED = range(6)


class Broken(Exception):
    """The message is none that we can answer."""


@dataclass(frozen=True)
class Question:
    """`name` is in lower case with a dot at its end; `raw` is the question section as it came."""

    identifier: int
    recursion: bool
    name: str
    type: str
    raw: bytes


@dataclass(frozen=True)
class Record:
    """One record of an answer; the value is text as a zone file has it."""

    name: str
    type: str
    ttl: int
    value: str


def parse(message: bytes) -> Question:
    if len(message) < 12:
        raise Broken("shorter than a header")
    identifier, flags, questions = struct.unpack("!HHH", message[:6])
    if flags & 0x8000 or questions != 1:
        raise Broken("no single question")
    labels, position = [], 12
    while True:
        if position >= len(message):
            raise Broken("the name has no end")
        length = message[position]
        position += 1
        if length == 0:
            break
        if length > 63 or position + length > len(message):
            raise Broken("a label is too long")
        labels.append(message[position : position + length].decode("latin-1").lower())
        position += length
    if position + 4 > len(message):
        raise Broken("the question has no type")
    number = struct.unpack("!H", message[position : position + 2])[0]
    name = ".".join(labels) + "."
    return Question(identifier, bool(flags & 0x0100), name, NAMES.get(number, "?"), message[12 : position + 4])


def _name(name: str) -> bytes:
    labels = [label.encode("latin-1") for label in name.rstrip(".").split(".") if label]
    return b"".join(bytes([len(label)]) + label for label in labels) + b"\0"


def _text(value: str) -> bytes:
    data = value.strip('"').encode("latin-1", "replace")
    chunks = [data[start : start + 255] for start in range(0, len(data), 255)] or [b""]
    return b"".join(bytes([len(chunk)]) + chunk for chunk in chunks)


def _data(record: Record) -> bytes:
    if record.type in ("A", "AAAA"):
        return ipaddress.ip_address(record.value).packed
    if record.type in ("CNAME", "NS", "PTR"):
        return _name(record.value)
    if record.type == "TXT":
        return _text(record.value)
    parts = record.value.split()
    if record.type == "MX":
        return struct.pack("!H", int(parts[0])) + _name(parts[1])
    if record.type == "SRV":
        return struct.pack("!HHH", *(int(part) for part in parts[:3])) + _name(parts[3])
    return _name(parts[0]) + _name(parts[1]) + struct.pack("!5I", *(int(part) for part in parts[2:7]))


def _encode(record: Record) -> bytes:
    data = _data(record)
    return _name(record.name) + struct.pack("!HHIH", TYPES[record.type], 1, record.ttl, len(data)) + data


def answer(question: Question, code: int, records: list[Record], authority: list[Record]) -> bytes:
    """An authoritative answer, cut at the 512 bytes that every resolver takes."""
    flags = 0x8400 | (0x0100 if question.recursion else 0) | code
    if code == REFUSED:
        flags &= ~0x0400
    body = b"".join(_encode(record) for record in records + authority)
    if 12 + len(question.raw) + len(body) > 512:
        flags |= 0x0200
        records, authority, body = [], [], b""
    header = struct.pack("!HHHHHH", question.identifier, flags, 1, len(records), len(authority), 0)
    return header + question.raw + body
