"""Moto, called in this process: a request handed on as it came, or an operation called with plain values."""

from __future__ import annotations

import io
import threading
from typing import Any
from urllib.parse import urlencode

from botocore.parsers import create_parser
from botocore.serialize import create_serializer
from moto.ec2.utils import filter_dict_attribute_mapping
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app

from .errors import AWSError
from .services import SERVICES, Service, model
from .wire import Answer, Request

# Moto's backends are made for one caller at a time; a few milliseconds each, so one lock costs nobody anything.
lock = threading.RLock()
_application = DomainDispatcherApplication(create_backend_app)
# Moto compares an object that holds the zone with the zone's name, and finds no instance in any.
filter_dict_attribute_mapping["availability-zone"] = "placement.zone"


def forward(request: Request) -> Answer:
    """Moto's own answer to the request. One that it does not know is a 500 with a page of HTML, as moto has it."""
    environment: dict[str, Any] = {
        "REQUEST_METHOD": request.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": request.path.encode().decode("latin-1"),
        "QUERY_STRING": request.query,
        "RAW_URI": request.target,
        "REQUEST_URI": request.target,
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": request.peer,
        "CONTENT_LENGTH": str(len(request.body)),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(request.body),
        "wsgi.errors": io.StringIO(),
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    for name, value in request.headers:
        key = name.upper().replace("-", "_")
        if key == "CONTENT_TYPE":
            environment[key] = value
        elif key not in ("CONTENT_LENGTH", "TRANSFER_ENCODING"):
            environment[f"HTTP_{key}"] = value
    started: list[Any] = []
    with lock:
        try:
            chunks = _application(environment, lambda status, headers, info=None: started.extend((status, headers)))
            body = b"".join(chunks)
        except Exception as problem:  # Flask in debug mode raises what an operation that moto lacks raises.
            text = f"<html><body>moto: {type(problem).__name__}: {problem}</body></html>"
            return Answer(500, {"Content-Type": "text/html"}, text.encode())
    return Answer(int(started[0].split()[0]), dict(started[1]), body)


def _protocol(service: Service) -> str:
    """What moto is spoken to in: the old form where a service has several."""
    metadata = model(service).metadata
    return "query" if "query" in metadata.get("protocols", []) else metadata["protocol"]


def _request(service: Service, region: str, operation: str, parameters: dict[str, Any]) -> Request:
    description = model(service)
    protocol = _protocol(service)
    serializer = create_serializer(protocol, include_validation=False)
    wire = serializer.serialize_to_request(parameters, description.operation_model(operation))
    query = urlencode(wire["query_string"], doseq=True) if wire["query_string"] else ""
    target = wire["url_path"] + (f"?{query}" if query and "?" not in wire["url_path"] else "")
    body = wire["body"]
    if isinstance(body, dict):
        body = urlencode(body)
    scope = f"Credential=AKIALAB/20260101/{region}/{service.signing}/aws4_request"
    headers = [
        *((name, str(value)) for name, value in wire["headers"].items()),
        ("Host", f"{service.signing}.{region}.amazonaws.com"),
        ("Authorization", f"AWS4-HMAC-SHA256 {scope}, SignedHeaders=host, Signature=0"),
    ]
    if not any(name.lower() == "content-type" for name, _ in headers):
        form = protocol in ("query", "ec2")
        kind = "application/x-www-form-urlencoded; charset=utf-8" if form else "text/xml"
        headers.append(("Content-Type", kind))
    return Request(wire["method"], target, headers, body.encode() if isinstance(body, str) else body, "127.0.0.1")


def call(signing: str, operation: str, region: str = "us-east-1", **parameters: Any) -> dict[str, Any]:
    """Calls one of moto's operations past the gate; what it refuses is raised as AWSError."""
    service = SERVICES[signing]
    answer = forward(_request(service, region, operation, parameters))
    protocol = _protocol(service)
    parsed = create_parser(protocol).parse(
        {"status_code": answer.status, "headers": answer.headers, "body": answer.body},
        model(service).operation_model(operation).output_shape,
    )
    if answer.status >= 300:
        error = parsed.get("Error", {})
        text = error.get("Message") or answer.body.decode("utf-8", "replace")
        raise AWSError(error.get("Code", "InternalFailure"), text, answer.status)
    parsed.pop("ResponseMetadata", None)
    return parsed
