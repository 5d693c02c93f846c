"""Deploys the application with the AWS CLI on a local AWS, and provides the actions of the tests."""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import boto3
from botocore.config import Config
from connect import INSTANCE
from processes import REGION, clean_environment, free_port, listens, running
from waiting import until

STACK = "queue-email-associations"
LAUNCHER = Path(__file__).with_name("ministack_launcher.py")
PACKAGE = Path(__file__).resolve().parents[2] / "target" / "package"

# The simulator has no quota unless a test sets one, so the function may call at any rate.
PARAMETERS = {"RequestsPerSecond": "1000", "Burst": "1000"}


class LocalAws:
    """A client of the local AWS that knows the stack's resources by their names in template.yaml."""

    def __init__(self, port: int, folder: Path, log: Path, stack: str = STACK):
        self.url, self.folder, self.log, self.stack = f"http://127.0.0.1:{port}", folder, log, stack
        self.port = port
        self.clients = {}
        self.physical = {}

    def client(self, service: str):
        if service not in self.clients:
            self.clients[service] = boto3.client(
                service, endpoint_url=self.url, region_name=REGION, aws_access_key_id="test",
                aws_secret_access_key="test", config=Config(retries={"total_max_attempts": 1}, read_timeout=900))
        return self.clients[service]

    # Deployment

    def deploy(self, connect_url: str, **more: str) -> None:
        """Deploys a copy of the package with the commands of its pages. The only change to the package is a variable
        with the URL of the simulated Connect."""
        shutil.copytree(PACKAGE, self.package)
        template = self.package / "template.yaml"
        variable = "          CONNECT_INSTANCE_ID:"
        before, found, after = template.read_text().partition(variable)
        assert found, f"{template} has no CONNECT_INSTANCE_ID"
        template.write_text(f"{before}          AWS_ENDPOINT_URL_CONNECT: {connect_url}\n{found}{after}")
        bucket = f"deployment-artifacts-{self.stack}"
        self.client("s3").create_bucket(Bucket=bucket)
        parameters = shlex.join(f"{name}={value}" for name, value in (PARAMETERS | more).items())
        commands = self.commands("docs/deployment.md", "aws cloudformation package", ARTIFACT_BUCKET=bucket)
        # The commands end with the parameters. If one occurs twice, the AWS CLI uses the last.
        done = self.run("bash", "-euc", f"{commands.rstrip()} {parameters}")
        assert done.returncode == 0, done.stdout + done.stderr
        pages = self.client("cloudformation").get_paginator("list_stack_resources").paginate(StackName=self.stack)
        self.physical = {resource["LogicalResourceId"]: resource["PhysicalResourceId"]
                         for page in pages for resource in page["StackResourceSummaries"]}

    @property
    def package(self) -> Path:
        return self.folder / f"package-{self.stack}"

    def commands(self, page: str, first: str, **values: str) -> str:
        """Returns a block of commands from a page of the package, which starts with the given words. The values replace
        the words in capitals."""
        [block] = re.findall(rf"^```sh\n({first} .*?)^```", (self.package / page).read_text(), re.DOTALL | re.MULTILINE)
        values |= {"STACK": self.stack, "queue-emails": self.stack, "INSTANCE": INSTANCE}
        return re.sub("|".join(rf"\b{word}\b" for word in values), lambda word: values[word[0]], block)

    def run(self, *command: str) -> subprocess.CompletedProcess:
        """Runs a command in the folder of the package as an operator does, with the AWS CLI of the tests."""
        done = subprocess.run(command, cwd=self.package, text=True, stdin=subprocess.DEVNULL, capture_output=True,
                              env=clean_environment(self.folder) | {"AWS_ENDPOINT_URL": self.url, "PATH": self.path()})
        print(done.stdout, done.stderr)
        return done

    def path(self) -> str:
        """Makes a folder with the programs that an operator needs, and returns a PATH that starts with it."""
        tools = self.folder / "tools"
        if not tools.exists():
            tools.mkdir()
            # The Python that the tests' environment was made of, without the packages that are installed there.
            (tools / "python3").symlink_to(sys._base_executable)
            # For SQS, version 1 of the AWS CLI prefers its own endpoint to AWS_ENDPOINT_URL.
            (tools / "aws").write_text(
                f'#!/bin/sh\nexec "{Path(sys.executable).with_name("aws")}" --endpoint-url "{self.url}" "$@"\n')
            (tools / "aws").chmod(0o755)
        return f"{tools}:{os.environ['PATH']}"

    def another(self, stack: str) -> "LocalAws":
        """Returns the same local AWS, for another stack."""
        return LocalAws(self.port, self.folder, self.log, stack)

    @contextmanager
    def function_settings(self, timeout: int | None = None, **variables: str):
        """Temporarily changes the function's timeout (in seconds) and variables."""
        functions, name = self.client("lambda"), self.physical["AssociateFunction"]
        before = functions.get_function_configuration(FunctionName=name)
        usual = before["Environment"]["Variables"]
        functions.update_function_configuration(FunctionName=name, Timeout=timeout or before["Timeout"],
                                                Environment={"Variables": usual | variables})
        try:
            yield
        finally:
            functions.update_function_configuration(FunctionName=name, Timeout=before["Timeout"],
                                                    Environment={"Variables": usual})

    @contextmanager
    def function_busy(self):
        """Temporarily throttles every invocation of the function."""
        functions, name = self.client("lambda"), self.physical["AssociateFunction"]
        functions.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)
        try:
            yield
        finally:
            functions.delete_function_concurrency(FunctionName=name)

    def invoke_asynchronously(self, payload: dict) -> None:
        """Invokes the function asynchronously, as a custom rule or topic does."""
        self.client("lambda").invoke(FunctionName=self.physical["AssociateFunction"], InvocationType="Event",
                                     Payload=json.dumps(payload))

    def invocations(self) -> int:
        """Returns the number of invocations of the function that have ended."""
        logs, name = self.client("logs"), self.physical["AssociateFunction"]
        settings = self.client("lambda").get_function_configuration(FunctionName=name)
        group = settings["LoggingConfig"].get("LogGroup", f"/aws/lambda/{name}")
        pages = logs.get_paginator("filter_log_events").paginate(logGroupName=group)
        return sum("invocation ended" in event["message"] for page in pages for event in page["events"])

    # Queues

    @contextmanager
    def deliveries(self, queue: str, count: int):
        """Temporarily changes the number of deliveries, because a test cannot wait for all deliveries of the
        template."""
        sqs, url = self.client("sqs"), self.physical[queue]
        before = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["RedrivePolicy"])["Attributes"]
        policy = json.loads(before["RedrivePolicy"]) | {"maxReceiveCount": count}
        sqs.set_queue_attributes(QueueUrl=url, Attributes={"RedrivePolicy": json.dumps(policy)})
        try:
            yield
        finally:
            sqs.set_queue_attributes(QueueUrl=url, Attributes=before)

    def send(self, *bodies) -> None:
        """Sends at most 10 messages to the source queue, so that one batch contains them all."""
        mapping = {"UUID": self.physical["AssociateFunctionSource"]}
        entries = [{"Id": str(number), "MessageBody": body if isinstance(body, str) else json.dumps(body)}
                   for number, body in enumerate(bodies)]
        self.client("lambda").update_event_source_mapping(**mapping, Enabled=False)
        try:
            sent = self.client("sqs").send_message_batch(QueueUrl=self.physical["SourceQueue"], Entries=entries)
            assert not sent.get("Failed"), sent
        finally:
            self.client("lambda").update_event_source_mapping(**mapping, Enabled=True)

    def messages(self, queue: str) -> int:
        """Returns the number of messages in a queue, including those in flight and delayed."""
        counts = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible",
                  "ApproximateNumberOfMessagesDelayed"]
        found = self.client("sqs").get_queue_attributes(QueueUrl=self.physical[queue], AttributeNames=counts)
        return sum(int(count) for count in found["Attributes"].values())

    def take(self, queue: str) -> list[dict]:
        """Removes all available messages from a queue, and returns their bodies."""
        sqs, url, bodies = self.client("sqs"), self.physical[queue], []
        while found := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", []):
            for message in found:
                bodies.append(json.loads(message["Body"]))
                sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return bodies

    def until_done(self) -> None:
        """Waits until the source queue has no messages left, including in flight and delayed."""
        until(lambda: self.messages("SourceQueue") == 0, "the source queue is empty")

    # State machines

    def start(self, machine: str, payload: dict) -> str:
        """Starts a state machine and returns the execution."""
        started = self.client("stepfunctions").start_execution(stateMachineArn=self.physical[machine],
                                                               input=json.dumps(payload))
        return started["executionArn"]

    def finish(self, execution: str) -> tuple[str, dict]:
        """Waits for the end of an execution. Returns its status, and its output or, if it failed, its `error` and
        `cause`."""
        describe = self.client("stepfunctions").describe_execution
        until(lambda: describe(executionArn=execution)["status"] != "RUNNING", "the execution has ended")
        ended = describe(executionArn=execution)
        return ended["status"], json.loads(ended["output"]) if ended["status"] == "SUCCEEDED" else ended

    def execute(self, machine: str, payload: dict) -> tuple[str, dict]:
        return self.finish(self.start(machine, payload))

    def executions(self, machine: str, **only) -> list[dict]:
        """Returns the executions of a state machine, without the children of a Map."""
        pages = self.client("stepfunctions").get_paginator("list_executions").paginate(
            stateMachineArn=self.physical[machine], **only)
        return [execution for page in pages for execution in page["executions"] if "mapRunArn" not in execution]

    def failed_executions(self, machine: str) -> list[dict]:
        return self.executions(machine, statusFilter="FAILED")

    def failed_tasks(self, execution: str) -> list[dict]:
        """Returns the errors of an execution's tasks so far."""
        history = self.client("stepfunctions").get_execution_history(executionArn=execution)["events"]
        return [event for event in history if event["type"].endswith("Failed")]


@contextmanager
def local_aws(folder: Path, launcher: Path = LAUNCHER):
    """Starts a local AWS without a deployment."""
    port, log = free_port(), folder / "ministack.log"
    environment = clean_environment(folder) | {
        # Functions inherit this address with the rest of the environment, and so find the local AWS.
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
        "GATEWAY_PORT": str(port), "BIND_HOST": "127.0.0.1", "MINISTACK_HOST": "127.0.0.1",
        "MINISTACK_REGION": REGION, "SFTP_ENABLED": "0", "IOT_MTLS_ENABLED": "0",
        # State machines wait a tenth of the time in their definitions between retries.
        "SFN_WAIT_SCALE": "0.1",
    }
    with running([sys.executable, launcher], environment, folder, log) as process:
        until(lambda: listens(port) or process.poll() is not None, "ministack listens")
        assert process.poll() is None, log.read_text()
        yield LocalAws(port, folder, log)
