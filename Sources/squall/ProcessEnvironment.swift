internal import Glibc

/// The process's environment as a dictionary; the first of two equal names counts, as for getenv(3).
func processEnvironment() -> [String: String] {
    var result: [String: String] = [:]
    var entry = environ
    while let text = entry.pointee {
        let pair = String(cString: text)
        if let split = pair.firstIndex(of: "=") {
            let name = String(pair[..<split])
            if result[name] == nil { result[name] = String(pair[pair.index(after: split)...]) }
        }
        entry += 1
    }
    return result
}
