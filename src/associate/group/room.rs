//! The number of addresses that a queue still accepts, as far as its group knows.

use crate::connect::RejectedCall;

/// What a group knows about the room on its queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Room {
    /// The API has not rejected a call for lack of room.
    Unknown,
    /// The queue's list could not be read, so only another attempt shows whether there is room.
    Unreadable {
        /// Number of rejections in a row of the current call.
        rejections: u32,
        /// Why the list could not be read.
        list: Box<RejectedCall>,
    },
    /// The queue's list showed the room.
    Listed {
        /// Number of addresses that fit.
        room: usize,
        /// Number of addresses on the queue that the group did not add, without the default one.
        held: usize,
        /// Number of retries in a row of the current call, which fits according to the list.
        retries: u32,
        /// Whether addresses have joined the group since the list was read. They may be on the queue already.
        is_outdated: bool,
    },
    /// The API accepts fewer addresses than the list showed. The group finds the true number by halving.
    AtMost {
        /// Maximum number of addresses that may fit.
        bound: usize,
        held: usize,
    },
}

/// What a group does after the API rejected a call for lack of room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum AfterLimit {
    ReadList,
    /// Make the same call again after a wait.
    Retry,
    TryFewer,
    /// Fail the addresses of the call. The queue's list could not be read for this reason.
    GiveUp(Box<RejectedCall>),
}

/// Number of retries of a call that fits according to the queue's list. After them, the API's response takes precedence.
const RETRIES_WITH_ROOM: u32 = 3;

impl Room {
    pub(super) fn listed(room: usize, held: usize) -> Self {
        Room::Listed { room, held, retries: 0, is_outdated: false }
    }

    pub(super) fn unreadable(list: RejectedCall) -> Self {
        Room::Unreadable { rejections: 0, list: Box::new(list) }
    }

    /// Maximum number of addresses of the next call, or `None` if there is no bound.
    pub(super) fn next_call(&self) -> Option<usize> {
        match self {
            Room::Unknown | Room::Unreadable { .. } => None,
            Room::Listed { room, .. } => Some(*room),
            Room::AtMost { bound, .. } => Some(bound.div_ceil(2)),
        }
    }

    pub(super) fn is_full(&self) -> bool {
        self.next_call() == Some(0)
    }

    /// Whether the queue's list must be read before addresses fail because the queue is full. The API accepted fewer
    /// than the list showed, or the list is older than addresses that have joined the group.
    pub(super) fn needs_list(&self) -> bool {
        matches!(self, Room::AtMost { .. } | Room::Listed { is_outdated: true, .. })
    }

    /// Number of addresses on the queue that the group did not add, without the default one.
    pub(super) fn held(&self) -> usize {
        match self {
            Room::Listed { held, .. } | Room::AtMost { held, .. } => *held,
            Room::Unknown | Room::Unreadable { .. } => 0,
        }
    }

    /// Decides what follows after the API rejected a call for lack of room. A call has at most `max_attempts` attempts.
    pub(super) fn over_limit(&mut self, addresses: usize, max_attempts: u32) -> AfterLimit {
        match self {
            Room::Unknown => AfterLimit::ReadList,
            Room::Unreadable { rejections, list } => {
                *rejections += 1;
                if *rejections < max_attempts {
                    return AfterLimit::Retry;
                }
                // The next chunk has its own attempts.
                *rejections = 0;
                AfterLimit::GiveUp(list.clone())
            }
            Room::Listed { .. } | Room::AtMost { .. } => {
                if self.retry(max_attempts) {
                    return AfterLimit::Retry;
                }
                self.rejected(addresses);
                AfterLimit::TryFewer
            }
        }
    }

    /// Decides whether to retry a rejected call that fits according to the list, and counts the retry.
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

    /// Records that the API rejected this number of addresses for lack of room.
    pub(super) fn rejected(&mut self, addresses: usize) {
        *self = Room::AtMost { bound: addresses.saturating_sub(1), held: self.held() };
    }

    /// Records that the API did not reject the call for lack of room. The next call then has all of its retries.
    pub(super) fn passed(&mut self) {
        match self {
            Room::Listed { retries: count, .. } | Room::Unreadable { rejections: count, .. } => *count = 0,
            Room::Unknown | Room::AtMost { .. } => {}
        }
    }

    pub(super) fn associated(&mut self, addresses: usize) {
        match self {
            Room::Listed { room: left, .. } | Room::AtMost { bound: left, .. } => {
                *left = left.saturating_sub(addresses);
            }
            Room::Unreadable { .. } | Room::Unknown => {}
        }
    }

    pub(super) fn joined(&mut self) {
        match self {
            Room::Listed { is_outdated, .. } => *is_outdated = true,
            Room::AtMost { bound: 0, .. } => *self = Room::Unknown,
            Room::AtMost { .. } | Room::Unreadable { .. } | Room::Unknown => {}
        }
    }

    pub(super) fn list_read(&mut self) {
        match self {
            Room::Listed { is_outdated, .. } => *is_outdated = false,
            Room::Unreadable { .. } => *self = Room::Unknown,
            Room::AtMost { .. } | Room::Unknown => {}
        }
    }

    /// Takes the room and the number of addresses on the queue from a list that was read again. Returns whether the API
    /// accepts fewer addresses than the list shows, so that the queue is full although the list shows room.
    pub(super) fn confirm(&mut self, room: usize, held: usize) -> bool {
        match self {
            Room::Listed { .. } => *self = Room::listed(room, held),
            // Another process has removed addresses from the queue meanwhile, so more may fit now. Otherwise, if the
            // list shows no room, it explains the API's rejection.
            Room::AtMost { bound: 0, held: before } if held < *before || room == 0 => {
                *self = Room::listed(room, held);
            }
            Room::AtMost { bound, held: before } => {
                *before = held;
                return *bound == 0;
            }
            Room::Unknown | Room::Unreadable { .. } => {}
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fitting_call_has_three_retries_within_its_attempts() {
        for (max_attempts, retries) in [(1, 0), (2, 1), (4, 3), (10, 3)] {
            let mut room = Room::listed(5, 0);
            for _ in 0..2 {
                assert_eq!((0..9).filter(|_| room.retry(max_attempts)).count(), retries);
                room.passed();
            }
            assert_eq!(room, Room::listed(5, 0));
        }
        for mut room in [Room::Unknown, Room::AtMost { bound: 5, held: 0 }] {
            assert!(!room.retry(10));
        }
    }

    #[test]
    fn halving_finds_any_room_below_a_bound() {
        for fits in 0..50 {
            let (mut room, mut associated, mut calls) = (Room::AtMost { bound: 49, held: 7 }, 0, 0);
            while let Some(size) = room.next_call().filter(|size| *size > 0) {
                calls += 1;
                if associated + size <= fits {
                    associated += size;
                    room.associated(size);
                } else {
                    room.rejected(size);
                }
            }
            assert_eq!((associated, room.held()), (fits, 7));
            assert!(calls <= 7, "{fits} took {calls} calls");
        }
    }
}
