#!/usr/bin/env bash
# Runs every ring; the last line counts. What cannot run on this machine is named, with the reason, and counted as
# skipped, never as passed. tests/README.md lists the rings.
set -uo pipefail
cd "$(dirname "$0")/.." || exit
. scripts/one-build.sh
mkdir -p target
log=$PWD/target/test.log

# Everything but the passed tests is shown.
cargo test --workspace --no-fail-fast "$@" 2>&1 | tee "$log" | grep -vE '^(test .* \.\.\. ok|running [0-9]+ tests?|)$'
status=${PIPESTATUS[0]}

# Two rings are in Python, and count their own tests. The lab is the one that was just built and tested.
lab=${CARGO_TARGET_DIR:-$PWD/target}/debug/drill-lab
[ ! -x "$lab" ] || export DRILL_LAB=$lab
tests/local-aws/test.sh 2>&1 | tee "$log.aws" || status=1
tests/e2e/test.sh 2>&1 | tee "$log.e2e" || status=1

count() { grep -E '^test result: ' "$log" | grep -oE "[0-9]+ $1" | awk '{sum += $1} END {print sum + 0}'; }
sum() { tail -q -n 1 "$log.aws" "$log.e2e" | grep -oE "[0-9]+ $1" | awk '{sum += $1} END {print sum + 0}'; }
passed=$(($(count passed) + $(sum passed)))
failed=$(($(count failed) + $(sum failed)))
skipped=$(($(count ignored) + $(sum skipped)))
if [ "$skipped" -gt 0 ]; then
  echo
  echo "Not run on this machine:"
  sed -n 's/^skipped: /  /p' "$log" "$log.aws" "$log.e2e" | sort -u
fi
echo
# A build that fails runs no test: that is a failure too.
[ "$status" -ne 0 ] && [ "$failed" -eq 0 ] && failed=1
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
