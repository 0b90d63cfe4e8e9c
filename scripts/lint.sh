#!/usr/bin/env bash
# Formatting, clippy with warnings as errors, shellcheck, generated files, the validators of the state
# machines and of the template.
set -euo pipefail
cd "$(dirname "$0")/.."

step() { echo "lint: $*"; "$@"; }
step cargo fmt --all --check
step cargo clippy --workspace --all-targets --quiet -- -D warnings
# The host documents are linted in the form in which they are written, and are generated from that.
git ls-files '*.sh' | xargs -r shellcheck -x
echo "lint: shellcheck $(git ls-files '*.sh' | wc -l) files"
step cargo run -q -p drill-documents -- check
step tests/asl/validate.sh
step infra/checks/check.sh
