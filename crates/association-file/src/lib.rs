//! The function for whole files. A state machine calls it before the Distributed Map, to group the pairs of a file by
//! queue, and after it, to sum up the results.
//!
//! | module | does |
//! | --- | --- |
//! | [`step`] | the input that the state machine sends: which step, and for which objects |
//! | [`group`] | turns a file into as few requests as possible, each at most one call |
//! | [`summarise`] | turns the results of the Distributed Map into a summary and the rows that failed |
//! | [`storage`] | S3, read and written in whole objects |
//! | [`function`] | one invocation: reads from S3, does the step, writes |
//! | [`error`] | the errors that a state machine can catch |
//!
//! Around it: [`settings`] (the environment) and [`lambda`] (the runtime).

mod cells;
pub mod error;
mod file;
pub mod function;
pub mod group;
mod invalid;
pub mod lambda;
mod original;
mod requests;
pub mod settings;
pub mod step;
pub mod storage;
pub mod summarise;
mod text;

pub use cells::Cells;
pub use invalid::InvalidRecord;
pub use original::OriginalRows;
pub use request_file::{MAX_FILE_BYTES, MAX_PAIRS};
pub use requests::Context;
