//! Makes payloads: SQS batches as Lambda delivers them. Fields that the function does not read are shortened, so that
//! the batch fits into a payload.

use std::io::Write;

use serde_json::{Value, json};

use crate::failure::Failure;
use crate::shapes::{Batch, Envelope, Shape};

/// Writes a payload to standard output.
pub(crate) fn write(shape: Shape) -> Result<(), Failure> {
    Ok(std::io::stdout().lock().write_all(&bytes(shape.batch()))?)
}

/// Returns the payload of a batch.
pub(crate) fn bytes(batch: Batch) -> Vec<u8> {
    let records: Vec<Value> = (0..batch.messages).map(|number| record(batch, number)).collect();
    json!({ "Records": records }).to_string().into_bytes()
}

fn record(batch: Batch, number: usize) -> Value {
    json!({
        "messageId": identifier("1", number),
        "body": in_envelope(batch.envelope, &request(batch, number)),
        "attributes": { "ApproximateReceiveCount": "1" },
        "eventSource": "aws:sqs",
        "eventSourceARN": "arn:aws:sqs:eu-central-1:111122223333:associations",
    })
}

fn request(batch: Batch, number: usize) -> Value {
    let queue = identifier("2", number % batch.queues);
    let first = number * batch.addresses_a_message;
    let address = |index: usize| identifier("3", (first + index) % batch.addresses);
    match batch.addresses_a_message {
        1 => json!({ "queueId": queue, "emailAddressId": address(0) }),
        addresses => {
            let addresses: Vec<String> = (0..addresses).map(address).collect();
            json!({ "associations": [{ "queueId": queue, "emailAddressIds": addresses }] })
        }
    }
}

fn in_envelope(envelope: Envelope, request: &Value) -> String {
    match envelope {
        Envelope::None => request.to_string(),
        Envelope::EventInNotification => {
            let event = json!({ "detail-type": "Association", "source": "brand.example", "detail": request });
            json!({ "Type": "Notification", "Message": event.to_string() }).to_string()
        }
    }
}

/// Returns an identifier of the same length as AWS identifiers.
fn identifier(kind: &str, number: usize) -> String {
    format!("{kind}{number:07}-1111-4222-8333-{number:012}")
}
