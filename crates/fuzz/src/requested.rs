//! Reads the pairs of a payload independently of the function. The reader is lenient and uses only `serde_json`.
//!
//! A [`Leaf`] is the smallest unit that can be lost: one address for one queue, as written, valid or not. The reader
//! also reads the messages that the function sends on, so the ledger can compare the leaves of the input with the
//! leaves of the output.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

/// One address for one queue, as written.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Leaf {
    pub(crate) queue: Written,
    pub(crate) address: Written,
}

/// An identifier (the last part of an ARN), a name, or another value.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Written {
    Id(String),
    Name(String),
    Other(String),
    Nothing,
}

/// The result of reading one body.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Read {
    /// The body is not JSON, or not text.
    Unreadable(String),
    Request(Requested),
}

#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Requested {
    pub(crate) leaves: BTreeSet<Leaf>,
    /// Whether it is a dry run.
    pub(crate) dry_run: bool,
    /// Whether a person would read it as a dry run, although the function does not.
    pub(crate) looks_dry: bool,
    /// Every instance that it refers to.
    pub(crate) instances: BTreeSet<String>,
}

/// A payload, as far as it can be read.
#[derive(Debug)]
pub(crate) enum Payload {
    /// SQS messages, each with its identifier.
    Batch(Vec<(String, Read)>),
    /// An event or notifications, which are asynchronous.
    Event(Vec<Read>),
    /// A direct request, or items.
    Report(Vec<Read>),
}

type Members<'p> = BTreeMap<Cow<'p, str>, &'p RawValue>;

impl Payload {
    /// Returns `None` if this reader does not understand the payload. The function may still be able to read it.
    pub(crate) fn read(payload: &[u8]) -> Option<Self> {
        let payload = without_mark(str::from_utf8(payload).ok()?).as_bytes();
        if let Ok(records) = serde_json::from_slice::<Vec<Members<'_>>>(payload) {
            return batch(&records);
        }
        let members: Members<'_> = serde_json::from_slice(payload).ok()?;
        if let Some(records) = members.get("Records") {
            let records: Vec<Members<'_>> = serde_json::from_str(records.get()).ok()?;
            let sns =
                records.first().is_some_and(|first| text(first, "EventSource").as_deref() == Some("aws:sns"));
            return if sns { notifications(&records) } else { batch(&records) };
        }
        if ["detail-type", "source", "detail"].iter().all(|name| members.contains_key(*name)) {
            // The function sends the detail on as a body. This reader therefore also reads a detail with the fields of
            // an envelope as an envelope.
            let read = Read::body(members["detail"].get());
            return Some(Payload::Event(vec![read]));
        }
        if let Some(items) = members.get("Items") {
            let items: Vec<Value> = serde_json::from_str(items.get()).ok()?;
            let defaults: Value = match members.get("BatchInput") {
                Some(defaults) => serde_json::from_str(defaults.get()).ok()?,
                None => Value::Null,
            };
            let requested = |item: &Value| {
                let mut requested = Requested::read(item);
                requested.dry_run |= item.get("dryRun").is_none_or(|own| own == "" || own.is_null())
                    && defaults["dryRun"] == true;
                requested.looks_dry |= looks_dry(&defaults);
                requested.name_instance(&defaults["instanceId"]);
                Read::Request(requested)
            };
            return Some(Payload::Report(items.iter().map(requested).collect()));
        }
        let request = serde_json::from_slice(payload).ok()?;
        Some(Payload::Report(vec![Read::Request(Requested::read(&request))]))
    }

    pub(crate) fn reads(&self) -> Vec<&Read> {
        match self {
            Payload::Batch(messages) => messages.iter().map(|(_, read)| read).collect(),
            Payload::Event(reads) | Payload::Report(reads) => reads.iter().collect(),
        }
    }
}

