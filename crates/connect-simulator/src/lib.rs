//! A local simulator of the part of the Amazon Connect API that manages the email addresses of queues.
//!
//! The simulator implements the REST-JSON protocol of [five operations](Operation), so an unchanged AWS SDK can call it
//! through `AWS_ENDPOINT_URL_CONNECT`. It keeps queues, addresses and associations in memory, enforces the limits of
//! the API reference and a token-bucket quota, and records every call.
//!
//! Three concerns are separate:
//!
//! - [`Connect`] is the behaviour. It turns a request and its time into an [`Answer`], and uses no socket and no clock.
//! - [`Fault`]s disturb the behaviour with errors, resets, hangs and truncated responses.
//! - [`run`] and [`Server`] send an answer over a socket, including delays and broken connections.
//!
//! Where the API reference does not say how AWS responds, a client must handle each possible response. [`Switches`] has
//! a field for each of these questions. The README has an example.

mod connect;
mod control;
mod directory;
mod error;
mod faults;
mod fixture;
mod operation;
mod operations;
mod options;
mod quota;
mod record;
mod server;
mod wire;

pub use connect::{Answer, Connect};
pub use faults::{Effect, Fault};
pub use fixture::{Fixture, InstanceFixture, QueueFixture};
pub use operation::Operation;
pub use options::{Options, Switches};
pub use quota::Quota;
pub use record::RecordedCall;
pub use server::{Server, run};

/// Compiles the example of the README as a test.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
