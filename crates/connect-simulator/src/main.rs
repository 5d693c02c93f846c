//! Runs the simulator as a program, until a signal stops it.

use std::fs;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use connect_simulator::{Connect, Fixture, Options, Quota, Switches, run};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

const DETAILS: &str = r#"Examples:
  # Creates everything that a call refers to, and enforces the default quota of Amazon Connect.
  connect-simulator --auto-create --rate 2 --burst 5

  # Only the queues and addresses in the file exist.
  connect-simulator --fixture fixture.json

  # Then, for any AWS SDK or the AWS CLI, with any credentials:
  export AWS_ENDPOINT_URL_CONNECT=http://127.0.0.1:8787

Fixture (every field is optional):
  {"instances": {"INSTANCE": {
    "emailAddresses": {"ADDRESS": "billing@brand.example"}, "unlisted": [],
    "queues": {"QUEUE": {"name": "Billing", "defaultEmailAddressId": "ADDRESS", "emailAddressIds": [],
                         "limit": 49}}}}}

Fault, for POST /_simulator/faults (every field except effect is optional):
  {"operation": NAME, "queue": ID, "address": ID, "times": NUMBER, "share": 0 to 1, "effect": EFFECT}
  EFFECT is one of "reset", "resetAfter", "hang", "cutOff", "malformed", {"delayMillis": NUMBER},
  {"error": {"status": NUMBER, "code": TEXT, "message": TEXT}},
  {"retryAfter": {"millis": NUMBER, "code": TEXT}}"#;

/// A local simulator of the part of the Amazon Connect API that manages the email addresses of queues.
///
/// Prints "listening on http://ADDRESS:PORT" when it is ready. Stops on SIGINT or SIGTERM.
#[derive(Debug, Parser)]
#[command(version, after_long_help = DETAILS)]
struct Args {
    /// Address to listen on; port 0 picks a free port
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:8787")]
    listen: SocketAddr,

    /// JSON file with the instances, queues, addresses and associations that exist
    #[arg(long, value_name = "FILE", value_parser = read_fixture)]
    fixture: Option<Fixture>,

    /// Requests per second that each operation accepts; unlimited by default
    #[arg(long, value_name = "NUMBER")]
    rate: Option<f64>,

    /// Requests that each operation accepts at once; used only with --rate
    #[arg(long, value_name = "NUMBER", default_value_t = 5.0)]
    burst: f64,

    /// Delay of each response, in milliseconds
    #[arg(long, value_name = "NUMBER", default_value_t = 0)]
    latency_ms: u64,

    /// Create every instance, queue and address that a call refers to
    #[arg(long)]
    auto_create: bool,
}

fn read_fixture(path: &str) -> Result<Fixture, String> {
    let text = fs::read(path).map_err(|error| error.to_string())?;
    serde_json::from_slice(&text).map_err(|error| error.to_string())
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match serve(Args::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(io::stderr(), "connect-simulator: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Serves until a signal arrives.
async fn serve(args: Args) -> io::Result<()> {
    let listener = TcpListener::bind(args.listen).await.map_err(|error| {
        io::Error::new(error.kind(), format!("cannot listen on {}: {error}", args.listen))
    })?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let options = Options {
        fixture: args.fixture.unwrap_or_default(),
        quota: Quota { rate: args.rate, burst: args.burst },
        latency: Duration::from_millis(args.latency_ms),
        switches: Switches { auto_create: args.auto_create, ..Switches::default() },
        ..Options::default()
    };
    writeln!(io::stdout(), "listening on http://{}", listener.local_addr()?)?;
    run(listener, Connect::new(options), async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
    .await
}
