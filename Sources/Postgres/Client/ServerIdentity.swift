/// Which server process answered: exact, and read on the same round trip as the answer.
///
/// The instant at which the postmaster started (to the microsecond) names one run of one server, whatever address leads
/// to it: a container's own address, a published port and a proxy all show the same. The address is for people.
package struct ServerIdentity: Sendable, Hashable {
    /// Microseconds since 1970 of the server's start.
    package var incarnation: String
    /// As the server sees itself: `172.18.0.3:5432`, or `local:5432` through a socket in the file system.
    package var address: String

    package init(incarnation: String, address: String) {
        self.incarnation = incarnation
        self.address = address
    }

    /// Expressions for `incarnation` and `address`, usable in a SELECT list and as column defaults.
    package static let incarnationSQL = "(extract(epoch FROM pg_postmaster_start_time()) * 1000000)::bigint"
    package static let addressSQL =
        "coalesce(host(inet_server_addr()) || ':' || inet_server_port(), 'local:' || current_setting('port'))"
}
