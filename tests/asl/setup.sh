#!/bin/sh
# Makes target/venv-asl (Python) and target/npm-asl (Node) for the checks of the state machine; quick when they are there.
# Exits with 3 when a registry cannot be reached, so that a caller can tell that from a failure.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
target=${ASL_TARGET:-$here/../../target}
mkdir -p "$target"
target=$(cd "$target" && pwd)

# One at a time: tests and linters may ask at once.
exec 9> "$target/.asl-setup.lock"
flock 9

venv=$target/venv-asl
if ! cmp -s "$here/requirements.txt" "$venv/.made-from"; then
    python3 -m venv "$venv"
    "$venv/bin/pip" install --quiet --disable-pip-version-check --requirement "$here/requirements.txt" >&2 || exit 3
    cp "$here/requirements.txt" "$venv/.made-from"
fi

if [ "${1:-}" = linters ]; then
    npm=$target/npm-asl
    if ! cmp -s "$here/package-lock.json" "$npm/.made-from"; then
        mkdir -p "$npm"
        cp "$here/package.json" "$here/package-lock.json" "$npm"
        npm ci --silent --no-audit --no-fund --prefix "$npm" >&2 || exit 3
        cp "$here/package-lock.json" "$npm/.made-from"
    fi
fi
