"""Controls the simulator of Amazon Connect (crates/connect-simulator) through its control endpoints."""

import itertools
import json
import urllib.request
from contextlib import contextmanager

import boto3
from processes import REGION, clean_environment, free_port, listens, running
from waiting import until

INSTANCE = "11111111-2222-3333-4444-555555555555"
UNLIMITED = {"rate": None, "burst": 5}

# The proxies of the environment are for other hosts.
HTTP = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class Connect:
    """An instance that contains only the queues and addresses that tests create. Identifiers are never reused."""

    def __init__(self, url: str):
        self.url = url
        self.numbers = itertools.count(1)
        self.api = boto3.client("connect", endpoint_url=url, region_name=REGION, aws_access_key_id="test",
                                aws_secret_access_key="test")

    def create_queue(self, addresses: int = 0, **fixture) -> tuple[str, list[str]]:
        """Creates a queue, and addresses that are not on it yet."""
        queue = f"queue-{next(self.numbers)}"
        self._add(queues={queue: fixture})
        return queue, self.create_addresses(addresses)

    def create_addresses(self, count: int) -> list[str]:
        addresses = [f"address-{next(self.numbers)}" for _ in range(count)]
        self.add_addresses(addresses)
        return addresses

    def add_addresses(self, addresses: list[str]) -> None:
        self._add(emailAddresses={address: f"{address}@brand.example" for address in addresses})

    def on(self, queue: str) -> list[str]:
        """Returns the addresses on a queue, sorted."""
        return sorted(self.associations().get(queue, []))

    def associations(self) -> dict[str, list[str]]:
        """Returns the addresses on each queue."""
        return self._ask("GET", "associations")[INSTANCE]

    def associate(self, queue: str, address: str) -> None:
        """Associates an address, as another client would."""
        self.api.associate_queue_email_addresses(
            InstanceId=INSTANCE, QueueId=queue, EmailAddressesConfig=[{"EmailAddressId": address}],
            ClientToken=f"token-{next(self.numbers)}")
        # Only calls of the stack count.
        self._ask("DELETE", "calls")

    def remove(self, queue: str, address: str) -> None:
        self.api.disassociate_queue_email_addresses(
            InstanceId=INSTANCE, QueueId=queue, EmailAddressesId=[address], ClientToken=f"token-{next(self.numbers)}")

    def calls(self, operation: str = "AssociateQueueEmailAddresses") -> list[dict]:
        """Returns the calls of an operation since `reset`."""
        return [call for call in self._ask("GET", "calls") if call["operation"] == operation]

    def fault(self, **fault) -> None:
        self._ask("POST", "faults", fault)

    def quota(self, rate: float, burst: int) -> None:
        self._ask("PUT", "quota", {"rate": rate, "burst": burst})

    def mend(self) -> None:
        """Removes all faults and the quota."""
        self._ask("DELETE", "faults")
        self._ask("PUT", "quota", UNLIMITED)

    def reset(self) -> None:
        self.mend()
        self._ask("DELETE", "calls")

    def _add(self, **instance) -> None:
        self._ask("POST", "fixture", {"instances": {INSTANCE: instance}})

    def _ask(self, method: str, endpoint: str, body=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.url}/_simulator/{endpoint}", data=data, method=method)
        with HTTP.open(request, timeout=60) as answer:
            return json.loads(answer.read() or "null")


@contextmanager
def simulated_connect(program, folder):
    port = free_port()
    log = folder / "simulator.log"
    with running([program, "--listen", f"127.0.0.1:{port}"], clean_environment(folder), folder, log) as process:
        until(lambda: listens(port) or process.poll() is not None, "the simulator listens")
        assert process.poll() is None, log.read_text()
        yield Connect(f"http://127.0.0.1:{port}")
