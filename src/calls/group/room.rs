//! Room: how many more addresses a queue takes, as far as that is known.

/// How many addresses are known to fit on a queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Room {
    /// Nothing was ever refused for want of room.
    Unknown,
    /// The queue's list could not be read: only the API can tell, and the refusal may pass.
    Unreadable {
        /// Refusals in a row of the call that is being made again.
        refusals: u32,
    },
    /// The queue's list showed room for this many.
    Listed {
        /// Addresses that fit.
        room: usize,
        /// Retries in a row of the call that is being made again. The list says that it should fit.
        retries: u32,
    },
    /// The API refused more than this many; how many fit is found by halving.
    AtMost(usize),
}

/// Retries of a call that the queue's list says should fit. Then the API's answer wins over the list.
const RETRIES_WITH_ROOM: u32 = 3;

impl Room {
    /// What the queue's list showed.
    pub(super) fn listed(room: usize) -> Self {
        Room::Listed { room, retries: 0 }
    }

    /// How many addresses the next call may hold, if that is bounded.
    pub(super) fn next_call(self) -> Option<usize> {
        match self {
            Room::Unknown | Room::Unreadable { .. } => None,
            Room::Listed { room, .. } => Some(room),
            Room::AtMost(bound) => Some(bound.div_ceil(2)),
        }
    }

    /// Whether a refused call that should fit, as the list has it, is to be made again; counts the retry. A call has
    /// at most `max_attempts`.
    pub(super) fn retry(&mut self, max_attempts: u32) -> bool {
        match self {
            Room::Listed { retries, .. }
                if *retries < RETRIES_WITH_ROOM.min(max_attempts.saturating_sub(1)) =>
            {
                *retries += 1;
                true
            }
            _ => false,
        }
    }

    /// The call was not refused for want of room this time, so the next call has all of its retries.
    pub(super) fn passed(&mut self) {
        match self {
            Room::Listed { retries: count, .. } | Room::Unreadable { refusals: count } => *count = 0,
            Room::Unknown | Room::AtMost(_) => {}
        }
    }

    /// Addresses were associated.
    pub(super) fn taken(&mut self, addresses: usize) {
        match self {
            Room::Listed { room, .. } => *room = room.saturating_sub(addresses),
            Room::AtMost(bound) => *bound = bound.saturating_sub(addresses),
            Room::Unreadable { .. } | Room::Unknown => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_call_that_should_fit_has_three_retries_within_its_attempts() {
        for (max_attempts, retries) in [(1, 0), (2, 1), (4, 3), (10, 3)] {
            let mut room = Room::listed(5);
            for _ in 0..2 {
                assert_eq!((0..9).filter(|_| room.retry(max_attempts)).count(), retries);
                room.passed();
            }
            assert_eq!(room, Room::listed(5));
        }
        for mut room in [Room::Unknown, Room::Unreadable { refusals: 1 }, Room::AtMost(5)] {
            assert!(!room.retry(10));
        }
    }

    #[test]
    fn halving_finds_any_room_below_a_bound() {
        for fits in 0..50 {
            let (mut room, mut taken, mut calls) = (Room::AtMost(49), 0, 0);
            while let Some(size) = room.next_call().filter(|size| *size > 0) {
                calls += 1;
                if taken + size <= fits {
                    taken += size;
                    room.taken(size);
                } else {
                    room = Room::AtMost(size - 1);
                }
            }
            assert_eq!(taken, fits);
            assert!(calls <= 7, "{fits} took {calls} calls");
        }
    }
}
