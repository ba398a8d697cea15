internal import Basics
internal import Contracts
internal import FoundationEssentials
internal import Glibc
internal import HTTP

extension DockerClient {
    /// An answer that is no success. The status decides the code; the engine's text is only shown.
    func failure(_ response: HTTPResponse, _ purpose: String) -> FaultError {
        let said = json(response)?["message"]?.string ?? String(response.text.prefix(300))
        let message = "the Docker engine would not \(purpose) (\(response.status)): \(said)"
        switch response.status {
        case 404: return FaultError(.notFound, message, advice: "see what there is: docker ps -a")
        case 409: return FaultError(.notApplicable, message, advice: "see its state: docker ps -a")
        case 401, 403: return FaultError(.denied, message)
        default: return FaultError(.unexpected, message, advice: "see the engine's log: journalctl -u docker")
        }
    }

    /// No answer at all.
    func unreachable(_ error: HTTPError) -> FaultError {
        let from = endpoint.origin
        switch error.code {
        case .timeout:
            return FaultError(
                .timeout, "the Docker engine at \(address) did not answer in time", advice: "docker version",
                underlying: error)
        case .cancelled:
            return FaultError(.cancelled, "the call to the Docker engine was cancelled", underlying: error)
        case .tls:
            return FaultError(
                .denied, "no trusted connection to the Docker engine at \(address) (from \(from))",
                advice: "check DOCKER_TLS_VERIFY and ca.pem, cert.pem, key.pem in DOCKER_CERT_PATH", underlying: error)
        case .misuse, .tooLarge:
            return FaultError(
                .unexpected, "the Docker engine at \(address) (from \(from)) could not be asked", underlying: error)
        case .interrupted:
            return FaultError(
                .unreachable, "the Docker engine at \(address) broke the connection off; what it did is unknown",
                advice: "docker version", underlying: error)
        case .refusedBeforeSend: return refused(error)
        }
    }

    private func refused(_ error: HTTPError) -> FaultError {
        // libcurl does not tell why a unix socket refused; the kernel does when asked for the same permission.
        if let path = endpoint.unixSocket, access(path, F_OK) == 0, access(path, R_OK | W_OK) != 0 {
            return FaultError(
                .denied, "this user may not use the Docker engine's socket \(path)",
                advice: "run as root, or: sudo usermod -aG docker \"$USER\" and log in again", underlying: error)
        }
        let start =
            endpoint.unixSocket == nil
            ? "check DOCKER_HOST and the network"
            : "start it: sudo systemctl start docker (without systemd: sudo dockerd)"
        return FaultError(
            .unreachable, "no Docker engine answers at \(address) (from \(endpoint.origin))", advice: start,
            underlying: error)
    }
}
