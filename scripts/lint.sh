#!/usr/bin/env bash
# Formatting, clippy with warnings as errors, shellcheck, spelling, what we depend on, generated files, the validators of
# the state machines and of the template.
set -euo pipefail
cd "$(dirname "$0")/.."

. scripts/one-build.sh
[ -n "${RUSTC_WORKSPACE_WRAPPER:-}" ] || { echo "lint: clippy is missing: rustup component add clippy" >&2; exit 1; }

step() { echo "lint: $*"; "$@"; }
# Any output is a failure. Cargo repeats the warnings of what it does not rebuild.
clippy() {
  local said status=0
  said=$(cargo build --workspace --all-targets --quiet 2>&1) || status=$?
  [ -z "$said" ] || { printf '%s\n' "$said" >&2; return 1; }
  return "$status"
}
documents() { "${CARGO_TARGET_DIR:-target}/debug/drill-documents" "$@"; }
step cargo fmt --all --check
step clippy
step documents check
# The parts of a host document are not complete scripts: the documents are linted as hosts run them.
step documents scripts target/documents
{ git ls-files '*.sh' ':!crates/drill-faults/src/host' && ls target/documents/*.sh; } | xargs shellcheck -x
echo "lint: shellcheck found nothing"
if tools=$(scripts/lint-tools.sh); then
  step "$tools/typos"
  # Advisories are in a repository of their own, which CI fetches.
  step "$tools/cargo-deny" --log-level error check bans licenses sources
else
  echo "skipped: lint: typos and cargo-deny cannot be fetched here"
fi
step tests/asl/validate.sh
step infra/checks/check.sh
