import Basics
import CLinux
import Glibc

/// A real HTTP server on a free port of loopback, ended when the test lets go of it.
final class PythonServer: Sendable {
    let port: Int
    /// The file of its own certificate, when it serves TLS; empty otherwise.
    let certificate: String
    private let isSecure: Bool
    private let pid: Int32
    private let output: CInt

    /// `isSecure`: serve TLS with a certificate made for the occasion, for 127.0.0.1.
    init(isSecure: Bool = false) async throws {
        var ends: [CInt] = [-1, -1]
        guard squall_pipe(&ends) == 0 else { throw SystemError.last("pipe2") }
        _ = fcntl(ends[0], F_SETFL, O_NONBLOCK)
        let arguments = ["/usr/bin/python3", "-c", PythonServer.program, isSecure ? "tls" : "plain"]
        var copies = arguments.map { strdup($0) } + [nil]
        var environment: [UnsafeMutablePointer<CChar>?] = [strdup("PATH=/usr/bin:/bin"), nil]
        defer {
            for copy in copies + environment { free(copy) }
            close(ends[1])
        }
        var started: pid_t = 0
        let failure = squall_spawn(arguments[0], &copies, &environment, nil, ends[1], ends[1], &started)
        guard failure == 0 else { throw SystemError("posix_spawn", errno: failure, subject: arguments[0]) }
        pid = started
        output = ends[0]
        self.isSecure = isSecure
        let words: [String]
        do {
            words = try await PythonServer.readLine(ends[0]).split(separator: " ").map(String.init)
        } catch {
            // A throwing init runs no deinit: the server would outlive the tests.
            kill(started, SIGKILL)
            throw error
        }
        port = words.first.flatMap { Int($0) } ?? 0
        certificate = words.count > 1 ? words[1] : ""
    }

    private static func readLine(_ descriptor: CInt) async throws -> String {
        let time = SystemTimeSource()
        let deadline = time.now + .seconds(60)
        var text = ""
        while !text.hasSuffix("\n"), time.now < deadline {
            var byte: UInt8 = 0
            if read(descriptor, &byte, 1) == 1 {
                text.append(Character(UnicodeScalar(byte)))
            } else {
                try await time.sleep(for: .milliseconds(2))
            }
        }
        guard text.hasSuffix("\n") else { throw SystemError("start", errno: ETIMEDOUT, subject: "server") }
        return String(text.dropLast())
    }

    var address: String { "http\(isSecure ? "s" : "")://127.0.0.1:\(port)" }

    deinit {
        kill(pid, SIGKILL)
        var status: CInt = 0
        waitpid(pid, &status, 0)
        close(output)
        guard !certificate.isEmpty else { return }
        unlink(certificate)
        rmdir(String(certificate.prefix(upTo: certificate.lastIndex(of: "/") ?? certificate.endIndex)))
    }

    /// Answers by path; `/reset` and `/close` take the request and end the connection without an answer.
    private static let program = #"""
        import http.server, os, socket, ssl, struct, subprocess, sys, tempfile, threading, time

        def follow_parent(parent=os.getppid()):
            while os.getppid() == parent: time.sleep(0.5)
            os._exit(0)
        threading.Thread(target=follow_parent, daemon=True).start()

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            def log_message(self, *_): pass
            def answer(self, status, body=b"", **headers):
                self.send_response(status)
                for name, value in headers.items(): self.send_header(name.replace("_", "-"), value)
                self.send_header("Content-Length", str(len(body)))
                self.send_header("X-Connection", str(self.client_address[1]))
                self.end_headers()
                if self.command != "HEAD": self.wfile.write(body)
            def handle_any(self):
                length = int(self.headers.get("Content-Length", 0))
                body = self.rfile.read(length)
                path, _, argument = self.path.lstrip("/").partition("/")
                if path == "status": self.answer(int(argument), b"status " + argument.encode())
                elif path == "slow":
                    time.sleep(float(argument)); self.answer(200, b"late")
                elif path == "reset":
                    self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    self.close_connection = True; self.connection.close()
                elif path == "close":
                    self.close_connection = True; self.connection.shutdown(socket.SHUT_RDWR)
                elif path == "half":
                    self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nhalf"); self.wfile.flush()
                    self.close_connection = True; self.connection.shutdown(socket.SHUT_RDWR)
                elif path == "json":
                    self.answer(200, b'{"status": "ok", "queue": {"depth": 7, "age": "12ms"}, "nodes": [{"id": "a"}, {"id": "b"}]}')
                elif path == "big": self.answer(200, b"x" * int(argument))
                elif path == "port": self.answer(200, str(self.client_address[1]).encode())
                elif path == "echo":
                    auth = self.headers.get("Authorization", "")
                    self.answer(200, f"{self.command} {argument} {auth} {body.decode()}".encode())
                elif path == "moved": self.answer(302, b"", Location="/status/200")
                else: self.answer(200, b"hello", X_Node="node-1", Content_Type="text/plain")
            do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = handle_any

        class Server(http.server.ThreadingHTTPServer):
            request_queue_size = 1024
            daemon_threads = True
            def handle_error(self, *_): pass

        server = Server(("127.0.0.1", 0), Handler)
        certificate = ""
        if sys.argv[1] == "tls":
            folder = tempfile.mkdtemp(prefix="squall-test-")
            certificate, key = folder + "/certificate.pem", folder + "/key.pem"
            subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
                "-nodes", "-keyout", key, "-out", certificate, "-days", "2", "-subj", "/CN=test",
                "-addext", "subjectAltName=IP:127.0.0.1"], check=True, stderr=subprocess.DEVNULL)
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate, key)
            os.unlink(key)
            server.socket = context.wrap_socket(server.socket, server_side=True)
        print(server.server_address[1], certificate, flush=True)
        server.serve_forever()
        """#
}
