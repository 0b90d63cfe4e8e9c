#!/usr/bin/env bash
# The local AWS for people: moto, real functions, real hosts. `up` deploys template.yaml when its functions are built.
# usage: aws-local.sh up [--port N] [--no-lab] ... | down
set -euo pipefail
cd "$(dirname "$0")/.."
venv=$(tests/local-aws/setup.sh)
export PYTHONDONTWRITEBYTECODE=1
run() { "$venv/bin/python" "tests/local-aws/$1" "${@:2}"; }

case ${1:-up} in
up)
  shift || true
  # The hosts are the lab's.
  if [ -z "${DRILL_LAB:-}" ] && [[ " $* " != *" --no-lab "* ]]; then
    cargo build -q -p drill-lab
  fi
  environment=$(run local_aws.py up "$@")
  printf '%s\n' "$environment"
  eval "$environment"
  for code in .aws-sam/build target/lambda; do
    if [ -d "$code" ]; then
      echo "# Deploying template.yaml with the functions in $code ..."
      run deploy.py template.yaml --code "$code" --parameter Environments=lab
      exit
    fi
  done
  echo "# No functions are built: \`sam build\`, then \`tests/local-aws/deploy.py template.yaml --code .aws-sam/build\`."
  ;;
down) run local_aws.py down ;;
*)
  echo "usage: aws-local.sh up|down" >&2
  exit 2
  ;;
esac
