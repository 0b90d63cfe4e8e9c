#!/usr/bin/env bash
# Formatting, clippy with warnings as errors, shellcheck, generated files, the validators of the state
# machines and of the template.
set -euo pipefail
cd "$(dirname "$0")/.."

step() { echo "lint: $*"; "$@"; }
step cargo fmt --all --check
step cargo clippy --workspace --all-targets --quiet -- -D warnings
step cargo run -q -p drill-documents -- check
# The parts of the host documents are no scripts of their own: the documents are linted as hosts run them.
step cargo run -q -p drill-documents -- scripts target/documents
{ git ls-files '*.sh' ':!infra/ssm/src' && ls target/documents/*.sh; } | xargs shellcheck -x
echo "lint: shellcheck is content"
step tests/asl/validate.sh
step infra/checks/check.sh
