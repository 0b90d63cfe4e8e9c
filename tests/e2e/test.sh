#!/usr/bin/env bash
# The whole stack in a local AWS: deployed, started in every way, disturbed, and looked at from every side. Minutes.
# STORMDRILL_FUNCTIONS=.aws-sam/build takes the functions that `sam build` has made instead of building them for tests.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
target=${CARGO_TARGET_DIR:-$here/../../target}
if [ -z "${STORMDRILL_FUNCTIONS:-}" ]; then
  # With the tests, which are not needed here: without them the SDK would be built once more, with other features.
  # shellcheck source=scripts/one-build.sh
  . "$here/../../scripts/one-build.sh"
  (cd "$here" && cargo build -q --workspace --bins --tests)
  export DRILL_LAB=${DRILL_LAB:-$target/debug/drill-lab}
else
  STORMDRILL_FUNCTIONS=$(cd "$STORMDRILL_FUNCTIONS" && pwd)
  export STORMDRILL_FUNCTIONS
fi
exec "$here/../local-aws/ring.sh" "end to end" "$here" "$@"
