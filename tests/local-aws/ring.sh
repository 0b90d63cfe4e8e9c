#!/usr/bin/env bash
# Runs a ring of Python tests against a local AWS; the last line counts.
# What cannot run on this machine is named, and counted as skipped. A pytest that did not come to its end is a failure,
# and how it ended is said: a signal, its own error, or a last line that counts nothing.
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
# A signal that ends Python from inside says where it was.
export PYTHONFAULTHANDLER=1
# The caller's account must never be reached.
unset AWS_PROFILE AWS_ENDPOINT_URL AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN
log=$(mktemp)
trap 'rm -f "$log"' EXIT
began=$SECONDS
(cd "$folder" && exec "$venv/bin/python" -m pytest -rs "$@") >"$log" 2>&1
status=$?
took=$((SECONDS - began))
summary=$(grep -E '^=* ?([0-9]+ (passed|failed|skipped|deselected|errors?|warnings?|xfailed|xpassed)(, )?)+ in [0-9.]+s|^=* ?no tests ran in' "$log" | tail -n 1)
count() { grep -oE "[0-9]+ $1" <<<"$summary" | grep -oE '[0-9]+' || echo 0; }

# Why this is no result; nothing when it is one.
why=''
case $status in
0 | 1) ;;
2) why='it was interrupted, or could not read the tests' ;;
3) why='pytest itself failed' ;;
4) why='pytest did not understand how it was called' ;;
5) why='there was no test to run' ;;
*) if [ "$status" -gt 128 ]; then why="a signal ended it: $(kill -l $((status - 128)))"; else why='something in a test ended the process'; fi ;;
esac
if [ -z "$why" ] && [ -z "$summary" ]; then why='it ended in the middle: there is no summary'; fi
failed=$(($(count failed) + $(count error)))
if [ -n "$why" ] || { [ "$status" -ne 0 ] && [ "$failed" -eq 0 ]; }; then failed=$((failed + 1)); fi
if [ "$status" -ne 0 ] || [ -n "$why" ]; then cat "$log"; fi
grep -E '^SKIPPED' "$log" | sed -E "s/^SKIPPED \[[0-9]+\] [^ ]+ /skipped: $name: /" | sort -u
if [ -n "$why" ]; then
  dots=$(grep -E '^[.FEsxX]+( +\[ *[0-9]+%\])?$' "$log" | sed -E 's/ .*//' | tr -d '\n' | wc -c)
  echo "  $name: pytest gave no result: exit code $status after $took s and $dots tests: $why"
  [ "$status" -ne 0 ] || status=3
fi
echo "$name: $(count passed) passed, $failed failed, $(count skipped) skipped"
exit "$status"
