#!/usr/bin/env bash
# Proves that EventBridge Scheduler makes our undo calls, before an experiment relies on it, and writes down that it does.
# Prepare refuses faults that need a scheduled undo until then. `make deploy` ends with this; it changes no target.
#
# It arms two schedules a minute ahead, with the group and the role that experiments use. One deletes an entry of a network
# ACL that this script makes and that no subnet has: the entry is gone when it worked. One starts an instance as a dry run:
# Scheduler keeps what the service answers, and that must be that the role may.
#
# usage: scripts/prove-undo.sh [--stack NAME]
# Exit codes: 0 it is proven, 1 it is not, 2 it could not begin.
set -euo pipefail

stack=stormdrill
if [ "${1:-}" = --stack ]; then
  stack=${2:?prove-undo: --stack needs a name}
elif [ $# -gt 0 ]; then
  echo "usage: scripts/prove-undo.sh [--stack NAME]" >&2
  exit 2
fi

resources=$(aws cloudformation list-stack-resources --stack-name "$stack" \
  --query 'StackResourceSummaries[].[LogicalResourceId, PhysicalResourceId]' --output text) || resources=''
# The physical id of a resource of the stack.
physical() {
  awk -v id="$1" '$1 == id { print $2; found = 1 } END { exit !found }' <<<"$resources" || {
    echo "prove-undo: there is no stack $stack with a resource $1" >&2
    exit 2
  }
}
faults=$(aws cloudformation describe-stacks --stack-name "$stack" --output text \
  --query "Stacks[0].Parameters[?ParameterKey=='Faults'].ParameterValue")
# Whether faults on this kind of target are switched on: otherwise the role may not undo them, and need not.
on() { case $faults in *"$1"*) ;; *) return 1 ;; esac }
runs=$(physical RunsTable)
group=$(physical ScheduledUndos)
queue=$(physical UndoRehearsals)
name=$(physical UndoRole)
role=$(aws iam get-role --role-name "$name" --query Role.Arn --output text)
# Version 1 of the command line takes no address for SQS from the environment.
sqs() { aws sqs ${AWS_ENDPOINT_URL:+--endpoint-url "$AWS_ENDPOINT_URL"} "$@"; }
letters=$(sqs get-queue-attributes --queue-url "$queue" --attribute-names QueueArn --query Attributes.QueueArn --output text)
partition=$(cut -d : -f 2 <<<"$role")

# An older proof is none while this runs, nor when it fails.
key='"pk": {"S": "UNDO"}, "sk": {"S": "PROOF"}'
aws dynamodb delete-item --table-name "$runs" --key "{$key}"
on ec2-instance || on subnet || {
  echo "prove-undo: no fault that is switched on needs a scheduled undo; run this again when one is"
  exit 0
}

test=self-test-$(date -u +%s)-$$
acl=''
tidy() {
  for one in start entry; do
    aws scheduler delete-schedule --group-name "$group" --name "$test-$one" 2>/dev/null || true
  done
  [ -z "$acl" ] || aws ec2 delete-network-acl --network-acl-id "$acl" ||
    echo "prove-undo: delete the network ACL $acl: it belongs to this test, and no subnet has it" >&2
}
trap tidy EXIT

soon=$(($(date -u +%s) + 60))
at=$(date -u -d "@$soon" +%Y-%m-%dT%H:%M:%S 2>/dev/null || date -u -r "$soon" +%Y-%m-%dT%H:%M:%S)
# arm NAME ACTION INPUT: as Inject arms an undo.
arm() {
  local input=${3//\"/\\\"}
  aws scheduler create-schedule --group-name "$group" --name "$test-$1" --schedule-expression "at($at)" \
    --schedule-expression-timezone UTC --flexible-time-window Mode=OFF --action-after-completion DELETE \
    --target "{\"Arn\": \"arn:$partition:scheduler:::aws-sdk:ec2:$2\", \"RoleArn\": \"$role\", \"Input\": \"$input\",
      \"DeadLetterConfig\": {\"Arn\": \"$letters\"}, \"RetryPolicy\": {\"MaximumRetryAttempts\": 0}}" >/dev/null
}

instance=$(aws ec2 describe-instances --filters Name=instance-state-name,Values=running \
  --query 'Reservations[0].Instances[0].InstanceId' --output text)
# One that is not there will do: whether the role may is answered first.
case $instance in i-*) ;; *) instance=i-0123456789abcdef0 ;; esac
if on ec2-instance; then
  arm start startInstances "{\"InstanceIds\": [\"$instance\"], \"DryRun\": true}"
