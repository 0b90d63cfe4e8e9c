#!/bin/sh
# Runs both linters on every state machine, as it is deployed. They find different mistakes, so both must pass.
# Exits with 3 when they cannot be installed.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
target=${ASL_TARGET:-$here/../../target}
"$here/setup.sh" linters
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

failed=0
for file in "$here"/../../statemachine/*.asl.yaml; do
    name=$(basename "$file" .yaml)
    json=$work/$name.json
    "$target/venv-asl/bin/python" "$here/machine.py" "$file" > "$json"
    if ! said=$("$target/venv-asl/bin/statelint" "$json" 2>&1) || [ -n "$said" ]; then
        echo "statelint: $name: $said"
        failed=1
    fi
    if ! said=$("$target/npm-asl/node_modules/.bin/asl-validator" --json-path "$json" 2>&1); then
        echo "asl-validator: $name: $said"
        failed=1
    fi
done
[ "$failed" = 0 ] && echo "asl: statelint and asl-validator found nothing"
exit "$failed"
