"""Starts ministack, the local AWS, and adds the features that this application needs and version 1.5.33 lacks.

Each patch cites the AWS documentation that it follows, and rejects every unknown member. A definition that needs more
than the patch supports therefore fails here with a reason, and does not silently run differently than on AWS.
"""

import json
import time

import boto3
from ministack.app import main
from ministack.services import eventbridge
from ministack.services import stepfunctions as sfn
from ministack.services.cloudformation import provisioners

run_plain_distributed_map = sfn._run_distributed_map
function_resource = provisioners._RESOURCE_HANDLERS["AWS::Lambda::Function"]
create_plain_function = function_resource["create"]
answer_plain_states = sfn.handle_request
plain_alarm = provisioners._cw_metric_alarm_record

MAP_FIELDS = {
    "Type", "Comment", "QueryLanguage", "Label", "ItemProcessor", "ItemReader", "ItemBatcher", "ResultWriter",
    "MaxConcurrency", "ToleratedFailurePercentage", "Retry", "Catch", "Assign", "Output", "Next", "End",
}


def run_distributed_map(state, raw_input, effective, processor, execution, context):
    """Runs a Distributed Map with ItemBatcher, ResultWriter and JSONata in its fields. ministack ignores all three.

    AWS Step Functions Developer Guide: "ItemBatcher (Map)", "ResultWriter (Map)", "Transforming data with JSONata in
    Step Functions", and "Passing data between states with variables" (a child does not see its parent's variables).
    """
    refuse(unknown := state.keys() - MAP_FIELDS, f"a Distributed Map with {sorted(unknown)}")
    refuse(sfn._state_query_language(state, context) != "JSONata", "a Distributed Map without JSONata")
    fields = {name: sfn._apply_jsonata_template(state[name], raw_input, context)
              for name in MAP_FIELDS - {"ItemProcessor", "Retry", "Catch", "Assign", "Output"} if name in state}
    refuse(fields.get("ToleratedFailurePercentage") != 100, "a ToleratedFailurePercentage other than 100")

    items = sfn._read_map_items(fields["ItemReader"], effective, context)
    plain = {"Type": "Map", "ItemsPath": "$.inputs", "MaxConcurrency": fields.get("MaxConcurrency", 0),
             "ToleratedFailurePercentage": 100, "End": True}
    earlier = set(sfn._map_runs.keys())
    run_plain_distributed_map(plain, None, {"inputs": batches(items, **fields["ItemBatcher"])}, processor, execution,
                              {**context, "variables": {}})
    run = next(run for arn, run in sfn._map_runs.items()
               if arn not in earlier and run["executionArn"] == execution["executionArn"])
    children = [child for child in sfn._executions.values() if child.get("mapRunArn") == run["mapRunArn"]]
    result = write_results(run["mapRunArn"], children, fields["ResultWriter"])
    output = sfn._apply_jsonata_output(state, raw_input, context, result=result, default=result)
    sfn._apply_state_assign(state, raw_input, context, result=result)
    return output, sfn._next_or_end(state)


def batches(items, MaxItemsPerBatch=None, MaxInputBytesPerBatch=262_144, BatchInput=None):
    """Groups items into inputs of children. Each input has as many items as both limits allow."""
    shared = {} if BatchInput is None else {"BatchInput": BatchInput}
    made, size = [], 0
    for item in items:
        own = len(compact(item)) + 1
        full = size + own > MaxInputBytesPerBatch or (made and len(made[-1]["Items"]) == MaxItemsPerBatch)
        if full or not made:
            made.append({**shared, "Items": []})
            size = len(compact(made[-1]))
            refuse(size + own > MaxInputBytesPerBatch, f"an item beyond MaxInputBytesPerBatch: {item}")
        made[-1]["Items"].append(item)
        size += own
    return made


def write_results(map_run_arn, children, writer):
    """Writes manifest.json and the files that it lists. Returns the result of the map, which is the location of the
    manifest."""
    config = writer.get("WriterConfig", {"Transformation": "NONE", "OutputType": "JSON"})
    refuse(config != {"Transformation": "NONE", "OutputType": "JSON"}, f"a WriterConfig of {config}")
    bucket = writer["Arguments"]["Bucket"]
    folder = f"{writer['Arguments']['Prefix'].strip('/')}/{map_run_arn.rsplit(':', 1)[1]}"
    s3 = boto3.client("s3")

    def put(name, value):
        body = compact(value)
        s3.put_object(Bucket=bucket, Key=f"{folder}/{name}", Body=body)
        return {"Key": f"{folder}/{name}", "Size": len(body)}

    files = {"FAILED": [], "PENDING": [], "SUCCEEDED": []}
    for status in ("FAILED", "SUCCEEDED"):
        if records := [record(child) for child in children if child["status"] == status]:
            files[status].append(put(f"{status}_0.json", records))
    manifest = put("manifest.json", {"DestinationBucket": bucket, "MapRunArn": map_run_arn, "ResultFiles": files})
    return {"MapRunArn": map_run_arn, "ResultWriterDetails": {"Bucket": bucket, "Key": manifest["Key"]}}


