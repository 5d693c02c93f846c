//! The command line.

use std::path::PathBuf;

use clap::Parser;

/// Throws hostile payloads at the function and checks that none panics, hangs, takes memory without bound, alters a
/// request's URI, or loses a message.
///
/// Ends with status 1 at the first input that breaks it, which is kept in a file; the last lines name the file and
/// the command that runs it again.
#[derive(Debug, Parser)]
#[command(version)]
pub(crate) struct Args {
    /// How long to go on
    #[arg(long, value_name = "NUMBER", default_value_t = 60)]
    pub(crate) seconds: u64,

    /// Seed for the choice of inputs
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    pub(crate) seed: u64,

    /// The folder of sample payloads to begin with
    #[arg(long, value_name = "FOLDER", default_value = "events")]
    pub(crate) events: PathBuf,

    /// Where inputs are kept while they run, and for good where they break something
    #[arg(long, value_name = "FOLDER", default_value = "target/fuzz")]
    pub(crate) keep: PathBuf,

    /// Run these files, and nothing else
    #[arg(long, value_name = "FILE", num_args = 1..)]
    replay: Vec<PathBuf>,

    /// Run inputs without anybody watching, as the watching process has it done
    #[arg(long, hide = true)]
    unwatched: bool,
}

/// The task of the process.
pub(crate) enum Role<'a> {
    /// Watch another that works.
    Watch,
    /// Make inputs and run them.
    Work,
    /// Run kept inputs.
    Replay(&'a [PathBuf]),
}

impl Args {
    pub(crate) fn role(&self) -> Role<'_> {
        match (self.replay.as_slice(), self.unwatched) {
            ([], false) => Role::Watch,
            ([], true) => Role::Work,
            (files, _) => Role::Replay(files),
        }
    }
}
