//! Calls: the plan carried out, at the quota, before the deadline, blaming only the pair at fault.
//!
//! What to call next is decided by state machines without clocks or sockets: a [`group`] for each queue, and the
//! pages of a directory. [`Caller::run`] asks them, and is the one place that waits: it puts the most urgent call
//! first, draws its turn from the [`pace`], checks the [`deadline`], and makes a call again where that may help.

pub mod backoff;
pub mod client;
pub mod deadline;
pub mod group;
mod groups;
pub mod operation;
pub mod pace;
mod queue;
pub mod refusal;
mod run;
pub mod token;
pub mod work;

pub use client::Connect;
pub use deadline::Deadline;
pub use groups::Groups;
pub use operation::{Call, Operation, Reply};
pub use refusal::{Class, Refusal};
pub use run::{CallLimits, Caller, Observer, Shared, Tally};
pub use work::{Refused, Then, Work};
