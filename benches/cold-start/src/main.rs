//! Measures cold starts, and the first call after one.
//!
//! A cold start is counted from the start of the process to its first poll of the runtime API, as Lambda sees it. The
//! functions take turns within each round, so that whatever else the machine does falls on all of them alike.

mod clock;
mod connect;
mod http;
mod run;
mod runtime_api;
mod table;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;

use crate::connect::Scheme;
use crate::run::Failure;

/// Measures cold starts and first calls against a stand-in for Lambda's runtime API on 127.0.0.1, and prints tables in
/// Markdown. The programs are those beside this one, unless others are named.
#[derive(Parser)]
struct Args {
    /// How often each function is started
    #[arg(long, value_name = "NUMBER", value_parser = one_or_more, default_value_t = 40)]
    starts: usize,
    /// The function
    #[arg(long, value_name = "FILE")]
    function: Option<PathBuf>,
    /// The function that only echoes, which the others are measured against
    #[arg(long, value_name = "FILE")]
    echo: Option<PathBuf>,
    /// Another build of the function to measure beside it, such as the one before a change
    #[arg(long, value_name = "FILE")]
    before: Option<PathBuf>,
    /// SSL_CERT_FILE for all of them: the only certificates that are read
    #[arg(long, value_name = "FILE")]
    certificates: Option<PathBuf>,
}

struct Program {
    name: &'static str,
    file: PathBuf,
}

fn main() -> ExitCode {
    match measure(&Args::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("cold-start-benchmark: {failure}");
            ExitCode::FAILURE
        }
    }
}

fn measure(args: &Args) -> Result<(), Failure> {
    let echo = Program { name: "echo", file: program(args.echo.as_ref(), "echo-function")? };
    let function =
        Program { name: "this function", file: program(args.function.as_ref(), "queue-email-associator")? };
    let before = args.before.clone().map(|file| Program { name: "before", file });
    let programs: Vec<Program> = [echo, function].into_iter().chain(before).collect();
    let certificates = args.certificates.as_deref();
    // Once without counting, so that every file is in memory.
    for program in &programs {
        run::cold_start(&program.file, certificates)?;
    }
    let mut starts = vec![Vec::new(); programs.len()];
    for _ in 0..args.starts {
        for (program, starts) in programs.iter().zip(&mut starts) {
            starts.push(run::cold_start(&program.file, certificates)?);
        }
    }
    println!("{}", table::cold_starts(programs.iter().map(|program| program.name).zip(&starts)));
    let cases: Vec<(&Program, Scheme)> = programs[1..]
        .iter()
        .flat_map(|program| [(program, Scheme::Https), (program, Scheme::Http)])
        .collect();
    let mut calls = vec![Vec::<(Duration, Duration)>::new(); cases.len()];
    for _ in 0..args.starts {
        for ((program, scheme), calls) in cases.iter().zip(&mut calls) {
            calls.push(run::first_and_later_call(&program.file, certificates, *scheme)?);
        }
    }
    let names = cases.iter().map(|(program, scheme)| (program.name, scheme.name()));
    println!("{}", table::calls(names.zip(&calls)));
    Ok(())
}

fn one_or_more(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(number) if number > 0 => Ok(number),
        _ => Err("a whole number, 1 or more, is accepted, such as 40".to_owned()),
    }
}

/// The named program, or the one of that name in the directory of this one.
fn program(named: Option<&PathBuf>, name: &str) -> Result<PathBuf, Failure> {
    let file = match named {
        Some(file) => file.clone(),
        None => std::env::current_exe()?.with_file_name(name),
    };
    if file.is_file() { Ok(file) } else { Err(Failure::NoProgram(file)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_starts_have_no_median() {
        for (starts, accepted) in [("1", true), ("0", false), ("x", false)] {
            let args = Args::try_parse_from(["cold-start-benchmark", "--starts", starts]);
            assert_eq!(args.is_ok(), accepted, "{starts}");
        }
    }
}
