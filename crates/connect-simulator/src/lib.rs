//! A local simulator of the part of the Amazon Connect API that manages the email addresses of queues.
//!
//! The simulator implements the REST-JSON protocol of [five operations](Operation), so an unchanged AWS SDK can call it
//! through `AWS_ENDPOINT_URL_CONNECT`. It keeps queues, addresses and associations in memory, enforces the limits of
//! the API reference and a token-bucket quota, and records every call.
//!
//! Three concerns are separate, so that a test shows which of them it is about:
//!
//! - [`Connect`] is the behaviour. It turns a request and its time into an [`Answer`], and uses no socket and no clock.
//! - [`Fault`]s disturb the behaviour with errors, resets, hangs and truncated responses.
//! - [`run`] and [`Server`] send an answer over a socket, including delays and broken connections.
//!
//! Where the API reference does not say how AWS responds, a client must handle each possible response. [`Switches`] has
//! a field for each of these questions.
//!
//! ```no_run
//! use connect_simulator::{Connect, Fixture, Options, Server};
//!
//! # async fn example() -> std::io::Result<()> {
//! let fixture = Fixture::new()
//!     .with_queue("instance-1", "queue-1", "Billing")
//!     .with_address("instance-1", "address-1", "billing@brand.example");
//! let connect = Connect::new(Options { fixture, ..Options::default() });
//! let server = Server::start(connect.clone())?;
//! println!("AWS_ENDPOINT_URL_CONNECT={}", server.endpoint());
//! # Ok(()) }
//! ```

mod command_line;
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
mod random;
mod record;
mod server;
mod wire;

pub use command_line::one_line;
pub use connect::{Answer, Connect};
pub use faults::{Effect, Fault, InvalidFault};
pub use fixture::{Fixture, InstanceFixture, QueueFixture, QueueType};
pub use operation::Operation;
pub use options::{
    ADDITIONAL_ADDRESSES, AssociatedAgain, DisassociatedAgain, FullWithoutDefault, Options, Switches,
    ThrottleError, UnknownAddress,
};
pub use quota::{InvalidQuota, Quota};
pub use record::RecordedCall;
pub use server::{Server, run};

/// Compiles the example of the README as a test.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
