#!/bin/sh
# Makes target/venvs/local-aws (Python) for the local AWS; quick when it is there.
# Exits with 3 when a registry cannot be reached, so that a caller can tell that from a failure.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
venvs=${LOCAL_AWS_VENVS:-$here/../../target/venvs}
mkdir -p "$venvs"
venvs=$(cd "$venvs" && pwd)

# One at a time: tests and people may ask at once.
exec 9> "$venvs/.local-aws.lock"
flock 9

venv=$venvs/local-aws
if ! cmp -s "$here/requirements.txt" "$venv/.made-from"; then
    python3 -m venv "$venv"
    "$venv/bin/pip" install --quiet --disable-pip-version-check --no-deps --requirement "$here/requirements.txt" >&2 || exit 3
    cp "$here/requirements.txt" "$venv/.made-from"
fi
printf '%s\n' "$venv"
