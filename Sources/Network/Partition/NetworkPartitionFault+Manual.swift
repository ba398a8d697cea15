package import Contracts

extension NetworkPartitionFault {
    package static let manual = Manual(
        summary: "Cut the network between two groups, within one, or between containers and addresses",
        details: """
            Packets between the two sides are stopped by nf_tables rules inside the containers' own network namespaces;
            within a side, and with everybody else, everything works on. Nothing runs in the containers, and no image is
            pulled. The rules are installed first and do nothing; then one request per container switches them on, so
            that all are cut off within milliseconds; the evidence says how many.

            With target and topology one group is divided: halves, isolate-one, majority-minority, bridge (two halves and
            one node that hears both), ring (each hears a majority, no two the same), one-way (one half does not hear the
            other), random. The seed chooses who is where; without one it is drawn, and the evidence names it.

            A packet is stopped where it arrives, so that its sender sees what a cut cable shows: timeouts. `direction:
            to` stops what a sends to b and lets b's packets through, which is enough to break TCP both ways, and not
            UDP. The side of addresses is left alone: what containers send there is stopped where it leaves. Addresses
            by which squall reaches the engine, or is reached over SSH, are refused without force: true.

            A container that restarts during the fault, or gets another address or network, gets the fault again; the gap
            is written into the history. One that ends is let go at once; when it has not come back by the heal, the run
            is inconclusive.

            The heal deletes the rules. They belong to a socket of squall's: when it dies, by SIGKILL too, the kernel
            deletes them at once. When squall hangs, they run out after six seconds, and are not renewed when it wakes: the
            run is inconclusive then.

            The effect is shown by packets of squall's own, sent from inside the containers before and after: UDP
            datagrams, one direction at a time, or TCP connections when UDP is not among the protocols or ports are
            named; towards blocks of addresses, by packets that leave before, and meet a counting rule after. When nothing
            passed before, nothing is proven and the run is inconclusive. What the rules have counted is sampled into the
            history and read back at the heal. Connections that exist stall and go on after the heal; reject-tcp breaks
            them when they are used, kill-established at once, at both ends. Containers with the network of the machine are refused: every process would be cut off. Traffic that
            goes through a published port of the machine comes from the bridge's address and is not stopped: cut the
            proxy's container off, or add the address to a side.
            """,
        example: """
            targets:
              primary: {docker: {names: [pg-1]}}
              others:  {docker: {names: [pg-2, pg-3]}}
            method:
              - {name: cut, fault: network.partition, between: {a: primary, b: others}, duration: 30s}
            """)
}
