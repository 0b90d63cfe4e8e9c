"""`scripts/prove-undo.sh`: it writes its proof when the scheduler may do what undos do, and takes it away when not.

In AWSs of their own, where roles count, and whose clocks are pushed.
"""

import os
import pathlib
import subprocess
import sys

import deploy
import pytest
from drill import Stack, functions
from experiments import ROOT
from testing import eventually, reached

KEY = {"pk": {"S": "UNDO"}, "sk": {"S": "PROOF"}}
# As the role of the scheduler has it: the healers' policy is less deep.
STARTS = "- Sid: Start\n                    Effect: Allow\n                    Action: ec2:StartInstances"
OPENS = "Action: ec2:DeleteNetworkAclEntry"


@pytest.fixture
def deployed(tmp_path):
    """Deploys the template with something else in the place of a part of it."""
    with reached(tmp_path / "home", "--no-lab") as aws:

        def made(before="", after="", faults="ec2-instance,subnet"):
            text = (ROOT / "template.yaml").read_text(encoding="utf-8")
            assert before in text
            # Beside the real one, which it takes other files from.
            template = ROOT / f"template-{tmp_path.name}.yaml"
            template.write_text(text.replace(before, after), encoding="utf-8")
            try:
                parameters = {"Environments": "lab", "Faults": faults}
                outputs = deploy.deploy(template, code=functions(), parameters=parameters)
            finally:
                template.unlink()
            aws.ask("authorization", {"enforced": True})
            return Stack(aws, outputs, None)

        yield made


def proof(stack):
    found = stack.items("UNDO", "PROOF")
    return found[0]["role"]["S"] if found else None


def prove(stack):
    """Runs the script, and pushes the clock when it waits."""
    client = {"PATH": f"{pathlib.Path(sys.executable).parent}:{os.environ['PATH']}"}
    run = subprocess.Popen(
        [ROOT / "scripts/prove-undo.sh"],
        env=os.environ | client,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    said = ""
    while line := run.stdout.readline():
        said += line
        if "makes these calls at" in line:
            stack.aws.ask("clock", {"advance_seconds": 61})
    return run.wait(), said


def left(stack):
    """What of a self-test is still there."""
    group = stack.made("ScheduledUndos")
    wanted = [{"Name": "tag-key", "Values": ["StormdrillUnit"]}]
    acls = stack.aws.client("ec2").describe_network_acls(Filters=wanted)["NetworkAcls"]
    return acls + stack.aws.client("scheduler").list_schedules(GroupName=group)["Schedules"]


def test_a_scheduler_that_may_undo_is_proven(deployed):
    stack = deployed()
    assert proof(stack) is None

    code, said = prove(stack)

    assert code == 0, said
    role = stack.aws.client("iam").get_role(RoleName=stack.made("UndoRole"))["Role"]["Arn"]
    assert proof(stack) == role
    eventually(lambda: left(stack) == [])


@pytest.mark.parametrize(
    ("grant", "instead", "why"),
    [
        (STARTS, STARTS.replace("StartInstances", "DescribeInstances"), "may not start instances: UnauthorizedOperation"),
        (OPENS, "Action: ec2:DescribeNetworkAcls", "has not deleted the entry of acl-"),
    ],
)
def test_without_a_grant_there_is_no_proof_and_an_old_one_goes(deployed, grant, instead, why):
    stack = deployed(grant, instead)
    stack.aws.client("dynamodb").put_item(
        TableName=stack.outputs["RunsTableName"], Item=KEY | {"role": {"S": "arn:aws:iam::123456789012:role/old"}}
    )

    code, said = prove(stack)

    assert (code, why in said) == (1, True), said
    assert proof(stack) is None
    assert left(stack) == []


def test_what_is_switched_off_is_not_asked_for(deployed):
    stack = deployed(faults="host,ec2-instance")

    code, said = prove(stack)

    assert (code, "nothing is proven of subnets" in said) == (0, True), said
    assert proof(stack)
