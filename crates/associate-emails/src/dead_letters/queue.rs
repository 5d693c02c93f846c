//! An SQS queue, in batches of ten messages.

use std::collections::HashSet;
use std::error::Error;

use aws_sdk_sqs::Client;
use aws_sdk_sqs::config::http::HttpResponse;
use aws_sdk_sqs::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_sqs::types::{
    ChangeMessageVisibilityBatchRequestEntry, DeleteMessageBatchRequestEntry, Message,
    MessageSystemAttributeName, QueueAttributeName, SendMessageBatchRequestEntry,
};
use queue_email_associator::connect::Class;

use crate::aws::{Access, SIGN_IN_AGAIN, last_source, with_advice};

/// Maximum number of messages in one request (SQS Developer Guide, "Amazon SQS message quotas").
const BATCH: usize = 10;

/// Maximum size of one request to send, in bytes (same page: 1 MiB).
const MAX_BYTES: usize = 1 << 20;

/// Creates a client with the SDK's own retries.
pub(super) fn client(access: &Access) -> Client {
    Client::new(&access.config)
}

/// Returns the Region in the URL of a queue, as in `https://sqs.eu-central-1.amazonaws.com/111122223333/queue`.
pub(super) fn region_of(url: &str) -> Option<&str> {
    let (_, rest) = url.split_once("://")?;
    let host = rest.split(['/', ':']).next()?;
    let region = host.strip_prefix("sqs.")?.split_once(".amazonaws.com")?.0;
    Some(region).filter(|region| !region.is_empty() && !region.contains('.'))
}

/// A message that was received, and is hidden from other consumers until its visibility timeout ends.
#[derive(Debug, Clone)]
pub(super) struct ReceivedMessage {
    pub(super) id: String,
    pub(super) handle: String,
    pub(super) message: Message,
}

/// An SQS queue.
#[derive(Debug, Clone)]
pub(super) struct Queue {
    client: Client,
    url: String,
}

impl Queue {
    pub(super) fn new(client: Client, url: &str) -> Self {
        Queue { client, url: url.to_owned() }
    }

    pub(super) fn url(&self) -> &str {
        &self.url
    }

    /// Returns the approximate number of visible messages.
    ///
    /// # Errors
    /// One line: the queue does not exist, the credentials do not allow reading it, or SQS was not reached.
    pub(super) async fn messages(&self) -> Result<usize, String> {
        let answer = self
            .client
            .get_queue_attributes()
            .queue_url(&self.url)
            .attribute_names(QueueAttributeName::ApproximateNumberOfMessages)
            .send()
            .await
            .map_err(|error| format!("{}: {}", self.url, describe_error(&error)))?;
        let attributes = answer.attributes.unwrap_or_default();
        let count = attributes.get(&QueueAttributeName::ApproximateNumberOfMessages);
        Ok(count.and_then(|count| count.parse().ok()).unwrap_or(0))
    }

    /// Receives up to ten messages with the given visibility timeout and wait time, both in seconds.
    ///
    /// # Errors
    /// One line: SQS rejected the request or was not reached.
    pub(super) async fn receive(
        &self,
        visibility_timeout: i32,
        wait: i32,
    ) -> Result<Vec<ReceivedMessage>, String> {
        let answer = self
            .client
            .receive_message()
            .queue_url(&self.url)
            .max_number_of_messages(BATCH as i32)
            .visibility_timeout(visibility_timeout)
            .wait_time_seconds(wait)
            .message_system_attribute_names(MessageSystemAttributeName::All)
            .message_attribute_names("All")
            .send()
            .await
            .map_err(|error| format!("{} cannot be read: {}", self.url, describe_error(&error)))?;
        let received = |message: Message| {
            let (id, handle) = (message.message_id.clone()?, message.receipt_handle.clone()?);
            Some(ReceivedMessage { id, handle, message })
        };
        Ok(answer.messages.unwrap_or_default().into_iter().filter_map(received).collect())
    }

    /// Makes messages visible to other consumers. If SQS rejects this, a message becomes visible when its visibility
    /// timeout ends.
    pub(super) async fn make_visible(&self, handles: &[String]) {
        for handles in handles.chunks(BATCH) {
            let entry = |(number, handle): (usize, &String)| {
                let entry = ChangeMessageVisibilityBatchRequestEntry::builder()
                    .id(number.to_string())
                    .receipt_handle(handle)
                    .visibility_timeout(0);
                entry.build().ok()
            };
            let entries = handles.iter().enumerate().filter_map(entry).collect();
            let request = self.client.change_message_visibility_batch().queue_url(&self.url);
            let _ = request.set_entries(Some(entries)).send().await;
        }
    }

