"""Compares what checkov objects to in a template with the template's own list of accepted objections, both ways.

usage: checkov.py CHECKOV TEMPLATE
"""

import json
import subprocess
import sys

import yaml


class Tags(yaml.SafeLoader):
    """YAML whose tags say nothing that is of interest here."""


Tags.add_multi_constructor("!", lambda loader, tag, node: None)


def objections(checkov, template):
    """Every (check, resource) that failed."""
    words = [checkov, "-f", template, "--framework", "cloudformation", "--output", "json", "--skip-download", "--quiet"]
    said = subprocess.run(words, capture_output=True, text=True, check=False)
    if said.returncode not in (0, 1):
        raise SystemExit(f"checkov: {said.stderr}")
    results = json.loads(said.stdout)["results"]
    if results.get("parsing_errors"):
        raise SystemExit(f"checkov: cannot read {results['parsing_errors']}")
    return {(one["check_id"], one["resource"].rsplit(".", 1)[1]): one["check_name"] for one in results["failed_checks"]}


def accepted(template):
    """Every (check, resource) that the template accepts, with a reason."""
    with open(template, encoding="utf-8") as file:
        lines = yaml.load(file, Loader=Tags).get("Metadata", {}).get("Accepted", [])
    for line in lines:
        if len(line["why"]) < 20:
            raise SystemExit(f"checkov: {line['check']} is accepted without a reason")
    return {(line["check"], resource) for line in lines for resource in line["of"]}


def main(checkov, template):
    failed = objections(checkov, template)
    known = accepted(template)
    for check, resource in sorted(failed.keys() - known):
        print(f"checkov: {resource}: {failed[check, resource]} ({check})")
    for check, resource in sorted(known - failed.keys()):
        print(f"checkov: {resource}: {check} is accepted, but checkov no longer objects to it")
    return 1 if failed.keys() ^ known else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
