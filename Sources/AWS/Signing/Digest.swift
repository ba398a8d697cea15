internal import COpenSSL

/// SHA-256 and HMAC of libcrypto, which libcurl and libpq have loaded anyway.
enum Digest {
    static func sha256(_ message: some Collection<UInt8>) -> [UInt8] {
        var digest = [UInt8](repeating: 0, count: 32)
        let message = Array(message)
        SHA256(message, message.count, &digest)
        return digest
    }

    static func sha1(_ message: some Collection<UInt8>) -> [UInt8] {
        var digest = [UInt8](repeating: 0, count: 20)
        let message = Array(message)
        SHA1(message, message.count, &digest)
        return digest
    }

    /// RFC 2104 with SHA-256.
    static func authenticationCode(of message: some Collection<UInt8>, key: [UInt8]) -> [UInt8] {
        var code = [UInt8](repeating: 0, count: 32)
        var length: UInt32 = 32
        let message = Array(message)
        HMAC(EVP_sha256(), key, Int32(key.count), message, message.count, &code, &length)
        return code
    }

    /// Lower-case digits, two a byte.
    static func hexadecimal(_ bytes: [UInt8]) -> String {
        let digits = Array("0123456789abcdef".utf8)
        return String(decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }
}
