"""Runs a function on this machine under AWS's Lambda runtime interface emulator (RIE), together with this
repository's simulator of Amazon Connect. The emulator comes with the SAM CLI, which scripts/install-tools installs.

The processes listen on free ports of 127.0.0.1 and end with their block. Needs Linux and Python 3.11.
"""

import json
import os
import platform
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

ROOT = Path(__file__).resolve().parents[3]
TARGET = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
SIMULATOR = TARGET / "debug" / "connect-simulator"
START_SECONDS = 20

# The proxies of the environment are for other hosts.
HTTP = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class Failure(Exception):
    """A failure, in one line."""


class TimedOut(Failure):
    """The invocation timed out. The emulator has stopped the process, and starts another one for the next invocation."""


def end_on_signals() -> None:
    """Turns signals into a normal exit, so that the processes started here are stopped too. They have their own
    sessions, so they do not receive Ctrl-C."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: sys.exit(1))


def find_emulator() -> Path:
    """Returns the emulator of the SAM CLI."""
    python = ROOT / ".venv" / "bin" / "python"
    locate = "import importlib.util; print(importlib.util.find_spec('samcli').submodule_search_locations[0])"
    found = subprocess.run([python, "-c", locate], capture_output=True, text=True) if python.exists() else None
    if found is None or found.returncode:
        raise Failure("the SAM CLI is not installed in .venv; run scripts/install-tools")
    machine = {"aarch64": "arm64"}.get(platform.machine(), platform.machine())
    return Path(found.stdout.strip()) / "local" / "rapid" / f"aws-lambda-rie-{machine}"


def built(function: str) -> Path:
    """Returns the binary that `sam build` made for a function of the template."""
    binary = ROOT / ".aws-sam" / "build" / function / "bootstrap"
    if not binary.is_file():
        raise Failure(f"{binary.relative_to(ROOT)} is not there; run `sam build` first")
    return binary


# The features are the same as in .ci/run and the tests, so that the AWS SDK is not compiled again.
DEBUG_BUILD = ("--workspace", "--all-targets")


def build(*options: str) -> None:
    """Builds even if a program already exists, because it may be out of date."""
    if subprocess.run(["cargo", "build", "--locked", *options], cwd=ROOT).returncode:
        raise Failure(f"cargo build {' '.join(options)} failed")


@contextmanager
def simulator(binary: Path, *options):
    """Starts a simulator of Connect with these options on a free port of this machine, and yields its address."""
    arguments = [binary, "--listen", "127.0.0.1:0", *options]
    with process(arguments, env={}, stdout=subprocess.PIPE, text=True) as started:
        line = started.stdout.readline().strip()
        if not line.startswith("listening on "):
            raise Failure("the simulator did not start")
        yield line.removeprefix("listening on ")


@dataclass(frozen=True)
class Function:
    """A function under the emulator."""

    url: str
    emulator: subprocess.Popen
    log: IO[bytes]
    timeout: int

    def invoke(self, payload: bytes):
        """Returns the response to a payload. The first payload starts the function."""
        try:
            answer = request(self.url, payload, timeout=self.timeout + 10)
            if answer.startswith(b"Task timed out"):
                raise TimedOut(answer.decode(errors="replace"))
            return json.loads(answer)
        except (OSError, ValueError) as error:
            self.log.seek(0)
            sys.stderr.write(self.log.read().decode(errors="replace"))
            raise Failure(f"the answer is not JSON: {error}") from error


@contextmanager
def function_under(emulator: Path, command: list, connect: str, environment: dict[str, str], timeout: int = 60):
    """Starts a function under the emulator, with a timeout of `timeout` seconds per invocation."""
    port, runtime_port = free_ports(2)
    environment = {
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_SESSION_TOKEN": "test",
        "AWS_REGION": "eu-central-1",
        "AWS_DEFAULT_REGION": "eu-central-1",
        "AWS_LAMBDA_FUNCTION_TIMEOUT": str(timeout),
        "AWS_ENDPOINT_URL_CONNECT": connect,
        **environment,
    }
    arguments = [emulator, "--runtime-interface-emulator-address", f"127.0.0.1:{port}",
                 "--runtime-api-address", f"127.0.0.1:{runtime_port}", *command]
    url = f"http://127.0.0.1:{port}/2015-03-31/functions/function/invocations"
    with (tempfile.TemporaryFile() as log,
          process(arguments, env=environment, stdout=log, stderr=log) as started):
        wait_for(port, started)
        yield Function(url, started, log, timeout)


@contextmanager
def process(arguments, env, **options):
    """Starts a process, and stops it at the end of the block. The emulator stops the function too if it gets SIGTERM."""
    started = subprocess.Popen(arguments, env={"PATH": os.defpath, **env}, start_new_session=True, **options)
    try:
        yield started
    finally:
        started.terminate()
        try:
            started.wait(timeout=5)
        except subprocess.TimeoutExpired:
            started.kill()
            started.wait()


def wait_for(port: int, started: subprocess.Popen) -> None:
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until:
        if started.poll() is not None:
            raise Failure(f"the emulator ended at once, with status {started.returncode}")
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            time.sleep(0.05)
    raise Failure(f"the emulator did not listen within {START_SECONDS} s")


def free_ports(count: int) -> list[int]:
    """Returns free ports. All stay open until all are known, so that they differ."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [held.getsockname()[1] for held in sockets]
    for held in sockets:
        held.close()
    return ports


def request(url: str, body: bytes | None = None, method: str | None = None, timeout: float = 60) -> bytes:
    with HTTP.open(urllib.request.Request(url, data=body, method=method), timeout=timeout) as answer:
        return answer.read()
