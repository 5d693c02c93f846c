//! A local stand-in for the part of the Amazon Connect API that manages the email addresses of queues.
//!
//! It speaks the REST-JSON of [five operations](Operation), so that an unchanged AWS SDK talks to it through
//! `AWS_ENDPOINT_URL_CONNECT`. It keeps queues, addresses and associations in memory, enforces the limits of
//! the API reference and a token-bucket quota, and records every call.
//!
//! Three concerns are kept apart, so that a test says which of them it is about:
//!
//! - [`Connect`] is the behaviour: a request and an instant in, an [`Answer`] out. It has no socket and reads
//!   no clock.
//! - [`Fault`]s disturb the behaviour: errors, resets, hangs, answers cut off.
//! - [`run`] and [`Server`] put an answer on a socket, delays and broken connections included.
//!
//! Where AWS's reference is silent, a client must stand either answer: each such question is one of the
//! [`Switches`].
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

/// The README's example is compiled as a test.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
