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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn record_defines_each_metric_with_its_value() {
        let record = record(
            "N",
            "f",
            "r",
            1_700_000_000_000,
            &[("Calls", "Count", 3), ("Duration", "Milliseconds", 5)],
        );
        assert_eq!(
            record,
            json!({
                "_aws": {
                    "Timestamp": 1_700_000_000_000_u64,
                    "CloudWatchMetrics": [{
                        "Namespace": "N",
                        "Dimensions": [["FunctionName"]],
                        "Metrics": [
                            { "Name": "Calls", "Unit": "Count" },
                            { "Name": "Duration", "Unit": "Milliseconds" },
                        ],
                    }],
                },
                "FunctionName": "f",
                "requestId": "r",
                "Calls": 3,
                "Duration": 5,
            })
        );
    }
}
