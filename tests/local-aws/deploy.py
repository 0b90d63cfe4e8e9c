"""Deploys a SAM template to the local AWS: uploads what was built, translates the template offline, creates the stack.

usage: deploy.py TEMPLATE [--stack NAME] [--code FOLDER] [--parameter NAME=VALUE]... [--s3-bucket NAME]
A stack that exists is updated. Ends with 1 and says so when a resource of the template was not created.
"""

import argparse
import datetime
import hashlib
import io
import json
import logging
import os
import pathlib
import stat
import sys
import urllib.parse
import zipfile

import boto3
from botocore.exceptions import ClientError
from samtranslator.translator.transform import transform
from samtranslator.yaml_helper import yaml_parse

FUNCTION, MACHINE, STACK = "AWS::Serverless::Function", "AWS::Serverless::StateMachine", "AWS::CloudFormation::Stack"
# Policies of AWS that SAM knows by their short names; asking IAM for the list needs an account.
POLICIES = {
    "AWSLambdaBasicExecutionRole": "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole",
    "AWSXrayWriteOnlyAccess": "arn:aws:iam::aws:policy/AWSXrayWriteOnlyAccess",
    "AWSXRayDaemonWriteAccess": "arn:aws:iam::aws:policy/AWSXRayDaemonWriteAccess",
}
# moto reads a bucket's policy without its conditions: one that denies plain HTTP would deny everything.
UNKNOWN = ("AWS::S3::BucketPolicy",)

# The translator speaks of measurements of its own, which nobody has asked for.
logging.getLogger("samtranslator.metrics").setLevel(logging.ERROR)


class Failed(Exception):
    """What could not be deployed, and why."""


def main(arguments):
    parser = argparse.ArgumentParser(prog="deploy.py", description=__doc__.splitlines()[0])
    parser.add_argument("template", type=pathlib.Path)
    parser.add_argument("--stack", default="stormdrill")
    parser.add_argument(
        "--code",
        type=pathlib.Path,
        help="where built functions are: FOLDER/<logical id>/, FOLDER/<name>/ or the program FOLDER/<name>; "
        "<name> is the last part of CodeUri (default: CodeUri itself, as `sam build` writes it)",
    )
    parser.add_argument("--parameter", action="append", default=[], metavar="NAME=VALUE")
    parser.add_argument("--s3-bucket", default="stormdrill-local-artifacts")
    asked = parser.parse_args(arguments)
    host = urllib.parse.urlsplit(os.environ.get("AWS_ENDPOINT_URL", "")).hostname
    if host not in ("localhost", "127.0.0.1", "::1"):
        print(
            'deploy: this is for the local AWS only: `eval "$(tests/local-aws/local_aws.py env)"` first',
            file=sys.stderr,
        )
        return 2
    given = dict(text.partition("=")[::2] for text in asked.parameter)
    try:
        outputs = deploy(asked.template, asked.stack, asked.code, given, asked.s3_bucket)
    except (Failed, ClientError) as error:
        print(f"deploy: {error}", file=sys.stderr)
        return 1
    if "RunsTableName" in outputs:
        prove_undo(outputs["RunsTableName"])
    print(json.dumps(outputs, indent=2))
    return 0


def deploy(template, stack="stormdrill", code=None, parameters=None, bucket="stormdrill-local-artifacts"):
    """Creates or updates the stack; gives its outputs."""
    upload = Upload(bucket)
    plain = translate(template, code, upload)
    place = upload.put(json.dumps(plain, default=str).encode(), ".template")
    cloudformation = boto3.client("cloudformation")
    given = lists(plain) | (parameters or {})
    given = [{"ParameterKey": name, "ParameterValue": value} for name, value in given.items()]
    call = dict(StackName=stack, TemplateURL=upload.url(place), Parameters=given, Capabilities=["CAPABILITY_NAMED_IAM"])
    if exists(cloudformation, stack):
        cloudformation.update_stack(**call)
    else:
        cloudformation.create_stack(**call)
    found = cloudformation.describe_stacks(StackName=stack)["Stacks"][0]
    if not found["StackStatus"].endswith("_COMPLETE") or "ROLLBACK" in found["StackStatus"]:
        raise Failed(f"stack {stack} is {found['StackStatus']}: {found.get('StackStatusReason', '')}")
    missing = absent(cloudformation, stack, plain)
    if missing:
        raise Failed(f"stack {stack} was created without {', '.join(missing)}")
    return {output["OutputKey"]: output["OutputValue"] for output in found.get("Outputs", [])}


