//! One record of metrics per invocation, in the embedded metric format. CloudWatch extracts it from the log.

use serde_json::{Value, json};

/// A metric's name, unit and value.
pub(super) type Metric = (&'static str, &'static str, u64);

/// Builds the record (CloudWatch User Guide, "Specification: Embedded metric format").
pub(super) fn record(
    namespace: &str,
    function_name: &str,
    request_id: &str,
    millis: u64,
    metrics: &[Metric],
) -> Value {
    let definitions: Vec<Value> =
        metrics.iter().map(|(name, unit, _)| json!({ "Name": name, "Unit": unit })).collect();
    let mut record = json!({
        "_aws": {
            "Timestamp": millis,
            "CloudWatchMetrics": [{
                "Namespace": namespace,
                "Dimensions": [["FunctionName"]],
                "Metrics": definitions,
            }],
        },
        "FunctionName": function_name,
        "requestId": request_id,
    });
    for (name, _, value) in metrics {
        record[*name] = (*value).into();
    }
    record
}
