//! Room: how many more addresses a queue takes, as far as that is known.

/// How many addresses are known to fit on a queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Room {
    /// Nothing was ever refused for want of room.
    Unknown,
    /// The queue's list could not be read: only the API can tell, and the refusal may pass.
    Unreadable {
        /// Refusals of the call that is being made again.
        refusals: u32,
    },
    /// The queue's list showed room for this many.
    Listed {
        /// Addresses that fit.
        room: usize,
        /// How often the API may still refuse what should fit before its answer wins over the list.
        retries: u32,
    },
    /// The API refused more than this many; how many fit is found by halving.
    AtMost(usize),
}

/// Retries of a call that the queue's list says should fit.
const RETRIES_WITH_ROOM: u32 = 3;

impl Room {
    /// What the queue's list showed, where a call may be attempted so often.
    pub(super) fn listed(room: usize, max_attempts: u32) -> Self {
        Room::Listed { room, retries: RETRIES_WITH_ROOM.min(max_attempts.saturating_sub(1)) }
    }

    /// How many addresses the next call may hold, if that is bounded.
    pub(super) fn next_call(self) -> Option<usize> {
        match self {
            Room::Unknown | Room::Unreadable { .. } => None,
            Room::Listed { room, .. } => Some(room),
            Room::AtMost(bound) => Some(bound.div_ceil(2)),
        }
    }

    /// Whether a call that should fit, as the list has it, is to be made again; counts it.
    pub(super) fn retry(&mut self) -> bool {
        match self {
            Room::Listed { retries: left @ 1.., .. } => {
                *left -= 1;
                true
            }
            _ => false,
        }
    }

    /// Addresses were associated.
    pub(super) fn taken(&mut self, addresses: usize) {
        match self {
            Room::Listed { room, .. } => *room = room.saturating_sub(addresses),
            Room::AtMost(bound) => *bound = bound.saturating_sub(addresses),
            Room::Unreadable { refusals } => *refusals = 0,
            Room::Unknown => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_should_fit_is_made_again_three_times_and_no_more_than_there_are_attempts() {
        for (max_attempts, retries) in [(1, 0), (2, 1), (4, 3), (10, 3)] {
            let mut room = Room::listed(5, max_attempts);
            assert_eq!((0..9).filter(|_| room.retry()).count(), retries);
            assert_eq!(room, Room::Listed { room: 5, retries: 0 });
        }
        for mut room in [Room::Unknown, Room::Unreadable { refusals: 1 }, Room::AtMost(5)] {
            assert!(!room.retry());
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
