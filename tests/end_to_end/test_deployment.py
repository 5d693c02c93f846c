"""Checks the deployed resources: permissions, destinations of failures, and the metrics of alarms.

The local AWS ignores policies, so every delivery and every call succeeds, even to a queue without a policy. It also
produces no metrics of queues, so their alarms never fire. These tests therefore read policies and alarms as the SAM CLI
and the intrinsic functions have resolved them. cfn-lint checks the names and values of properties.
"""

import json

import pytest
from connect import INSTANCE


def queue_attributes(aws, queue: str) -> dict:
    return aws.client("sqs").get_queue_attributes(QueueUrl=aws.physical[queue], AttributeNames=["All"])["Attributes"]


def arn(aws, queue: str) -> str:
    return queue_attributes(aws, queue)["QueueArn"]


def rule(aws, name: str) -> tuple[str, dict]:
    """Returns a rule's ARN and its only target."""
    events = aws.client("events")
    # S3 sends events only to the default bus.
    bus = "default" if name == "FileRule" else aws.physical["EventBus"]
    [target] = events.list_targets_by_rule(Rule=aws.physical[name], EventBusName=bus)["Targets"]
    return events.describe_rule(Name=aws.physical[name], EventBusName=bus)["Arn"], target


def role_statements(aws, role: str) -> dict[str, dict]:
    """Returns the statements of a role's policies by Sid."""
    iam, name = aws.client("iam"), aws.physical[role]
    assert iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"] == []
    policies = [iam.get_role_policy(RoleName=name, PolicyName=policy)["PolicyDocument"]
                for policy in iam.list_role_policies(RoleName=name)["PolicyNames"]]
    return {statement.get("Sid", ""): statement for policy in policies for statement in policy["Statement"]}


def senders(aws, queue: str) -> list[str]:
    """Returns the ARNs of the rules that may send to a queue."""
    policy = json.loads(queue_attributes(aws, queue)["Policy"])
    allowed, denied = [[statement for statement in policy["Statement"] if statement["Effect"] == effect]
                       for effect in ("Allow", "Deny")]
    [allow] = allowed
    assert (allow["Principal"], allow["Action"]) == ({"Service": "events.amazonaws.com"}, "sqs:SendMessage")
    assert allow["Resource"] == arn(aws, queue)
    assert [deny["Condition"] for deny in denied] == [{"Bool": {"aws:SecureTransport": "false"}}]
    rules = allow["Condition"]["ArnEquals"]["aws:SourceArn"]
    return rules if isinstance(rules, list) else [rules]


def test_only_rules_may_send_and_only_over_tls(deployed):
    association, _ = rule(deployed, "AssociationRule")
    file, _ = rule(deployed, "FileRule")
    assert senders(deployed, "SourceQueue") == [association]
    assert senders(deployed, "DeadLetterQueue") == [association]
    assert senders(deployed, "UndeliveredQueue") == [file]


def test_undelivered_events_go_to_a_watched_queue(deployed):
    targets = {name: rule(deployed, name)[1] for name in ("AssociationRule", "FileRule")}
    kept = {name: target["DeadLetterConfig"]["Arn"] for name, target in targets.items()}
    assert kept == {"AssociationRule": arn(deployed, "DeadLetterQueue"),
                    "FileRule": arn(deployed, "UndeliveredQueue")}
    assert targets["AssociationRule"]["Arn"] == arn(deployed, "SourceQueue")
    assert targets["FileRule"]["Arn"] == deployed.physical["FileStateMachine"]


def test_dead_letters_are_kept_for_14_days(deployed):
    redrive = json.loads(queue_attributes(deployed, "SourceQueue")["RedrivePolicy"])
    assert redrive["deadLetterTargetArn"] == arn(deployed, "DeadLetterQueue")
    assert int(redrive["maxReceiveCount"]) >= 5
    assert queue_attributes(deployed, "SourceQueue")["MessageRetentionPeriod"] == "604800"
    for queue in ("DeadLetterQueue", "UndeliveredQueue"):
        assert queue_attributes(deployed, queue)["MessageRetentionPeriod"] == "1209600"


def test_only_the_source_queue_has_dead_letters(deployed):
    allowed = {queue: json.loads(queue_attributes(deployed, queue)["RedriveAllowPolicy"])
               for queue in ("DeadLetterQueue", "UndeliveredQueue")}
    assert allowed == {
        "DeadLetterQueue": {"redrivePermission": "byQueue", "sourceQueueArns": [arn(deployed, "SourceQueue")]},
        "UndeliveredQueue": {"redrivePermission": "denyAll"}}


@pytest.mark.parametrize(("role", "service"), [
    ("AssociateStateMachineRole", "states.amazonaws.com"), ("FileStateMachineRole", "states.amazonaws.com"),
    ("FileRuleRole", "events.amazonaws.com")])
def test_services_assume_roles_only_for_this_account(deployed, role, service):
    document = deployed.client("iam").get_role(RoleName=deployed.physical[role])["Role"]["AssumeRolePolicyDocument"]
    [statement] = document["Statement"]
    assert statement["Principal"] == {"Service": service}
    assert statement["Condition"] == {"StringEquals": {"aws:SourceAccount": "000000000000"}}


def test_function_may_call_only_the_instance_of_the_parameter(deployed):
    found = deployed.client("lambda").get_function_configuration(FunctionName=deployed.physical["AssociateFunction"])
    variables = found["Environment"]["Variables"]
    assert (variables["CONNECT_INSTANCE_ID"], variables["CONNECT_INSTANCE_IDS"]) == (INSTANCE, INSTANCE)


