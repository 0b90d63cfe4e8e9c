#!/usr/bin/env bash
# Runs the benchmarks on the functions that `sam build` made, and writes what they count into docs/performance.md.
set -euo pipefail
cd "$(dirname "$0")/.."
if [ ! -d .aws-sam/build ]; then
  echo "bench: the functions are not built: \`make build\` first" >&2
  exit 2
fi
venv=$(tests/local-aws/setup.sh)
cargo build -q --release -p hello
exec env PYTHONDONTWRITEBYTECODE=1 "$venv/bin/python" bench/run.py --write docs/performance.md "$@"
