import Basics
import Contracts
import Docker
import TestSupport

/// An engine of the test's own over a unix socket or TLS, which speaks the API versions it is told to. Python.
final class FakeEngine: Sendable {
    let endpoint: String
    private let process: ChildProcess

    /// - Parameter tls: folder with ca.pem, server.pem, server-key.pem; clients must show a certificate of that authority.
    init(_ folder: TemporaryFolder, newest: String, oldest: String?, tls: String? = nil) throws {
        let socket = "\(folder.path)/docker.sock"
        process = try ChildProcess(["python3", "-c", script, socket, newest, oldest ?? "", tls ?? ""])
        let port = process.line() ?? ""
        endpoint = tls == nil ? "unix://\(socket)" : "tcp://localhost:\(port)"
    }

    func client(_ environment: [String: String] = [:]) throws -> DockerClient {
        var all = environment
        all["DOCKER_HOST"] = endpoint
        return try DockerClient(try DockerEndpoint.resolve(environment: all))
    }
}

private let script = #"""
    import http.server, json, re, socketserver, ssl, sys
    path, newest, oldest, tls = sys.argv[1:5]
    number = lambda text: tuple(int(part) for part in text.split("."))

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        def log_message(self, *arguments): pass
        def address_string(self): return "unix"

        def answer(self, status, document, headers={}):
            body = document if isinstance(document, bytes) else json.dumps(document).encode()
            self.send_response(status)
            for name, value in headers.items(): self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_POST(self):
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            self.do_GET()

        def do_GET(self):
            if self.path == "/_ping":
                return self.answer(200, b"OK", {"Api-Version": newest} if newest else {})
            if self.path == "/version":
                if not oldest: return self.answer(403, {"message": "the proxy forbids this"})
                return self.answer(200, {"Version": "fake", "ApiVersion": newest, "MinAPIVersion": oldest})
            match = re.match(r"/v([0-9.]+)(/.*)", self.path)
            if not match: return self.answer(404, {"message": "page not found"})
            version, rest = match.groups()
            if oldest and number(version) < number(oldest):
                return self.answer(400, {"message": f"client version {version} is too old"})
            if number(version) > number(newest):
                return self.answer(400, {"message": f"client version {version} is too new"})
            if rest.startswith("/containers/json"):
                return self.answer(200, [{"Id": version, "Names": ["/other/web", "/web"], "Unknown": {"a": [1]}}, {}])
            status = re.match(r"/containers/status-([0-9]+)/", rest)
            if status: return self.answer(int(status.group(1)), {"message": "because"})
            if rest.endswith("/json"): return self.answer(200, {"Id": "abc", "State": None, "HostConfig": {}})
            return self.answer(404, {"message": "no such thing"})

    class Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
        daemon_threads = True
        def get_request(self):
            request, _ = super().get_request()
            return request, ("unix", 0)

    if tls:
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=f"{tls}/ca.pem")
        context.load_cert_chain(f"{tls}/server.pem", f"{tls}/server-key.pem")
        context.verify_mode = ssl.CERT_REQUIRED
        server.socket = context.wrap_socket(server.socket, server_side=True)
        print(server.server_address[1], flush=True)
    else:
        server = Server(path, Handler)
        print(0, flush=True)
    server.serve_forever()
    """#
