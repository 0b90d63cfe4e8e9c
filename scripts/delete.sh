#!/usr/bin/env bash
# Deletes the whole stack; refuses while a run is under way or a ledger row is open, because what is broken would stay broken.
# The tables, the reports and the logs stay, and are named, unless --with-data is given: then they are deleted too.
#
# usage: scripts/delete.sh [--with-data] [--stack NAME]
# Ends with 0 when it is gone, 2 when the question was wrong, 3 when something may still be broken.
set -euo pipefail

stack=stormdrill
data=keep
while [ $# -gt 0 ]; do
  case $1 in
    --with-data) data=delete ;;
    --stack)
      stack=${2:?delete: --stack needs a name}
      shift
      ;;
    *)
      echo "usage: scripts/delete.sh [--with-data] [--stack NAME]" >&2
      exit 2
      ;;
  esac
  shift
done

# The physical id of a resource of the stack.
physical() {
  aws cloudformation describe-stack-resource --stack-name "$stack" --logical-resource-id "$1" \
    --query StackResourceDetail.PhysicalResourceId --output text
}
if ! runs=$(physical RunsTable); then
  echo "delete: there is no stack $stack with a table of runs: nothing was deleted" >&2
  exit 2
fi
experiments=$(physical ExperimentsTable)
bucket=$(physical ReportBucket)
machine=$(physical ExperimentMachine)
functions=$(physical FunctionLogs)
machines=$(physical MachineLogs)

under_way=$(aws stepfunctions list-executions --state-machine-arn "$machine" --status-filter RUNNING \
  --query 'executions[].name' --output text)
if [ -n "$under_way" ] && [ "$under_way" != None ]; then
  echo "delete: these runs are under way: $under_way" >&2
  echo "delete: stop them (aws stepfunctions stop-execution) and wait until they are clean: nothing was deleted" >&2
  exit 3
fi

# The index may lag behind by moments. A run that is over has closed its rows before its execution ended.
open=$(aws dynamodb query --table-name "$runs" --index-name open --key-condition-expression '#open = :open' \
  --expression-attribute-names '{"#open": "open"}' --expression-attribute-values '{":open": {"S": "open"}}' \
  --query 'Items[].[pk.S, sk.S]' --output text)
if [ -n "$open" ] && [ "$open" != None ]; then
  echo "delete: these changes are not undone yet:" >&2
  echo "$open" >&2
  echo "delete: the janitor puts them back within a minute after their deadline: nothing was deleted" >&2
  exit 3
fi

echo "delete: deleting the stack $stack"
aws cloudformation delete-stack --stack-name "$stack"
aws cloudformation wait stack-delete-complete --stack-name "$stack"

if [ "$data" = keep ]; then
  echo "delete: the stack is gone. These stay: the tables $runs and $experiments, the bucket $bucket,"
  echo "delete: the log groups $functions and $machines. With --with-data they would have been deleted too."
  exit 0
fi

for table in "$runs" "$experiments"; do
  aws dynamodb update-table --table-name "$table" --no-deletion-protection-enabled >/dev/null
  aws dynamodb wait table-exists --table-name "$table"
  aws dynamodb delete-table --table-name "$table" >/dev/null
  echo "delete: table $table is deleted"
done

# A versioned bucket is empty when its versions and its delete markers are gone, a thousand at a time.
while :; do
  # shellcheck disable=SC2016 # the backticks are JMESPath's
  batch=$(aws s3api list-object-versions --bucket "$bucket" --max-items 1000 --output json \
    --query '{Objects: [Versions, DeleteMarkers][][].{Key: Key, VersionId: VersionId}, Quiet: `true`}')
  case $batch in *'"VersionId"'*) ;; *) break ;; esac
  aws s3api delete-objects --bucket "$bucket" --delete "$batch" >/dev/null
done
aws s3api delete-bucket --bucket "$bucket"
echo "delete: bucket $bucket is deleted"

for group in "$functions" "$machines"; do
  aws logs delete-log-group --log-group-name "$group"
  echo "delete: log group $group is deleted"
done
