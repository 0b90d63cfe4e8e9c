#!/usr/bin/env python3
"""The nested template with the SSM documents, each as it is, byte for byte: what the tests run on hosts is what SSM runs.

`documents.py generate` writes it, `documents.py check` says if it is stale, `documents.py objects` prints the documents
in the form that cfn-lint can look into (that needs PyYAML).
"""

import json
import re
import sys
from pathlib import Path

INFRA = Path(__file__).resolve().parent.parent
TEMPLATE = INFRA / "documents.yaml"
HEAD = """\
# Made by `infra/checks/documents.py generate` (`make documents`) from infra/ssm/*.yaml: change it there.
AWSTemplateFormatVersion: "2010-09-09"
Description: "Stormdrill: the only documents that hosts are asked to run."
Parameters:
  DocumentPrefix:
    Type: String
    AllowedPattern: ^[A-Za-z][A-Za-z0-9-]{0,100}-$
    Description: "The prefix of the documents' names."
Resources:
"""
# A change makes a new version, which becomes the default: the name, by which roles are fenced, stays.
DOCUMENT = """\
  {id}:
    Type: AWS::SSM::Document
    Properties:
      Name: !Sub ${{DocumentPrefix}}{name}
      DocumentType: Command
      DocumentFormat: YAML
      TargetType: /AWS::EC2::Instance
      UpdateMethod: NewVersion
      Content: |
{content}"""


def generate():
    """The text of the template."""
    parts = [HEAD]
    for path in sorted((INFRA / "ssm").glob("*.yaml")):
        logical = "".join(word.capitalize() for word in path.stem.split("-"))
        content = re.sub(r"(?m)^(?=.)", " " * 8, path.read_text(encoding="utf-8"))
        parts.append(DOCUMENT.format(id=logical, name=path.stem, content=content))
    return "".join(parts)


def objects():
    """The template with every document as an object."""
    import yaml

    documents = {
        path.stem: yaml.safe_load(path.read_text(encoding="utf-8")) for path in sorted((INFRA / "ssm").glob("*.yaml"))
    }
    resources = {
        "".join(filter(str.isalnum, name.title())): {
            "Type": "AWS::SSM::Document",
            "Properties": {"Name": name, "DocumentType": "Command", "Content": content},
        }
        for name, content in documents.items()
    }
    return {"AWSTemplateFormatVersion": "2010-09-09", "Resources": resources}


def main():
    question = sys.argv[1:]
    if question == ["generate"]:
        TEMPLATE.write_text(generate(), encoding="utf-8")
        return 0
    if question == ["check"]:
        if TEMPLATE.read_text(encoding="utf-8") == generate():
            return 0
        print("infra/documents.yaml is stale: run `make documents`")
        return 1
    if question == ["objects"]:
        print(json.dumps(objects()))
        return 0
    print("usage: documents.py generate|check|objects", file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main())
