package import Contracts

extension ProcessSignalFault {
    package static let manual = Manual(
        summary: "Sends a signal to every process of a name, in a container or on this machine.",
        details: """
            Finds the processes from this machine's process table: in a container by its control group, without a target \
            among the processes of this machine that run in no container. A name matches the kernel's name for the \
            process (`ps -o comm`), the last component of the program's path or, for python, perl, sh and other \
            interpreters, the script's. All that match are signalled; `expect` refuses any other count. Pid 1 and what \
            started squall are refused on this machine.

            SIGSTOP (and SIGTSTP, SIGTTIN, SIGTTOU) freezes: the effect is shown by every thread being in state T, and \
            the undo is SIGCONT to exactly the same processes, named by pid, start time and boot. A process that is \
            stopped already is refused. A frozen process keeps its sockets: what others sent before or send now waits \
            in the kernel and arrives after the heal, so a freeze is no cut of the network.

            Any other signal shows its effect when the process exits, seen through a pidfd opened before the signal, \
            within `within`; a process that handles the signal and lives on makes the effect unproven. That cannot be \
            undone by us: a supervisor (the container's init, systemd, Patroni for postgres) restarts what it watches. \
            A process that ignores the signal is refused before anything is sent.
            """,
        example: """
            method:
              - {name: freeze, fault: process.signal, target: primary, process: patroni, signal: SIGSTOP, duration: 30s}
            """)
}
