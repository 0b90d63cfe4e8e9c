#!/usr/bin/env bash
# The checks of the template: SAM's own validation, cfn-lint after the translation, cfn-lint on the
# documents, checkov. All at once, and not again while nothing has changed.
# Ends with 3 when the tools cannot be installed.
# `run` calls the functions below by name.
# shellcheck disable=SC2317
set -euo pipefail
cd "$(dirname "$0")/../.."

infra/checks/setup.sh
stamp=target/venvs/.template-checked
state=$(sha256sum template.yaml samconfig.toml infra/*.yaml infra/generated/*.yaml statemachine/*.asl.yaml infra/checks/* | sha256sum)
if [ "$(cat "$stamp" 2>/dev/null)" = "$state" ]; then
  echo "template: unchanged since it was last checked"
  exit 0
fi

export SAM_CLI_TELEMETRY=0 AWS_DEFAULT_REGION=us-east-1 PATH="$PWD/target/venvs/sam/bin:$PATH"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/infra/generated"
cp infra/*.yaml "$work/infra"
cp infra/generated/*.yaml "$work/infra/generated"

translated() {
  target/venvs/sam/bin/python infra/checks/transform.py template.yaml >"$work/template.json"
  # W3002: that the nested template is a file here; `sam package` puts it where CloudFormation finds it.
  cfn-lint --ignore-checks W3002 --region us-east-1 --template "$work/template.json"
}
documents() {
  # E3051 cannot read a document that is text, so the documents are checked once more as objects.
  cfn-lint --ignore-checks E3051 --region us-east-1 --template infra/generated/documents.yaml
  target/venvs/sam/bin/python infra/checks/documents.py >"$work/documents.json"
  cfn-lint --region us-east-1 --template "$work/documents.json"
}
others() {
  for file in infra/*.yaml; do
    cfn-lint --region us-east-1 --template "$file"
  done
}
run() {
  local name=$1
  shift
  if "$@" >"$work/$name.log" 2>&1; then echo "template: $name found nothing"; else
    sed "s/^/$name: /" "$work/$name.log"
    return 1
  fi
}

pids=()
run sam sam validate --lint --template template.yaml &
pids+=($!)
run cfn-lint translated &
pids+=($!)
run documents documents &
pids+=($!)
run others others &
pids+=($!)
run checkov target/venvs/sam/bin/python infra/checks/checkov.py target/venvs/checkov/bin/checkov template.yaml &
pids+=($!)
failed=0
for pid in "${pids[@]}"; do wait "$pid" || failed=1; done
[ "$failed" = 0 ] && echo "$state" >"$stamp"
exit "$failed"
