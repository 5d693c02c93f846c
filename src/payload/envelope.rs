//! Recognises the six kinds of envelope by the structure of the payload alone.

use std::borrow::Cow;
use std::sync::Arc;

use serde::de::IgnoredAny;
use serde_json::error::Category;
use serde_json::value::RawValue;

use crate::index::{IndexList, SourceIndex};

use super::item::{Item, ItemsApart};
use super::json::{Json, Members, Text, without_mark};
use super::parsed::Parsed;
use super::record::{Member, NotAString, Record, read, text};
use super::{MAX_IDENTIFIER, check_length, unrecognized};

/// The kinds of envelope. They differ in how a failure is reported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EnvelopeKind {
    /// An SQS batch from an event source mapping.
    Sqs,
    /// An array of SQS records from EventBridge Pipes.
    Pipes,
    /// An EventBridge event, invoked asynchronously by a rule.
    EventBridge,
    /// SNS records, invoked asynchronously by a subscription.
    Sns,
    /// A batch of a Step Functions Distributed Map.
    DistributedMap,
    /// An association request by itself.
    Direct,
}

impl EnvelopeKind {
    /// Whether the response is `batchItemFailures` instead of a report.
    pub fn is_batch(self) -> bool {
        matches!(self, EnvelopeKind::Sqs | EnvelopeKind::Pipes)
    }

    /// Whether the invocation is asynchronous. No caller reads its response, so a failure must be an error to be noticed.
    pub(crate) fn is_asynchronous(self) -> bool {
        matches!(self, EnvelopeKind::EventBridge | EnvelopeKind::Sns)
    }
}

/// A payload, split into its sources.
#[derive(Debug)]
pub struct Envelope<'p> {
    /// The kind of envelope.
    pub kind: EnvelopeKind,
    /// The sources, in the payload's order.
    pub sources: IndexList<SourceIndex, Source<'p>>,
    /// The members of an event or a Distributed Map batch outside its requests.
    pub other_members: Members<'p>,
}

/// One message of a batch, one event, or one direct request.
#[derive(Debug)]
pub struct Source<'p> {
    /// The identifier of the SQS or SNS message, or of the EventBridge event. A direct request has none.
    pub id: Option<Cow<'p, str>>,
    /// The content of the source.
    pub body: Body<'p>,
    /// The data that SQS adds to this delivery of a message. Empty for any other source.
    pub delivery: Delivery<'p>,
}

/// The data that SQS adds to a message when it delivers it. A field is `None` if the record does not have it, or has
/// another type of value.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Delivery<'p> {
    /// `ApproximateReceiveCount`: how often SQS has delivered the message, including this time.
    pub(crate) receive_count: Option<u32>,
    /// `receiptHandle`, which identifies this delivery to SQS.
    pub receipt_handle: Option<Cow<'p, str>>,
    /// `eventSourceARN`: the queue.
    pub(crate) queue_arn: Option<Cow<'p, str>>,
    /// `MessageGroupId`.
    pub(crate) message_group: Option<Cow<'p, str>>,
}

impl Delivery<'_> {
    pub(crate) fn is_first(&self) -> bool {
        self.receive_count == Some(1)
    }

    /// The group in which the message keeps its order: `None` on a standard queue, where order does not matter.
    pub(crate) fn ordered_group(&self) -> Option<&str> {
        self.message_group.as_deref().filter(|_| self.is_fifo())
    }

    pub(crate) fn is_fifo(&self) -> bool {
        self.queue_arn.as_deref().is_some_and(|arn| arn.ends_with(".fifo"))
    }
}

