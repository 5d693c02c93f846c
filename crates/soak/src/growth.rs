//! Memory and file handles of a process, looked at every second.

use std::time::Duration;

/// One measurement.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Look {
    pub(crate) age: Duration,
    pub(crate) resident_kib: u64,
    pub(crate) handles: u64,
}

impl Look {
    /// Nothing once the process has ended.
    pub(crate) fn at(process: u32, age: Duration) -> Option<Self> {
        let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
        let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
        let resident_kib = resident.trim().trim_end_matches(" kB").trim().parse().ok()?;
        let handles = std::fs::read_dir(format!("/proc/{process}/fd")).ok()?.count() as u64;
        Some(Look { age, resident_kib, handles })
    }
}

/// The median and the most of a process's first half after its warm-up, and of its second half.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Halves {
    pub(crate) first: Half,
    pub(crate) second: Half,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Half {
    pub(crate) resident_kib: u64,
    pub(crate) most_resident_kib: u64,
    pub(crate) most_handles: u64,
}

impl Halves {
    /// A tenth of the time is warm-up.
    pub(crate) fn of(looks: &[Look]) -> Option<Self> {
        let warm = &looks[looks.len() / 10..];
        let (first, second) = warm.split_at(warm.len() / 2);
        Some(Halves { first: Half::of(first)?, second: Half::of(second)? })
    }

    /// Whether the second half is above the first by more than a tenth and 2 MiB, or by more than four handles.
    pub(crate) fn grew(self) -> bool {
        let allowed = self.first.resident_kib + self.first.resident_kib / 10 + 2_048;
        self.second.resident_kib > allowed || self.second.most_handles > self.first.most_handles + 4
    }
}

impl Half {
    fn of(looks: &[Look]) -> Option<Self> {
        let mut resident: Vec<u64> = looks.iter().map(|look| look.resident_kib).collect();
        resident.sort_unstable();
        Some(Half {
            resident_kib: *resident.get(resident.len() / 2)?,
            most_resident_kib: *resident.last()?,
            most_handles: looks.iter().map(|look| look.handles).max()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn growth_is_told_from_noise() {
        let looks = |resident: fn(u64) -> u64, handles: fn(u64) -> u64| {
            (0..100)
                .map(|second| Look {
                    age: Duration::from_secs(second),
                    resident_kib: resident(second),
                    handles: handles(second),
                })
                .collect::<Vec<_>>()
        };
        let grew = |looks: Vec<Look>| Halves::of(&looks).unwrap().grew();
        assert!(!grew(looks(|second| 20_000 + second % 7 * 300, |second| 12 + second % 3)));
        assert!(grew(looks(|second| 20_000 + second * 100, |_| 12)));
        assert!(grew(looks(|_| 20_000, |second| 12 + second / 5)));
    }
}
