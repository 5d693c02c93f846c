//! Requests everything in one direct request, and checks its report.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::common::failures;
use crate::world::INSTANCE;

use super::history::NamedPair;
use super::message::Message;
use super::scene::Scene;

/// Checks that the report adds up, that its reasons are true, and that no pair is lost.
pub async fn check_report(scene: &Scene) {
    let ([process, _], history) = scene.processes();
    let entries: Vec<Value> = scene.messages.iter().flat_map(Message::entries).collect();
    let request = json!({ "instanceId": INSTANCE, "failOnRetryable": false, "associations": entries });
    // A request without any valid entry has no report.
    if NamedPair::of_body(&request).is_empty() {
        return;
    }
    let report = process.invoke(&request).await.unwrap();
    let count = |row: &Value, name: &str| usize::try_from(row[name].as_u64().unwrap()).unwrap();
    let done = ["associated", "alreadyAssociated", "failed"].map(|name| count(&report, name));
    assert_eq!(done.iter().sum::<usize>(), count(&report, "distinct"), "{report}");
    assert_eq!(
        failures(&report).len(),
        count(&report, "failed"),
        "each failed pair is one failure: {report}"
    );
    let (invalid, failed): (Vec<&Value>, Vec<&Value>) =
        failures(&report).iter().partition(|failure| failure["error"] == "InvalidRequest");
    for name in ["requested", "associated", "alreadyAssociated", "failed"] {
        let rows = report["queues"].as_array().unwrap().iter().map(|row| count(row, name)).sum::<usize>();
        let in_no_row = if matches!(name, "requested" | "failed") { invalid.len() } else { 0 };
        assert_eq!(rows + in_no_row, count(&report, name), "the rows of queues and {name}: {report}");
    }
    // A read is one call unless the directory has several pages.
    let last_reading = history.last_address_reading().filter(|_| !scene.content.is_paged).unwrap_or_default();
    let named = || failed.iter().map(|failure| (NamedPair::of_failure(failure).unwrap(), *failure));
    let (retryable, permanent): (Vec<_>, Vec<_>) =
        named().partition(|(_, failure)| failure["retryable"] == true);
    for (pair, failure) in permanent {
        let error = failure["error"].as_str().unwrap();
        assert!(history.explains(&pair, error, 0), "not true at any moment: {failure}");
        // A SearchQueues call is not always a reading: it may check whether the instance exists.
        let is_of_address = failure["message"].as_str().unwrap().contains("email address");
        if is_of_address && (error == "NameNotFound" || error == "NameAmbiguous") {
            assert!(
                history.explains(&pair, error, last_reading),
                "not true after the last reading: {failure}"
            );
        }
    }
    let retryable: BTreeSet<NamedPair> = retryable.into_iter().map(|(pair, _)| pair).collect();
    assert_eq!(NamedPair::of_body(&report["remaining"]), retryable, "{report}");
    let failed: BTreeSet<NamedPair> = named().map(|(pair, _)| pair).collect();
    for pair in NamedPair::of_body(&request) {
        assert!(
            history.was_associated(&pair, 0) || history.is_among(&pair, &failed),
            "{pair:?} is lost: {report}"
        );
    }
}
