//! The surroundings of the function in tests and in the fuzzer: the simulator of Amazon Connect and a stand-in for SQS.
//!
//! A [`world::World`] is over HTTP, or in memory for a paused clock. A wrong request panics, because the function must
//! never send it.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot continue fails")]

mod in_memory;
pub mod sqs;
pub mod world;
