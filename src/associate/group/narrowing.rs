//! Splits a rejected chunk until the addresses at fault are known.
//!
//! The API rejects a whole call because of one bad address, and does not say which. So the group splits a rejected chunk
//! in two and first tries the part that was requested first. If the API accepts that part, the other part must contain
//! the address at fault. The group then splits the other part right away, without first trying it as a whole. It blames
//! an address only after the API rejected that address alone.
//!
//! The parts are split in the golden ratio, the smaller one first. If the API rejects the first part, both parts cost a
//! call. If the API accepts it, only one part does. The uneven split makes the two cases equally expensive. It finds one
//! address at fault among 50 in at most 9 more calls; halving needs 11.

use crate::associate::order::CHUNK;
use crate::index::AddressIndex;

/// The addresses of one call: a chunk of the plan, or a part of one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Chunk {
    /// The addresses, in the order in which they were requested.
    pub members: Vec<AddressIndex>,
    /// As for [`PlannedChunk`](crate::associate::plan::PlannedChunk).
    pub(crate) request_calls: usize,
    /// Index of the planned chunk that this chunk comes from.
    pub(super) planned: usize,
    state: ChunkState,
}

/// What is known about a chunk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ChunkState {
    /// No call has contained an address of the chunk yet.
    Untried,
    /// Nothing, although a call may have contained some of the addresses.
    Unknown,
    ContainsBad,
    /// The chunk is the first part of a chunk that contains an address at fault. The next chunk in the stack is the other
    /// part.
    FirstPart,
}

/// The chunks that are still to be tried.
#[derive(Debug, Default)]
pub(crate) struct Narrowing {
    /// The last chunk is next.
    stack: Vec<Chunk>,
    /// Number of planned chunks that were added so far.
    chunks: usize,
}

impl Chunk {
    fn part(&self, members: Vec<AddressIndex>) -> Self {
        Chunk { members, state: ChunkState::Unknown, ..*self }
    }

    /// Whether addresses can join the chunk before its call.
    pub(super) fn takes_more(&self) -> bool {
        self.state == ChunkState::Untried && self.members.len() < CHUNK
    }
}

impl Narrowing {
    /// Adds chunks after all others. Each has its addresses and its [`Chunk::request_calls`].
    pub(crate) fn add(&mut self, chunks: impl IntoIterator<Item = (Vec<AddressIndex>, usize)>) {
        let chunk = |(number, (members, request_calls))| Chunk {
            members,
            request_calls,
            planned: self.chunks + number,
            state: ChunkState::Untried,
        };
        let mut stack: Vec<Chunk> = chunks.into_iter().enumerate().map(chunk).collect();
        self.chunks += stack.len();
        stack.reverse();
        stack.append(&mut self.stack);
        self.stack = stack;
    }

    /// Tops up an untried chunk from other untried chunks that are not full, until it is full. Full chunks are left alone,
    /// so that the number of calls stays minimal.
    pub(super) fn fill<Order: Ord>(&mut self, chunk: &mut Chunk, order: impl Fn(AddressIndex) -> Order) {
        let others = self.stack.iter_mut().rev().filter(|other| other.takes_more());
        for other in others {
            let taken = other.members.len().min(CHUNK - chunk.members.len());
            chunk.members.extend(other.members.drain(..taken));
        }
        self.stack.retain(|chunk| !chunk.members.is_empty());
        chunk.members.sort_by_key(|member| order(*member));
    }

    /// Moves a full chunk to the front, unless the front one is full. Returns whether the front chunk can be tried now,
    /// although more addresses may still join the group.
    pub(super) fn move_full_chunk_first(&mut self) -> bool {
        if !self.stack.last().is_some_and(Chunk::takes_more) {
            return true;
        }
        let is_full = |chunk: &Chunk| chunk.state == ChunkState::Untried && !chunk.takes_more();
        let full = self.stack.iter().rposition(is_full);
        if let Some(position) = full {
            let chunk = self.stack.remove(position);
            self.stack.push(chunk);
        }
        full.is_some()
    }

    /// [`Chunk::request_calls`] of the next chunk, or `None` if there is no chunk.
    pub(super) fn request_calls(&self) -> Option<usize> {
        self.stack.last().map(|chunk| chunk.request_calls)
    }

    /// The next chunk to try. It contains only undecided addresses, and at most `at_most` of them.
    pub(crate) fn next(
        &mut self,
        at_most: Option<usize>,
        is_undecided: impl Fn(AddressIndex) -> bool,
    ) -> Option<Chunk> {
        let at_most = at_most.unwrap_or(usize::MAX);
        if at_most == 0 {
            return None;
        }
        loop {
            let mut chunk = self.stack.pop()?;
            let members = chunk.members.len();
            chunk.members.retain(|member| is_undecided(*member));
            if chunk.members.len() < members && chunk.state != ChunkState::Untried {
                // The address at fault may be among those that are decided now.
                chunk.state = ChunkState::Unknown;
            }
            if chunk.members.len() > at_most {
                let rest = chunk.members.split_off(at_most);
                chunk.state = ChunkState::Unknown;
                self.stack.push(chunk.part(rest));
            }
            match (chunk.state, chunk.members.len()) {
                (_, 0) => {}
                (ChunkState::ContainsBad, 2..) => self.split(chunk),
                _ => return Some(chunk),
            }
        }
    }

