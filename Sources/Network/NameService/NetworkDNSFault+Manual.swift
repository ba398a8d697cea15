package import Contracts

extension NetworkDNSFault {
    package static let manual = Manual(
        summary: "Take names away from a container: answers lost, late, refused, empty or wrong",
        details: """
            Queries that programs of the container send to their name servers (those of its /etc/resolv.conf, Docker's own at
            127.0.0.11 among them, or `servers`) are redirected inside its network namespace to a proxy of squall's, over UDP
            and TCP, IPv4 and IPv6. The proxy deals with `names` as `mode` says, and hands every other query on to the server
            that was asked, so that only these names are hit. A name is compared as it is asked for, search domains included;
            `*.internal` means everything below internal, and not internal itself. Without `names` all are hit.

            drop: no answer ever comes. delay: the true one comes late. refuse, servfail, nxdomain: REFUSED, SERVFAIL,
            NXDOMAIN. wrong-answer: `addresses`; other types of record are empty then. Our answers live for 0 seconds, so that
            no cache keeps them; programs that cached a true answer before go on with it until it expires. Nothing runs in
            the container and no file is changed; queries over TLS or HTTPS are not seen.

            The effect is shown by a query of squall's own, from inside the namespace, before and after: for `check`, else for
            the names themselves or the container's own. When nothing answered before, or the answer is the same, the effect
            is unproven and the run inconclusive.

            The heal deletes the redirect and makes the kernel forget flows that it had redirected. The redirect belongs to a
            socket of squall's: when it dies, by SIGKILL too, the kernel deletes it at once; a program that keeps its socket
            is helped by the medic then. When squall hangs, the redirect runs out after six seconds, and flows that it had
            redirected are refused, so that their programs open new ones.
            """,
        example: """
            method:
              - {name: no-database, fault: network.dns, target: web, names: [db, "*.db.internal"], mode: nxdomain, duration: 30s}
            """)
}
