//! The function for whole files. A state machine calls it before the Distributed Map, to group the pairs of a file by
//! queue, and after it, to summarise the results.
//!
//! | module | task |
//! | --- | --- |
//! | `step` | defines the input from the state machine: the step and its objects |
//! | `group` | turns a file into as few requests as possible, each at most one call |
//! | `summarise` | turns the results of the Distributed Map into a summary and the rows that failed |
//! | [`storage`] | reads and writes whole objects in S3 |
//! | [`function`] | runs one invocation: reads from S3, runs the step, and writes the result |
//! | [`error`] | defines the errors that a state machine can catch |
//!
//! The modules [`settings`] and [`lambda`] connect the function to its environment and to the Lambda runtime.

mod cells;
pub mod error;
mod file;
pub mod function;
mod group;
mod invalid;
pub mod lambda;
mod original;
mod requests;
pub mod settings;
mod step;
pub mod storage;
mod summarise;
mod text;

pub use requests::RequestContext;
