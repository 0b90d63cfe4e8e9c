#!/usr/bin/env bash
# Prints the environment of a deployed function, for `eval`: what the template gave it.
# usage: function-env.sh FUNCTION [STACK]
set -euo pipefail
cd "$(dirname "$0")/.."
function=${1:?which function? prepare, inject, observe, recover, rollback, janitor, validate, report or approval}
aws=aws
[ ! -x target/venvs/local-aws/bin/aws ] || aws=target/venvs/local-aws/bin/aws
"$aws" lambda get-function-configuration --function-name "${2:-stormdrill}-$function" --query Environment.Variables --output json |
  python3 -c 'import json, shlex, sys; [print(f"export {name}={shlex.quote(value)}") for name, value in json.load(sys.stdin).items()]'
