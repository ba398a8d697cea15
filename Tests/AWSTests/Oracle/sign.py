"""Signs the requests on standard input, one JSON object a line, with AWS's own signer, and prints what it signed."""

import json
import sys

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials


class Signer(SigV4Auth):
    """Signs the headers that it is given: which ones are worth signing is not in question here."""

    def headers_to_sign(self, request):
        headers = super().headers_to_sign(request)
        for name, value in request.headers.items():
            if name.lower() in ("user-agent", "expect", "transfer-encoding"):
                headers[name.lower()] = value
        return headers

    def signature(self, string_to_sign, request):
        self.seen = string_to_sign
        return super().signature(string_to_sign, request)


for line in open(sys.argv[1], encoding="utf-8"):
    case = json.loads(line)
    request = AWSRequest(method=case["method"], url=case["url"], data=bytes.fromhex(case["body"]))
    for name, value in case["headers"]:
        request.headers.add_header(name, value)
    request.context["timestamp"] = case["time"]
    request.headers["X-Amz-Date"] = case["time"]
    credentials = Credentials("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", case.get("token"))
    signer = Signer(credentials, case["service"], case["region"])
    signer._modify_request_before_signing(request)
    canonical = signer.canonical_request(request)
    string_to_sign = signer.string_to_sign(request, canonical)
    print(json.dumps({"canonical": canonical, "signature": signer.signature(string_to_sign, request)}))
