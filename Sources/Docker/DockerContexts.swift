internal import Basics
internal import Contracts
internal import FoundationEssentials
internal import HTTP

/// The docker command's configuration folder: the current context and the store of contexts.
struct DockerContexts {
    /// DOCKER_CONFIG, or `~/.docker`.
    let folder: String

    init(environment: [String: String]) {
        if let folder = environment["DOCKER_CONFIG"], !folder.isEmpty {
            self.folder = folder
        } else {
            self.folder = "\(environment["HOME"] ?? "/root")/.docker"
        }
    }

    /// `currentContext` of config.json; nil when there is no such file or entry.
    func current() throws(FaultError) -> String? {
        guard let config = try json("\(folder)/config.json") else { return nil }
        return config["currentContext"]?.string.flatMap { $0.isEmpty ? nil : $0 }
    }

    /// The endpoint of a stored context.
    ///
    /// The folder's name is the SHA-256 of the context's name; the name is in the file too, so that no hash is needed.
    func context(_ name: String) throws(FaultError) -> (host: String, tls: TLSOptions?) {
        let metadata = "\(folder)/contexts/meta"
        let digests = (try? FileManager.default.contentsOfDirectory(atPath: metadata)) ?? []
        for digest in digests.sorted() {
            guard let meta = try json("\(metadata)/\(digest)/meta.json"), meta["Name"]?.string == name else { continue }
            guard let endpoint = meta["Endpoints"]?["docker"], let host = endpoint["Host"]?.string, !host.isEmpty else {
                throw FaultError(
                    .notApplicable, "the Docker context '\(name)' has no docker endpoint",
                    advice: "docker context inspect \(name)")
            }
            let certificates = "\(folder)/contexts/tls/\(digest)/docker"
            let skipsVerification = endpoint["SkipTLSVerify"]?.boolean ?? false
            let isSecure = skipsVerification || FileManager.default.fileExists(atPath: certificates)
            let tls = DockerEndpoint.certificates(in: certificates, verifies: !skipsVerification)
            return (host, isSecure ? tls : nil)
        }
        throw FaultError(
            .notFound, "there is no Docker context '\(name)' in \(metadata)", advice: "docker context ls")
    }

    /// A JSON file, or nil when it does not exist; one that cannot be read is an error, never a default engine.
    private func json(_ path: String) throws(FaultError) -> JSONValue? {
        guard FileManager.default.fileExists(atPath: path) else { return nil }
        do {
            return try JSONDecoder().decode(JSONValue.self, from: try Data(contentsOf: URL(fileURLWithPath: path)))
        } catch {
            throw FaultError(.unexpected, "\(path) cannot be read as JSON: \(error)", advice: "docker context ls")
        }
    }
}
