#!/usr/bin/env bash
# The contract of the local AWS: tests everything that it adds to moto, from outside. About a minute.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
exec "$here/ring.sh" "local AWS" "$here/contract" "$@"
