#!/usr/bin/env bash
# Runs every ring and ends with one line that counts. A test that cannot run on this machine writes why into the file
# named by STORMDRILL_SKIPPED and is counted as skipped, not as passed.
set -uo pipefail
cd "$(dirname "$0")/.." || exit
mkdir -p target
log=$PWD/target/test.log
export STORMDRILL_SKIPPED=$PWD/target/skipped.txt
: >"$STORMDRILL_SKIPPED"
: >"$log"

cargo test --workspace --no-fail-fast "$@" 2>&1 | tee "$log" | grep -vE '^(test .* \.\.\. ok|running [0-9]+ tests?)?$' | grep -v '^$'
status=${PIPESTATUS[0]}

count() { grep -E '^test result: ' "$log" | grep -oE "[0-9]+ $1" | awk '{sum += $1} END {print sum + 0}'; }
skipped=$(($(sort -u "$STORMDRILL_SKIPPED" | grep -c . || true) + $(count ignored)))
passed=$(($(count passed) - $(sort -u "$STORMDRILL_SKIPPED" | grep -c . || true)))
failed=$(count failed)

# The local AWS counts its own tests, in Python.
aws_local=$(tests/local-aws/test.sh) || status=$?
sum() { tail -n 1 <<<"$aws_local" | grep -oE "[0-9]+ $1" | grep -oE '[0-9]+'; }
printf '%s\n' "$aws_local"
passed=$((passed + $(sum passed))) failed=$((failed + $(sum failed))) skipped=$((skipped + $(sum skipped)))
if [ "$skipped" -gt 0 ]; then
  echo
  echo "Not run on this machine:"
  { cat "$STORMDRILL_SKIPPED" && sed -n 's/^skipped: //p' "$log" && sed -n 's/^skipped: //p' <<<"$aws_local"; } | sort -u | sed 's/^/  /'
fi
echo
# A build that fails runs no test at all: that is a failure too.
[ "$status" -ne 0 ] && [ "$failed" -eq 0 ] && failed=1
echo "$passed passed, $failed failed, $skipped skipped"
exit "$status"
