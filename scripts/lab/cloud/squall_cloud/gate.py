"""The gate: every call is recognised, spoiled by a rule, checked for its signature and rights, and answered.

What the drills need is answered here, with AWS's intermediate states; all else is moto's.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from moto.core.parse import PROTOCOL_PARSERS
from moto.core.serialize import SERIALIZERS, SerializationContext
from werkzeug.datastructures import Headers, MultiDict

from . import motobridge
from .authentication import authenticate
from .authorization import authorize
from .calls import Calls
from .clock import Clock
from .errors import AWSError, render
from .identity import Identities, Identity
from .resources import TagsOf, resources_of
from .rules import Rules
from .services import (
    SERVICES,
    Service,
    apparent,
    form,
    model,
    operation_model,
    operation_of,
    protocol_of,
)
from .settings import Settings
from .signature import Malformed, read
from .wire import Answer, Request


@dataclass
class Call:
    """A call that may be carried out. `parameters` are the model's, whatever the protocol was."""

    service: Service
    operation: str
    region: str
    parameters: dict[str, Any]
    request: Request
    identity: Identity | None

    def __getitem__(self, name: str) -> Any:
        """A parameter that the model requires; without it the call is refused."""
        value = self.parameters.get(name)
        if value is None:
            raise AWSError("ValidationError", f"The request must contain the parameter {name}")
        return value

    def get(self, name: str, default: Any = None) -> Any:
        return self.parameters.get(name, default)


def refuse_dry_run(call: Call) -> None:
    """EC2's answer to a call that may be made and was not meant."""
    if call.get("DryRun"):
        raise AWSError("DryRunOperation", "Request would have succeeded, but DryRun flag is set.", 412)


# Answers with the output shape's values, or with a whole answer of its own.
Handler = Callable[[Call], dict[str, Any] | Answer]

# Called without a signature.
UNSIGNED = {("sts", "AssumeRoleWithWebIdentity"), ("sts", "AssumeRoleWithSAML")}


