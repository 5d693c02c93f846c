"""Checks rules of template.yaml and statemachine/ that linters do not know: the numbers agree with each other, every
queue is encrypted and closed to other accounts, the roles have the necessary permissions and no others,
docs/security.md lists them, each alarm has its section in docs/operations.md, and the states of both definitions are
the same.

`WRITE_PERMISSIONS=1 pytest tests/template` writes the table of permissions into docs/security.md.
"""

import json
import math
import os
import re
from pathlib import Path

from samcli.yamlhelper import yaml_parse

ROOT = Path(__file__).resolve().parents[2]
TEMPLATE = yaml_parse((ROOT / "template.yaml").read_text())
RESOURCES = TEMPLATE["Resources"]
OPERATIONS = ROOT / "docs" / "operations.md"
SECURITY = ROOT / "docs" / "security.md"
STATE_MACHINES = ROOT / "statemachine"
SOURCES = ROOT / "src"

# Limits of Lambda and SQS (Lambda Developer Guide, "Using Lambda with Amazon SQS"; "Lambda quotas").
LEAST_CONCURRENCY = 2
MOST_BATCH = 10_000
MOST_WINDOW_SECONDS = 300
MOST_TIMEOUT_SECONDS = 900
MOST_RETENTION_SECONDS = 1_209_600
# The function's own defaults, in milliseconds: DEADLINE_MARGIN_MS, and the minimum time for which it starts a call.
MARGIN_MS = 1000
LEAST_CALL_MS = 1000
# The time that the function reserves for sending messages (`Sender::time_for`), per round of 8 batches of 10.
SENDING_ROUND_MS = 250
SENDING_BATCH = 10
SENDING_BATCHES = 8
SENDING_QUEUES = 2
# The lowest quota that the numbers fit, that of a new account (Amazon Connect Administrator Guide, "Amazon Connect service
# quotas").
LEAST_REQUESTS_PER_SECOND = 2
# A message for this number of queues must be started before its deliveries are used up. The probability that it is not
# must be below NEVER_STARTED.
CALLS_OF_A_LARGE_MESSAGE = 30
NEVER_STARTED = 1 / 1000
# During an outage of Connect of this number of hours, no message may become a dead letter.
OUTAGE_HOURS = 12
# The time until a listed message is redelivered (src/settle/delay.rs, with the defaults of its two variables). It
# doubles with each delivery, and is shorter by at most the jitter.
REDELIVERY_INITIAL_SECONDS = 30
REDELIVERY_MAX_SECONDS = 900
REDELIVERY_JITTER = 0.2
# Processes for single invocations of the function, in addition to the pollers and the children of a file's Map.
SINGLE_PROCESSES = 1

# EventBridge rejects a pattern whose wildcards are too complex, without a published number (Amazon EventBridge User Guide,
# "Wildcards and event pattern complexity"). The README of aws/event-ruler suggests a complexity of 10, and a pattern can
# have a higher complexity than its number of wildcards.
MAX_WILDCARDS = 6

# Why a role needs a statement of its policy, by the statement's Sid.
REASONS = {
    "AssociateAndLookUp": "associates pairs, reads the lists of queues, and resolves names; searches depend on the Describe actions",
    "Poll": "Lambda polls the source queue with the function's role",
    "SetVisibilityTimeout": "redelivers a message when a retry is useful",
    "SendContinuationsAndFailures": "sends what is left of messages, dead letters, and failed asynchronous invocations",
    "Log": "writes the function's log",
    "UseKey": "uses the key of `KmsKeyArn`, if it is set",
    "UseVpc": "lets Lambda manage network interfaces, if `SubnetIds` is set",
    "ReadFiles": "reads files, and the results of the Map",
    "DetectMissingFiles": "distinguishes a missing file from a missing permission",
    "WriteGroupsAndResults": "writes the groups for the Map, and the results",
    "StartExecutions": "starts the state machine for a file",
    "Invoke": "invokes the functions of the tasks",
    "RunChildren": "starts the children of the Map",
    "FollowChildren": "follows and stops the children of the Map",
    "RedriveChildren": "redrives the children of a stopped execution",
    "ReadItems": "reads the groups for the Map",
    "WriteResults": "writes the results of the Map",
    "DeliverLogs": "lets Step Functions write its log",
}
TABLE = ("<!-- WRITE_PERMISSIONS=1 pytest tests/template makes this table. -->\n", "<!-- end -->\n")

EXPIRING = {"incoming/", "check/", "work/", "results/"}
# Retention of objects under work/ (template.yaml, FileBucket).
WORK_SECONDS = 14 * 86_400

