#!/usr/bin/env python3
"""Prints the template of the SSM documents with every document as an object: the form that cfn-lint can look into."""

import json
from pathlib import Path

import yaml

TEMPLATE = Path(__file__).resolve().parent.parent / "generated" / "documents.yaml"


class Tags(yaml.SafeLoader):
    """YAML whose tags are left out: only the text after them matters here."""


Tags.add_multi_constructor("!", lambda loader, tag, node: loader.construct_scalar(node))


def main():
    template = yaml.load(TEMPLATE.read_text(encoding="utf-8"), Loader=Tags)
    resources = {
        name: {
            "Type": one["Type"],
            "Properties": {
                "Name": one["Properties"]["Name"].rpartition("}")[2],
                "DocumentType": "Command",
                "Content": yaml.safe_load(one["Properties"]["Content"]),
            },
        }
        for name, one in template["Resources"].items()
    }
    print(json.dumps({"AWSTemplateFormatVersion": "2010-09-09", "Resources": resources}))


if __name__ == "__main__":
    main()
