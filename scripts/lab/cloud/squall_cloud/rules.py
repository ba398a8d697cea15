"""Rules that spoil calls: an error instead of an answer, a delay, half an answer, an answer that is lost."""

from __future__ import annotations

import threading
import time
from dataclasses import asdict, dataclass, fields
from fnmatch import fnmatchcase
from typing import Any

from .errors import AWSError, render
from .wire import Answer


@dataclass
class Rule:
    """What happens to the next `times` calls that match. Without a status, code or body the call is carried out."""

    # `rds:FailoverDBCluster`, `FailoverDBCluster`, or with wildcards: `rds:Describe*`, `*`.
    action: str = "*"
    region: str = "*"
    times: int = 1
    # Leaves so many matching calls alone first.
    after: int = 0
    delay: float = 0.0
    status: int | None = None
    code: str | None = None
    message: str = "This error was asked for."
    # An answer as it stands, for what is none of AWS's forms (a load balancer's 503 page).
    body: str | None = None
    content_type: str = "text/html"
    # Sends so many bytes of the answer's body, then hangs up.
    truncate: int | None = None
    # before: hangs up without doing anything; after: does it, and its answer is lost.
    drop: str | None = None

    @staticmethod
    def read(document: dict[str, Any]) -> Rule:
        """From JSON, with dashes in names. ValueError says what is wrong."""
        names = {field.name for field in fields(Rule)}
        values = {key.replace("-", "_"): value for key, value in document.items()}
        if unknown := sorted(set(values) - names):
            raise ValueError(f"a rule has no '{unknown[0]}'; it has: {', '.join(sorted(names))}")
        rule = Rule(**values)
        if rule.drop not in (None, "before", "after"):
            raise ValueError("drop is before or after")
        if not isinstance(rule.times, int) or rule.times < 1 or not isinstance(rule.after, int) or rule.after < 0:
            raise ValueError("times is a whole number from 1, after one from 0")
        return rule

    def matches(self, service: str, action: str, region: str) -> bool:
        pattern = self.action if ":" in self.action or self.action == "*" else f"*:{self.action}"
        return fnmatchcase(f"{service}:{action}", pattern) and fnmatchcase(region, self.region)

    def spoiled(self, protocol: str, request_id: str, namespace: str, prefix: str) -> Answer | None:
        """The answer instead of the call's own; None if the call is to be carried out."""
        if self.drop == "before":
            return Answer(drop=True)
        if self.body is not None:
            return Answer(self.status or 200, {"Content-Type": self.content_type}, self.body.encode(), self.truncate)
        if self.code is not None or self.status is not None:
            error = AWSError(self.code or "InternalFailure", self.message, self.status or 400)
            answer = render(error, protocol, request_id, namespace, prefix)
            answer.truncate = self.truncate
            return answer
        return None

    def finish(self, answer: Answer) -> Answer:
        """The call's own answer, cut or lost if the rule says so."""
        if self.drop == "after":
            answer.drop = True
        if self.truncate is not None:
            answer.truncate = self.truncate
        return answer


class Rules:
    """The rules in force, first come first served; one that is used up is gone."""

    def __init__(self) -> None:
        self._rules: list[Rule] = []
        self._lock = threading.Lock()

    def add(self, documents: list[dict[str, Any]]) -> None:
        rules = [Rule.read(document) for document in documents]
        with self._lock:
            self._rules += rules

    def clear(self) -> None:
        with self._lock:
            self._rules = []

    def all(self) -> list[dict[str, Any]]:
        with self._lock:
            return [{key.replace("_", "-"): value for key, value in asdict(rule).items()} for rule in self._rules]

    def take(self, service: str, action: str, region: str) -> Rule | None:
        """The rule for this call, its delay already waited."""
        with self._lock:
            rule = next((rule for rule in self._rules if rule.matches(service, action, region)), None)
            if rule is None:
                return None
            if rule.after > 0:
                rule.after -= 1
                return None
            rule.times -= 1
            if rule.times == 0:
                self._rules.remove(rule)
        time.sleep(rule.delay)
        return rule
