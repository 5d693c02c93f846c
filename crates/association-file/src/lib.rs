//! The function at both ends of the bulk path. It groups the pairs of a file by queue, and sums up the results.
//!
//! | module | does |
//! | --- | --- |
//! | [`step`] | the invocation by a state machine |
//! | [`group`] | a file, as few requests that each fill one call |
//! | [`summarise`] | the results of a map, as a summary and the rows that failed |
//! | [`storage`] | S3, read and written in whole objects |
//! | [`function`] | the walk: read, do the step, write |
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
mod requests;
pub mod settings;
pub mod step;
pub mod storage;
pub mod summarise;
mod text;

pub use cells::Cells;
pub use file::{MAX_FILE_BYTES, MAX_PAIRS};
pub use invalid::{Contents, InvalidRecord};
pub use requests::Context;