CONNECT_ACTIONS = {
    "connect:AssociateQueueEmailAddresses",
    "connect:ListQueueEmailAddresses",
    "connect:SearchQueues",
    "connect:DescribeQueue",
    "connect:SearchEmailAddresses",
    "connect:DescribeEmailAddress",
}
# Actions that accept no resource, or whose resource is not known in advance (Service Authorization Reference: CloudWatch
# Logs; EC2's network interfaces of functions in a VPC).
WITHOUT_RESOURCE = ("logs:", "ec2:")

NO_VALUE = {"Ref": "AWS::NoValue"}
WITH_KEY = {"Fn::If": ["HasKey", {"Ref": "KmsKeyArn"}, NO_VALUE]}
WITHOUT_KEY = {"Fn::If": ["HasKey", NO_VALUE, True]}
FROM_THIS_ACCOUNT = {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}
ROLE_FRAME = ({"Ref": "RolePath"}, {"Fn::If": ["HasBoundary", {"Ref": "PermissionsBoundaryArn"}, NO_VALUE]})

# The states that the Map's children share with the definition for a single request.
SHARED_STATES = ("Associate", "Left", "Wait", "Total")


def test_numbers_agree_with_each_other():
    assert list(wrong_with_numbers(RESOURCES)) == []


def test_queues_are_encrypted_and_closed():
    assert list(wrong_with_queues(RESOURCES)) == []


def test_roles_have_the_necessary_permissions_and_no_others():
    assert list(wrong_with_roles(RESOURCES)) == []


def test_security_page_lists_every_permission():
    page = with_permissions(SECURITY.read_text(), RESOURCES)
    if os.environ.get("WRITE_PERMISSIONS"):
        SECURITY.write_text(page)
    assert SECURITY.read_text() == page, "run WRITE_PERMISSIONS=1 pytest tests/template"


def test_each_alarm_has_an_action_and_a_section():
    assert list(wrong_with_alarms(RESOURCES, OPERATIONS.read_text())) == []


def test_personal_data_is_encrypted_with_the_key():
    assert list(wrong_with_encryption(TEMPLATE)) == []


def test_failures_and_files_outlive_the_stack():
    assert list(wrong_with_deletion(RESOURCES)) == []


def test_filters_search_for_what_the_function_logs():
    assert list(wrong_with_filters(RESOURCES, "".join(path.read_text() for path in SOURCES.rglob("*.rs")))) == []


def test_patterns_are_simple_enough_for_eventbridge():
    assert list(wrong_with_patterns(RESOURCES)) == []


def test_both_definitions_have_the_same_states():
    assert list(wrong_with_definitions()) == []


def wrong_with_numbers(resources: dict):
    function = resources["AssociateFunction"]["Properties"]
    mapping = function["Events"]["Source"]["Properties"]
    queue = resources["SourceQueue"]["Properties"]
    numbers = {
        "workers": function["Environment"]["Variables"]["CONNECT_WORKERS"],
        "pollers": mapping["ScalingConfig"]["MaximumConcurrency"],
        "children": resources["FileStateMachine"]["Properties"]["DefinitionSubstitutions"]["FileConcurrency"],
        "batch": mapping["BatchSize"],
        "window": mapping["MaximumBatchingWindowInSeconds"],
        "timeout": function["Timeout"],
        "visibility": queue["VisibilityTimeout"],
        "retention": queue["MessageRetentionPeriod"],
        "deliveries": queue["RedrivePolicy"]["maxReceiveCount"],
    }
    for rule, is_true in rules(**numbers).items():
        if not is_true:
            yield f"the numbers break this rule: {rule}; they are {numbers}"


