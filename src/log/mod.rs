//! Log: JSON lines on standard output, and the metrics among them.
//!
//! Identifiers are logged, email addresses never. A failure is logged once, where its invocation ends.

mod closing;
mod lines;
mod metrics;
mod redact;

use tracing::level_filters::LevelFilter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

pub use closing::{Closing, close, close_without_report};
pub use lines::{Lines, Sink};

/// Starts logging to standard output, which Lambda takes to CloudWatch Logs; once in a process.
pub fn start(level: LevelFilter) {
    start_to(Lines::to_stdout(level));
}

/// Starts logging, once in a process. Panics are logged too: the standard hook would write their message, whatever
/// it holds, to standard error, which is the same log.
pub fn start_to(lines: Lines) {
    tracing_subscriber::registry().with(lines).init();
    std::panic::set_hook(Box::new(|panic| {
        let message = panic.payload_as_str().unwrap_or("no message");
        let location = panic.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!(location, "panic: {message}");
    }));
}
