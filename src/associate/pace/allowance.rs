//! The quota of an operation, as configured.

/// The quota of each operation, and the number of processes that may use it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Allowance {
    /// Calls per second, above 0, for all processes together.
    pub rate: f64,
    /// Maximum number of calls at once.
    pub burst: f64,
    /// Number of processes that may call at the same time, this one included; at least 1. The quota is not divided by it:
    /// it only limits the first guess of a throttled process.
    pub workers: u32,
}
