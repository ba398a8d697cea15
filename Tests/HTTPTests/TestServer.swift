import TestSupport

/// A server of the test's own that misbehaves on request: the path names the behaviour. Written in Python's asyncio.
final class TestServer: Sendable {
    enum Listener {
        case loopback
        case unix(String)
        /// Paths of PEM files; with an authority, clients must show a certificate of it.
        case tls(certificate: String, key: String, authority: String?)
    }

    let url: String
    private let process: ChildProcess

    init(_ listener: Listener = .loopback) throws {
        let arguments: [String] =
            switch listener {
            case .loopback: ["tcp"]
            case .unix(let path): ["unix", path]
            case .tls(let certificate, let key, let authority): ["tls", certificate, key, authority ?? ""]
            }
        process = try ChildProcess(["python3", "-c", script] + arguments)
        let port = process.line() ?? ""
        switch listener {
        case .loopback: url = "http://127.0.0.1:\(port)"
        case .unix: url = "http://localhost"
        case .tls: url = "https://localhost:\(port)"
        }
    }
}

private let script = #"""
    import asyncio, json, socket, ssl, struct, sys
    connections, requests, written = 0, {}, 0

    def reset(writer):
        raw = writer.get_extra_info("socket")
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        writer.transport.abort()

    def answer(writer, body, status="200 OK", headers=""):
        body = body if isinstance(body, bytes) else body.encode()
        writer.write(f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n{headers}\r\n".encode() + body)

    async def read_body(reader, headers):
        if headers.get("transfer-encoding") == "chunked":
            body = b""
            while (size := int(await reader.readline(), 16)):
                body += (await reader.readexactly(size + 2))[:-2]
            await reader.readline()
            return body
        return await reader.readexactly(int(headers.get("content-length", 0)))

    async def serve(reader, writer):
        global connections, written
        connections += 1
        mine, dying = connections, False
        try:
            while line := await reader.readline():
                method, path, _ = line.decode().split(" ")
                headers = {}
                while (line := (await reader.readline()).strip()):
                    name, _, value = line.decode().partition(":")
                    headers[name.lower()] = value.strip()
                body = await read_body(reader, headers)
                requests[path] = requests.get(path, 0) + 1
                if dying:
                    break
                part = path.split("?")[0].split("/")
                if part[1] == "hello":
                    answer(writer, "hello", headers="X-Case: One\r\nx-case: Two\r\nEmpty:\r\n")
                elif part[1] == "echo":
                    answer(writer, json.dumps({"method": method, "path": path, "headers": headers, "length": len(body),
                                               "body": body[:100].decode()}, sort_keys=True))
                elif part[1] == "status":
                    answer(writer, "", status=part[2] + " Whatever")
                elif part[1] == "connection":
                    answer(writer, str(mine))
                elif part[1] == "requests":
                    answer(writer, str(requests.get("/" + "/".join(part[2:]), 0)))
                elif part[1] == "written":
                    answer(writer, str(written))
                elif part[1] == "redirect":
                    answer(writer, "moved", status="302 Found", headers="Location: /hello\r\n")
                elif part[1] == "big":
                    answer(writer, b"x" * int(part[2]))
                elif part[1] == "continue":
                    writer.write(b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n")
                    answer(writer, "done")
                elif part[1] == "last":
                    answer(writer, "last")
                    dying = True
                elif part[1] == "hang":
                    await asyncio.sleep(600)
                elif part[1] == "stall":
                    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n0123456789")
                    await asyncio.sleep(600)
                elif part[1] == "reset":
                    reset(writer)
                    return
                elif part[1] == "half":
                    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n0123456789")
                    await writer.drain()
                    await asyncio.sleep(0.05)
                    reset(writer)
                    return
                elif part[1] == "garbage":
                    writer.write(b"SSH-2.0-OpenSSH_9.2\r\n")
                    break
                elif part[1] == "chunks":
                    writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
                    for number in range(int(part[2])):
                        chunk = bytes([65 + number % 26]) * int(part[3])
                        writer.write(b"%x\r\n%s\r\n" % (len(chunk), chunk))
                        await writer.drain()
                        written += len(chunk)
                    writer.write(b"0\r\n\r\n")
                await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        writer.close()

    async def main():
        kind = sys.argv[1]
        if kind == "unix":
            await asyncio.start_unix_server(serve, sys.argv[2])
            port = 0
        else:
            context = None
            if kind == "tls":
                context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
                context.load_cert_chain(sys.argv[2], sys.argv[3])
                if sys.argv[4]:
                    context.load_verify_locations(sys.argv[4])
                    context.verify_mode = ssl.CERT_REQUIRED
            server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context, backlog=2048)
            port = server.sockets[0].getsockname()[1]
        print(port, flush=True)
        await asyncio.sleep(600)

    asyncio.run(main())
    """#
