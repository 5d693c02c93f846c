//! Makes payloads: SQS batches as Lambda delivers them. Fields that the function does not read are shortened, so that
//! the batch fits into a payload.

use std::error::Error;
use std::io::Write;

use serde_json::{Value, json};

/// Number of queues. Consecutive messages use different queues.
const QUEUES: usize = 200;

/// The shape of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Shape {
    /// 10,000 messages of one pair each
    Messages,
    /// 10,000 messages of one pair each, each inside an EventBridge event inside an SNS notification
    Nested,
    /// 100,000 pairs: 2,000 messages of 50 addresses each
    Pairs100000,
}

/// Writes a payload to standard output.
pub(crate) fn write(shape: Shape) -> Result<(), Box<dyn Error>> {
    let messages = if shape == Shape::Pairs100000 { 2_000 } else { 10_000 };
    let records: Vec<Value> = (0..messages).map(|number| record(shape, number)).collect();
    Ok(std::io::stdout().lock().write_all(json!({ "Records": records }).to_string().as_bytes())?)
}

fn record(shape: Shape, number: usize) -> Value {
    json!({
        "messageId": identifier("1", number),
        "body": body(shape, number),
        "attributes": { "ApproximateReceiveCount": "1" },
        "eventSource": "aws:sqs",
        "eventSourceARN": "arn:aws:sqs:eu-central-1:111122223333:associations",
    })
}

fn body(shape: Shape, number: usize) -> String {
    let queue = identifier("2", number % QUEUES);
    let pair = json!({ "queueId": queue, "emailAddressId": identifier("3", number) });
    match shape {
        Shape::Messages => pair.to_string(),
        Shape::Nested => {
            let event = json!({ "detail-type": "Association", "source": "brand.example", "detail": pair });
            json!({ "Type": "Notification", "Message": event.to_string() }).to_string()
        }
        Shape::Pairs100000 => {
            let addresses: Vec<String> = (0..50).map(|index| identifier("3", number * 50 + index)).collect();
            json!({ "associations": [{ "queueId": queue, "emailAddressIds": addresses }] }).to_string()
        }
    }
}

/// Returns an identifier of the same length as AWS identifiers.
fn identifier(kind: &str, number: usize) -> String {
    format!("{kind}{number:07}-1111-4222-8333-{number:012}")
}
