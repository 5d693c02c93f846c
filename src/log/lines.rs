//! Writes each event of `tracing` as one JSON object, with the fields of its invocation and without email addresses.

use std::fmt;
use std::sync::Arc;

use serde_json::{Map, Value};
use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::span::{Attributes, Id};
use tracing::{Event, Metadata, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::{FormatTime, SystemTime};
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::LookupSpan;

use super::redact::redact;

/// The target of records, which have their own format. The field `record` of such an event is the whole line.
pub(super) const RECORDS: &str = "queue_email_associator::records";

/// The targets of the function's own events. The configured level applies to them. Other crates do not follow the rules
/// of this log (the SDK logs whole requests at `trace`), so only their warnings are written.
const OWN: [&str; 2] = ["queue_email_associator", "association_file"];

/// Fields that are arrays, written as JSON because `tracing` has no arrays.
const LISTS: [&str; 1] = ["references"];

/// The target under which the runtime logs each handler error. The function has already logged the error.
const REPEATED: &str = "lambda_runtime::layers::panic";

/// Receives each finished line.
pub type Sink = Arc<dyn Fn(&str) + Send + Sync>;

/// A layer of `tracing-subscriber` that writes lines to a sink.
pub struct Lines {
    level: LevelFilter,
    sink: Sink,
}

impl Lines {
    /// Writes events of the given level and above.
    pub fn new(level: LevelFilter, sink: Sink) -> Self {
        Lines { level, sink }
    }

    fn wants(&self, metadata: &Metadata<'_>) -> bool {
        let level = match metadata.target() {
            RECORDS => return true,
            REPEATED => return false,
            target if is_own(target) => self.level,
            _ => self.level.min(LevelFilter::WARN),
        };
        metadata.is_span() || *metadata.level() <= level
    }
}

impl<S: Subscriber + for<'s> LookupSpan<'s>> Layer<S> for Lines {
    fn enabled(&self, metadata: &Metadata<'_>, _: Context<'_, S>) -> bool {
        self.wants(metadata)
    }

    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let mut fields = SpanFields::default();
        attributes.record(&mut fields);
        if let Some(span) = context.span(id) {
            span.extensions_mut().insert(fields);
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        // Another layer of the process may have decided on `enabled`, and `tracing` keeps that decision.
        if !self.wants(event.metadata()) {
            return;
        }
        let mut fields = SpanFields::default();
        event.record(&mut fields);
        if event.metadata().target() == RECORDS {
            if let Some(Value::String(record)) = fields.0.get("record") {
                (self.sink)(&format!("{record}\n"));
            }
            return;
        }
        let mut line = Map::new();
        line.insert("timestamp".to_owned(), timestamp().into());
        line.insert("level".to_owned(), event.metadata().level().as_str().into());
        if !is_own(event.metadata().target()) {
            line.insert("target".to_owned(), event.metadata().target().into());
        }
        line.extend(fields.0);
        for span in context.event_scope(event).into_iter().flatten() {
            if let Some(SpanFields(of_span)) = span.extensions().get::<SpanFields>() {
                line.extend(of_span.clone());
            }
        }
        (self.sink)(&format!("{}\n", Value::Object(line)));
    }
}

fn is_own(target: &str) -> bool {
    OWN.iter().any(|own| target.starts_with(own))
}

fn timestamp() -> String {
    let mut text = String::new();
    // Writing to a string cannot fail.
    let _ = SystemTime.format_time(&mut Writer::new(&mut text));
    text
}

#[derive(Debug, Default)]
struct SpanFields(Map<String, Value>);

impl SpanFields {
    fn insert(&mut self, field: &Field, value: impl Into<Value>) {
        self.0.insert(field.name().to_owned(), value.into());
    }
}

impl Visit for SpanFields {
    fn record_f64(&mut self, field: &Field, value: f64) {
        self.insert(field, value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.insert(field, value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.insert(field, value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.insert(field, value);
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        if LISTS.contains(&field.name())
            && let Ok(list) = serde_json::from_str::<Vec<String>>(value)
        {
            return self.insert(field, list.iter().map(|text| redact(text)).collect::<Value>());
        }
        self.insert(field, redact(value).into_owned());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.insert(field, redact(&format!("{value:?}")).into_owned());
    }
}
