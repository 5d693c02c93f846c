//! JSON lines on standard output, including the metrics.
//!
//! The log may contain identifiers, but never email addresses. A failure is logged once, at the end of its invocation.

mod closing;
mod lines;
mod redact;

use std::io::Write;
use std::sync::Arc;

use tracing::level_filters::LevelFilter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

pub(crate) use closing::{InvocationEnd, log_rejected_payload, log_run};
pub use lines::{Lines, Sink};

/// Starts logging to standard output. Call it once per process. Lambda copies standard output to CloudWatch Logs.
pub fn start(level: LevelFilter) {
    let write = |line: &str| {
        // A log that cannot be written cannot report that either.
        let _ = std::io::stdout().lock().write_all(line.as_bytes());
    };
    start_to(Lines::new(level, Arc::new(write)));
}

/// Starts logging to these lines. Call it once per process. Panics are logged too, because the standard hook would
/// write their unredacted message to standard error, which is part of the same log.
pub fn start_to(lines: Lines) {
    tracing_subscriber::registry().with(lines).init();
    std::panic::set_hook(Box::new(|panic| {
        let message = panic.payload_as_str().unwrap_or("no message");
        let location = panic.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!(location, "panic: {message}");
    }));
}
