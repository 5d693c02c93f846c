//! Formats the error messages of command lines in the same way for each program of this repository.

/// Writes clap's message on one line, because a message of several lines is hard to find in a log. Leaves out the
/// usage, which `--help` shows.
pub fn one_line(error: &clap::Error) -> String {
    let text = error.to_string();
    let paragraphs = text.split("\n\n").filter(|paragraph| !paragraph.trim_start().starts_with("Usage:"));
    let lines = paragraphs.flat_map(str::lines).map(str::trim);
    let lines = lines.filter(|line| !line.is_empty() && !line.starts_with("tip: to pass"));
    let joined: Vec<&str> = lines.map(|line| line.strip_prefix("error: ").unwrap_or(line)).collect();
    joined.join(" ").replace("For more information, try '--help'.", "(see --help)")
}