    pub(crate) fn accepted(&mut self, chunk: &Chunk) {
        if let (ChunkState::FirstPart, Some(other)) = (chunk.state, self.stack.last_mut()) {
            other.state = ChunkState::ContainsBad;
        }
    }

    pub(crate) fn put_back(&mut self, mut chunk: Chunk) {
        if chunk.state == ChunkState::Untried {
            chunk.state = ChunkState::Unknown;
        }
        self.stack.push(chunk);
    }

    /// Sorts the chunks in the order in which their addresses were requested, instead of by [`Chunk::request_calls`].
    pub(super) fn sort_by_request_order(&mut self) {
        self.stack.sort_by_key(|chunk| std::cmp::Reverse(chunk.members.first().copied()));
        for chunk in &mut self.stack {
            chunk.state = ChunkState::Unknown;
        }
    }

    /// Puts back a chunk whose content the API rejected, so that it will be split. If the chunk has a single address, that
    /// address is at fault, and is the error.
    pub(crate) fn rejected(&mut self, mut chunk: Chunk) -> Result<(), AddressIndex> {
        if let [single] = *chunk.members {
            return Err(single);
        }
        chunk.state = ChunkState::ContainsBad;
        self.stack.push(chunk);
        Ok(())
    }

    fn split(&mut self, mut chunk: Chunk) {
        let second = chunk.members.split_off(first_part_len(chunk.members.len()));
        self.stack.push(chunk.part(second));
        chunk.state = ChunkState::FirstPart;
        self.stack.push(chunk);
    }
}

/// The length of the first part of a chunk: the smaller part of the golden section.
fn first_part_len(len: usize) -> usize {
    // 0.382 of the length, rounded. For any length above one, the result is at least one and less than the length.
    ((len * 382 + 500) / 1000).max(1)
}

#[cfg(test)]
mod tests {
    use crate::index::{Index, IndexList};

    use super::*;

    /// Number of calls until each of `size` addresses is decided. `bad` lists the addresses at fault. The call for the
    /// whole chunk was rejected before and does not count.
    fn calls(size: usize, bad: &[usize]) -> usize {
        let mut narrowing = one_chunk(size);
        let whole = narrowing.next(None, |_| true).unwrap();
        assert_eq!(narrowing.rejected(whole), Ok(()));
        let mut decided = IndexList::<AddressIndex, _>::from(vec![None; size]);
        let mut calls = 0;
        while let Some(chunk) = narrowing.next(None, |member| decided[member].is_none()) {
            calls += 1;
            if chunk.members.iter().any(|member| bad.contains(&member.get())) {
                if let Err(single) = narrowing.rejected(chunk) {
                    decided[single] = Some(false);
                }
            } else {
                narrowing.accepted(&chunk);
                chunk.members.iter().for_each(|member| decided[*member] = Some(true));
            }
        }
        let expected: Vec<_> = (0..size).map(|member| Some(!bad.contains(&member))).collect();
        assert_eq!(*decided, *expected);
        calls
    }

    fn one_chunk(size: usize) -> Narrowing {
        narrowing([(indices(0..size), 7)])
    }

    fn narrowing<const N: usize>(chunks: [(Vec<AddressIndex>, usize); N]) -> Narrowing {
        let mut narrowing = Narrowing::default();
        narrowing.add(chunks);
        narrowing
    }

    fn indices(members: impl IntoIterator<Item = usize>) -> Vec<AddressIndex> {
        members.into_iter().map(AddressIndex::new).collect()
    }

    /// The addresses of the next chunk.
    fn next(
        narrowing: &mut Narrowing,
        at_most: Option<usize>,
        undecided: impl Fn(usize) -> bool,
    ) -> Option<Vec<usize>> {
        let chunk = narrowing.next(at_most, |member| undecided(member.get()))?;
        Some(chunk.members.into_iter().map(AddressIndex::get).collect())
    }

    #[test]
    fn chunk_is_cut_to_the_room() {
        for (at_most, tried) in [
            (None, vec![vec![0, 1, 2, 3, 4]]),
            (Some(5), vec![vec![0, 1, 2, 3, 4]]),
            (Some(6), vec![vec![0, 1, 2, 3, 4]]),
            (Some(2), vec![vec![0, 1], vec![2, 3], vec![4]]),
            (Some(0), vec![]),
        ] {
            let mut narrowing = one_chunk(5);
            let chunks: Vec<_> = std::iter::from_fn(|| next(&mut narrowing, at_most, |_| true)).collect();
            assert_eq!(chunks, tried, "{at_most:?}");
        }
    }

