#!/usr/bin/env bash
# Deletes the whole stack. It refuses while a run is under way or a ledger row is open: nothing would put that back.
# What outlives the stack stays, and is named; --with-data deletes it too: the tables, the reports, the logs, and what
# scheduled undos need.
#
# usage: scripts/delete.sh [--with-data] [--stack NAME]
# Exit codes: 0 it is gone, 1 some of it is left, 2 it could not begin, 3 something may still be broken.
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

resources=$(aws cloudformation list-stack-resources --stack-name "$stack" \
  --query 'StackResourceSummaries[].[LogicalResourceId, PhysicalResourceId]' --output text) || resources=''
# The physical id of a resource of the stack.
physical() {
  awk -v id="$1" '$1 == id { print $2; found = 1 } END { exit !found }' <<<"$resources" || {
    echo "delete: there is no stack $stack with a resource $1: nothing was deleted" >&2
    exit 2
  }
}
runs=$(physical RunsTable)
experiments=$(physical ExperimentsTable)
bucket=$(physical ReportBucket)
machine=$(physical ExperimentMachine)
functions=$(physical FunctionLogs)
machines=$(physical MachineLogs)
undos=$(physical ScheduledUndos)
lost=$(physical LostUndos)
role=$(physical UndoRole)

# Ends the script: what cannot be read may be broken.
unseen() {
  echo "delete: it cannot be seen $1: nothing was deleted" >&2
  exit 3
}

# Fails, and says why, while something may still be broken.
at_rest() {
  local under_way open
  # A deletion that failed half-way has deleted the machine: then nothing is under way.
  under_way=$(aws stepfunctions list-executions --state-machine-arn "$machine" --status-filter RUNNING \
    --query 'executions[].name' --output text 2>&1) || case $under_way in
  *StateMachineDoesNotExist*) under_way=None ;;
  *)
    echo "$under_way" >&2
    unseen "which runs are under way"
    ;;
  esac
  if [ -n "$under_way" ] && [ "$under_way" != None ]; then
    echo "delete: these runs are under way: $under_way" >&2
    echo "delete: stop them (aws stepfunctions stop-execution) and wait until they are clean: nothing was deleted" >&2
    return 1
  fi
  # The index may lag behind by moments. A run that is over has left it before its execution ended.
  open=$(aws dynamodb query --table-name "$runs" --index-name open --key-condition-expression '#open = :open' \
    --expression-attribute-names '{"#open": "open"}' --expression-attribute-values '{":open": {"S": "open"}}' \
    --query 'Items[].[pk.S, sk.S]' --output text) || unseen "what is not undone yet"
  if [ -n "$open" ] && [ "$open" != None ]; then
    echo "delete: these changes are not undone yet, or their runs have not given back their targets:" >&2
    echo "$open" >&2
    echo "delete: the janitor puts them back within a minute after their deadline: nothing was deleted" >&2
    return 1
  fi
}

# The emergency stop. If somebody else has pulled it, it stays theirs; one that an earlier try left is ours.
lever='"pk": {"S": "LEVER"}, "sk": {"S": "LEVER"}'
pulled=''
pull() {
  local said reason="{\"S\": \"the stack $stack is being deleted\"}"
  if said=$(aws dynamodb put-item --table-name "$runs" --item "{$lever, \"reason\": $reason}" \
    --condition-expression 'attribute_not_exists(pk) OR #reason = :ours' \
    --expression-attribute-names '{"#reason": "reason"}' \
    --expression-attribute-values "{\":ours\": $reason}" 2>&1); then
    pulled=yes
    trap release EXIT
  elif [[ $said != *ConditionalCheckFailed* ]]; then
    echo "delete: the emergency stop cannot be pulled: $said: nothing was deleted" >&2
    exit 2
  fi
}
release() {
  aws dynamodb delete-item --table-name "$runs" --key "{$lever}" ||
    echo "delete: the emergency stop is still pulled: delete the item LEVER of table $runs" >&2
}

# First without the emergency stop, which would end a run that is under way. Then with it, because a schedule may have
# started a run meanwhile; with the stop pulled, it breaks nothing.
at_rest || exit 3
pull
at_rest || exit 3

echo "delete: deleting the stack $stack"
# A half-deleted stack must not break anything: from here on the emergency stop stays pulled until the stack is gone.
trap - EXIT
if ! { aws cloudformation delete-stack --stack-name "$stack" &&
  aws cloudformation wait stack-delete-complete --stack-name "$stack"; }; then
  echo "delete: the stack is not gone, and the emergency stop is pulled (the item LEVER of table $runs)" >&2
  echo "delete: read the stack's events in CloudFormation, then delete it again" >&2
  exit 1
fi

if [ "$data" = keep ]; then
  [ -z "$pulled" ] || release
  echo "delete: the stack is gone. These stay: the tables $runs and $experiments, the bucket $bucket,"
  echo "delete: the log groups $functions and $machines, and of scheduled undos the group $undos,"
  echo "delete: the queue $lost and the role $role. --with-data deletes them too."
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

# Every row was closed, so no schedule is needed any more. A group takes its schedules along.
aws scheduler delete-schedule-group --name "$undos"
# Version 1 of the command line takes no address for SQS from the environment.
aws sqs delete-queue --queue-url "$lost" ${AWS_ENDPOINT_URL:+--endpoint-url "$AWS_ENDPOINT_URL"}
aws iam delete-role-policy --role-name "$role" --policy-name own
aws iam delete-role --role-name "$role"
echo "delete: the group, the queue and the role of scheduled undos are deleted"
