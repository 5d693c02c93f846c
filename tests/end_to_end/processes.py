"""Runs programs during the tests, on 127.0.0.1 and with only PATH of the caller's environment."""

import os
import signal
import socket
import subprocess
from contextlib import contextmanager

REGION = "us-east-1"


def clean_environment(home) -> dict[str, str]:
    """Returns an environment in which AWS tools do not find the user's credentials, profiles or settings."""
    return {
        "PATH": os.environ["PATH"], "HOME": str(home), "TMPDIR": str(home), "LANG": "C.UTF-8",
        "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_REGION": REGION, "AWS_DEFAULT_REGION": REGION,
        "AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull, "AWS_EC2_METADATA_DISABLED": "true",
    }


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as held:
        return held.getsockname()[1]


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@contextmanager
def running(arguments, environment, folder, log):
    """Runs a program in its own session, and ends it with all processes that it started."""
    with open(log, "w") as output:
        process = subprocess.Popen([str(argument) for argument in arguments], env=environment, cwd=folder,
                                   stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True)
    try:
        yield process
    finally:
        for end in (signal.SIGTERM, signal.SIGKILL):
            try:
                os.killpg(process.pid, end)
                process.wait(timeout=10)
            except (ProcessLookupError, subprocess.TimeoutExpired):
                pass
