//! Calls: the plan carried out, at the quota, before the deadline, blaming only the pair at fault.
//!
//! State machines without clocks or sockets decide what to call next: a [`group`] for each queue, and the reading of
//! each directory. A [`Round`] holds all of them. [`Caller::run`] takes a step from it, makes the call and gives the
//! step back with the answer. It is the one place that waits: it puts the most urgent call first, draws its turn from
//! the [`pace`], checks the [`deadline`], and makes a call again where that may help.

mod agenda;
pub mod backoff;
pub mod deadline;
pub mod group;
mod instances;
pub mod pace;
pub mod pause;
mod round;
mod run;
pub mod step;
pub mod token;

pub use deadline::Deadline;
pub use round::{Given, Round};
pub use run::{CallLimits, Caller, Observer, Shared, Tally};