/// The content of a source, as far as the envelope has read it.
#[derive(Debug)]
pub enum Body<'p> {
    /// Text of a message: the JSON of a request, an event or a notification.
    Text(Cow<'p, str>),
    /// A message whose body is not a string.
    Unreadable {
        /// The JSON of the body as in the payload. Empty if the message has no body.
        raw: &'p str,
        /// The reason why the body cannot be read.
        reason: String,
    },
    /// An association request.
    Request(Json<'p>),
    /// The items of a Distributed Map batch, and the defaults for them.
    Items {
        /// `Items`
        items: Vec<Item<'p>>,
        /// `BatchInput`
        batch_input: Option<Json<'p>>,
    },
}

impl<'p> Envelope<'p> {
    /// Returns the identifier of each source: that of its message or event, or else that of the Lambda request.
    ///
    /// EventBridge replays an archived event with its old `id` and adds `replay-name` (EventBridge User Guide,
    /// "Archiving and replaying events"). A replay is a new request, so its name is part of the identifier.
    pub(crate) fn source_ids(&self, request_id: &str) -> IndexList<SourceIndex, Arc<str>> {
        let replay = replay_name(&self.other_members).filter(|_| self.kind == EnvelopeKind::EventBridge);
        let source_id = |source: &Source<'_>| match (source.id.as_deref(), replay) {
            (Some(id), Some(replay)) => format!("{id}/{replay}").into(),
            (id, _) => id.unwrap_or(request_id).into(),
        };
        self.sources.iter().map(source_id).collect()
    }

    /// Drops the bodies, which may take 25 times the memory of the payload. Nothing needs them after their pairs are
    /// read.
    pub(crate) fn drop_bodies(&mut self) {
        self.sources.iter_mut().for_each(|source| source.body = Body::Text(Cow::Borrowed("")));
    }

    /// Reads a payload, and ignores a byte-order mark before it.
    ///
    /// # Errors
    /// Returns the reason why the payload has none of the six kinds of envelope, as one line without any of the payload's
    /// content. The invocation then fails as `InvalidRequest`.
    pub fn read(payload: &'p [u8]) -> Result<Self, String> {
        // One UTF-8 check of the whole payload costs less than a check of each string.
        let payload = str::from_utf8(payload).map_err(|error| {
            let offset = error.valid_up_to();
            format!("the payload is not valid UTF-8 (first invalid byte at offset {offset})")
        })?;
        let payload = without_mark(payload);
        if !payload.trim_start().starts_with(['{', '[']) {
            return Err(match Json::parse(payload) {
                Ok(value) => unrecognized::value(&value),
                Err(error) => not_parsed(payload, &error),
            });
        }
        if let Ok(parsed) = serde_json::from_str::<Parsed<'p, Text<'p>>>(payload) {
            return envelope(parsed, payload);
        }
        match serde_json::from_str::<Parsed<'p, &'p RawValue>>(payload) {
            Ok(parsed) => envelope(parsed, payload),
            Err(error) => match ItemsApart::read(payload).filter(|batch| is_batch_of_items(&batch.others)) {
                Some(ItemsApart { items, others }) => batch_of_items(items, others),
                None => Err(not_parsed(payload, &error)),
            },
        }
    }
}

fn not_parsed(payload: &str, error: &serde_json::Error) -> String {
    let (line, column) = (error.line(), error.column());
    match error.classify() {
        // The rest of the payload was not read.
        Category::Data if let Err(error) = serde_json::from_str::<IgnoredAny>(payload) => {
            not_parsed(payload, &error)
        }
        // serde's message for a wrong type quotes the value, which may be an email address.
        Category::Data => unrecognized::mistake(payload).unwrap_or_else(|| {
            format!("the payload has a record with a field of the wrong type at line {line} column {column}")
        }),
        Category::Io | Category::Syntax | Category::Eof if Json::is_followed_by_another(payload) => format!(
            "the payload contains several JSON documents (JSON Lines?), the second at line {line} column {column}; \
             send them as {{\"Items\": [requests]}}, or pass the file to associate-emails with a name that ends in .jsonl"
        ),
        Category::Io | Category::Syntax | Category::Eof => {
            format!("the payload is not valid JSON: {error}")
        }
    }
}

fn envelope<'p, M: Member<'p>>(parsed: Parsed<'p, M>, payload: &'p str) -> Result<Envelope<'p>, String> {
    match parsed {
        Parsed::Array(records) => batch(EnvelopeKind::Pipes, records, payload),
        Parsed::Object { records: Some(records), .. } => {
            let kind = match records.first() {
                Some(first) if text(first.sns_source.clone()).as_deref() == Some("aws:sns") => {
                    EnvelopeKind::Sns
                }
                _ => EnvelopeKind::Sqs,
            };
            batch(kind, records, payload)
        }
        Parsed::Object { records: None, members } => object(members),
    }
}

fn batch<'p, M: Member<'p>>(
    kind: EnvelopeKind,
    records: Vec<Record<M>>,
    payload: &'p str,
) -> Result<Envelope<'p>, String> {
    let sns = kind == EnvelopeKind::Sns;
    let is_unrecognized = |record: &Record<M>| {
        let (source, expected) =
            if sns { (&record.sns_source, "aws:sns") } else { (&record.sqs_source, "aws:sqs") };
        text(source.clone()).as_deref() != Some(expected)
    };
    if let Some(index) = records.iter().position(is_unrecognized) {
        return Err(unrecognized::unrecognized_element(payload, index));
    }
    let source = if sns { sns_source } else { sqs_source };
    let sources = records
        .into_iter()
        .enumerate()
        .map(|(index, record)| {
            source(record).map_err(|reason| {
                let path = unrecognized::element_path(payload, index);
                if sns {
                    format!("{path}.Sns.MessageId {reason}")
                } else if unrecognized::is_api_message(payload, index) {
                    unrecognized::unrecognized_element(payload, index)
                } else {
                    // If the message failed, the function could not list it, so it makes no call for the batch.
                    format!(
                        "{path}.messageId {reason}; no call was made, because a failure of this message could not be \
                         reported"
                    )
                }
            })
        })
        .collect::<Result<_, _>>()?;
    Ok(Envelope { kind, sources, other_members: Vec::new() })
}