fn batch(records: &[Members<'_>]) -> Option<Payload> {
    let messages =
        records.iter().map(|record| Some((text(record, "messageId")?, read_member(record.get("body")))));
    messages.collect::<Option<_>>().map(Payload::Batch)
}

fn notifications(records: &[Members<'_>]) -> Option<Payload> {
    let read = |record: &Members<'_>| match record.get("Sns") {
        Some(sns) => {
            let sns: Members<'_> = serde_json::from_str(sns.get()).ok()?;
            Some(read_member(sns.get("Message")))
        }
        None => Some(read_member(None)),
    };
    records.iter().map(read).collect::<Option<_>>().map(Payload::Event)
}

fn text(members: &Members<'_>, name: &str) -> Option<String> {
    serde_json::from_str(members.get(name)?.get()).ok()
}

fn read_member(member: Option<&&RawValue>) -> Read {
    let raw = member.map_or("", |raw| raw.get());
    match serde_json::from_str::<String>(raw) {
        Ok(body) => Read::body(&body),
        // `null` counts as missing.
        Err(_) => Read::Unreadable(if raw == "null" { String::new() } else { raw.to_owned() }),
    }
}

impl Read {
    /// Reads a body with all its envelopes.
    pub(crate) fn body(body: &str) -> Self {
        let mut text = body.to_owned();
        loop {
            let Some(value) = parse(without_mark(&text)) else { return Read::Unreadable(text) };
            if names_pairs(&value) {
                return Read::Request(Requested::read(&value));
            }
            if let Some(inner) = value.get("unreadable").and_then(Value::as_str) {
                text = inner.to_owned();
                continue;
            }
            if value["Type"] == "Notification" {
                let Some(message) = value["Message"].as_str() else { return Read::Unreadable(text) };
                text = message.to_owned();
                continue;
            }
            return Read::Request(Requested::read(detail(&value)));
        }
    }
}

fn without_mark(text: &str) -> &str {
    text.trim_start_matches('\u{feff}')
}

/// Parses a document. Allows deeper nesting than the function, because sending a message on adds two levels to the
/// original.
pub(crate) fn parse(text: &str) -> Option<Value> {
    if depth(text) > 140 {
        return None;
    }
    let mut deserializer = serde_json::Deserializer::from_str(text);
    deserializer.disable_recursion_limit();
    let value = Value::deserialize(&mut deserializer).ok()?;
    deserializer.end().ok().map(|()| value)
}

/// Returns the depth of a document's nesting.
fn depth(text: &str) -> usize {
    let (mut depth, mut deepest) = (0_usize, 0);
    let mut bytes = text.bytes();
    let mut in_text = false;
    while let Some(byte) = bytes.next() {
        match (byte, in_text) {
            (b'"', _) => in_text = !in_text,
            (b'\\', true) => {
                bytes.next();
            }
            (b'[' | b'{', false) => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            (b']' | b'}', false) => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

/// Returns whether a document has a field of an entry or of the array of entries, or a field with a similar name. Such
/// a document is not an envelope.
fn names_pairs(value: &Value) -> bool {
    let names = [
        "associations",
        "queueId",
        "queueName",
        "emailAddressId",
        "emailAddressIds",
        "emailAddress",
        "emailAddresses",
    ];
    let is_one = |known: &str, name: &str, value: &Value| {
        if name == known { !value.is_null() } else { letters(name) == known.to_lowercase() }
    };
    value.as_object().is_some_and(|members| {
        members.iter().any(|(name, value)| names.iter().any(|known| is_one(known, name, value)))
    })
}

/// Returns whether a request has a field whose name is similar to `dryRun`.
fn looks_dry(request: &Value) -> bool {
    let is_near = |name: &String| name != "dryRun" && letters(name) == "dryrun";
    request.as_object().is_some_and(|members| members.keys().any(is_near))
}

/// Returns the letters of a name as a person reads them. Ignores width, case, and characters between letters. Keeps
/// combining marks, because a mark can turn the letter before it into another one.
fn letters(name: &str) -> String {
    let narrow = |c: char| match c {
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(c) - 0xfee0).unwrap_or(c),
        c => c,
    };
    name.chars()
        .map(narrow)
        .filter(|c| c.is_alphanumeric() || ('\u{300}'..='\u{36f}').contains(c))
        .flat_map(char::to_lowercase)
        .collect()
}

/// Returns the field with that name, unless it is `null`.
fn given<'v>(value: &'v Value, name: &str) -> Option<&'v Value> {
    value.get(name).filter(|value| !value.is_null())
}

fn detail(value: &Value) -> &Value {
    match (value.get("detail-type"), value.get("source"), value.get("detail")) {
        (Some(_), Some(_), Some(detail)) => detail,
        _ => value,
    }
}

impl Requested {
    fn read(request: &Value) -> Self {
        let dry_run = request["dryRun"] == true;
        let mut requested = Requested { dry_run, looks_dry: looks_dry(request), ..Requested::default() };
        requested.name_instance(&request["instanceId"]);
        match given(request, "associations") {
            Some(entry @ Value::Object(_)) => requested.add_entry(entry),
            Some(Value::Array(entries)) if !entries.is_empty() => {
                entries.iter().for_each(|entry| requested.add_entry(entry));
            }
            Some(other) => requested.add(Written::Nothing, Written::other(other)),
            None => {
                let mut entry = request.clone();
                if let Value::Object(members) = &mut entry {
                    // The function adds the reasons to a request; they are not part of it.
                    members.remove("failures");
                    members.retain(|_, value| *value != "");
                }
                requested.add_entry(&entry);
            }
        }
        requested
    }

    fn add(&mut self, queue: Written, address: Written) {
        self.leaves.insert(Leaf { queue, address });
    }

    fn add_entry(&mut self, entry: &Value) {
        self.name_instance(&entry["instanceId"]);
        let queue = match (given(entry, "queueId"), given(entry, "queueName")) {
            (Some(id), None) => self.id(id),
            (None, Some(Value::String(name))) => Written::Name(name.clone()),
            (None, Some(other)) => Written::other(other),
            (Some(id), Some(name)) => Written::Other(format!("{id} {name}")),
            (None, None) => Written::Nothing,
        };
        let mut addresses = Vec::new();
        for (field, is_name) in [
            ("emailAddressId", false),
            ("emailAddressIds", false),
            ("emailAddress", true),
            ("emailAddresses", true),
        ] {
            let one = |value: &Value, requested: &mut Requested| match value {
                Value::String(text) if is_name => Written::Name(text.clone()),
                other => requested.id(other),
            };
            match given(entry, field) {
                Some(Value::Array(list)) => addresses.extend(list.iter().map(|value| one(value, self))),
                Some(value) => addresses.push(one(value, self)),
                None => {}
            }
        }
        if addresses.is_empty() {
            let whole = if queue == Written::Nothing { without_additions(entry) } else { Written::Nothing };
            addresses.push(whole);
        }
        addresses.into_iter().for_each(|address| self.add(queue.clone(), address));
    }

    fn id(&mut self, value: &Value) -> Written {
        match value {
            Value::String(text) => match text.strip_prefix("arn:") {
                Some(arn) => {
                    self.instances.extend(arn.split('/').nth(1).map(str::to_owned));
                    Written::Id(text.rsplit('/').next().unwrap_or_default().to_owned())
                }
                None => Written::Id(text.clone()),
            },
            other => Written::other(other),
        }
    }

    fn name_instance(&mut self, value: &Value) {
        if let Written::Id(id) = self.id(value) {
            self.instances.insert(id);
        }
    }
}

/// Returns an entry that has neither queue nor address, without its instance and reference. The function adds these two
/// to an entry that lacks them.
fn without_additions(entry: &Value) -> Written {
    let mut entry = entry.clone();
    if let Value::Object(members) = &mut entry {
        members.retain(|name, _| !["instanceId", "reference"].contains(&&**name));
    }
    Written::other(&entry)
}

impl Written {
    fn other(value: &Value) -> Self {
        Written::Other(value.to_string())
    }
}