def test_visibility_timeout_covers_the_functions_time(deployed):
    functions = deployed.client("lambda")
    timeout = functions.get_function_configuration(FunctionName=deployed.physical["AssociateFunction"])["Timeout"]
    mapping = functions.get_event_source_mapping(UUID=deployed.physical["AssociateFunctionSource"])
    assert mapping["EventSourceArn"] == arn(deployed, "SourceQueue")
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    visibility = int(queue_attributes(deployed, "SourceQueue")["VisibilityTimeout"])
    assert visibility >= 6 * timeout + mapping["MaximumBatchingWindowInSeconds"]


def test_function_may_change_one_instance_only(deployed):
    statements = role_statements(deployed, "AssociateFunctionRole")
    instance = f"arn:aws:connect:us-east-1:000000000000:instance/{INSTANCE}"
    connect = statements["AssociateAndLookUp"]
    assert connect["Resource"] == [instance, f"{instance}/*"]
    changes = {action for action in connect["Action"]
               if not action.startswith(("connect:List", "connect:Search", "connect:Describe"))}
    assert changes == {"connect:AssociateQueueEmailAddresses"}
    visibility = statements["SetVisibilityTimeout"]
    assert (visibility["Action"], visibility["Resource"]) == ("sqs:ChangeMessageVisibility", arn(deployed, "SourceQueue"))
    queues = ("SourceQueue", "DeadLetterQueue", "UndeliveredQueue")
    assert statements["SendContinuationsAndFailures"]["Resource"] == [arn(deployed, queue) for queue in queues]
    assert not any(statement["Resource"] == "*" for statement in statements.values())


def test_file_function_cannot_write_to_incoming(deployed):
    statements = role_statements(deployed, "FileFunctionRole")
    bucket = f"arn:aws:s3:::{deployed.physical['FileBucket']}"
    assert statements["ReadFiles"]["Resource"] == [f"{bucket}/{folder}/*" for folder in ("incoming", "check", "work")]
    assert statements["WriteGroupsAndResults"]["Resource"] == [f"{bucket}/work/*", f"{bucket}/results/*"]


def test_the_state_machines_may_run_their_children_and_their_functions(deployed):
    statements = role_statements(deployed, "FileStateMachineRole")
    machine = deployed.physical["FileStateMachine"]
    assert statements["RunChildren"]["Resource"] == machine
    execution = machine.replace(":stateMachine:", ":execution:")
    assert statements["FollowChildren"]["Resource"] == [f"{execution}:*", f"{execution}/Associate:*"]
    assert statements["RedriveChildren"]["Resource"] == f"{execution}/Associate:*"
    functions = [f"arn:aws:lambda:us-east-1:000000000000:function:{deployed.physical[function]}"
                 for function in ("AssociateFunction", "FileFunction")]
    assert statements["Invoke"]["Resource"] == functions
    bucket = f"arn:aws:s3:::{deployed.physical['FileBucket']}"
    assert (statements["ReadItems"]["Resource"], statements["WriteResults"]["Resource"]) == (
        f"{bucket}/work/*", f"{bucket}/work/*")
    [start] = role_statements(deployed, "FileRuleRole").values()
    assert (start["Action"], start["Resource"]) == ("states:StartExecution", machine)


# Each alarm on one metric, with the metric, the value of its dimension, and whether it notifies the topic of the stack.
WATCHED = {
    "PermanentFailuresAlarm": ("PermanentFailures", None, True),
    "SenderMistakesAlarm": ("SenderMistakes", None, False),
    "DeadLettersAlarm": ("ApproximateNumberOfMessagesVisible", "DeadLetterQueue", True),
    "UndeliveredEventsAlarm": ("ApproximateNumberOfMessagesVisible", "UndeliveredQueue", True),
    "ErrorsAlarm": ("Errors", "AssociateFunction", True),
}
# Alarms on expressions. tests/alarms checks their meaning.
COMPUTED = {"NothingSucceedsAlarm", "MessageKeepsFailingAlarm", "ThrottledAlarm", "MessagesNotProcessedAlarm", "BacklogAlarm",
            "LostEventsAlarm", "ExecutionFailedAlarm"}


def test_each_alarm_watches_its_own_metric(deployed):
    alarms = {alarm["AlarmName"]: alarm
              for alarm in deployed.client("cloudwatch").describe_alarms(AlarmNamePrefix=f"{deployed.stack}-")["MetricAlarms"]}
    assert {deployed.physical[name] for name in {*WATCHED, *COMPUTED}} == alarms.keys()
    topic = [deployed.physical["AlarmTopic"]]
    for name in COMPUTED:
        assert alarms[deployed.physical[name]]["AlarmActions"] == topic
    for name, (metric, watched, wakes) in WATCHED.items():
        alarm = alarms[deployed.physical[name]]
        values = [dimension["Value"] for dimension in alarm.get("Dimensions", [])]
        expected = [] if watched is None else [deployed.physical[watched].rsplit("/", 1)[-1]]
        assert (alarm["MetricName"], values) == (metric, expected)
        assert alarm.get("AlarmActions", []) == (topic if wakes else [])
    [subscribed] = deployed.client("sns").list_subscriptions_by_topic(
        TopicArn=deployed.physical["AlarmTopic"])["Subscriptions"]
    assert (subscribed["Protocol"], subscribed["Endpoint"]) == ("email", "operations@brand.example")
