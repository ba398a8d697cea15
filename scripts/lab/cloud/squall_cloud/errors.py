"""What goes wrong, once as AWS's code and sentence, and in each protocol's own form."""

from __future__ import annotations

import json
from typing import Any
from xml.sax.saxutils import escape

from .wire import Answer

ROUTE53_NAMESPACE = "https://route53.amazonaws.com/doc/2013-04-01/"


class AWSError(Exception):
    """An error of the API: code, sentence, HTTP status, and what else the model gives it (a conflict's reason)."""

    def __init__(self, code: str, message: str, status: int = 400, **fields: Any) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status
        self.fields = fields


def _query(error: AWSError, request_id: str, namespace: str) -> tuple[str, str]:
    kind = "Sender" if error.status < 500 else "Receiver"
    return "text/xml", (
        f'<ErrorResponse xmlns="{namespace}"><Error><Type>{kind}</Type><Code>{escape(error.code)}</Code>'
        f"<Message>{escape(error.message)}</Message></Error><RequestId>{request_id}</RequestId></ErrorResponse>"
    )


def _ec2(error: AWSError, request_id: str) -> tuple[str, str]:
    return "text/xml;charset=UTF-8", (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f"<Response><Errors><Error><Code>{escape(error.code)}</Code><Message>{escape(error.message)}</Message></Error>"
        f"</Errors><RequestID>{request_id}</RequestID></Response>"
    )


def _cbor_text(text: str) -> bytes:
    data = text.encode()
    return bytes([0x79]) + len(data).to_bytes(2, "big") + data


def render(error: AWSError, protocol: str, request_id: str, namespace: str = "", prefix: str = "") -> Answer:
    """The error as clients of this protocol read it. `prefix` is the namespace of a JSON 1.0 error type."""
    headers = {"x-amzn-RequestId": request_id}
    if protocol in ("json", "rest-json"):
        body: dict[str, Any] = {"message": error.message, **error.fields}
        headers["Content-Type"] = "application/x-amz-json-1.1" if protocol == "json" else "application/json"
        if protocol == "json":
            body = {"__type": f"{prefix}#{error.code}" if prefix else error.code, **body}
        else:
            headers["x-amzn-ErrorType"] = error.code
        return Answer(error.status, headers, json.dumps(body).encode())
    if protocol == "smithy-rpc-v2-cbor":
        headers |= {"Content-Type": "application/cbor", "smithy-protocol": "rpc-v2-cbor"}
        pairs = (("__type", error.code), ("message", error.message))
        return Answer(error.status, headers, b"\xa2" + b"".join(_cbor_text(k) + _cbor_text(v) for k, v in pairs))
    if protocol == "ec2":
        kind, text = _ec2(error, request_id)
    else:
        kind, text = _query(error, request_id, ROUTE53_NAMESPACE if protocol == "rest-xml" else namespace)
    headers["Content-Type"] = kind
    return Answer(error.status, headers, text.encode())
