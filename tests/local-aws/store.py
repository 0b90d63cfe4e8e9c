"""Puts experiments into the table where runs look for them.

usage: store.py TABLE FOLDER...   (each FOLDER has an experiment.yaml; its `id` is the name to start it by)
"""

import pathlib
import sys

import boto3
import yaml


def main(table, *folders):
    dynamodb = boto3.client("dynamodb")
    for folder in folders:
        text = (pathlib.Path(folder) / "experiment.yaml").read_text(encoding="utf-8")
        name = yaml.safe_load(text)["id"]
        dynamodb.put_item(TableName=table, Item={"id": {"S": name}, "text": {"S": text}})
        print(f"# stored: {name}")


if __name__ == "__main__":
    main(*sys.argv[1:])