def rules(*, workers, pollers, children, batch, window, timeout, visibility, retention, deliveries):
    sending = math.ceil(math.ceil(batch / SENDING_BATCH) * SENDING_QUEUES / SENDING_BATCHES) * SENDING_ROUND_MS
    calling = timeout - (MARGIN_MS + LEAST_CALL_MS + sending) / 1000
    # With every process busy, a poller has its share of the quota.
    calls = LEAST_REQUESTS_PER_SECOND / workers * calling
    # The share of a batch that one delivery starts, if each message needs many calls. Each delivery starts other messages,
    # because SQS composes the batches differently.
    started = min(1, calls / (CALLS_OF_A_LARGE_MESSAGE * batch))
    return {
        "CONNECT_WORKERS counts every process": workers == pollers + children + SINGLE_PROCESSES,
        "the number of pollers is Lambda's minimum": pollers == LEAST_CONCURRENCY,
        "a file's Map limits its children (0 means no limit)": children >= 1,
        "Lambda accepts the batch and its window":
            1 <= batch <= MOST_BATCH and (1 if batch > 10 else 0) <= window <= MOST_WINDOW_SECONDS,
        "a batch of messages that need a call each ends in time": batch <= calls,
        "Lambda accepts the timeout": timeout <= MOST_TIMEOUT_SECONDS,
        "the visibility timeout is six timeouts plus the window": visibility == 6 * timeout + window,
        f"an outage of {OUTAGE_HOURS} hours makes no dead letters": shortest_waits(deliveries) >= OUTAGE_HOURS * 3600,
        f"a message of {CALLS_OF_A_LARGE_MESSAGE} calls is started before its deliveries are used up":
            (1 - started) ** deliveries < NEVER_STARTED,
        # If no invocation responds, each delivery takes the queue's own timeout.
        "the queue keeps a message for longer than its deliveries take": deliveries * visibility < retention,
    }


def shortest_waits(deliveries: int) -> float:
    """Returns the minimum number of seconds until a message that is listed at each delivery becomes a dead letter."""
    return sum((1 - REDELIVERY_JITTER) * min(REDELIVERY_INITIAL_SECONDS * 2 ** before, REDELIVERY_MAX_SECONDS)
               for before in range(deliveries))


def wrong_with_queues(resources: dict):
    policies = [r["Properties"] for r in resources.values() if r["Type"] == "AWS::SQS::QueuePolicy"]
    for name, resource in of_type(resources, "AWS::SQS::Queue"):
        properties = resource["Properties"]
        if properties.get("SqsManagedSseEnabled") != WITHOUT_KEY or properties.get("KmsMasterKeyId") != WITH_KEY:
            yield f"{name} is not encrypted"
        if "RedrivePolicy" in properties:
            # A message that SQS moves keeps its age, so it stays in the dead-letter queue for the rest of 14 days.
            if not properties.get("MessageRetentionPeriod", MOST_RETENTION_SECONDS) <= MOST_RETENTION_SECONDS / 2:
                yield f"{name} needs a MessageRetentionPeriod of at most 7 days, so that dead letters remain for 7 days"
        elif properties.get("MessageRetentionPeriod") != MOST_RETENTION_SECONDS:
            yield f"{name} has no dead-letter queue, and its MessageRetentionPeriod is not 14 days"
        elif properties.get("RedriveAllowPolicy", {}).get("redrivePermission") not in ("byQueue", "denyAll"):
            yield f"every queue of the account may use {name} as its dead-letter queue"
        statements = [s for p in policies if {"Ref": name} in p["Queues"] for s in statements_of(p["PolicyDocument"])]
        if not any(closes_to_plain_http(s) for s in statements):
            yield f"{name} can be reached without TLS"
        for statement in statements:
            if statement["Effect"] == "Allow" and statement != senders_send(name) and not (
                statement["Principal"] == {"Service": "events.amazonaws.com"}
                and statement["Action"] == "sqs:SendMessage"
                and "aws:SourceArn" in statement["Condition"].get("ArnEquals", {})
            ):
                yield f"the policy of {name} allows other senders than the rules: {statement.get('Sid')}"
        if not any(s["Effect"] == "Allow" for s in statements):
            yield f"no rule may send to {name}"


def statements_of(document: dict) -> list[dict]:
    """Returns the statements of a policy, including conditional ones."""
    return [s["Fn::If"][1] if "Fn::If" in s else s for s in document["Statement"]]


def senders_send(queue: str) -> dict:
    """Returns the only statement for other accounts: the accounts of a parameter may send to the source queue."""
    return {} if queue != "SourceQueue" else {
        "Sid": "SenderAccountsSend", "Effect": "Allow", "Principal": {"AWS": {"Fn::Split": [",", {"Ref": "SenderAccounts"}]}},
        "Action": "sqs:SendMessage", "Resource": {"Fn::GetAtt": ["SourceQueue", "Arn"]}}


def closes_to_plain_http(statement: dict) -> bool:
    return (
        statement["Effect"] == "Deny"
        and statement["Principal"] == "*"
        and statement["Action"] == "sqs:*"
        and statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    )