fi

vpc=off
if on subnet; then
  vpc=$(aws ec2 describe-vpcs --query 'Vpcs[0].VpcId' --output text)
fi
case $vpc in
off) echo "prove-undo: faults on subnets are switched off, so nothing is proven of subnets" ;;
vpc-*)
  acl=$(aws ec2 create-network-acl --vpc-id "$vpc" --query NetworkAcl.NetworkAclId --output text --tag-specifications \
    'ResourceType=network-acl,Tags=[{Key=StormdrillUnit,Value=self-test},{Key=Name,Value=stormdrill-self-test}]')
  aws ec2 create-network-acl-entry --network-acl-id "$acl" --rule-number 1 --egress --rule-action deny --protocol -1 \
    --cidr-block 0.0.0.0/0
  arm entry deleteNetworkAclEntry "{\"NetworkAclId\": \"$acl\", \"RuleNumber\": 1, \"Egress\": true}"
  ;;
*) echo "prove-undo: there is no VPC here, so nothing is proven of subnets, and none can be harmed" ;;
esac

echo "prove-undo: the scheduler makes these calls at $at UTC"
# The code that the service answered a dry run with, as Scheduler keeps it.
answered() {
  sqs receive-message --queue-url "$queue" --max-number-of-messages 10 --wait-time-seconds 5 --visibility-timeout 1 \
    --message-attribute-names All --output text --query \
    "Messages[?contains(MessageAttributes.SCHEDULE_ARN.StringValue, '/$test-$1')].MessageAttributes.ERROR_CODE.StringValue | [0]"
}
# Whether the entry is still there.
# shellcheck disable=SC2016 # the backticks are JMESPath's
closed() {
  aws ec2 describe-network-acls --network-acl-ids "$acl" --output text \
    --query 'NetworkAcls[0].Entries[?RuleNumber==`1`].RuleNumber'
}
started=None
on ec2-instance || started=DryRunOperation
opened=no
[ -n "$acl" ] || opened=yes
patience=$((SECONDS + 300))
while [ "$SECONDS" -lt "$patience" ] && { [ "$started" = None ] || [ "$opened" = no ]; }; do
  [ "$started" != None ] || started=$(answered start)
  [ "$opened" = yes ] || [ -n "$(closed)" ] || opened=yes
  # A call that was refused will not be made again.
  [ "$opened" = yes ] || refused=$(answered entry)
  [ "${refused:-None}" = None ] || break
done
sqs purge-queue --queue-url "$queue" 2>/dev/null || true

# Who may not is told so before anything is looked for.
case $started in
DryRunOperation | InvalidInstanceID.NotFound) ;;
None)
  echo "prove-undo: the scheduler has not started $instance as a dry run in five minutes" >&2
  exit 1
  ;;
*)
  echo "prove-undo: the role $name may not start instances: $started" >&2
  exit 1
  ;;
esac
if [ "$opened" = no ]; then
  echo "prove-undo: the scheduler has not deleted the entry of $acl: ${refused:-it did not come}" >&2
  exit 1
fi
aws dynamodb put-item --table-name "$runs" \
  --item "{$key, \"role\": {\"S\": \"$role\"}, \"at\": {\"S\": \"$(date -u +%Y-%m-%dT%H:%M:%SZ)\"}}"
echo "prove-undo: proven: the scheduler can undo what experiments do, also when nothing else is left"
