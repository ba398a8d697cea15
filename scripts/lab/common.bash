# shellcheck shell=bash
# What every lab script shares: messages, the engine, the compose command and the stack's name. Sourced, never executed.

# The lab's directory, wherever the caller stands.
lab_directory=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# Compose prefixes networks and volumes with the project, and labels everything it creates with it.
lab_project=squall

say() { printf '%s\n' "$*"; }

# fail WHAT NEXT: what went wrong, then the next command to type.
fail() {
    printf 'error: %s\n' "$1" >&2
    printf 'next:  %s\n' "$2" >&2
    exit 1
}

# fail_unhealthy STACK PROBLEM...: the last words of a stack's status script. `up` and people read the same line.
fail_unhealthy() {
    local stack=$1 problems
    shift
    problems=$(printf '; %s' "$@")
    printf 'error: stack %s is not healthy: %s\n' "$stack" "${problems#; }" >&2
    printf 'next:  squall lab up --stack %s   (starts what is down; scripts/lab/up does the same)\n' "$stack" >&2
    exit 1
}

# Seconds since the script started, for progress lines.
stamp() { printf '[%4ss]' "$SECONDS"; }

# Ends the script unless a Docker engine answers on the socket that the docker command uses.
require_engine() {
    command -v docker >/dev/null || fail "the docker command is not installed" "scripts/bootstrap --lab"
    local answer
    if ! answer=$(timeout 10 docker version --format '{{.Server.Version}}' 2>&1); then
        printf '%s\n' "$answer" >&2
        fail "no Docker engine answers" \
            "scripts/bootstrap --lab   (or: sudo systemctl start docker; without systemd: sudo dockerd)"
    fi
}

# Runs the compose plugin where it is installed, and the older docker-compose otherwise.
compose() {
    if docker compose version >/dev/null 2>&1; then
        docker compose --project-name "$lab_project" --file "$lab_directory/compose.yaml" "$@"
    elif command -v docker-compose >/dev/null; then
        docker-compose --project-name "$lab_project" --file "$lab_directory/compose.yaml" "$@"
    else
        fail "neither 'docker compose' nor 'docker-compose' is installed" "scripts/bootstrap --lab"
    fi
}

# The stacks that exist are the folders with a status script.
lab_stacks() {
    local status
    for status in "$lab_directory"/*/status; do
        basename "$(dirname "$status")"
    done
}

# Reads --stack NAME (and --help) into $stack; the usage text is the comment at the top of the calling script.
read_stack() {
    stack=postgres
    while [ $# -gt 0 ]; do
        case $1 in
        --stack)
            [ $# -ge 2 ] || fail "--stack needs a name" "$0 --stack postgres"
            stack=$2
            shift 2
            ;;
        --stack=*)
            stack=${1#--stack=}
            shift
            ;;
        -h | --help)
            sed -n '2,/^$/s/^# \{0,1\}//p' "$0"
            exit 0
            ;;
        *) fail "unknown argument '$1'" "$0 --help" ;;
        esac
    done
    [ -x "$lab_directory/$stack/status" ] ||
        fail "there is no stack '$stack'; the lab has: $(lab_stacks | tr '\n' ' ')" "$0 --stack postgres"
}
