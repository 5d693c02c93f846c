//! An SQS queue.

use std::error::Error;

use aws_sdk_sqs::Client;
use aws_sdk_sqs::config::http::HttpResponse;
use aws_sdk_sqs::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_sqs::types::{
    ChangeMessageVisibilityBatchRequestEntry, Message, MessageSystemAttributeName, QueueAttributeName,
};
use queue_email_associator::connect::Class;

use crate::aws::{SIGN_IN_AGAIN, last_source, with_advice};

/// Maximum number of messages in one request (SQS Developer Guide, "Amazon SQS message quotas").
const BATCH: usize = 10;

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

#[derive(Debug, Clone)]
pub(super) struct Queue {
    client: Client,
    pub(super) url: String,
}

impl Queue {
    pub(super) fn new(client: Client, url: &str) -> Self {
        Queue { client, url: url.to_owned() }
    }

    /// Returns the approximate number of visible messages.
    pub(super) async fn messages(&self) -> Result<usize, String> {
        let response = self
            .client
            .get_queue_attributes()
            .queue_url(&self.url)
            .attribute_names(QueueAttributeName::ApproximateNumberOfMessages)
            .send()
            .await
            .map_err(|error| self.describe(&error))?;
        let attributes = response.attributes.unwrap_or_default();
        let count = attributes.get(&QueueAttributeName::ApproximateNumberOfMessages);
        Ok(count.and_then(|count| count.parse().ok()).unwrap_or(0))
    }

    /// Receives up to ten messages with the given visibility timeout and wait time, both in seconds.
    pub(super) async fn receive(
        &self,
        visibility_timeout: i32,
        wait: i32,
    ) -> Result<Vec<ReceivedMessage>, String> {
        let response = self
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
            .map_err(|error| format!("cannot read {}: {}", self.url, describe_error(&error)))?;
        let received = |message: Message| {
            let (id, handle) = (message.message_id.clone()?, message.receipt_handle.clone()?);
            Some(ReceivedMessage { id, handle, message })
        };
        Ok(response.messages.unwrap_or_default().into_iter().filter_map(received).collect())
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

    pub(super) async fn send(&self, received: &ReceivedMessage) -> Result<(), String> {
        let Message { body, message_attributes, .. } = &received.message;
        let request = self.client.send_message().queue_url(&self.url).set_message_body(body.clone());
        let response = request.set_message_attributes(message_attributes.clone()).send().await;
        response.map(drop).map_err(|error| self.describe(&error))
    }

    pub(super) async fn delete(&self, received: &ReceivedMessage) -> Result<(), String> {
        let request = self.client.delete_message().queue_url(&self.url).receipt_handle(&received.handle);
        request.send().await.map(drop).map_err(|error| self.describe(&error))
    }

    /// Returns an error of this queue in one line.
    fn describe<E: ProvideErrorMetadata + Error + 'static>(
        &self,
        error: &SdkError<E, HttpResponse>,
    ) -> String {
        format!("{}: {}", self.url, describe_error(error))
    }
}

/// Describes an error in one line: the rejection by SQS, or why SQS was not reached.
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
            with_advice(format!("cannot reach SQS: {cause}"))
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
}