def lists(plain):
    """The lists that parameters are by default: moto takes a list apart only where it is given."""
    parameters = plain.get("Parameters", {}).items()
    return {name: one["Default"] for name, one in parameters if one["Type"] == "CommaDelimitedList" and one.get("Default")}


def prove_undo(table):
    """Writes that the scheduler makes undo calls, as scripts/prove-undo.sh does after a deployment.

    It would take two minutes here, and the end-to-end ring tries it by itself (tests/e2e/test_alone_proof.py).
    """
    at = datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    proof = {"pk": {"S": "UNDO"}, "sk": {"S": "PROOF"}, "role": {"S": "the local AWS"}, "at": {"S": at}}
    boto3.client("dynamodb").put_item(TableName=table, Item=proof)


def translate(template, code, upload):
    """The template as plain CloudFormation, with everything that it points at uploaded."""
    parsed, folder = yaml_parse(template.read_text(encoding="utf-8")), template.resolve().parent
    for name, resource in parsed["Resources"].items():
        properties = resource.get("Properties", {})
        if resource["Type"] == FUNCTION and isinstance(properties.get("CodeUri"), str):
            properties["CodeUri"] = upload.put(zipped(find(name, resource, folder, code)), ".zip")
        if resource["Type"] == MACHINE and isinstance(properties.get("DefinitionUri"), str):
            properties["DefinitionUri"] = upload.put((folder / properties["DefinitionUri"]).read_bytes(), ".asl")
        if resource["Type"] == STACK and isinstance(properties.get("TemplateURL"), str):
            nested = yaml_parse((folder / properties["TemplateURL"]).read_text(encoding="utf-8"))
            properties["TemplateURL"] = upload.url(upload.put(json.dumps(nested, default=str).encode(), ".template"))
    return transform(parsed, {}, Policies())


class Policies:
    """Stands where SAM asks IAM for managed policies."""

    def load(self):
        return POLICIES


class Upload:
    """A bucket whose keys are the hashes of what is in them."""

    def __init__(self, bucket):
        self.bucket, self.s3 = bucket, boto3.client("s3")
        try:
            self.s3.create_bucket(Bucket=bucket)
        except ClientError as error:
            if error.response["Error"]["Code"] not in ("BucketAlreadyOwnedByYou", "BucketAlreadyExists"):
                raise

    def put(self, content, ending):
        key = hashlib.sha256(content).hexdigest() + ending
        self.s3.put_object(Bucket=self.bucket, Key=key, Body=content)
        return {"Bucket": self.bucket, "Key": key}

    def url(self, place):
        return urllib.parse.urljoin(os.environ["AWS_ENDPOINT_URL"], f"/{place['Bucket']}/{place['Key']}")


def find(name, resource, folder, code):
    """The file or folder that becomes a function's package."""
    uri = resource["Properties"]["CodeUri"]
    binary = resource.get("Metadata", {}).get("BuildProperties", {}).get("Binary") or pathlib.Path(uri).name
    tried = [code / name, code / binary] if code else [folder / uri]
    for path in tried:
        if path.is_file() or (path / "bootstrap").is_file():
            return path
    raise Failed(f"{name} is not built: there is no bootstrap in {' or '.join(map(str, tried))}")


def zipped(path):
    """A package, the same bytes for the same content. It is not compressed: it does not go far."""
    files = (
        {"bootstrap": path}
        if path.is_file()
        else {str(file.relative_to(path)): file for file in sorted(path.rglob("*")) if file.is_file()}
    )
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, file in files.items():
            entry = zipfile.ZipInfo(name)
            entry.external_attr = (stat.S_IFREG | (0o755 if name == "bootstrap" else 0o644)) << 16
            archive.writestr(entry, file.read_bytes())
    return packed.getvalue()


def exists(cloudformation, stack):
    try:
        return bool(cloudformation.describe_stacks(StackName=stack)["Stacks"])
    except ClientError:
        return False


def absent(cloudformation, stack, plain):
    """Resources of the template that the stack has not, though their condition does not say so."""
    pages = cloudformation.get_paginator("list_stack_resources").paginate(StackName=stack)
    there = {
        resource["LogicalResourceId"]
        for page in pages
        for resource in page["StackResourceSummaries"]
        if "LogicalResourceId" in resource
    }
    return [
        f"{name} ({resource['Type']})"
        for name, resource in plain["Resources"].items()
        if name not in there and "Condition" not in resource and resource["Type"] not in UNKNOWN
    ]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
