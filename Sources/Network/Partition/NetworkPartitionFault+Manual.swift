package import Contracts

extension NetworkPartitionFault {
    package static let manual = Manual(
        summary: "Cut the network between two groups of containers, or between containers and addresses",
        details: """
            Packets between the two sides are stopped by nf_tables rules inside the containers' own network namespaces;
            within a side, and with everybody else, everything works on. Nothing runs in the containers, and no image is
            pulled. The rules are installed first and do nothing; then one request per container switches them on, so
            that all are cut off within milliseconds.

            A packet is stopped where it arrives, so that its sender sees what a cut cable shows: timeouts. `direction:
            to` stops what a sends to b and lets b's packets through, which is enough to break TCP both ways, and not
            UDP. The side of addresses is left alone: what containers send there is stopped where it leaves.

            The heal deletes the rules. They belong to a socket of squall's: when it dies, by SIGKILL too, the kernel
            deletes them at once. When squall hangs, they run out after six seconds, and are not renewed when it wakes: the
            run is inconclusive then, as it is when a container ends while it is cut off.

            The effect is shown by packets of squall's own, sent from inside the containers before and after: UDP
            datagrams, one direction at a time, or TCP connections when UDP is not among the protocols or ports are
            named. When nothing passed before, nothing is proven and the run is inconclusive. Connections that exist stall
            and go on after the heal; reject-tcp breaks them. Containers with the network of the machine are refused:
            every process would be cut off. Traffic that goes through a published port of the machine comes from the
            bridge's address and is not stopped: cut the proxy's container off, or add the address to a side.
            """,
        example: """
            targets:
              primary: {from: roles, is: primary}
              others:  {docker: {names: [pg-2, pg-3]}}
            method:
              - {name: cut, fault: network.partition, between: {a: primary, b: others}, duration: 30s}
            """)
}
