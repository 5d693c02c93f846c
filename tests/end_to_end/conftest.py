"""Provides one local AWS with one deployed stack for all tests. Each test starts with empty queues and without faults
in Connect."""

import os
from pathlib import Path

import pytest
from connect import simulated_connect
from local_aws import local_aws

ROOT = Path(__file__).resolve().parents[2]
TARGET = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")).resolve()
SIMULATOR = TARGET / "debug" / "connect-simulator"


@pytest.fixture(scope="session")
def running_connect(tmp_path_factory):
    with simulated_connect(SIMULATOR, tmp_path_factory.mktemp("connect")) as connect:
        yield connect


@pytest.fixture(scope="session")
def deployed(running_connect, tmp_path_factory):
    with local_aws(tmp_path_factory.mktemp("aws")) as aws:
        aws.deploy(running_connect.url)
        yield aws


@pytest.fixture
def connect(running_connect):
    running_connect.reset()
    yield running_connect
    running_connect.mend()


@pytest.fixture
def aws(deployed):
    """Returns the local AWS with empty queues. They are emptied first, because a failed test may leave messages."""
    # pytest shows this with a test that fails.
    print("the log of the local AWS:", deployed.log)
    deployed.until_done()
    deployed.take("DeadLetterQueue")
    return deployed
