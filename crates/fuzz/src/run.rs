//! Runs an input against the function, and checks its result and its cost.

use std::path::Path;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use peak_alloc::PeakAlloc;
use queue_email_associator::log::{Lines, start_to};
use testbed::sqs::FAILURES;
use testbed::world::{Ending, World, sqs};
use tokio::time::Instant;
use tracing::level_filters::LevelFilter;

use crate::ledger;
use crate::world::world;

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

/// Memory in bytes allowed for any execution, the simulator included. The template gives the function 256 MB.
const MEMORY_LIMIT: usize = 200 << 20;

/// Processor time allowed for any execution, and for each byte of its payload: far above the cost of a debug build, and
/// far below a cost that grows with the square of the payload's size.
const TIME: Duration = Duration::from_secs(4);
const TIME_PER_BYTE: Duration = Duration::from_micros(60);

/// Time after which an input counts as a hang. It is far above the cost of the largest input, so that a busy machine does
/// not cause a false report.
const HANG: Duration = Duration::from_secs(300);

/// Stack size of the thread that runs an input: a quarter of the main thread's stack in Lambda.
const STACK: usize = 2 << 20;

/// Maximum length in bytes of an `errorMessage` that a person can still read.
const LONGEST_MESSAGE: usize = 20_000;

/// The first line of the log with a panic or an email address.
static FAULT: Mutex<Option<String>> = Mutex::new(None);

/// A payload, and the number of the world that it runs in.
#[derive(Debug, Clone)]
pub(crate) struct Input {
    pub(crate) world: u64,
    pub(crate) payload: Vec<u8>,
}

impl Input {
    /// Reads a file with the number in its first line and the payload after it.
    pub(crate) fn read(file: &Path) -> Result<Self, String> {
        let bytes = std::fs::read(file).map_err(|error| error.to_string())?;
        let mut parts = bytes.splitn(2, |byte| *byte == b'\n');
        let world = parts.next().and_then(|line| str::from_utf8(line).ok()?.parse().ok());
        let world = world.ok_or("expected the number of a world in the first line")?;
        Ok(Input { world, payload: parts.next().unwrap_or_default().to_vec() })
    }

    pub(crate) fn write(&self, file: &Path) -> std::io::Result<()> {
        std::fs::write(file, [self.world.to_string().as_bytes(), b"\n", &self.payload].concat())
    }
}

/// The cost of an execution.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Cost {
    pub(crate) time: Duration,
    /// Peak of the allocated bytes, without the bytes that were allocated before.
    pub(crate) memory: usize,
}

/// Starts to watch the log of the process. Called once.
pub(crate) fn watch_log() {
    let sink = |line: &str| {
        if line.contains('@') || line.contains("\"panic: ") {
            let line = line.chars().take(500).collect();
            FAULT.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(line);
        }
    };
    start_to(Lines::new(LevelFilter::DEBUG, Arc::new(sink)));
}

/// Runs an input on a small stack. An error is the fault that the input showed. A stack overflow ends the process.
pub(crate) fn run(input: &Input) -> Result<Cost, String> {
    let (sender, receiver) = channel();
    let input = input.clone();
    let run = move || drop(sender.send(execute(&input)));
    let thread =
        std::thread::Builder::new().stack_size(STACK).spawn(run).map_err(|error| error.to_string())?;
    let ended = match receiver.recv_timeout(HANG) {
        Err(RecvTimeoutError::Timeout) => return Err(format!("no result after {HANG:?}")),
        Err(RecvTimeoutError::Disconnected) => Err("a panic".to_owned()),
        Ok(ended) => ended,
    };
    let _ = thread.join();
    match FAULT.lock().unwrap_or_else(PoisonError::into_inner).take() {
        Some(line) => Err(format!("the log has a panic or an email address: {line}")),
        None => ended,
    }
}

fn execute(input: &Input) -> Result<Cost, String> {
    let (world, ending, cost) = invoke(input.world, true, &input.payload)?;
    ledger::check(&world, &input.payload, &ending)?;
    let sent = world.sqs.sent();
    let redriven = sent.into_iter().filter(|sent| sent.queue_url == FAILURES && sent.bytes < 20_000);
    for sent in redriven.take(5) {
        let payload = sqs(&[sent.text.clone().into()]).to_string();
        let (world, ..) = invoke(input.world, false, payload.as_bytes())?;
        ledger::check_redriven(&world, &sent.text)?;
    }
    let bytes = input.payload.len();
    let time = TIME + TIME_PER_BYTE * u32::try_from(bytes).unwrap_or(u32::MAX);
    if cost.time > time || cost.memory > MEMORY_LIMIT {
        return Err(format!("{bytes} bytes took {cost:?}, above {time:?} or {MEMORY_LIMIT} bytes"));
    }
    Ok(cost)
}

fn invoke(number: u64, faults: bool, payload: &[u8]) -> Result<(World, Ending, Cost), String> {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.enable_all().start_paused(true).build().map_err(|error| error.to_string())?;
    runtime.block_on(async {
        let world = world(number, faults)?;
        MEMORY.reset_peak_usage();
        let (before, processor, start) = (MEMORY.current_usage(), processor_time(), Instant::now());
        let ending = world.invoke_raw(payload).await;
        let (time, took) = (processor_time().saturating_sub(processor), start.elapsed());
        let memory = MEMORY.peak_usage().saturating_sub(before);
        if took > world.invocation_time {
            return Err(format!(
                "the response came after {took:?}, too late for {:?}",
                world.invocation_time
            ));
        }
        if let Err((error_type, message)) = &ending {
            if message.contains(['\n', '\r']) || message.len() > LONGEST_MESSAGE {
                return Err(format!("an error is longer than one line: {} bytes", message.len()));
            }
            if error_type == "InvalidRequest" && world.call_count() > 0 {
                return Err("an InvalidRequest has made calls".to_owned());
            }
        }
        Ok((world, ending, Cost { time, memory }))
    })
}

/// Returns this thread's processor time so far, or zero if the system does not report it.
fn processor_time() -> Duration {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanos = stat.split(' ').next().and_then(|nanos| nanos.parse().ok());
    Duration::from_nanos(nanos.unwrap_or(0))
}
