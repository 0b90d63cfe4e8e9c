#!/bin/sh
# Makes target/venvs/sam and target/venvs/checkov for the build and the checks of the template; quick when they are there.
# Exits with 3 when a registry cannot be reached, so that a caller can tell that from a failure.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
target=$(cd "$here/../.." && pwd)/target
mkdir -p "$target/venvs"

# One at a time: linters and builds may ask at once.
exec 9> "$target/venvs/.sam-setup.lock"
flock 9

make_venv() {
    venv=$target/venvs/$1
    cmp -s "$here/$2" "$venv/.made-from" && return
    python3 -m venv "$venv"
    "$venv/bin/pip" install --quiet --disable-pip-version-check --requirement "$here/$2" >&2 || exit 3
    cp "$here/$2" "$venv/.made-from"
}
make_venv sam requirements.txt
make_venv checkov requirements-checkov.txt
