# shellcheck shell=bash
# How the scripts of both Redis stacks talk to a server, on the host and in the containers. Sourced, never executed.

# ask HOST PORT COMMAND...: the answers of a Redis or a Sentinel, line by line as the protocol has them. Bash alone
# does it: the host needs no redis-cli. The last line sent is none of the protocol, so every server hangs up after its
# answers (a Sentinel knows no QUIT). One second is the limit for everything: a frozen server takes the connection and
# never answers, and one that is cut off does not even refuse it.
ask() {
    # shellcheck disable=SC2016 # the inner bash expands them
    timeout 1 bash -c 'exec 3<>"/dev/tcp/$0/$1" && shift && printf "%s\r\n" "$@" "*?" >&3 && cat <&3' "$@" 2>/dev/null |
        tr -d '\r' | sed '$d'
}

# field NAME TEXT: the value that follows the name, in the lists that SENTINEL MASTER and its like answer with.
field() { sed -n "/^$1\$/{n;/^\\$/n;p;q;}" <<<"$2"; }

# property NAME TEXT: the value of NAME:VALUE, in what INFO and its like answer.
property() { sed -n "/^$1:/{s/^$1://p;q;}" <<<"$2"; }

# named_by_sentinels ADDRESS...: the master that these Sentinels name; of several answers, the one of the newest
# failover. Nothing if none of them knows one.
named_by_sentinels() {
    local address answer
    for address in "$@"; do
        if answer=$(ask "$address" 26379 'SENTINEL MASTER cache') && [[ $answer == *config-epoch* ]]; then
            printf '%s %s\n' "$(field config-epoch "$answer")" "$(field ip "$answer")"
        fi &
    done | sort --numeric-sort | tail -n 1 | cut -d ' ' -f 2
}

# Whether this answer to INFO replication comes from a node that has data to lose: a master, or a replica that was ever
# connected to one.
has_data() {
    case $1 in
    *role:master*) return 0 ;;
    *master_link_down_since_seconds:-1*) return 1 ;;
    *role:slave*) return 0 ;;
    *) return 1 ;;
    esac
}
