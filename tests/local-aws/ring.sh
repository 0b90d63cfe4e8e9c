#!/usr/bin/env bash
# Runs a ring of Python tests against a local AWS; the last line counts.
# What cannot run on this machine is named, and counted as skipped.
# usage: ring.sh NAME FOLDER [PYTEST ARGUMENT]...
set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd)
name=$1 folder=$2
shift 2
if ! venv=$("$here/setup.sh"); then
  echo "skipped: $name: its Python packages cannot be fetched here"
  echo "$name: 0 passed, 0 failed, 1 skipped"
  exit 0
fi
# The hosts are the lab's. Without the lab, tests that need hosts are skipped and say so.
if [ -z "${DRILL_LAB:-}" ] && command -v cargo >/dev/null; then
  (cd "$here" && cargo build -q -p drill-lab) || echo "  $name: drill-lab does not build" >&2
fi
export PYTHONDONTWRITEBYTECODE=1
# The caller's account must never be reached.
unset AWS_PROFILE AWS_ENDPOINT_URL AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN
output=$(cd "$folder" && "$venv/bin/python" -m pytest -rs "$@" 2>&1)
status=$?
count() { tail -n 1 <<<"$output" | grep -oE "[0-9]+ $1" | grep -oE '[0-9]+' || echo 0; }
failed=$(($(count failed) + $(count error)))
[ "$status" -ne 0 ] && [ "$failed" -eq 0 ] && failed=1
[ "$status" -ne 0 ] && printf '%s\n' "$output"
grep -E '^SKIPPED' <<<"$output" | sed -E "s/^SKIPPED \[[0-9]+\] [^ ]+ /skipped: $name: /" | sort -u
echo "$name: $(count passed) passed, $failed failed, $(count skipped) skipped"
exit "$status"
