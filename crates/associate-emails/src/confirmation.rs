//! Requests confirmation on the terminal before something is changed.

use std::io::{self, IsTerminal, Write};

use crate::printable::printable;

/// Asks a question. Every answer except yes counts as no.
pub(crate) fn confirmed(question: &str) -> Result<bool, String> {
    if !can_ask() {
        return Err(format!("{question} Standard input is not a terminal; confirm with --yes"));
    }
    let mut stderr = io::stderr();
    let _ = write!(stderr, "{} [y/N] ", printable(question)).and_then(|()| stderr.flush());
    let mut answer = String::new();
    io::stdin().read_line(&mut answer).map_err(|error| format!("cannot read the answer: {error}"))?;
    Ok(matches!(answer.trim().to_lowercase().as_str(), "y" | "yes"))
}

/// Returns whether standard input is a terminal.
pub(crate) fn can_ask() -> bool {
    io::stdin().is_terminal()
}
