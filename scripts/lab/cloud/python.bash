# shellcheck shell=bash
# The Python environment that serve and conformance run in. Sourced, never executed.

# make_python FILE...: a virtual environment with what these files pin, in .build/cloud-python beside the sources.
# Made once; a changed file makes it anew. Several callers at once wait for the first. Sets $cloud_python.
make_python() {
    local root directory wanted python log
    root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../../.." && pwd)
    directory=$root/.build/cloud-python
    python=${SQUALL_PYTHON:-python3}
    cloud_python=$directory/bin/python
    mkdir -p "$root/.build"
    wanted=$({ cat "$@" && "$python" --version; } | sha256sum | cut -c1-16)
    # Each set of files has a mark of its own: the clients' come on top of the server's.
    if [ -e "$directory/made-$wanted" ]; then
        return
    fi
    exec {lock}>"$root/.build/cloud-python.lock"
    flock "$lock"
    if [ ! -e "$directory/made-$wanted" ]; then
        say "making $directory (once)" >&2
        log=$(mktemp)
        if [ -e "$directory" ] && ! "$cloud_python" -c '' 2>/dev/null; then
            rm -rf "$directory"
        fi
        local options=()
        for file in "$@"; do
            options+=(--requirement "$file")
        done
        if ! { [ -e "$cloud_python" ] || "$python" -m venv "$directory"; } >"$log" 2>&1 ||
            ! "$cloud_python" -m pip install --quiet --disable-pip-version-check --no-deps --only-binary :all: \
                "${options[@]}" >>"$log" 2>&1; then
            tail -n 20 "$log" >&2
            rm -f "$log"
            fail "the Python packages could not be installed (pip's words are above)" \
                "scripts/bootstrap --test, check that this host reaches PyPI, then: $0"
        fi
        rm -f "$log"
        touch "$directory/made-$wanted"
    fi
    exec {lock}>&-
}

# fetch_wheels DIRECTORY: the packages of the server for Debian 12's Python. Fetched by the host, whose pip knows its
# proxy, its mirror and its certificates; a container that is being built knows none of them.
fetch_wheels() {
    local cloud machine log version platforms=()
    cloud=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
    make_python "$cloud/requirements.txt"
    machine=$(docker version --format '{{.Server.Arch}}' | sed 's/^amd64$/x86_64/; s/^arm64$/aarch64/')
    # Every manylinux up to Debian 12's C library.
    for version in 2014 _2_17 _2_24 _2_26 _2_27 _2_28 _2_31 _2_34 _2_35 _2_36; do
        platforms+=(--platform "manylinux${version}_$machine")
    done
    log=$(mktemp)
    if ! "$cloud_python" -m pip download --quiet --disable-pip-version-check --no-deps --only-binary :all: \
        --python-version 3.11 --implementation cp "${platforms[@]}" --dest "$1" \
        --requirement "$cloud/requirements.txt" >"$log" 2>&1; then
        tail -n 20 "$log" >&2
        rm -f "$log"
        fail "the Python packages could not be fetched (pip's words are above)" \
            "check that this host reaches PyPI (python3 -m pip download moto), then: $0"
    fi
    rm -f "$log"
}
