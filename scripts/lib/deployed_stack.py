"""A deployed stack, read and changed through the AWS CLI. verify-stack and stop-stack share this module.

It needs the AWS CLI, version 1 or 2, and Python 3.9 with its standard library.
"""

import json
import os
import subprocess

# Parts of every stack of this template.
REQUIRED = {"AssociateFunction", "AssociateFunctionSource", "SourceQueue", "FileBucket", "FileRule", "FileStateMachine",
            "AssociateStateMachine"}


class Failure(Exception):
    """An error, with the remedy, in one line."""


def aws(*arguments: str) -> dict:
    """Runs a command of the AWS CLI and returns its output.

    Raises Failure with the error of the service.
    """
    try:
        # Version 2 of the AWS CLI would start a pager.
        done = subprocess.run(["aws", *arguments, "--output", "json"], env={**os.environ, "AWS_PAGER": ""}, text=True,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    except FileNotFoundError:
        raise Failure("the AWS CLI is not installed; install it, so that `aws --version` works") from None
    if done.returncode != 0:
        raise Failure(printable((done.stderr.strip().splitlines() or ["no message"])[-1]))
    return json.loads(done.stdout or "{}")


def printable(text: str) -> str:
    """Returns a text with its control and formatting characters escaped, because a terminal would obey them."""
    return "".join(character if character.isprintable() else ascii(character)[1:-1] for character in text)


class Stack:
    """The resources of a stack, by their names in template.yaml."""

    def __init__(self, name: str):
        self.name = name
        found = aws("cloudformation", "list-stack-resources", "--stack-name", name)["StackResourceSummaries"]
        self.physical = {resource["LogicalResourceId"]: resource.get("PhysicalResourceId", "") for resource in found}
        self.alarms = [resource["LogicalResourceId"] for resource in found
                       if resource["ResourceType"] == "AWS::CloudWatch::Alarm"]
        if missing := REQUIRED - self.physical.keys():
            raise Failure(f'"{printable(name)}" is not a stack of this template: it has no {", ".join(sorted(missing))}')

    def mapping(self) -> dict:
        """The event source mapping, through which Lambda reads the source queue."""
        return aws("lambda", "get-event-source-mapping", "--uuid", self.physical["AssociateFunctionSource"])

    def messages(self, queue: str) -> int:
        """Returns how many messages a queue has: visible, in flight and delayed."""
        attributes = aws("sqs", "get-queue-attributes", "--queue-url", self.physical[queue], "--attribute-names",
                         "ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible",
                         "ApproximateNumberOfMessagesDelayed")["Attributes"]
        return sum(int(count) for count in attributes.values())

    def objects(self, prefix: str) -> list[dict]:
        """Returns the objects of the bucket whose keys start with a prefix."""
        return aws("s3api", "list-objects-v2", "--bucket", self.physical["FileBucket"], "--prefix", prefix).get(
            "Contents") or []