    /// Sends copies of messages. Returns for each whether it arrived, and the error of the first that did not.
    pub(super) async fn send(&self, messages: &[&ReceivedMessage]) -> (Vec<bool>, Option<String>) {
        let mut arrived = vec![false; messages.len()];
        let mut problem = None;
        let numbers: Vec<usize> = (0..messages.len()).collect();
        for numbers in batches(&numbers, |number| size(messages[*number])) {
            let entry = |number: &usize| {
                let Message { body, message_attributes, .. } = &messages[*number].message;
                let entry = SendMessageBatchRequestEntry::builder()
                    .id(number.to_string())
                    .message_body(body.clone().unwrap_or_default())
                    .set_message_attributes(message_attributes.clone());
                entry.build().ok()
            };
            let entries = numbers.iter().filter_map(entry).collect();
            let request = self.client.send_message_batch().queue_url(&self.url);
            match request.set_entries(Some(entries)).send().await {
                Ok(answer) => {
                    for sent in &answer.successful {
                        if let Some(arrived) = sent.id.parse().ok().and_then(|n: usize| arrived.get_mut(n)) {
                            *arrived = true;
                        }
                    }
                    let rejected = answer.failed.first().map(|failed| {
                        format!("{}: {}", failed.code, failed.message.as_deref().unwrap_or_default())
                    });
                    problem = problem.or(rejected.map(|error| format!("{}: {error}", self.url)));
                }
                Err(error) => {
                    problem = problem.or_else(|| Some(format!("{}: {}", self.url, describe_error(&error))));
                }
            }
        }
        (arrived, problem)
    }

    /// Deletes messages. Returns for each whether it was deleted, and the error of the first that was not.
    pub(super) async fn delete(&self, messages: &[&ReceivedMessage]) -> (Vec<bool>, Option<String>) {
        let entry = |(number, message): (usize, &&ReceivedMessage)| {
            let entry = DeleteMessageBatchRequestEntry::builder().id(number.to_string());
            entry.receipt_handle(&message.handle).build().ok()
        };
        let mut gone = vec![false; messages.len()];
        let mut problem = None;
        for (batch, messages) in messages.chunks(BATCH).enumerate() {
            let entries = messages.iter().enumerate().filter_map(entry).collect();
            let request = self.client.delete_message_batch().queue_url(&self.url);
            match request.set_entries(Some(entries)).send().await {
                Ok(answer) => {
                    let deleted: HashSet<&str> = answer.successful.iter().map(|entry| entry.id()).collect();
                    for number in 0..messages.len() {
                        gone[batch * BATCH + number] = deleted.contains(&*number.to_string());
                    }
                    let kept = answer.failed.first().map(|failed| format!("{}: {}", self.url, failed.code));
                    problem = problem.or(kept);
                }
                Err(error) => {
                    problem = problem.or_else(|| Some(format!("{}: {}", self.url, describe_error(&error))));
                }
            }
        }
        (gone, problem)
    }
}

/// Divides messages into batches that fit in one request.
fn batches<T: Copy>(messages: &[T], size: impl Fn(&T) -> usize) -> Vec<Vec<T>> {
    let mut batches: Vec<Vec<T>> = Vec::new();
    let mut bytes = 0;
    for message in messages {
        let more = size(message);
        match batches.last_mut() {
            Some(batch) if batch.len() < BATCH && bytes + more <= MAX_BYTES => {
                batch.push(*message);
                bytes += more;
            }
            _ => {
                batches.push(vec![*message]);
                bytes = more;
            }
        }
    }
    batches
}

/// Returns the size of a message as SQS counts it: its body, and the names, types and values of its attributes.
fn size(received: &ReceivedMessage) -> usize {
    let Message { body, message_attributes, .. } = &received.message;
    let attribute = |(name, value): (&String, &aws_sdk_sqs::types::MessageAttributeValue)| {
        let text = value.string_value.as_deref().map_or(0, str::len);
        let bytes = value.binary_value.as_ref().map_or(0, |value| value.as_ref().len());
        name.len() + value.data_type.len() + text + bytes
    };
    let attributes: usize = message_attributes.iter().flatten().map(attribute).sum();
    body.as_deref().map_or(0, str::len) + attributes
}

/// Describes an error in one line: the response of SQS, or why it was not reached.
fn describe_error<E: ProvideErrorMetadata + Error + 'static>(error: &SdkError<E, HttpResponse>) -> String {
    match (error.code(), error.message()) {
        (Some(code), message) => {
            let message = message.map(|message| format!(": {message}")).unwrap_or_default();
            let status = error.raw_response().map_or(0, |response| response.status().as_u16());
            match Class::of(Some(code), status) {
                Class::Credentials => format!("{code}{message}; {SIGN_IN_AGAIN}"),
                _ => format!("{code}{message}"),
            }
        }
        (None, _) => {
            let cause = last_source(error).unwrap_or_else(|| error.to_string());
            with_advice(format!("SQS was not reached: {cause}"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn region_is_read_from_the_url() {
        for (url, region) in [
            ("https://sqs.eu-central-1.amazonaws.com/111122223333/letters", Some("eu-central-1")),
            ("https://sqs.cn-north-1.amazonaws.com.cn/111122223333/letters", Some("cn-north-1")),
            ("http://127.0.0.1:4566/000000000000/letters", None),
            ("https://queue.amazonaws.com/111122223333/letters", None),
        ] {
            assert_eq!(region_of(url), region, "{url}");
        }
    }

    #[test]
    fn batches_fit_into_one_request() {
        let sizes = |sizes: &[usize]| batches(sizes, |size| *size).iter().map(Vec::len).collect::<Vec<_>>();
        assert_eq!(sizes(&[1; 23]), [10, 10, 3]);
        assert_eq!(sizes(&[MAX_BYTES, 1, MAX_BYTES - 1, 1]), [1, 2, 1]);
        assert_eq!(sizes(&[]), [] as [usize; 0]);
    }
}
