#!/usr/bin/env bash
# The whole stack in a local AWS: deployed, started in every way, disturbed, and looked at from every side. Minutes.
# STORMDRILL_FUNCTIONS=.aws-sam/build takes the functions that `sam build` has made instead of building them for tests.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
if [ -z "${STORMDRILL_FUNCTIONS:-}" ]; then
  (cd "$here" && cargo build -q --workspace --bins)
else
  STORMDRILL_FUNCTIONS=$(cd "$STORMDRILL_FUNCTIONS" && pwd)
  export STORMDRILL_FUNCTIONS
fi
exec "$here/../local-aws/ring.sh" "end to end" "$here" "$@"
