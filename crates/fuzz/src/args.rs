//! The command line.

use std::path::PathBuf;

use clap::Parser;

/// Sends malformed and adversarial payloads to the function, and checks that no payload causes a panic or a hang, uses
/// memory without bound, alters a request's URI, or loses a message.
///
/// Stops with status 1 at the first input that breaks the function. The input is kept in a file. The last lines of
/// output contain the file's name and the command that runs the input again.
#[derive(Debug, Parser)]
#[command(version)]
pub(crate) struct Args {
    /// How long to run, in seconds
    #[arg(long, value_name = "NUMBER", default_value_t = 60)]
    pub(crate) seconds: u64,

    /// Seed for choosing the inputs
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    pub(crate) seed: u64,

    /// Folder of the sample payloads to start with
    #[arg(long, value_name = "FOLDER", default_value = "events")]
    pub(crate) events: PathBuf,

    /// Folder for the current input, and for the inputs that broke the function
    #[arg(long, value_name = "FOLDER", default_value = "target/fuzz")]
    pub(crate) keep: PathBuf,

    /// Run only these files
    #[arg(long, value_name = "FILE", num_args = 1..)]
    replay: Vec<PathBuf>,

    /// Run inputs in this process. The watching process sets this option
    #[arg(long, hide = true)]
    unwatched: bool,
}

/// The task of the process.
pub(crate) enum Role<'a> {
    /// Watch a process that runs inputs.
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
