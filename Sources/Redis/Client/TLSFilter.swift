internal import COpenSSL
internal import Glibc

/// TLS between a program and a socket that it serves itself: bytes in, bytes out, nothing that waits.
final class TLSFilter {
    /// What libssl says, in its own words.
    struct Failure: Error {
        var message: String
    }

    private let context: OpaquePointer
    private let connection: OpaquePointer
    private let incoming: OpaquePointer
    private let outgoing: OpaquePointer
    private(set) var isEstablished = false

    /// - Parameter host: the name or address that the server's certificate must be for.
    init(_ settings: RedisEndpoint.TLS, host: String) throws(Failure) {
        ERR_clear_error()
        guard let context = SSL_CTX_new(TLS_client_method()) else { throw Self.failure("TLS") }
        do throws(Failure) {
            try Self.configure(context, settings)
            guard let connection = SSL_new(context) else { throw Self.failure("TLS") }
            guard let incoming = BIO_new(BIO_s_mem()), let outgoing = BIO_new(BIO_s_mem()) else {
                SSL_free(connection)
                throw Self.failure("TLS")
            }
            SSL_set_bio(connection, incoming, outgoing)
            do throws(Failure) {
                try Self.expect(settings.serverName ?? host, connection)
            } catch {
                SSL_free(connection)
                throw error
            }
            (self.context, self.connection) = (context, connection)
            (self.incoming, self.outgoing) = (incoming, outgoing)
        } catch {
            SSL_CTX_free(context)
            throw error
        }
        SSL_set_connect_state(connection)
    }

    deinit {
        // Its two buffers belong to it.
        SSL_free(connection)
        SSL_CTX_free(context)
    }

    private static func configure(_ context: OpaquePointer, _ settings: RedisEndpoint.TLS) throws(Failure) {
        guard squall_ssl_require_tls12(context) == 1 else { throw failure("TLS 1.2") }
        SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nil)
        if let path = settings.authorities {
            guard SSL_CTX_load_verify_file(context, path) == 1 else { throw failure("the authorities in \(path)") }
        } else {
            guard SSL_CTX_set_default_verify_paths(context) == 1 else { throw failure("the system's authorities") }
        }
        guard let certificate = settings.certificate, let key = settings.key else { return }
        guard SSL_CTX_use_certificate_chain_file(context, certificate) == 1 else {
            throw failure("the certificate in \(certificate)")
        }
        guard SSL_CTX_use_PrivateKey_file(context, key, SSL_FILETYPE_PEM) == 1 else {
            throw failure("the key in \(key)")
        }
    }

    /// An address is compared with the certificate's addresses, and is not sent as a server name (RFC 6066).
    private static func expect(_ name: String, _ connection: OpaquePointer) throws(Failure) {
        guard let parameters = SSL_get0_param(connection) else { throw failure("TLS") }
        if X509_VERIFY_PARAM_set1_ip_asc(parameters, name) == 1 { return }
        ERR_clear_error()
        guard X509_VERIFY_PARAM_set1_host(parameters, name, name.utf8.count) == 1,
            squall_ssl_name_server(connection, name) == 1
        else { throw failure("the name \(name)") }
    }

    // MARK: Bytes

    /// Takes what came from the socket, and gives what is in it for us; moves the handshake on.
    func receive(_ bytes: UnsafeRawBufferPointer) throws(Failure) -> [UInt8] {
        var rest = bytes
        while !rest.isEmpty {
            let count = BIO_write(incoming, rest.baseAddress, CInt(clamping: rest.count))
            guard count > 0 else { throw Self.failure("TLS") }
            rest = UnsafeRawBufferPointer(rebasing: rest[Int(count)...])
        }
        if !isEstablished { try shakeHands() }
        guard isEstablished else { return [] }
        var found: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 16_384)
        while true {
            ERR_clear_error()
            let count = SSL_read(connection, &buffer, CInt(buffer.count))
            if count > 0 {
                found += buffer.prefix(Int(count))
                continue
            }
            switch SSL_get_error(connection, count) {
            case SSL_ERROR_WANT_READ, SSL_ERROR_WANT_WRITE, SSL_ERROR_ZERO_RETURN: return found
            default: throw Self.failure("TLS")
            }
        }
    }

    /// Begins, or goes on; what is to be sent comes out of `takeOutgoing`.
    func shakeHands() throws(Failure) {
        ERR_clear_error()
        let result = SSL_do_handshake(connection)
        if result == 1 {
            isEstablished = true
            return
        }
        switch SSL_get_error(connection, result) {
        case SSL_ERROR_WANT_READ, SSL_ERROR_WANT_WRITE: return
        default:
            let verdict = SSL_get_verify_result(connection)
            if verdict != X509_V_OK, let text = X509_verify_cert_error_string(verdict) {
                throw Failure(message: "the server's certificate: \(String(cString: text))")
            }
            throw Self.failure("TLS")
        }
    }

    /// Encrypts; what is to be sent comes out of `takeOutgoing`.
    func send(_ bytes: [UInt8]) throws(Failure) {
        guard !bytes.isEmpty else { return }
        ERR_clear_error()
        // A buffer in memory takes everything at once.
        guard SSL_write(connection, bytes, CInt(clamping: bytes.count)) == CInt(clamping: bytes.count) else {
            throw Self.failure("TLS")
        }
    }

    func takeOutgoing() -> [UInt8] {
        var found: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 16_384)
        while true {
            let count = BIO_read(outgoing, &buffer, CInt(buffer.count))
            guard count > 0 else { return found }
            found += buffer.prefix(Int(count))
        }
    }

    private static func failure(_ what: String) -> Failure {
        let code = ERR_get_error()
        guard code != 0, let reason = ERR_reason_error_string(code) else { return Failure(message: what) }
        return Failure(message: "\(what): \(String(cString: reason))")
    }
}
