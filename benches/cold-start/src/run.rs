//! One run of a function: its start, and its first calls.

use std::io;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::RecvTimeoutError;
use std::time::{Duration, Instant};

use crate::clock::now;
use crate::connect::{Connect, Scheme};
use crate::runtime_api::{Request, RuntimeApi};

/// No step of a run takes this long.
const PATIENCE: Duration = Duration::from_secs(20);

/// Why nothing could be measured.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    #[error("{} is not there; build it first: cargo build --release --workspace", .0.display())]
    NoProgram(PathBuf),
    #[error("the function {0} within {PATIENCE:?}")]
    Silent(&'static str),
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// One cold start.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Start {
    /// From the start of the process to its first poll.
    pub(crate) time: Duration,
    /// The most memory that was resident until then, in KiB.
    pub(crate) memory: u64,
}

/// Starts a function and waits for its first poll.
pub(crate) fn cold_start(program: &Path, certificates: Option<&Path>) -> Result<Start, Failure> {
    let api = RuntimeApi::start()?;
    let (function, begun) = Function::start(program, certificates, &api, None)?;
    let poll = poll(&api)?;
    Ok(Start { time: poll.at - begun, memory: function.peak_memory()? })
}

/// Starts a function and gives it two events, the first at its first poll. Each time is from an event to the first byte
/// that Connect gets.
pub(crate) fn first_and_later_call(
    program: &Path,
    certificates: Option<&Path>,
    scheme: Scheme,
) -> Result<(Duration, Duration), Failure> {
    let api = RuntimeApi::start()?;
    let connect = Connect::start(scheme)?;
    let _function = Function::start(program, certificates, &api, Some(&connect))?;
    let first = call(&api, &connect, "address-1")?;
    let later = call(&api, &connect, "address-2")?;
    Ok((first, later))
}

fn call(api: &RuntimeApi, connect: &Connect, address: &str) -> Result<Duration, Failure> {
    let poll = poll(api)?;
    let given = now();
    poll.give_event(&format!(r#"{{"instanceId":"i","queueId":"q","emailAddressId":"{address}"}}"#))?;
    let arrived = connect.arrivals.recv_timeout(PATIENCE).map_err(|_| Failure::Silent("did not call"))?;
    next(api)?.accept()?;
    Ok(arrived - given)
}

fn poll(api: &RuntimeApi) -> Result<Request, Failure> {
    Some(next(api)?).filter(Request::is_poll).ok_or(Failure::Silent("did not poll"))
}

fn next(api: &RuntimeApi) -> Result<Request, Failure> {
    let request = api.requests.recv_timeout(PATIENCE);
    request.map_err(|_: RecvTimeoutError| Failure::Silent("did not turn to the runtime API"))
}

/// A running function, ended where it is dropped.
struct Function(Child);

impl Function {
    /// Starts it in the environment that Lambda gives a function, and nothing else.
    fn start(
        program: &Path,
        certificates: Option<&Path>,
        api: &RuntimeApi,
        connect: Option<&Connect>,
    ) -> Result<(Self, Instant), Failure> {
        let mut command = Command::new(program);
        command
            .env_clear()
            .env("AWS_LAMBDA_RUNTIME_API", api.address.to_string())
            .env("AWS_LAMBDA_FUNCTION_NAME", "benchmark")
            .env("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST")
            .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256")
            .env("AWS_LAMBDA_LOG_GROUP_NAME", "/aws/lambda/benchmark")
            .env("AWS_LAMBDA_LOG_STREAM_NAME", "benchmark")
            .env("AWS_REGION", "eu-central-1")
            .env("AWS_ACCESS_KEY_ID", "test")
            .env("AWS_SECRET_ACCESS_KEY", "test")
            .env("AWS_SESSION_TOKEN", "test")
            // A call that is not answered is not made again: only its beginning counts.
            .env("MAX_ATTEMPTS", "1")
            .stdout(Stdio::null());
        if let Some(file) = certificates {
            command.env("SSL_CERT_FILE", file);
        }
        if let Some(connect) = connect {
            command.env("AWS_ENDPOINT_URL_CONNECT", &connect.url);
        }
        let begun = now();
        Ok((Function(command.spawn()?), begun))
    }

    fn peak_memory(&self) -> Result<u64, Failure> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.0.id()))?;
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kib = peak.and_then(|rest| rest.trim().strip_suffix(" kB")?.parse().ok());
        kib.ok_or_else(|| io::Error::other("/proc does not say how much memory the function has").into())
    }
}

impl Drop for Function {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
