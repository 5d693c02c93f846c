//! The function at both ends of the bulk path: it groups a file of associations by queue, and sums up what became of
//! it.
//!
//! | module | does |
//! | --- | --- |
//! | [`step`] | what a state machine asks for |
//! | [`group`] | a file, as few requests that each fill one call |
//! | [`error`] | the errors that a state machine can catch |

mod asked;
pub mod error;
mod file;
pub mod group;
pub mod step;

pub use asked::Context;
pub use file::{MAX_ASKED, MAX_FILE_BYTES};