    #[test]
    fn rejected_chunk_is_split_only_if_all_of_it_can_be_tried() {
        let rejected = || {
            let mut narrowing = one_chunk(5);
            let whole = narrowing.next(None, |_| true).unwrap();
            assert_eq!(narrowing.rejected(whole), Ok(()));
            narrowing
        };
        assert_eq!(next(&mut rejected(), None, |_| true), Some(vec![0, 1]));
        assert_eq!(next(&mut rejected(), Some(5), |_| true), Some(vec![0, 1]));
        // The invalid address may be the decided one, or an address for which the queue has no room.
        assert_eq!(next(&mut rejected(), None, |member| member != 1), Some(vec![0, 2, 3, 4]));
        assert_eq!(next(&mut rejected(), Some(3), |_| true), Some(vec![0, 1, 2]));
    }

    #[test]
    fn chunk_fills_from_partial_chunks() {
        let mut narrowing = narrowing([(indices(0..30), 2), (indices(30..80), 1), (indices(80..110), 1)]);
        let mut chunk = narrowing.next(None, |_| true).unwrap();
        assert!(chunk.takes_more());
        narrowing.fill(&mut chunk, |member| member);
        assert_eq!(chunk.members, indices((0..30).chain(80..100)));
        assert!(!chunk.takes_more());
        assert_eq!(next(&mut narrowing, None, |_| true), Some((30..80).collect()));
        assert_eq!(next(&mut narrowing, None, |_| true), Some((100..110).collect()));
        assert_eq!(next(&mut narrowing, None, |_| true), None);
    }

    #[test]
    fn full_chunk_goes_first() {
        let mut narrowing = narrowing([(indices(50..60), 1), (indices(0..50), 2)]);
        assert!(narrowing.move_full_chunk_first());
        assert_eq!(next(&mut narrowing, None, |_| true), Some((0..50).collect()));
        assert!(!narrowing.move_full_chunk_first());
        assert_eq!(next(&mut narrowing, None, |_| true), Some((50..60).collect()));
        assert!(narrowing.move_full_chunk_first());
    }

    // The bounds of a chunk of 50. The call for the whole chunk, the queue's list, and the list once more before an address
    // is blamed are included.
    const FIRST_BAD: usize = 14;
    const EACH_FURTHER_BAD: usize = 9;
    /// One call for each part of the chunk, and the three calls above.
    const ALL_BAD: usize = 101;

    #[test]
    fn one_address_at_fault_costs_nine_calls_in_any_position() {
        assert_eq!((0..50).map(|bad| calls(50, &[bad])).max(), Some(9));
    }

    #[test]
    fn any_two_addresses_at_fault_stay_within_the_bound() {
        let worst = (0..50).flat_map(|a| (a + 1..50).map(move |b| calls(50, &[a, b]))).max();
        assert!(worst.unwrap() + 3 <= FIRST_BAD + EACH_FURTHER_BAD, "{worst:?}");
    }

    #[test]
    fn any_number_at_fault_stays_within_the_bound() {
        // The most calls for a size and a number of addresses at fault, over every way to place them. `own` says that
        // the chunk was rejected by its own call. Otherwise the chunk is only known to contain an address at fault.
        fn worst(
            size: usize,
            bad: usize,
            own: bool,
            memo: &mut std::collections::HashMap<(usize, usize, bool), usize>,
        ) -> usize {
            if size == 1 {
                return usize::from(!own);
            }
            if let Some(known) = memo.get(&(size, bad, own)) {
                return *known;
            }
            let first = first_part_len(size);
            let second = size - first;
            let mut most = 0;
            for in_first in 0..=bad.min(first) {
                let in_second = bad - in_first;
                if in_second > second {
                    continue;
                }
                let cost = match (in_first, in_second) {
                    (0, _) => 1 + worst(second, in_second, false, memo),
                    (_, 0) => 1 + worst(first, in_first, true, memo) + 1,
                    _ => 1 + worst(first, in_first, true, memo) + 1 + worst(second, in_second, true, memo),
                };
                most = most.max(cost);
            }
            memo.insert((size, bad, own), most);
            most
        }
        let mut memo = std::collections::HashMap::new();
        for bad in 1..=50 {
            let none_listed = 3 + worst(50, bad, true, &mut memo);
            // If an address of the chunk is on the list, the other addresses are first tried together.
            let some_listed = if bad < 50 { 4 + worst(49, bad, true, &mut memo) } else { 0 };
            let calls = none_listed.max(some_listed);
            let bound = (FIRST_BAD + EACH_FURTHER_BAD * (bad - 1)).min(ALL_BAD);
            assert!(calls <= bound, "{bad} at fault: {calls} calls, {bound} allowed");
        }
    }
}
