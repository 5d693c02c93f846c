"""Checks the definitions of the state machines, after the substitutions of template.yaml.

asl-validator checks the schema of Amazon States Language, the JSONata expressions, the transitions (also in the children of a
Map) and duplicate state names. cfn-lint 1.58 does not check transitions and JSONata, and rejects a MaxConcurrency in JSONata;
statelint 3.1 does not know the newer fields of Distributed Maps. asl-validator ignores misspelt members of objects that are not
states, and their values. These tests check both.

Needs Node 20: npm installs asl-validator into requirements/asl-validator, from its lock file.
"""

import json
import re
import subprocess
from pathlib import Path

import pytest
from samcli.yamlhelper import yaml_parse

ROOT = Path(__file__).resolve().parents[2]
RESOURCES = yaml_parse((ROOT / "template.yaml").read_text())["Resources"]
MACHINES = {resource["Properties"]["DefinitionUri"]: resource["Properties"].get("DefinitionSubstitutions", {})
            for resource in RESOURCES.values() if resource["Type"] == "AWS::Serverless::StateMachine"}
VALIDATOR = ROOT / "requirements" / "asl-validator"
FUNCTION = "arn:aws:lambda:us-east-1:111122223333:function:example"

# Members of objects that are not states (Step Functions Developer Guide: "Handling errors in Step Functions workflows",
# "Using Map state in Distributed mode" and the pages of its fields).
MEMBERS = {
    "Retry": {"ErrorEquals", "IntervalSeconds", "MaxAttempts", "BackoffRate", "MaxDelaySeconds", "JitterStrategy"},
    "Catch": {"ErrorEquals", "Next", "Output", "Assign"},
    "ItemReader": {"Resource", "ReaderConfig", "Arguments"},
    "ReaderConfig": {"InputType", "CSVHeaderLocation", "CSVHeaders", "CSVDelimiter", "MaxItems"},
    "ItemBatcher": {"BatchInput", "MaxItemsPerBatch", "MaxInputBytesPerBatch"},
    "ResultWriter": {"Resource", "WriterConfig", "Arguments"},
    "WriterConfig": {"Transformation", "OutputType"},
    "ProcessorConfig": {"Mode", "ExecutionType"},
}

# The values of members with a fixed set of values.
VALUES = {
    "JitterStrategy": {"NONE", "FULL"},
    "InputType": {"CSV", "JSON", "JSONL", "MANIFEST", "PARQUET"},
    "CSVHeaderLocation": {"FIRST_ROW", "GIVEN"},
    "Transformation": {"NONE", "COMPACT", "FLATTEN"},
    "OutputType": {"JSON", "JSONL"},
}


@pytest.fixture(scope="session")
def asl_validator() -> Path:
    installed = VALIDATOR / "node_modules" / ".package-lock.json"
    if not installed.exists() or installed.stat().st_mtime < (VALIDATOR / "package-lock.json").stat().st_mtime:
        subprocess.run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--silent"], cwd=VALIDATOR, check=True)
    return VALIDATOR / "node_modules" / ".bin" / "asl-validator"


def substituted(path: str) -> str:
    definition = (ROOT / path).read_text()
    for name in MACHINES[path]:
        value = "aws" if name == "Partition" else FUNCTION if name.endswith("Arn") else "2"
        definition = definition.replace(f"${{{name}}}", value)
    return definition


def test_template_uses_every_definition():
    assert {str(path.relative_to(ROOT)) for path in (ROOT / "statemachine").glob("*.json")} == MACHINES.keys()


@pytest.mark.parametrize("path", MACHINES)
def test_definition_has_only_known_members_and_substitutions(path):
    definition = substituted(path)
    assert re.findall(r"\$\{\w+\}", definition) == []
    assert wrong_members(json.loads(definition), "") == []


@pytest.mark.parametrize("path", MACHINES)
def test_validator_accepts_the_definition(path, asl_validator, tmp_path):
    file = tmp_path / "definition.json"
    file.write_text(substituted(path))
    done = subprocess.run([asl_validator, "--json-path", file], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def wrong_members(value, path: str) -> list[str]:
    if isinstance(value, list):
        return [line for number, item in enumerate(value) for line in wrong_members(item, f"{path}/{number}")]
    if not isinstance(value, dict):
        return []
    found = []
    for name, member in value.items():
        if name in VALUES and member not in VALUES[name]:
            found.append(f"{path}/{name} is {member}; expected {', '.join(sorted(VALUES[name]))}")
        for item in member if isinstance(member, list) else [member]:
            if name in MEMBERS and isinstance(item, dict):
                found += [f"{path}/{name} has {unknown}; expected {', '.join(sorted(MEMBERS[name]))}"
                          for unknown in sorted(item.keys() - MEMBERS[name] - {"Comment"})]
        found += wrong_members(member, f"{path}/{name}")
    return found
