//! Room: the number of addresses that a queue still takes, as far as the group knows.

use crate::connect::Refused;

/// The knowledge about the room on a queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Room {
    /// The API has refused no call for lack of room.
    Unknown,
    /// The queue's list could not be read, so only another attempt shows whether there is room.
    Unreadable {
        /// Number of refusals in a row of the current call.
        refusals: u32,
        /// Why the list could not be read.
        list: Box<Refused>,
    },
    /// The queue's list showed room for this many.
    Listed {
        /// Addresses that fit.
        room: usize,
        /// Number of retries in a row of the current call, which fits according to the list.
        retries: u32,
    },
    /// The API refused more addresses than this. The group finds the true number by halving.
    AtMost(usize),
}

/// Number of retries of a call that fits according to the queue's list. After them, the API's answer wins.
const RETRIES_WITH_ROOM: u32 = 3;

impl Room {
    /// The room that the queue's list showed.
    pub(super) fn listed(room: usize) -> Self {
        Room::Listed { room, retries: 0 }
    }

    /// The most addresses that the next call may hold, or `None` if there is no bound.
    pub(super) fn next_call(&self) -> Option<usize> {
        match self {
            Room::Unknown | Room::Unreadable { .. } => None,
            Room::Listed { room, .. } => Some(*room),
            Room::AtMost(bound) => Some(bound.div_ceil(2)),
        }
    }

    /// Decides whether to retry a refused call that fits according to the list, and counts the retry. A call has at
    /// most `max_attempts` attempts.
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

    /// Records that the API did not refuse the call for lack of room. The next call then has all of its retries.
    pub(super) fn passed(&mut self) {
        match self {
            Room::Listed { retries: count, .. } | Room::Unreadable { refusals: count, .. } => *count = 0,
            Room::Unknown | Room::AtMost(_) => {}
        }
    }

    /// Records that addresses were associated.
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
    fn fitting_call_has_three_retries_within_its_attempts() {
        for (max_attempts, retries) in [(1, 0), (2, 1), (4, 3), (10, 3)] {
            let mut room = Room::listed(5);
            for _ in 0..2 {
                assert_eq!((0..9).filter(|_| room.retry(max_attempts)).count(), retries);
                room.passed();
            }
            assert_eq!(room, Room::listed(5));
        }
        for mut room in [Room::Unknown, Room::AtMost(5)] {
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
