//! Allowance: what the settings say of the quota.

/// The quota of each operation, and who may use it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Allowance {
    /// Calls a second, above 0, however many processes there are.
    pub rate: f64,
    /// Calls at once.
    pub burst: f64,
    /// How many processes may call at once, this one included; at least 1. It divides nothing: it is the number that a
    /// throttled process expects to share the quota with, unless more is refused than that explains.
    pub workers: u32,
}
