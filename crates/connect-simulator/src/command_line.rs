//! The messages of command lines, the same for each program of this repository.

/// Clap's message, on one line: its own paragraph is hard to find in a log. How the command is used, and how an
/// unknown option could be passed as a value, is left to `--help`.
pub fn one_line(error: &clap::Error) -> String {
    let text = error.to_string();
    let tells = |line: &&str| {
        let dropped = ["Usage:", "tip: to pass"];
        !line.is_empty() && !dropped.iter().any(|beginning| line.starts_with(beginning))
    };
    let lines = text.lines().map(str::trim).filter(tells);
    let joined: Vec<&str> = lines.map(|line| line.strip_prefix("error: ").unwrap_or(line)).collect();
    joined.join(" ").replace("For more information, try '--help'.", "(see --help)")
}
