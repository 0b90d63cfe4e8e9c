"""Runs of the deployed stack, as people see them: started, followed to their end, and looked at from every side.

The sides are the execution and its history, the ledger, the queue behind the topic, the bucket, and the hosts.
"""

import concurrent.futures
import contextlib
import datetime
import json
import os
import pathlib
import subprocess
import uuid

from experiments import ROOT
from testing import eventually

SECONDS = 120
# How far AWS is behind itself, as a real account is. Instances take longer than Recover waits in one call; our own metrics
# are whole, and have their last value, before they count as settled.
LAGS = {
    "reads_seconds": 1,
    "stop_seconds": 40,
    "start_seconds": 40,
    "metrics_seconds": {"AWS/": 60, "Orders": 2},
}


def functions():
    """Where the functions are: those of `sam build` where STORMDRILL_FUNCTIONS says so, else those of the tests' build."""
    target = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    return pathlib.Path(os.environ.get("STORMDRILL_FUNCTIONS") or target / "debug")


class Stack:
    """The deployed stack and what is around it."""

    def __init__(self, aws, outputs, mailbox, monitor=None):
        self.aws, self.outputs, self.mailbox, self.monitor, self.heard = aws, outputs, mailbox, monitor, []

    def store(self, experiment):
        """Puts an experiment where runs look for it; gives its id."""
        item = {"id": {"S": experiment["id"]}, "text": {"S": json.dumps(experiment)}}
        self.aws.client("dynamodb").put_item(TableName=self.outputs["ExperimentsTableName"], Item=item)
        return experiment["id"]

    def start(self, experiment, name=None, **more):
        """Starts a run as the console would; an experiment may be given by its id or whole."""
        start = {"experiment": experiment, "environment": "lab", "requested_by": "the end-to-end ring", **more}
        return self.execute("Experiment", start, name or f"run-{uuid.uuid4().hex[:10]}")

    def execute(self, machine, event, name=None):
        """Starts an execution of one of the stack's machines with this input, whatever it is."""
        named = {"name": name} if name else {}
        arn = self.aws.client("stepfunctions").start_execution(
            stateMachineArn=self.outputs[f"{machine}MachineArn"], input=json.dumps(event), **named
        )["executionArn"]
        return Run(self, arn)

    def made(self, name):
        """What the template calls this, by the name that it got."""
        pages = self.aws.client("cloudformation").get_paginator("list_stack_resources").paginate(StackName="stormdrill")
        found = [one for page in pages for one in page["StackResourceSummaries"]]
        return next(one["PhysicalResourceId"] for one in found if one.get("LogicalResourceId") == name)

    def run(self, name):
        """A run that something else starts, now or later."""
        machine = self.outputs["ExperimentMachineArn"]
        return Run(self, f"{machine.replace(':stateMachine:', ':execution:')}:{name}")

    def items(self, pk, prefix=""):
        """Items of the table of runs."""
        return self.aws.client("dynamodb").query(
            TableName=self.outputs["RunsTableName"],
            KeyConditionExpression="pk = :pk AND begins_with(sk, :prefix)",
            ExpressionAttributeValues={":pk": {"S": pk}, ":prefix": {"S": prefix}},
            ConsistentRead=True,
        )["Items"]

    def notices(self, about):
        """What the topic has said until now of a run: subjects and texts."""
        while got := self.aws.client("sqs").receive_message(QueueUrl=self.mailbox, MaxNumberOfMessages=10).get("Messages"):
            self.heard += [json.loads(message["Body"]) for message in got]
            for message in got:
                self.aws.client("sqs").delete_message(QueueUrl=self.mailbox, ReceiptHandle=message["ReceiptHandle"])
        return [(said.get("Subject", ""), said["Message"]) for said in self.heard if about in said["Message"]]

    def calm(self, seconds=60):
        """Waits until what is measured of the orders is well again. It comes late: the faults of one test would be in the
        baseline of the next."""
        stat = {"Metric": {"Namespace": "Orders", "MetricName": "Availability"}, "Period": 1, "Stat": "Minimum"}
        stat["Metric"]["Dimensions"] = [{"Name": "Service", "Value": "order-service"}]

        def look():
            now = datetime.datetime.now(datetime.timezone.utc)
            window = {"StartTime": now - datetime.timedelta(seconds=15), "EndTime": now}
            asked = [{"Id": "m", "MetricStat": stat}]
            found = self.aws.client("cloudwatch").get_metric_data(MetricDataQueries=asked, **window)
            values = found["MetricDataResults"][0]["Values"]
            return len(values) >= 10 and min(values) >= 99

        eventually(look, seconds)

    def disturb(self, *disturbances):
        """From now on these, and no others."""
        self.aws.ask("traffic", {"disturbances": disturbances})

    def wake(self, **wake):
        """Calls the janitor, as rules and clocks do."""
        return self.aws.invoke("stormdrill-janitor", wake)

    def hosts(self, **tags):
        """The lab's hosts with these tags, as the lab has them."""
        hosts = json.loads(self._lab("status", "--json"))["hosts"]
        return [host for host in hosts if tags.items() <= dict(host["tags"]).items() and host["state"] == "running"]

    def processes(self, service, name):
        """The kernel's letters for the processes of this name on the hosts of this service."""
        look = 'for s in /proc/[0-9]*/stat; do { read -r line <"$s"; } 2>/dev/null && case $line in *"($1)"*) echo "${line##*) }"; esac; done; true'

        def ask(host):
            return self.on(host["instance_id"], "bash", "-c", look, "bash", name)

        with concurrent.futures.ThreadPoolExecutor() as pool:
            said = list(pool.map(ask, self.hosts(Service=service)))
        return [line.split()[0] for text in said for line in text.splitlines()]

    def on(self, instance, *command):
        """What a command says on a host."""
        return self._lab("exec", instance, "--", *command)

    def _lab(self, command, *arguments):
        home = self.aws.ask("status")["lab"]["home"]
        program = home.removesuffix("lab") + "drill-lab"
        done = subprocess.run(
            [program, command, "--home", home, *arguments], capture_output=True, text=True, timeout=30, check=False
        )
        assert done.returncode == 0, f"{command} {arguments}: {done.stderr}"
        return done.stdout


