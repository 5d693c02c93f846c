//! Runs the function's binary for minutes among faults, and checks that no fault loses or invents a pair.
//!
//! | module | does |
//! | --- | --- |
//! | `traffic` | the senders of messages, and the pairs in each |
//! | `queues` | a stand-in for SQS that delivers at least once, and its SendMessageBatch |
//! | `lambda` | Lambda: takes batches from the queue, hands them to a process, acts on the answer, kills processes |
//! | `runtime_api` | the HTTP side of Lambda, for one process |
//! | `credentials` | an endpoint whose credentials expire |
//! | `faults` | the weather at the simulated Connect |
//! | `growth` | memory and file handles of a process over time |
//! | `verdict` | the checks at the end, and the figures |

mod credentials;
mod faults;
mod growth;
mod http_server;
mod lambda;
mod queues;
mod runtime_api;
mod traffic;
mod verdict;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use connect_simulator::{Connect, Options, Quota, Server};
use fastrand::Rng;
use tokio::time::{Instant, sleep};

use credentials::Credentials;
use lambda::{Environment, Lambda};
use queues::Queues;
use traffic::Asked;

/// Runs the function's binary among faults: failing, resetting, slow, cut-off and malformed answers, throttling, full
/// queues, credentials that expire, and SIGKILL in the middle of invocations.
///
/// Prints its figures as a table, and ends with status 1 if something was lost, invented, late or grew.
#[derive(Debug, Parser)]
#[command(version)]
struct Args {
    /// Seconds for which messages are sent; the queue is then worked off, which takes some seconds more
    #[arg(long, value_name = "NUMBER", default_value_t = 600)]
    seconds: u64,

    /// Seed for the choice of messages and faults
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    seed: u64,

    /// The function's binary
    #[arg(long, value_name = "FILE", default_value = "target/release/queue-email-associator")]
    binary: PathBuf,
}

/// Calls a second that Connect lets through, of each operation, and the processes that share them.
const RATE: f64 = 20.0;
const WORKERS: usize = 2;
/// The most time that working off the queue may take: six deliveries of every message.
const WORK_OFF: Duration = Duration::from_secs(180);

#[tokio::main]
async fn main() -> ExitCode {
    match soak(Args::parse()).await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("soak: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn soak(args: Args) -> Result<bool, String> {
    if !args.binary.is_file() {
        let binary = args.binary.display();
        return Err(format!(
            "--binary {binary}: there is no such file; cargo build --release makes the default one"
        ));
    }
    let text = |error: std::io::Error| error.to_string();
    let connect =
        Connect::new(Options { quota: Quota::per_second(RATE, RATE), seed: args.seed, ..Options::default() });
    let server = Server::start(connect.clone()).map_err(text)?;
    let asked = Asked::default();
    let calls = verdict::Calls::watch(&connect, asked.clone());
    let queues = Queues::new(args.seed);
    let sqs = http_server::start(queues.handler()).await.map_err(text)?;
    let credentials = http_server::start(Credentials::new(args.seed).handler()).await.map_err(text)?;
    let environment = Environment {
        binary: args.binary,
        connect: server.endpoint(),
        sqs: format!("http://{sqs}"),
        credentials: format!("http://{credentials}/"),
        rate: RATE,
        workers: WORKERS,
    };
    let begun = Instant::now();
    let time = Duration::from_secs(args.seconds);
    let weather = tokio::spawn(faults::weather(connect.clone(), Rng::with_seed(args.seed), begun + time));
    let traffic = tokio::spawn(traffic::send(
        connect.clone(),
        queues.clone(),
        asked.clone(),
        Rng::with_seed(args.seed),
        begun + time,
    ));
    let mut lambda = Lambda::start(&environment, &queues, args.seed, begun + time);
    let joined = |error: tokio::task::JoinError| error.to_string();
    let worked_off = async {
        traffic.await.map_err(joined)?;
        weather.await.map_err(joined)?;
        let until = begun + time + WORK_OFF;
        while !queues.is_empty() && Instant::now() < until {
            sleep(Duration::from_millis(200)).await;
        }
        Ok::<(), String>(())
    };
    tokio::select! {
        worked_off = worked_off => worked_off?,
        // A failed worker makes every later figure meaningless.
        error = lambda.failed() => return Err(error),
    }
    let stats = lambda.stop().await?;
    Ok(verdict::print(begun.elapsed(), &connect, &queues, &asked, &calls, &stats))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn unstartable_binary_ends_the_run() {
        let table = [
            ("no/such/file", "--binary no/such/file: there is no such file"),
            ("Cargo.toml", "Cargo.toml: "),
        ];
        for (binary, message) in table {
            let args = Args { seconds: 600, seed: 1, binary: binary.into() };
            let error = soak(args).await.unwrap_err();
            assert!(error.starts_with(message), "{error}");
        }
    }
}