class Gate:
    """Turns requests into answers. `handlers` holds our own operations by signing name and operation."""

    def __init__(self, clock: Clock, settings: Settings, handlers: dict[tuple[str, str], Handler]) -> None:
        self.clock = clock
        self.settings = settings
        self.handlers = handlers
        self.rules = Rules()
        self.calls = Calls()
        self.identities = Identities()
        self.tags_of: TagsOf = lambda arn: {}
        # Answers what is on the lab's own path.
        self.lab: Callable[[Request], Answer] | None = None

    def __call__(self, request: Request) -> Answer:
        if self.lab and request.path.startswith("/squall-lab"):
            return self.lab(request)
        return self._answer(request)

    def _answer(self, request: Request) -> Answer:
        request_id = str(uuid.uuid4())
        looks_like = apparent(request)
        region, signed_for, key = self._claimed(request)
        service = SERVICES.get(looks_like or signed_for or "")
        protocol = protocol_of(service, request)
        operation, path = operation_of(service, request) if service else (form(request).get("Action"), {})
        namespace = model(service).metadata.get("xmlNamespace", "") if service else ""
        prefix = self._error_prefix(service)
        name = service.signing if service else signed_for or "unknown"
        entry = self.calls.add(
            time=self.clock.seconds(), service=name, action=operation, region=region, **{"access-key": key}
        )
        rule = self.rules.take(name, operation or "", region or "")
        try:
            answer = rule.spoiled(protocol, request_id, namespace, prefix) if rule else None
            if answer is None:
                answer = self._carry_out(request, service, looks_like, operation, path, protocol, request_id)
        except AWSError as error:
            answer = render(error, protocol, request_id, namespace, prefix)
            entry["code"] = error.code
        if rule:
            answer = rule.finish(answer)
        if answer.status >= 500 and b"moto: " in answer.body:
            entry["moto"] = answer.body.decode("utf-8", "replace")
        entry["status"] = 0 if answer.drop else answer.status
        if not any(header.lower() == "x-amzn-requestid" for header in answer.headers):
            answer.headers["x-amzn-RequestId"] = request_id
        return answer

    @staticmethod
    def _claimed(request: Request) -> tuple[str | None, str | None, str | None]:
        try:
            signed = read(request)
        except Malformed:
            return None, None, None
        return (signed.region, signed.service, signed.access_key) if signed else (None, None, None)

    @staticmethod
    def _error_prefix(service: Service | None) -> str:
        metadata = model(service).metadata if service else {}
        return "com.amazonaws." + service.model if service and metadata.get("jsonVersion") == "1.0" else ""

    def _carry_out(
        self,
        request: Request,
        service: Service | None,
        looks_like: str | None,
        operation: str | None,
        path: dict[str, str],
        protocol: str,
        request_id: str,
    ) -> Answer:
        identity, region = None, "us-east-1"
        name = service.signing if service else ""
        if (name, operation) not in UNSIGNED and self.settings["authentication"]:
            identity, signed = authenticate(request, looks_like, protocol, self.identities, self.clock)
            region = signed.region
        elif claimed := self._claimed(request)[0]:
            region = claimed
        if service is None:
            return motobridge.forward(request)
        description = operation_model(service, operation) if operation else None
        if description is None or operation is None:
            raise self._unknown(service, operation, protocol)
        parameters = self._parameters(request, description, path, protocol)
        if identity:
            named = resources_of(service, operation, region, parameters, self.tags_of)
            authorize(identity, f"{service.prefix}:{operation}", named, protocol)
        handler = self.handlers.get((service.signing, operation))
        call = Call(service, operation, region, parameters, request, identity)
        if handler is None:
            # Moto carries some operations out in spite of it.
            if service.signing == "ec2":
                refuse_dry_run(call)
            return motobridge.forward(request)
        self._require(description, parameters)
        result = handler(call)
        return result if isinstance(result, Answer) else self._serialized(description, result, protocol, request_id)

    @staticmethod
    def _unknown(service: Service, operation: str | None, protocol: str) -> AWSError:
        version = model(service).metadata["apiVersion"]
        if protocol == "ec2":
            return AWSError("InvalidAction", f"The action {operation} is not valid for this web service.")
        if protocol in ("json", "rest-json"):
            return AWSError("UnknownOperationException", "The requested operation is not recognized", 404)
        return AWSError("InvalidAction", f"Could not find operation {operation} for version {version}")

    @staticmethod
    def _parameters(request: Request, description: Any, path: dict[str, str], protocol: str) -> dict[str, Any]:
        """The operation's parameters by the model's names. What cannot be read as the model says is refused."""
        if protocol not in PROTOCOL_PARSERS or description.input_shape is None:
            return {}
        values: MultiDict[str, str] = MultiDict(form(request).items())
        try:
            return PROTOCOL_PARSERS[protocol](description).parse(
                {
                    "method": request.method,
                    "url_path": request.path,
                    "url_params": path,
                    "headers": Headers(request.headers),
                    "body": request.body,
                    "values": values,
                }
            )
        except Exception as problem:
            code = {"json": "SerializationException", "rest-json": "SerializationException"}.get(
                protocol, "MalformedInput"
            )
            raise AWSError(code, f"The request cannot be read: {problem}") from problem

    @staticmethod
    def _require(description: Any, parameters: dict[str, Any]) -> None:
        """Refuses a call that lacks what its model requires."""
        shape = description.input_shape
        missing = [name for name in (shape.required_members if shape else []) if parameters.get(name) is None]
        if missing:
            json_like = description.service_model.metadata["protocol"] in ("json", "rest-json")
            code = "ValidationException" if json_like else "MissingParameter"
            raise AWSError(code, f"The request must contain the parameter {missing[0]}")

    @staticmethod
    def _serialized(description: Any, result: dict[str, Any], protocol: str, request_id: str) -> Answer:
        if protocol not in SERIALIZERS:
            raise AWSError("UnknownOperationException", f"This operation is not served over {protocol}.", 404)
        serializer = SERIALIZERS[protocol]
        done = serializer(description, SerializationContext(request_id)).serialize(result)
        headers = {**done["headers"], "x-amzn-RequestId": request_id}
        body = done["body"]
        return Answer(done["status_code"], headers, body.encode() if isinstance(body, str) else body)
