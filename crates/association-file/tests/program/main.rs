//! Tests the function through its public entry point, with the real S3 client against a small S3 on the loopback
//! interface.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

#[path = "../../../../tests/golden/mod.rs"]
mod golden;
mod messages;
mod s3;
mod steps;