class Run:
    """One execution, and the run that has its name."""

    def __init__(self, stack, arn):
        self.stack, self.name, self.arn = stack, arn.rpartition(":")[2], arn

    def described(self):
        return self.stack.aws.client("stepfunctions").describe_execution(executionArn=self.arn)

    def begins(self, seconds=30):
        """Waits until something has started it."""
        stepfunctions = self.stack.aws.client("stepfunctions")

        def look():
            with contextlib.suppress(stepfunctions.exceptions.ExecutionDoesNotExist):
                return self.described()

        eventually(look, seconds)

    def stop(self):
        """Stops the execution, as somebody in the console would."""
        self.stack.aws.client("stepfunctions").stop_execution(executionArn=self.arn)

    def ended(self, seconds=SECONDS):
        """The execution's status and its error, once it has ended."""

        def look():
            found = self.described()
            return found if found["status"] != "RUNNING" else None

        found = eventually(look, seconds)
        return found["status"], found.get("error", "")

    def ends(self, status, error="", seconds=SECONDS):
        """Sees it end like this; otherwise shows what there is to know."""
        record = None
        found = self.ended(seconds)
        if found != (status, error):
            record = self.record()
        assert found == (status, error), json.dumps([record, self.states(), self.described().get("cause")], indent=1)

    def states(self):
        """The states that it entered, in order."""
        pages = self.stack.aws.client("stepfunctions").get_paginator("get_execution_history")
        return [
            event["stateEnteredEventDetails"]["name"]
            for page in pages.paginate(executionArn=self.arn)
            for event in page["events"]
            if "stateEnteredEventDetails" in event
        ]

    def record(self):
        """The run's record; nothing while there is none."""
        found = self.stack.items(f"RUN#{self.name}", "RUN")
        return json.loads(found[0]["record"]["S"]) if found else None

    def ledger(self):
        """The rows: what was done to whom, and how far it came."""
        return [json.loads(item["row"]["S"]) for item in self.stack.items(f"RUN#{self.name}", "ROW#")]

    def measured(self, stage, probe):
        """The values that were stored for a probe in this part of the run; `None` among them is one that nobody knows."""
        found = self.stack.items(f"RUN#{self.name}", f"SAMPLE#{stage}#")
        readings = [reading for item in found for reading in json.loads(item["sample"]["S"])["readings"]]
        return {one["reading"].get("known") for one in readings if one["probe"] == probe}

    def landed(self, seconds=SECONDS):
        """Waits for its one fault; gives the row."""
        self.reaches(lambda run: any(row["state"]["is"] == "landed" for row in run.ledger()), "the fault", seconds)
        [row] = self.ledger()
        return row

    def open(self):
        """Rows that are still in the index of open ones."""
        return [item for item in self.stack.items(f"RUN#{self.name}", "ROW#") if "open" in item]

    def report(self, seconds=SECONDS):
        """The report in the bucket, as data, once it is there."""
        s3 = self.stack.aws.client("s3")

        def look():
            try:
                got = s3.get_object(Bucket=self.stack.outputs["ReportBucketName"], Key=f"{self.name}/report.json")
            except s3.exceptions.NoSuchKey:
                return None
            return json.load(got["Body"])

        return eventually(look, seconds)

    def reaches(self, look, what, seconds=SECONDS):
        """Waits until `look(run)` is true; a run that ends before has gone wrong."""

        def there():
            found = look(self)
            assert found or self.described()["status"] == "RUNNING", f"{what} never came: {self.states()} {self.record()}"
            return found

        return eventually(there, seconds)
