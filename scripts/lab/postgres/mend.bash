# shellcheck shell=bash
# What scripts/lab/up does while it waits for the postgres stack. Sourced by it, never executed.

# A promotion leaves a node behind whose log has left the others' for good (no rewind finds its way back). A replica
# that has not streamed for so many seconds is copied anew from the primary, which is what a person would do.
copy_after=30
declare -A silent_since

mend() {
    local node primary
    while read -r node primary; do
        if [ -z "${silent_since[$node]:-}" ]; then
            silent_since[$node]=$SECONDS
        elif [ $((SECONDS - ${silent_since[$node]})) -ge "$copy_after" ]; then
            say "$(stamp) $node has not streamed for $copy_after s: copying it anew from $primary"
            docker exec "squall-$primary" patronictl -c /lab/postgres/patroni.yaml \
                reinit orders "$node" --force >/dev/null ||
                say "$(stamp) the copy could not be started; trying again in $copy_after s"
            silent_since[$node]=$SECONDS
        fi
    done < <(grep -oE '[a-z0-9-]+ does not stream from [a-z0-9-]+' <<<"$1" | sed 's/ does not stream from / /')
}
