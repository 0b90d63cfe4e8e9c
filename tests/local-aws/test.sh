#!/usr/bin/env bash
# The contract of the local AWS: every thing that it adds to moto is asked for, from outside. About a minute.
# Ends with one line that counts; what could not run on this machine is named, and counted as skipped.
set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd)
if ! venv=$("$here/setup.sh"); then
  echo "  local AWS: its Python packages cannot be fetched here"
  echo "local-aws: 0 passed, 0 failed, 1 skipped"
  exit 0
fi
# The hosts are the lab's; without it, what needs hosts is skipped and says so.
if [ -z "${DRILL_LAB:-}" ] && command -v cargo >/dev/null; then
  (cd "$here" && cargo build -q -p drill-lab) || echo "  local AWS: drill-lab does not build" >&2
fi
export PYTHONDONTWRITEBYTECODE=1
# Nothing of the caller's account may be reached, whatever goes wrong.
unset AWS_PROFILE AWS_ENDPOINT_URL AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN
output=$(cd "$here/contract" && "$venv/bin/python" -m pytest -rs "$@" 2>&1)
status=$?
count() { tail -n 1 <<<"$output" | grep -oE "[0-9]+ $1" | grep -oE '[0-9]+' || echo 0; }
failed=$(($(count failed) + $(count error)))
[ "$status" -ne 0 ] && [ "$failed" -eq 0 ] && failed=1
[ "$status" -ne 0 ] && printf '%s\n' "$output"
grep -E '^SKIPPED' <<<"$output" | sed -E 's/^SKIPPED \[[0-9]+\] [^ ]+ /skipped: local AWS: /' | sort -u
echo "local-aws: $(count passed) passed, $failed failed, $(count skipped) skipped"
exit "$status"
