package import Contracts

extension DNSRecordProbe {
    package static let manual = Manual(
        summary: "Where a name leads as a name server really answers, when that changed, and what clients make of it.",
        details: """
            The server is asked itself, by UDP and for a long answer by TCP, past this machine's caches. The name is the \
            node: resolved, no-record, nxdomain, servfail, query-refused, or unreachable when no answer came; `identity` \
            are the answers, sorted, `detail` is the TTL or the server's code. `ttl` is the shortest of all records on the \
            way, aliases included. A change is noted with the time since the old answer was last seen: it happened within \
            that time.

            The path `fresh` is a client that keeps nothing: it asks, and with `port` connects to the first address. ok when \
            there is an answer and the connection is made; failed with nxdomain, no-record, refused, timeout and the like. \
            The path `kept` is a client that keeps its connection: the first one made is never made again, and each look \
            sees whether its peer still holds it (closed, reset; timeout when the peer has not answered for some four \
            seconds). So after a failover `fresh` recovers with the record, and `kept` shows that whoever keeps a \
            connection is lost or goes on to talk to the old node. A criterion or `success` takes both: `kept` does not \
            recover, and its outage lasts to the end. To judge clients that reconnect, write a probe without `port`, and a \
            tcp.connect or a ledger for the service.

            One question is one datagram: a lost one is a failed look. A resolver answers from its cache until the TTL is \
            over; only a server that is authoritative for the name (`server: ns-1.awsdns-00.com`) shows a change when it is made. \
            What stands in /etc/resolv.conf may be such a cache, even one on this machine. A server that ends idle \
            connections (nginx after 75s) ends the kept one too; nothing is sent on it. The name must be written in full.
            """,
        example: """
            endpoint:
              type: dns.record
              name: orders.cluster-abc.us-east-1.rds.amazonaws.com
              server: 10.0.0.2:53
              port: 5432
              every: 1s
            """)
}
