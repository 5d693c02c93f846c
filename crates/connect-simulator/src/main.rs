//! Runs the simulator as a program: reads its options, listens, and serves until a signal stops it.

mod args;

use std::io::{self, Write};
use std::process::ExitCode;

use clap::Parser;
use connect_simulator::{Connect, one_line, run};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::Instant;

use crate::args::Args;

/// The exit code for invalid options.
const USAGE: u8 = 2;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let args = match Args::try_parse() {
        Ok(args) => args,
        // `--help` and `--version` are not errors.
        Err(error) if !error.use_stderr() => {
            let _ = error.print();
            return ExitCode::SUCCESS;
        }
        Err(error) => return fail(&one_line(&error), USAGE),
    };
    let options = match args.options() {
        Ok(options) => options,
        Err(error) => return fail(&error.to_string(), USAGE),
    };
    match serve(&args, Connect::new(options)).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(&error, 1),
    }
}

/// Serves until a signal stops it.
///
/// # Errors
///
/// A one-line message. If the address cannot be used, the message contains the option.
async fn serve(args: &Args, connect: Connect) -> Result<(), String> {
    let listen = |error: io::Error| format!("--listen {}: {error}", args.listen);
    let signals = |error: io::Error| format!("signals cannot be listened for: {error}");
    let listener = TcpListener::bind(args.listen).await.map_err(listen)?;
    let address = listener.local_addr().map_err(listen)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(signals)?;
    let mut terminate = signal(SignalKind::terminate()).map_err(signals)?;
    if args.log_calls {
        let start = Instant::now();
        connect.observe(move |call| say(&call.to_json(start).to_string()));
    }
    say(&format!("listening on http://{address}"));
    run(listener, connect, async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
    .await
    .map_err(|error| format!("connections cannot be accepted any more: {error}"))
}

/// Prints a line. Ignores write errors, because the simulator keeps serving after its reader has exited.
fn say(line: &str) {
    let mut stdout = io::stdout().lock();
    let _ = writeln!(stdout, "{line}").and_then(|()| stdout.flush());
}

fn fail(message: &str, code: u8) -> ExitCode {
    let _ = writeln!(io::stderr(), "connect-simulator: {message}");
    ExitCode::from(code)
}
