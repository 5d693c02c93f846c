//! Log: JSON lines on standard output.

use tracing::level_filters::LevelFilter;

/// Starts logging, once in a process.
pub fn start(level: LevelFilter) {
    tracing_subscriber::fmt().json().with_max_level(level).flatten_event(true).init();
}
