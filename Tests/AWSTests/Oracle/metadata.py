"""What answers beside an instance or a task: instance metadata (version 2 only), container credentials, single sign-on."""

import http.server
import json
import threading

KEYS = {
    "AccessKeyId": "ASIAINSTANCE",
    "SecretAccessKey": "instance-secret",
    "Token": "instance-token",
    "Expiration": "2036-11-29T12:00:00Z",
}


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def reply(self, status, text):
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_PUT(self):
        ttl = self.headers.get("x-aws-ec2-metadata-token-ttl-seconds")
        self.reply(200, "imds-token") if self.path == "/latest/api/token" and ttl else self.reply(400, "")

    def do_GET(self):
        if self.path.startswith("/latest/") and self.headers.get("x-aws-ec2-metadata-token") != "imds-token":
            return self.reply(401, "version 1 is off")
        if self.path == "/latest/meta-data/iam/security-credentials/":
            return self.reply(200, "drill-role\n")
        if self.path == "/latest/meta-data/iam/security-credentials/drill-role":
            return self.reply(200, json.dumps({"Code": "Success", **KEYS}))
        if self.path == "/latest/meta-data/placement/region":
            return self.reply(200, "eu-west-1")
        if self.path == "/task":
            allowed = self.headers.get("Authorization") == "task-token"
            return self.reply(200, json.dumps(KEYS | {"AccessKeyId": "ASIATASK"})) if allowed else self.reply(403, "")
        if self.path == "/federation/credentials?role_name=Drill&account_id=123456789012":
            if self.headers.get("x-amz-sso_bearer_token") != "sso-token":
                return self.reply(401, json.dumps({"message": "Session token not found or invalid"}))
            role = {
                "accessKeyId": "ASIASSO",
                "secretAccessKey": "sso-secret",
                "sessionToken": "sso-session",
                "expiration": 2111486400000,
            }
            return self.reply(200, json.dumps({"roleCredentials": role}))
        self.reply(404, "")

    def log_message(self, *arguments):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
print(server.server_address[1], flush=True)
server.serve_forever()