fn sqs_source<'p, M: Member<'p>>(record: Record<M>) -> Result<Source<'p>, String> {
    let id = read(record.message_id).map_err(|field| field.reason)?;
    if id.is_empty() {
        return Err("must not be empty".to_owned());
    }
    check_length(&id, MAX_IDENTIFIER)?;
    let (receive_count, message_group) =
        record.attributes.map_or((None, None), |a| (text(a.receive_count), text(a.message_group_id)));
    Ok(Source {
        id: Some(id),
        body: body("body", record.body),
        delivery: Delivery {
            receive_count: receive_count.and_then(|count| count.parse().ok()),
            receipt_handle: text(record.receipt_handle),
            queue_arn: text(record.event_source_arn),
            message_group,
        },
    })
}

fn body<'p, M: Member<'p>>(name: &str, member: Option<M>) -> Body<'p> {
    read(member).map_or_else(
        |NotAString { raw, reason }| Body::Unreadable { raw, reason: format!("{name} {reason}") },
        Body::Text,
    )
}

/// A notification needs no identifier, because SNS does not expect a list of failed messages.
fn sns_source<'p, M: Member<'p>>(record: Record<M>) -> Result<Source<'p>, String> {
    let (id, message) = record.sns.map_or((None, None), |sns| (text(sns.message_id), sns.message));
    check_length(id.as_deref().unwrap_or_default(), MAX_IDENTIFIER)?;
    Ok(Source { id, body: body("Sns.Message", message), delivery: Delivery::default() })
}

/// An object without `Records`: an event, a Distributed Map batch, or a request.
fn object(mut members: Members<'_>) -> Result<Envelope<'_>, String> {
    if is_event(&members) {
        let detail = take_one(&mut members, "detail")?.unwrap_or(Json::Null);
        let id = match take(&mut members, "id") {
            Some(Json::String(id)) => Some(id),
            _ => None,
        };
        for (name, value) in [("id", id.as_deref()), ("replay-name", replay_name(&members))] {
            check_length(value.unwrap_or_default(), MAX_IDENTIFIER)
                .map_err(|reason| format!("{name} {reason}"))?;
        }
        return Ok(of_one(EnvelopeKind::EventBridge, id, Body::Request(detail), members));
    }
    match take_one(&mut members, "Items")? {
        Some(Json::Array(items)) => {
            return batch_of_items(items.into_iter().map(Item::Request).collect(), members);
        }
        Some(other) => return Err(format!("Items must be an array, not {}", other.kind())),
        None => {}
    }
    Ok(of_one(EnvelopeKind::Direct, None, Body::Request(Json::Object(members)), Vec::new()))
}

fn batch_of_items<'p>(items: Vec<Item<'p>>, mut others: Members<'p>) -> Result<Envelope<'p>, String> {
    let batch_input = take_one(&mut others, "BatchInput")?;
    Ok(of_one(EnvelopeKind::DistributedMap, None, Body::Items { items, batch_input }, others))
}

/// An envelope with one source, which is not a message.
fn of_one<'p>(
    kind: EnvelopeKind,
    id: Option<Cow<'p, str>>,
    body: Body<'p>,
    other_members: Members<'p>,
) -> Envelope<'p> {
    let source = Source { id, body, delivery: Delivery::default() };
    Envelope { kind, sources: vec![source].into(), other_members }
}

/// Whether an object with `Items` is a Distributed Map batch, and no other envelope.
fn is_batch_of_items(others: &Members<'_>) -> bool {
    !has(others, "Records") && !is_event(others)
}

fn is_event(members: &Members<'_>) -> bool {
    ["detail-type", "source", "detail"].iter().all(|name| has(members, name))
}

fn replay_name<'m>(members: &'m Members<'_>) -> Option<&'m str> {
    members.iter().find(|(name, _)| name == "replay-name").and_then(|(_, name)| name.as_str())
}

fn has(members: &Members<'_>, name: &str) -> bool {
    members.iter().any(|(key, _)| key == name)
}

fn take<'p>(members: &mut Members<'p>, name: &str) -> Option<Json<'p>> {
    let index = members.iter().rposition(|(key, _)| key == name)?;
    Some(members.remove(index).1)
}

/// Takes a member that must not occur twice. Either choice would silently drop the requests of the other.
fn take_one<'p>(members: &mut Members<'p>, name: &str) -> Result<Option<Json<'p>>, String> {
    let taken = take(members, name);
    if has(members, name) { Err(unrecognized::duplicate(name)) } else { Ok(taken) }
}

#[cfg(test)]
mod tests;
