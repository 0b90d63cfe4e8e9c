#!/usr/bin/env bash
# The local AWS for people: moto, real functions, real hosts, the stack deployed and the ready-made experiments stored.
# usage: aws-local.sh up [--port N] [--no-lab] ... | down
set -euo pipefail
cd "$(dirname "$0")/.."
venv=$(tests/local-aws/setup.sh)
export PYTHONDONTWRITEBYTECODE=1
run() { "$venv/bin/python" "tests/local-aws/$1" "${@:2}"; }

case ${1:-up} in
up)
  shift || true
  # The functions that `sam build` made; otherwise those of a test build, which is quicker.
  code=.aws-sam/build
  if [ ! -d "$code" ]; then
    code=${CARGO_TARGET_DIR:-target}/debug
    echo "# Building the functions (minutes, the first time) ..."
      # Built like the tests: with other features the SDK would be built once more.
    . scripts/one-build.sh
    cargo build -q --workspace --bins --tests
  elif [ -z "${DRILL_LAB:-}" ]; then
    # The hosts are the lab's.
    cargo build -q -p drill-lab
  fi
  environment=$(run local_aws.py up "$@")
  eval "$environment"
  echo "# Deploying template.yaml with the functions in $code ..."
  outputs=$(run deploy.py template.yaml --code "$code" \
    --parameter Faults=host,ec2-instance,subnet --parameter Environments=lab --parameter AllowTermination=yes)
  printf '%s\n' "$outputs"
  table=$(sed -n 's/.*"ExperimentsTableName": "\(.*\)".*/\1/p' <<<"$outputs")
  run store.py "$table" experiments/*/
  machine=$(sed -n 's/.*"ExperimentMachineArn": "\(.*\)".*/\1/p' <<<"$outputs")
  cat <<END
# Now, for instance:
$environment
PATH="$venv/bin:\$PATH"
aws stepfunctions start-execution --name first-drill --state-machine-arn $machine \\
  --input '{"experiment": "order-service-crash", "environment": "lab", "requested_by": "me"}'
aws stepfunctions describe-execution --execution-arn ${machine/:stateMachine:/:execution:}:first-drill
END
  ;;
down) run local_aws.py down ;;
*)
  echo "usage: aws-local.sh up|down" >&2
  exit 2
  ;;
esac
