//! Calls: carry out the plan at the quota and before the deadline, and blame only the pair at fault.
//!
//! State machines without clocks or sockets decide on the next call. There is a `group` for each queue and a reading
//! for each directory. A `Round` holds all of them. `Caller::run` takes a step from the round, makes the call and
//! gives the step back with the answer. Only that loop waits. It makes the most urgent call first, takes a turn from
//! the `pace`, checks the `deadline`, and retries a call if that may help.

mod agenda;
pub(crate) mod backoff;
mod credentials;
mod deadline;
pub(crate) mod group;
mod instances;
mod outcome;
pub mod pace;
mod pause;
mod round;
mod run;
mod shared;
mod step;
mod token;

pub use deadline::Deadline;
pub(crate) use outcome::{GroupOutcomes, Outcome};
pub(crate) use round::{Given, Round};
pub use run::{CallLimits, Observer};
pub(crate) use run::{Caller, Tally};
pub use shared::Shared;
