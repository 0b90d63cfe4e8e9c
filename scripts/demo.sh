#!/usr/bin/env bash
# One experiment in the lab, from a fresh clone: packages, build, run. Prints how long each took.
set -euo pipefail
cd "$(dirname "$0")/.."

began=$(date +%s)
lap() { echo "demo: $1 after $(($(date +%s) - began)) s"; }
if ! command -v ip >/dev/null || ! command -v iptables >/dev/null; then
  if [ "$(id -u)" -eq 0 ]; then
    apt-get update -qq && apt-get install -y -qq --no-install-recommends iproute2 iptables >/dev/null
  else
    echo "demo: the lab needs iproute2 and iptables: sudo apt-get install iproute2 iptables" >&2
    exit 2
  fi
fi
cargo build -q -p drill-lab
lap built
status=0
target/debug/drill-lab run "${1:-experiments/order-service-crash}" || status=$?
lap ended
exit "$status"
