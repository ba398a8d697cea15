"""A request as it came over the wire, and an answer as it goes back: what server and gate hand to each other."""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import unquote


@dataclass
class Request:
    """One HTTP request. `target` is the path and query byte for byte: signatures are checked over those bytes."""

    method: str
    target: str
    headers: list[tuple[str, str]]
    body: bytes
    peer: str

    @property
    def raw_path(self) -> str:
        return self.target.partition("?")[0]

    @property
    def path(self) -> str:
        return unquote(self.raw_path)

    @property
    def query(self) -> str:
        return self.target.partition("?")[2]

    def header(self, name: str, default: str = "") -> str:
        """The first header of that name, whatever its case."""
        wanted = name.lower()
        return next((value for key, value in self.headers if key.lower() == wanted), default)


@dataclass
class Answer:
    """One HTTP answer. `truncate` sends that many bytes of the body and hangs up; `drop` sends nothing at all."""

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    truncate: int | None = None
    drop: bool = False
