//! Tests the function through its public entry point, against the simulator, with the real SDK client.
//!
//! Each test has its own world: over HTTP on a free port, or in memory with a paused clock if the test is about time.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot continue fails")]
#![allow(unreachable_pub, reason = "the modules of a test binary are its own")]

mod allowed_instances;
mod answers;
mod check;
mod check_and_live;
mod common;
mod concurrent;
mod continuation;
mod dead_letters;
mod deadline;
mod directories;
mod dry_run;
mod envelopes;
mod failures_queue;
mod forms;
mod full_queues;
#[path = "../golden/mod.rs"]
mod golden;
mod grouping;
mod hostile;
mod logs;
mod lookups;
mod messages;
mod missing_instances;
mod names;
mod narrowing;
mod redelivery;
mod references;
mod remaining;
mod retries;
mod shared_quota;
mod storms;

use testbed::{sqs, world};