def wrong_with_deletion(resources: dict):
    """Checks that unprocessed messages, files and results remain when the stack is deleted, with the policies that
    require TLS."""
    for name in ("FileBucket", "DeadLetterQueue", "UndeliveredQueue"):
        for kept in (name, f"{name}Policy"):
            policies = (resources[kept].get("DeletionPolicy"), resources[kept].get("UpdateReplacePolicy"))
            if policies != ("RetainExceptOnCreate", "Retain"):
                yield f"{kept} must be RetainExceptOnCreate and Retain, not {policies}"
    rules = resources["FileBucket"]["Properties"]["LifecycleConfiguration"]["Rules"]
    expiring = {rule.get("Prefix") for rule in rules if "ExpirationInDays" in rule}
    if expiring != EXPIRING:
        yield f"objects under {sorted(expiring)} expire; expected {sorted(EXPIRING)}"


def wrong_with_encryption(template: dict):
    """Checks that resources with personal data are encrypted with the key of the parameter, if it is set."""
    resources = template["Resources"]
    for name, resource in of_type(resources, "AWS::Logs::LogGroup"):
        if resource["Properties"].get("KmsKeyId") != WITH_KEY:
            yield f"{name} is not encrypted with the key"
    for name, resource in of_type(resources, "AWS::S3::Bucket"):
        [rule] = resource["Properties"]["BucketEncryption"]["ServerSideEncryptionConfiguration"]
        if rule["ServerSideEncryptionByDefault"] != {
                "SSEAlgorithm": {"Fn::If": ["HasKey", "aws:kms", "AES256"]}, "KMSMasterKeyID": WITH_KEY}:
            yield f"{name} is not encrypted with the key"
    if template["Globals"]["Function"].get("KmsKeyArn") != WITH_KEY:
        yield "the functions' variables are not encrypted with the key"


def wrong_with_roles(resources: dict):
    connect = set()
    for name, resource in of_type(resources, "AWS::IAM::Role"):
        if (resource["Properties"].get("Path"), resource["Properties"].get("PermissionsBoundary")) != ROLE_FRAME:
            yield f"{name} does not have the path and the permissions boundary of the parameters"
        if resource["Properties"].get("ManagedPolicyArns"):
            yield f"{name} has managed policies, which allow more than is needed"
        for trust in resource["Properties"]["AssumeRolePolicyDocument"]["Statement"]:
            # The consoles of Step Functions and EventBridge create roles with this condition. Lambda's does not.
            if trust["Principal"] != {"Service": "lambda.amazonaws.com"} and trust.get("Condition") != FROM_THIS_ACCOUNT:
                yield f"{name} can be assumed for other accounts"
        for policy in resource["Properties"]["Policies"]:
            for statement in statements_of(policy["PolicyDocument"]):
                actions = as_list(statement["Action"])
                if any("*" in action for action in actions):
                    yield f"{name}: {statement.get('Sid')} allows {actions}"
                if statement["Resource"] == "*" and not all(a.startswith(WITHOUT_RESOURCE) for a in actions):
                    yield f"{name}: {statement.get('Sid')} is not limited to a resource"
                if "s3:" in str(actions) and "${FileBucket.Arn}/*" in str(statement["Resource"]):
                    yield f"{name}: {statement.get('Sid')} is not limited to prefixes of the bucket"
                if any(a.startswith("connect:") for a in actions):
                    connect |= set(actions)
                    if not all("instance/${ConnectInstanceId}" in str(r) for r in as_list(statement["Resource"])):
                        yield f"{name}: {statement.get('Sid')} is not limited to the instance"
    if connect != CONNECT_ACTIONS:
        yield f"the actions of Connect that are allowed differ by {sorted(connect ^ CONNECT_ACTIONS)}"
    for name, resource in of_type(resources, "AWS::Serverless::Function"):
        if "Role" not in resource["Properties"]:
            yield f"{name} has no role of its own; the role that SAM creates may write every log"


def with_permissions(page: str, resources: dict) -> str:
    """Returns the page with the table of all permissions of the roles. Roles with the same statement share a row."""
    start, end = TABLE
    rows = ["| role | actions | resources | reason |", "| --- | --- | --- | --- |"]
    roles_of = {}
    for name, resource in of_type(resources, "AWS::IAM::Role"):
        for policy in resource["Properties"]["Policies"]:
            for statement in statements_of(policy["PolicyDocument"]):
                actions = ", ".join(f"`{action}`" for action in as_list(statement["Action"]))
                resource_names = ", ".join(f"`{shown(it)}`" for it in as_list(statement["Resource"]))
                row = f"{actions} | {resource_names} | {REASONS[statement['Sid']]}"
                roles_of.setdefault(row, []).append(f"`{name}`")
    rows += [f"| {', '.join(roles)} | {row} |" for row, roles in roles_of.items()]
    before, _, rest = page.partition(start)
    return before + start + "\n".join(rows) + "\n" + end + rest.partition(end)[2]


