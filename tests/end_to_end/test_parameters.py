"""Checks the deployment of a second stack with every optional security parameter.

The local AWS encrypts nothing and checks no permissions, so the tests read the settings that AWS needs. The local AWS does not
store a role's permissions boundary, a bucket's encryption and a function's VPC. tests/template checks those.
"""

import json

import pytest
from test_deployment import queue_attributes, role_statements
from test_events import THROUGH_THE_QUEUE, publish
from waiting import until

KEY = "arn:aws:kms:us-east-1:000000000000:key/11111111-2222-3333-4444-555555555555"
BOUNDARY = "arn:aws:iam::000000000000:policy/boundary"
SENDER = "111122223333"
ROLES = ("AssociateFunctionRole", "FileFunctionRole", "FileRuleRole", "AssociateStateMachineRole", "FileStateMachineRole")


@pytest.fixture(scope="session")
def secured(deployed, running_connect):
    stack = deployed.another("secured")
    stack.deploy(running_connect.url, KmsKeyArn=KEY, PermissionsBoundaryArn=BOUNDARY, RolePath="/teams/contact/",
                 SubnetIds="subnet-1,subnet-2", SecurityGroupIds="sg-1", SenderAccounts=SENDER)
    return stack


def test_secured_stack_associates_events_too(secured, connect):
    queue, addresses = connect.create_queue(addresses=2)
    publish(secured, THROUGH_THE_QUEUE, {"queueId": queue, "emailAddressIds": addresses})
    until(lambda: connect.on(queue) == addresses, "the addresses are on the queue")


def test_queues_and_logs_are_encrypted_with_the_key(secured):
    for queue in ("SourceQueue", "DeadLetterQueue", "UndeliveredQueue"):
        assert queue_attributes(secured, queue)["KmsMasterKeyId"] == KEY
    groups = secured.client("logs").describe_log_groups()["logGroups"]
    keys = {group["logGroupName"]: group.get("kmsKeyId") for group in groups}
    for name in ("AssociateFunctionLogs", "FileFunctionLogs", "StateMachineLogs"):
        assert keys[secured.physical[name]] == KEY
    for role in ("AssociateFunctionRole", "FileFunctionRole", "FileStateMachineRole"):
        use = role_statements(secured, role)["UseKey"]
        assert (use["Action"], use["Resource"]) == (["kms:Decrypt", "kms:GenerateDataKey"], KEY)


def test_every_role_has_the_path(secured):
    for name in ROLES:
        assert secured.client("iam").get_role(RoleName=secured.physical[name])["Role"]["Path"] == "/teams/contact/"


def test_functions_in_a_vpc_may_make_their_interfaces(secured):
    for name in ("AssociateFunction", "FileFunction"):
        assert "UseVpc" in role_statements(secured, f"{name}Role")


def test_sender_accounts_may_put_events_of_the_source_and_send_messages(secured):
    bus = secured.client("events").describe_event_bus(Name=secured.physical["EventBus"])
    [statement] = json.loads(bus["Policy"])["Statement"]
    assert (statement["Principal"], statement["Action"]) == ({"AWS": [SENDER]}, "events:PutEvents")
    assert statement["Condition"] == {"StringEquals": {"events:source": "brand.onboarding"}}
    policy = json.loads(queue_attributes(secured, "SourceQueue")["Policy"])
    send = next(statement for statement in policy["Statement"] if statement.get("Sid") == "SenderAccountsSend")
    assert (send["Principal"], send["Action"]) == ({"AWS": [SENDER]}, "sqs:SendMessage")


def test_without_parameters_no_such_resource_exists(deployed):
    for role in ROLES:
        found = deployed.client("iam").get_role(RoleName=deployed.physical[role])["Role"]
        assert found["Path"] == "/"
        assert not {"UseKey", "UseVpc"} & role_statements(deployed, role).keys()
    assert "KmsMasterKeyId" not in queue_attributes(deployed, "SourceQueue")
    assert queue_attributes(deployed, "SourceQueue")["SqsManagedSseEnabled"] == "true"
