package import Contracts

extension CommandRunFault {
    package static let manual = Manual(
        summary: "Runs a command that causes a failure, and another one that undoes it.",
        details: """
            Runs `inject` as a plain argument list, without a shell, on this machine or, with a container target, inside \
            that container. On this machine the programs get PATH and the variables listed under `environment`, nothing \
            else, stdin from /dev/null, and a process group of their own that is ended when `timeout` has passed (SIGTERM, \
            after 2 s SIGKILL). In a container they get its own variables as well, and a program that `timeout` gives up \
            may run on in there: the engine has no call that ends it.

            All that `inject` starts bears the variable SQUALL_CHANGE in its environment. The heal first ends whatever of \
            it still runs and can be seen from this machine (SIGKILL), then runs `undo`.

            An exit code says what the program thinks, not what the system does. The effect is shown by `confirm`, a \
            program that changes nothing and exits with 0 only while the effect is there; it is run once before (where it \
            must fail, or the fault is refused) and then until it succeeds. `effect: exit-code` declares that the inject \
            program's exit code 0 is evidence enough. With neither, the effect is unproven and the run inconclusive.

            `undo` is journalled before `inject` runs, with `${secret}` unrevealed, and is run whatever became of `inject`: \
            it must be idempotent and harmless. Exit code 0 of `undo` counts as healed; `check-clean`, a program that \
            changes nothing and exits with 0 when nothing is left, is then asked as well. Without `check-clean` nothing \
            can be read back, and `squall leftovers` lists the change until its undo has succeeded. Use \
            `irreversible: true` instead of `undo` when nothing can undo it.
            """,
        example: """
            method:
              - name: fill
                fault: command.run
                target: primary
                inject: [fallocate, -l, 2G, /var/tmp/squall-fill]
                confirm: [test, -s, /var/tmp/squall-fill]
                undo: [rm, -f, /var/tmp/squall-fill]
                check-clean: [test, "!", -e, /var/tmp/squall-fill]
                duration: 1m
            """)
}