def record(child):
    """Returns a child as in a result file, where input and output are JSON in a string."""
    ending = ({"Output": child["output"], "OutputDetails": {"Included": True}} if child["status"] == "SUCCEEDED"
              else {"Error": child["error"], "Cause": child["cause"]})
    return {"ExecutionArn": child["executionArn"], "Input": child["input"], "InputDetails": {"Included": True},
            "Name": child["name"], "StateMachineArn": child["stateMachineArn"], "Status": child["status"],
            "StartDate": child["startDate"], "StopDate": child["stopDate"], "RedriveCount": 0,
            "RedriveStatus": "NOT_REDRIVABLE", **ending}


def assign(state, raw_input, context, result=None, error_output=None):
    """Evaluates all variables of an Assign with their old values. ministack sets one after the other.

    AWS Step Functions Developer Guide, "Passing data between states with variables": evaluation order.
    """
    refuse("Assign" in state and not isinstance(state["Assign"], dict), "an Assign that is no object")
    values = sfn._apply_jsonata_template(state.get("Assign", {}), raw_input, context, result, error_output)
    context.setdefault("variables", {}).update(values)


def create_function(logical_id, properties, *rest, **named):
    """Creates a template's function with all variables as strings, because ministack cannot start it otherwise.

    AWS CloudFormation Template Reference Guide, "AWS::Lambda::Function Environment": a map of strings.
    """
    variables = properties.get("Environment", {}).get("Variables", {})
    variables.update({name: str(value) for name, value in variables.items()})
    return create_plain_function(logical_id, properties, *rest, **named)


def alarm(name, properties):
    """Creates a template's alarm on an expression, which ministack rejects, as an alarm on the first metric of the
    expression.

    AWS CloudFormation Template Reference Guide, "AWS::CloudWatch::Alarm MetricDataQuery". The alarm never fires,
    because the local AWS does not produce these metrics.
    """
    if queries := properties.get("Metrics"):
        returned = [query for query in queries if query.get("ReturnData", True) is True]
        refuse(len(returned) != 1 or "Expression" not in returned[0], f"an alarm on {returned}")
        stat = next(query["MetricStat"] for query in queries if "MetricStat" in query)
        properties = {name: value for name, value in properties.items() if name != "Metrics"}
        properties |= {**stat["Metric"], "Period": stat["Period"], "Statistic": stat["Stat"]}
    return plain_alarm(name, properties)


async def answer_states(method, path, headers, body, query_params):
    """Implements RedriveExecution, which ministack lacks. The execution starts again from its first state, whereas AWS
    continues at the failed state.

    AWS Step Functions API Reference, "RedriveExecution".
    """
    if not headers.get("x-amz-target", "").endswith(".RedriveExecution"):
        return await answer_plain_states(method, path, headers, body, query_params)
    ended = sfn._executions.pop(json.loads(body)["executionArn"])
    refuse(ended["status"] not in ("ABORTED", "FAILED", "TIMED_OUT"), f"a redrive of what is {ended['status']}")
    sfn._start_execution({"stateMachineArn": ended["stateMachineArn"], "name": ended["name"], "input": ended["input"]})
    return sfn.json_response({"redriveDate": time.time()})


def event_bus_policy(_logical_id, properties, _stack_name):
    """Creates the policy of a bus, for which ministack has no resource type.

    AWS CloudFormation Template Reference Guide, "AWS::Events::EventBusPolicy".
    """
    bus = properties["EventBusName"]
    statement = {"Sid": properties["StatementId"], **properties["Statement"]}
    eventbridge._event_bus_policies.setdefault(bus, {"Version": "2012-10-17", "Statement": []})["Statement"].append(statement)
    return f"{bus}|{statement['Sid']}", {}


def query_definition(logical_id, _properties, _stack_name):
    """Accepts a saved query of CloudWatch Logs Insights, which the local AWS never uses."""
    return logical_id, {}


def compact(value) -> bytes:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


def refuse(condition, what):
    if condition:
        raise sfn._ExecutionError("States.Runtime", f"the local AWS does not know {what}")


if __name__ == "__main__":
    sfn._run_distributed_map = run_distributed_map
    sfn._apply_state_assign = assign
    function_resource["create"] = create_function
    provisioners._cw_metric_alarm_record = alarm
    sfn.handle_request = answer_states
    for kind, create in (("Logs::QueryDefinition", query_definition), ("Events::EventBusPolicy", event_bus_policy)):
        provisioners._RESOURCE_HANDLERS[f"AWS::{kind}"] = {"create": create, "delete": lambda *_: None}
    main()
