//! Limits the cost of an execution: processor time in proportion to the payload, and memory by what the function has.
//!
//! The limits are far above the cost of a debug build, and the limit of time is far below a cost that grows with the square
//! of the payload's size.

use std::time::Duration;

use peak_alloc::PeakAlloc;

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

/// Processor time allowed for any execution, and for each byte of its payload.
const TIME: Duration = Duration::from_secs(4);
const TIME_A_BYTE: Duration = Duration::from_micros(60);

/// Memory in bytes allowed for any execution, the simulator included. The template gives the function 256 MB.
const MEMORY_LIMIT: usize = 200 << 20;

/// The cost of an execution.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Cost {
    pub(crate) time: Duration,
    /// Peak of the allocated bytes, without the bytes that were allocated before.
    pub(crate) memory: usize,
}

impl Cost {
    /// Runs a closure and measures its cost.
    pub(crate) fn of<T>(run: impl FnOnce() -> T) -> (T, Cost) {
        MEMORY.reset_peak_usage();
        let (before, begun) = (MEMORY.current_usage(), processor_time());
        let result = run();
        let time = processor_time().saturating_sub(begun);
        let memory = MEMORY.peak_usage().saturating_sub(before);
        (result, Cost { time, memory })
    }

    /// Checks that the cost is within the limits for a payload of `bytes` bytes.
    pub(crate) fn check(self, bytes: usize) -> Result<(), String> {
        let time = TIME + TIME_A_BYTE * u32::try_from(bytes).unwrap_or(u32::MAX);
        if self.time > time {
            return Err(format!("{bytes} bytes took {:?} of processor time, above {time:?}", self.time));
        }
        if self.memory > MEMORY_LIMIT {
            return Err(format!("{bytes} bytes took {} bytes of memory, above {MEMORY_LIMIT}", self.memory));
        }
        Ok(())
    }
}

/// Returns this thread's processor time so far, or zero if the system does not report it.
fn processor_time() -> Duration {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanos = stat.split(' ').next().and_then(|nanos| nanos.parse().ok());
    Duration::from_nanos(nanos.unwrap_or(0))
}