def shown(resource) -> str:
    """Returns a resource of a statement without the intrinsic functions and the common parts of an ARN."""
    if isinstance(resource, str):
        return resource
    [(function, value)] = resource.items()
    text = value[0] if function == "Fn::GetAtt" else value
    text = re.sub(r"arn:\$\{AWS::Partition\}:(\w+):\$\{AWS::Region\}:\$\{AWS::AccountId\}:", "", text)
    return re.sub(r"\$\{(?:AWS::)?(\w+)(?:\.Arn)?\}", r"\1", text)


def wrong_with_alarms(resources: dict, operations: str):
    for name, resource in of_type(resources, "AWS::CloudWatch::Alarm"):
        properties = resource["Properties"]
        page = properties.get("AlarmDescription", "").rpartition('docs/operations.md, "')[2].rstrip('".')
        if not page or f"\n### {page}\n" not in operations:
            yield f"{name} has no section in docs/operations.md: {page!r}"
        if not properties.get("AlarmActions"):
            yield f"{name} has no action"
    watched = {
        (query["MetricStat"]["Metric"]["MetricName"], dimension["Value"].get("Ref"))
        for query in resources["ExecutionFailedAlarm"]["Properties"]["Metrics"] if "MetricStat" in query
        for dimension in query["MetricStat"]["Metric"]["Dimensions"]
    }
    for name, _ in of_type(resources, "AWS::Serverless::StateMachine"):
        for metric in ("ExecutionsFailed", "ExecutionsTimedOut", "ExecutionsAborted"):
            if (metric, name) not in watched:
                yield f"ExecutionFailedAlarm does not watch {metric} of {name}"


def wrong_with_filters(resources: dict, source: str):
    """A filter on a value that the function does not log would count nothing, and its alarm would never fire."""
    for name, resource in of_type(resources, "AWS::Logs::MetricFilter"):
        for message in re.findall(r'\$\.message = "([^"]+)"', resource["Properties"]["FilterPattern"]):
            if f'"{message}"' not in source:
                yield f"{name}: the function does not log {message!r}"
        for error in re.findall(r'\$\.error !?= "([^"]+)"', resource["Properties"]["FilterPattern"]):
            if f'"{error}"' not in source:
                yield f"{name}: the function has no error {error!r}"


def wrong_with_patterns(resources: dict):
    for name, resource in of_type(resources, "AWS::Events::Rule"):
        if (count := wildcards(resource["Properties"]["EventPattern"])) > MAX_WILDCARDS:
            yield f"{name} has {count} wildcards in its pattern; EventBridge may reject more than {MAX_WILDCARDS}"


def wildcards(pattern) -> int:
    """Returns the number of asterisks in all `wildcard` operators of an event pattern."""
    if isinstance(pattern, dict):
        return sum(str(value).count("*") if key == "wildcard" else wildcards(value) for key, value in pattern.items())
    return sum(map(wildcards, pattern)) if isinstance(pattern, list) else 0


def wrong_with_definitions():
    single = definition("associate")["States"]
    file = definition("file")
    found = [state for state in file["States"].values() if state["Type"] == "Map"]
    if len(found) != 1:
        yield f"file.asl.json has {len(found)} Maps; expected one"
        return
    if file["TimeoutSeconds"] >= WORK_SECONDS:
        yield "file.asl.json: an execution may last longer than its objects under work/"
    batch_input = {"failOnRetryable": False, "dryRun": "{% $check %}", "checkQueues": "{% $check %}"}
    if found[0]["ItemBatcher"]["BatchInput"] != batch_input:
        yield f"file.asl.json: BatchInput is {found[0]['ItemBatcher']['BatchInput']}; expected {batch_input}"
    children = found[0]["ItemProcessor"]["States"]
    for name in SHARED_STATES:
        if without_way(children.get(name, {})) != without_way(single[name]):
            yield f"file.asl.json: state {name} of the Map differs from that of associate.asl.json"


def without_way(state: dict) -> dict:
    return {key: value for key, value in state.items() if key not in ("Next", "End")}


def definition(name: str) -> dict:
    return json.loads((STATE_MACHINES / f"{name}.asl.json").read_text())


def of_type(resources: dict, kind: str):
    return [(name, resource) for name, resource in resources.items() if resource["Type"] == kind]


def as_list(value) -> list:
    return value if isinstance(value, list) else [value]
