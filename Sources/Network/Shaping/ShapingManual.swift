/// What the manuals of all shaping faults say.
enum ShapingManual {
    static let mechanism = """
        Works inside the container's own network namespace: a queueing tree on each of its interfaces, and a rule of
        nf_tables that leads the chosen packets into it. The tree does nothing by itself. The rule belongs to a socket of
        squall's: when squall dies, by SIGKILL too, the kernel deletes it and every packet goes straight out again; when it
        hangs, the rule runs out after six seconds. The tree that is left without effect is taken down by the heal, the
        medic, or the next start, by its handle (c4a5:). A queueing discipline of somebody else's is never replaced: the
        fault is refused. Loopback and neighbour discovery are left alone.
        """
}
