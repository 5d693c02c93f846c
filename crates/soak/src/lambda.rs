//! Lambda: processes that are given batches, answers that are acted on, and processes that are killed.

use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use fastrand::Rng;
use serde_json::{Value, json};
use tokio::process::{Child, Command};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};

use crate::growth::Look;
use crate::queues::{FAILURES_URL, Message, Queues, SOURCE_URL};
use crate::runtime_api::{Invocation, RuntimeApi, Said};

/// The time that an invocation may take.
const INVOCATION: Duration = Duration::from_secs(8);
/// The time for which a late answer is still awaited, to tell how late it came.
const GRACE: Duration = Duration::from_secs(4);

/// The environment that a process starts with.
#[derive(Debug, Clone)]
pub(crate) struct Environment {
    pub(crate) binary: PathBuf,
    pub(crate) connect: String,
    pub(crate) sqs: String,
    pub(crate) credentials: String,
    pub(crate) rate: f64,
    pub(crate) workers: usize,
}

/// A worker's counts.
#[derive(Debug, Default)]
pub(crate) struct Stats {
    pub(crate) invocations: u64,
    pub(crate) kills: u64,
    pub(crate) deliveries: u64,
    /// Invocations that ended in an error, or whose process ended by itself. An SQS batch must never do either.
    pub(crate) errors: Vec<String>,
    pub(crate) late: u64,
    pub(crate) looks: Vec<Look>,
}

pub(crate) struct Lambda {
    stop: watch::Sender<bool>,
    /// Each with its number.
    workers: JoinSet<Result<(usize, Stats), String>>,
}

impl Lambda {
    /// Starts the workers. The first is never killed, so that its growth can be seen. The others are killed until
    /// `fair_from`.
    pub(crate) fn start(environment: &Environment, queues: &Queues, seed: u64, fair_from: Instant) -> Self {
        let (stop, stopped) = watch::channel(false);
        let mut workers = JoinSet::new();
        for number in 0..environment.workers {
            let worker = Worker {
                environment: environment.clone(),
                queues: queues.clone(),
                rng: Rng::with_seed(seed + number as u64),
                number,
                fair_from,
                stopped: stopped.clone(),
                stats: Stats::default(),
            };
            workers.spawn(async move { Ok((number, worker.run().await?)) });
        }
        Lambda { stop, workers }
    }

    /// Waits for a worker that ends by itself, and gives its error. No worker should.
    pub(crate) async fn failed(&mut self) -> String {
        match self.workers.join_next().await {
            Some(Ok(Err(error))) => error,
            Some(Err(error)) => error.to_string(),
            Some(Ok(Ok(_))) | None => "a worker ended before it was told to".to_owned(),
        }
    }

    /// The counts of the workers, the first worker's first.
    pub(crate) async fn stop(mut self) -> Result<Vec<Stats>, String> {
        // Workers that have ended already hear nothing.
        let _ = self.stop.send(true);
        let mut stats = Vec::new();
        while let Some(worker) = self.workers.join_next().await {
            stats.push(worker.map_err(|error| error.to_string())??);
        }
        stats.sort_by_key(|(number, _)| *number);
        Ok(stats.into_iter().map(|(_, stats)| stats).collect())
    }
}

struct Worker {
    environment: Environment,
    queues: Queues,
    rng: Rng,
    number: usize,
    fair_from: Instant,
    stopped: watch::Receiver<bool>,
    stats: Stats,
}

/// A process and its side of the runtime API.
struct Running {
    process: Child,
    api: RuntimeApi,
    started: Instant,
    looked: Instant,
}

impl Worker {
    async fn run(mut self) -> Result<Stats, String> {
        let mut running = self.start().await?;
        while !*self.stopped.borrow() {
            self.look(&mut running);
            let batch = self.queues.receive();
            if batch.is_empty() {
                sleep(Duration::from_millis(100)).await;
                continue;
            }
            if !self.invoke(&mut running, &batch).await? {
                // Nobody is left to answer. The batch comes again when its visibility timeout ends.
                running.process.kill().await.map_err(|error| error.to_string())?;
                running = self.start().await?;
            }
        }
        running.process.kill().await.map_err(|error| error.to_string())?;
        Ok(self.stats)
    }

