"""Deploys the application with the SAM CLI on a local AWS, and provides the actions of the tests."""

import json
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
PACKAGED_TEMPLATE = PACKAGE / "template.yaml"
SCRIPTS = PACKAGE / "scripts"

PARAMETERS = {
    "ConnectInstanceId": INSTANCE,
    # The simulator has no quota unless a test sets one, so the function may call at any rate.
    "RequestsPerSecond": "1000", "Burst": "1000",
    # Without this parameter, the stack omits some resources.
    "AlarmEmail": "operations@brand.example",
}


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
        """Deploys the package, with one change: a variable with the URL of the simulated Connect."""
        bucket = f"deployment-artifacts-{self.stack}"
        self.client("s3").create_bucket(Bucket=bucket)
        parameters = {**PARAMETERS, **more}
        command = [Path(sys.executable).with_name("sam"), "deploy", "--template-file", self.template(connect_url),
                   "--stack-name", self.stack, "--s3-bucket", bucket, "--region", REGION, "--no-confirm-changeset",
                   "--no-progressbar", "--capabilities", "CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND",
                   "--parameter-overrides", *(f'{name}="{value}"' for name, value in parameters.items())]
        environment = clean_environment(self.folder) | {"AWS_ENDPOINT_URL": self.url, "SAM_CLI_TELEMETRY": "0"}
        done = subprocess.run(command, cwd=self.folder, env=environment, stdin=subprocess.DEVNULL, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        assert done.returncode == 0, done.stdout
        pages = self.client("cloudformation").get_paginator("list_stack_resources").paginate(StackName=self.stack)
        self.physical = {resource["LogicalResourceId"]: resource["PhysicalResourceId"]
                         for page in pages for resource in page["StackResourceSummaries"]}

    def template(self, connect_url: str) -> Path:
        """Writes a copy of the packaged template in which the function calls the simulated Connect."""
        variable = "          CONNECT_INSTANCE_ID:"
        before, found, after = PACKAGED_TEMPLATE.read_text().partition(variable)
        assert found, f"{PACKAGED_TEMPLATE} has no CONNECT_INSTANCE_ID"
        # CodeUri is relative to the template.
        for path in PACKAGED_TEMPLATE.parent.glob("*.zip"):
            shutil.copy(path, self.folder)
        patched = self.folder / f"{self.stack}.yaml"
        patched.write_text(f"{before}          AWS_ENDPOINT_URL_CONNECT: {connect_url}\n{found}{after}")
        return patched

    def run_script(self, name: str, *arguments: str) -> subprocess.CompletedProcess:
        """Runs a script of the archive as an operator does, with the AWS CLI of the tests."""
        # For SQS, version 1 of the AWS CLI prefers its own endpoint to AWS_ENDPOINT_URL.
        cli = self.folder / "cli" / "aws"
        cli.parent.mkdir(exist_ok=True)
        cli.write_text(f'#!/bin/sh\nexec "{Path(sys.executable).with_name("aws")}" --endpoint-url "{self.url}" "$@"\n')
        cli.chmod(0o755)
        environment = clean_environment(self.folder)
        environment["PATH"] = f"{cli.parent}:{environment['PATH']}"
        # -S: without boto3 and the other packages that are installed here.
        done = subprocess.run([sys.executable, "-S", SCRIPTS / name, *arguments], cwd=self.folder, env=environment, text=True,
                              stdin=subprocess.DEVNULL, capture_output=True)
        print(done.stdout, done.stderr)
        return done

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
