#!/usr/bin/env bash
# Installs what the tests and the lab need, and the Debian packages of any further lists. Quick when all is installed.
#
# usage: setup.sh [PACKAGES.TXT…]
set -euo pipefail
cd "$(dirname "$0")/.."

# The packages that the rings list, without comments.
wanted=$(sed -E 's/#.*//; s/[[:space:]]+//g; /^$/d' tests/*/packages.txt scripts/packages.txt "$@" | sort -u)
missing=()
for package in $wanted; do
  dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null | grep -qx installed || missing+=("$package")
done
if [ ${#missing[@]} -gt 0 ]; then
  if [ "$(id -u)" -ne 0 ]; then
    echo "setup: these packages are missing and need root: ${missing[*]}" >&2
    echo "setup: run  sudo apt-get install --no-install-recommends ${missing[*]}" >&2
    exit 1
  fi
  echo "setup: installing ${missing[*]}"
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -qq
  apt-get install -y -qq --no-install-recommends "${missing[@]}" >target-setup.log 2>&1 || {
    tail -20 target-setup.log >&2
    exit 1
  }
  rm -f target-setup.log
fi
tests/asl/setup.sh
infra/checks/setup.sh