    async fn start(&self) -> Result<Running, String> {
        let api = RuntimeApi::start().await.map_err(|error| error.to_string())?;
        let environment = &self.environment;
        let process = Command::new(&environment.binary)
            .env_clear()
            .env("AWS_LAMBDA_RUNTIME_API", api.address.to_string())
            .env("AWS_LAMBDA_FUNCTION_NAME", "soak")
            .env("AWS_LAMBDA_FUNCTION_VERSION", "1")
            .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256")
            .env("AWS_REGION", "eu-central-1")
            .env("AWS_CONTAINER_CREDENTIALS_FULL_URI", &environment.credentials)
            .env("AWS_ENDPOINT_URL_CONNECT", &environment.connect)
            .env("AWS_ENDPOINT_URL_SQS", &environment.sqs)
            .env("FAILURES_QUEUE_URL", FAILURES_URL)
            .env("CONTINUATION_QUEUE_URL", SOURCE_URL)
            .env("CONNECT_REQUESTS_PER_SECOND", environment.rate.to_string())
            .env("CONNECT_BURST", environment.rate.to_string())
            .env("CONNECT_WORKERS", environment.workers.to_string())
            .env("CALL_TIMEOUT_MS", "2000")
            .stdout(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| format!("{}: {error}", environment.binary.display()))?;
        let now = Instant::now();
        Ok(Running { process, api, started: now, looked: now })
    }

    /// Whether the process can go on.
    async fn invoke(&mut self, running: &mut Running, batch: &[Message]) -> Result<bool, String> {
        self.stats.invocations += 1;
        self.stats.deliveries += batch.len() as u64;
        let request_id = format!("r{}-{}", self.number, self.stats.invocations);
        let invocation = Invocation {
            request_id: request_id.clone(),
            payload: payload(batch),
            millis: u64::try_from(INVOCATION.as_millis()).unwrap_or(u64::MAX),
        };
        running.api.invocations.send(invocation).await.map_err(|error| error.to_string())?;
        if !matches!(timeout(GRACE, running.api.said.recv()).await, Ok(Some(Said::Fetched))) {
            // A binary that cannot run at all fails every attempt.
            if self.stats.invocations == 1 {
                let binary = self.environment.binary.display();
                return Err(format!("{binary}: its first process did not fetch its first invocation"));
            }
            self.stats.errors.push("a process did not fetch its invocation".to_owned());
            return Ok(false);
        }
        let begun = Instant::now();
        let killed = self.number > 0 && begun < self.fair_from && self.rng.u8(0..4) == 0;
        let wait = if killed { Duration::from_millis(self.rng.u64(0..500)) } else { INVOCATION + GRACE };
        let said = timeout(wait, running.api.said.recv()).await;
        if begun.elapsed() > INVOCATION {
            self.stats.late += 1;
        }
        match said {
            Ok(Some(Said::Answer(id, answer))) if id == request_id => {
                let answer: Value = serde_json::from_slice(&answer).map_err(|error| error.to_string())?;
                let listed = answer["batchItemFailures"].as_array().into_iter().flatten();
                let listed: Vec<String> =
                    listed.filter_map(|item| item["itemIdentifier"].as_str().map(str::to_owned)).collect();
                self.queues.settle(batch, &listed);
                Ok(true)
            }
            Ok(Some(Said::Error { of, body })) => {
                self.stats.errors.push(format!("{of} ended in {body}"));
                Ok(false)
            }
            Ok(other) => {
                self.stats.errors.push(format!("instead of an answer to {request_id}: {other:?}"));
                Ok(false)
            }
            Err(_) => {
                self.stats.kills += u64::from(killed);
                Ok(false)
            }
        }
    }

    /// Measures the process at most once a second. Only the first worker does, because its process lives all along.
    fn look(&mut self, running: &mut Running) {
        if self.number == 0 && running.looked.elapsed() >= Duration::from_secs(1) {
            running.looked = Instant::now();
            let process = running.process.id();
            self.stats.looks.extend(process.and_then(|id| Look::at(id, running.started.elapsed())));
        }
    }
}

fn payload(batch: &[Message]) -> String {
    let record = |message: &Message| {
        json!({
            "messageId": message.id,
            "receiptHandle": message.id,
            "body": message.body,
            "attributes": { "ApproximateReceiveCount": message.deliveries.to_string() },
            "messageAttributes": {},
            "md5OfBody": "",
            "eventSource": "aws:sqs",
            "eventSourceARN": "arn:aws:sqs:eu-central-1:111122223333:associations",
            "awsRegion": "eu-central-1",
        })
    };
    json!({ "Records": batch.iter().map(record).collect::<Vec<_>>() }).to_string()
}
