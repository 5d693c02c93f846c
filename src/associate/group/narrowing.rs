//! Splits a rejected chunk until the addresses at fault are known.
//!
//! The API rejects a whole call because of one bad address, and does not say which. So the group splits a rejected chunk
//! in two and first tries the part that was requested first. If the API accepts that part, the other part must contain
//! the address at fault. The group then splits the other part without a call for it as a whole. It blames an address only
//! after the API rejected that address alone.
//!
//! The first part is the smaller one, by the golden section. If the API rejects the first part, both parts cost a call.
//! If the API accepts it, only one part does. The uneven split makes the two cases equally expensive. It finds one address at
//! fault among 50 in at most 9 more calls; halving needs 11.

use crate::associate::urgency::CHUNK;
use crate::index::AddressIndex;

/// The addresses of one call: a chunk of the plan, or a part of one. The addresses are in the requested order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Chunk {
    /// The addresses in their group, in ascending order.
    pub members: Vec<AddressIndex>,
    /// The lowest number goes first.
    pub(crate) urgency: usize,
    /// Number of the planned chunk that this chunk comes from.
    pub(super) planned: usize,
    /// No call has contained an address of the chunk yet.
    fresh: bool,
    /// An address of the chunk is at fault.
    tainted: bool,
    /// The next chunk in the stack is the other part of a tainted chunk.
    first_part: bool,
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
    /// Creates a part of this chunk about which nothing is known.
    fn part(&self, members: Vec<AddressIndex>) -> Self {
        Chunk { members, fresh: false, tainted: false, first_part: false, ..*self }
    }

    /// Whether the chunk's call has room for more addresses of the group.
    pub(crate) fn takes_more(&self) -> bool {
        self.fresh && self.members.len() < CHUNK
    }
}

impl Narrowing {
    /// Takes the chunks of a group in the order of their calls, each with its urgency.
    pub(crate) fn new(chunks: impl Iterator<Item = (Vec<AddressIndex>, usize)>) -> Self {
        let mut narrowing = Narrowing::default();
        narrowing.add(chunks);
        narrowing
    }

    /// Adds chunks after all others.
    pub(super) fn add(&mut self, chunks: impl Iterator<Item = (Vec<AddressIndex>, usize)>) {
        let chunk = |(number, (members, urgency))| Chunk {
            members,
            urgency,
            planned: self.chunks + number,
            fresh: true,
            tainted: false,
            first_part: false,
        };
        let mut stack: Vec<Chunk> = chunks.enumerate().map(chunk).collect();
        self.chunks += stack.len();
        stack.reverse();
        stack.append(&mut self.stack);
        self.stack = stack;
    }

    /// Fills a chunk that was not tried yet with addresses of other such chunks, until it is full. Full chunks stay
    /// complete, so that the number of calls is the minimum.
    pub(super) fn fill<Order: Ord>(&mut self, chunk: &mut Chunk, order: impl Fn(AddressIndex) -> Order) {
        let others = self.stack.iter_mut().rev().filter(|other| other.takes_more());
        for other in others {
            let taken = other.members.len().min(CHUNK - chunk.members.len());
            chunk.members.extend(other.members.drain(..taken));
        }
        self.stack.retain(|chunk| !chunk.members.is_empty());
        chunk.members.sort_by_key(|member| order(*member));
    }

    /// Puts a full chunk first if the first chunk is not full. Returns whether the first chunk may be tried while
    /// more addresses may still join the group.
    pub(super) fn whole_chunk_first(&mut self) -> bool {
        if !self.stack.last().is_some_and(Chunk::takes_more) {
            return true;
        }
        let whole = self.stack.iter().rposition(|chunk| chunk.fresh && !chunk.takes_more());
        if let Some(position) = whole {
            let chunk = self.stack.remove(position);
            self.stack.push(chunk);
        }
        whole.is_some()
    }

    /// Urgency of the next chunk, or `None` if there is no chunk.
    pub(super) fn urgency(&self) -> Option<usize> {
        self.stack.last().map(|chunk| chunk.urgency)
    }

    /// The next chunk to try. It contains only undecided addresses, and at most `at_most` of them.
    pub(crate) fn next(
        &mut self,
        at_most: Option<usize>,
        undecided: impl Fn(AddressIndex) -> bool,
    ) -> Option<Chunk> {
        if at_most == Some(0) {
            return None;
        }
        loop {
            let mut chunk = self.stack.pop()?;
            let members = chunk.members.len();
            chunk.members.retain(|member| undecided(*member));
            if chunk.members.len() < members {
                // The address at fault may be among those that are decided now.
                (chunk.tainted, chunk.first_part) = (false, false);
            }
            if chunk.members.is_empty() {
                continue;
            }
            if let Some(rest) =
                at_most.filter(|most| *most < chunk.members.len()).map(|most| chunk.members.split_off(most))
            {
                (chunk.fresh, chunk.tainted, chunk.first_part) = (false, false, false);
                self.stack.push(chunk.part(rest));
            }
            if chunk.tainted && chunk.members.len() > 1 {
                self.split(chunk);
                continue;
            }
            return Some(chunk);
        }
    }

    /// Records that the API accepted a chunk.
    pub(crate) fn accepted(&mut self, chunk: &Chunk) {
        if let (true, Some(other)) = (chunk.first_part, self.stack.last_mut()) {
            other.tainted = true;
        }
    }

    /// Puts a chunk back so that it is tried again.
    pub(crate) fn put_back(&mut self, chunk: Chunk) {
        self.stack.push(Chunk { fresh: false, ..chunk });
    }

    /// Orders the chunks as their addresses were requested, and no longer by urgency.
    pub(super) fn in_requested_order(&mut self) {
        self.stack.sort_by_key(|chunk| std::cmp::Reverse(chunk.members.first().copied()));
        for chunk in &mut self.stack {
            (chunk.fresh, chunk.tainted, chunk.first_part) = (false, false, false);
        }
    }

    /// Puts a chunk back that the API rejected for its content, so that it is split.
    ///
    /// # Errors
    /// Returns the address of a chunk of one, which is at fault.
    pub(crate) fn rejected(&mut self, mut chunk: Chunk) -> Result<(), AddressIndex> {
        match chunk.members.as_slice() {
            [] => Ok(()),
            [single] => Err(*single),
            _ => {
                (chunk.fresh, chunk.tainted, chunk.first_part) = (false, true, false);
                self.stack.push(chunk);
                Ok(())
            }
        }
    }

    fn split(&mut self, mut chunk: Chunk) {
        let second = chunk.members.split_off(first_part(chunk.members.len()));
        self.stack.push(chunk.part(second));
        (chunk.tainted, chunk.first_part) = (false, true);
        self.stack.push(chunk);
    }
}

/// The size of the first part of a chunk: the smaller part of the golden section.
fn first_part(size: usize) -> usize {
    // 0.382 of the size, rounded. For any size above one, the result is at least one and less than the size.
    ((size * 382 + 500) / 1000).max(1)
}

#[cfg(test)]
mod tests {
    use crate::index::{Index, IndexList};

    use super::*;

    /// Number of calls until each of `size` addresses is decided. `bad` lists the addresses at fault. The call for the
    /// whole chunk was rejected before and does not count.
    fn calls(size: usize, bad: &[usize]) -> usize {
        let mut narrowing = one_chunk(size);
        let whole = narrowing.stack.pop().unwrap();
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
        Narrowing::new([(indices(0..size), 7)].into_iter())
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
    fn decided_addresses_are_not_tried() {
        assert_eq!(next(&mut one_chunk(4), None, |member| member > 1), Some(vec![2, 3]));
        assert_eq!(next(&mut one_chunk(4), None, |_| false), None);
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
        // The invalid address may be the decided one, or an address that has no room.
        assert_eq!(next(&mut rejected(), None, |member| member != 1), Some(vec![0, 2, 3, 4]));
        assert_eq!(next(&mut rejected(), Some(3), |_| true), Some(vec![0, 1, 2]));
    }

    #[test]
    fn chunk_put_back_is_tried_again() {
        let mut narrowing = one_chunk(3);
        let chunk = narrowing.next(None, |_| true).unwrap();
        narrowing.put_back(chunk);
        assert_eq!(next(&mut narrowing, None, |_| true), Some(vec![0, 1, 2]));
    }

    #[test]
    fn chunk_fills_from_partial_chunks() {
        let mut narrowing = Narrowing::new([(indices(0..30), 2)].into_iter());
        narrowing.add([(indices(30..80), 1), (indices(80..110), 1)].into_iter());
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
    fn tried_chunk_takes_no_more() {
        let mut narrowing = one_chunk(3);
        let chunk = narrowing.next(None, |_| true).unwrap();
        narrowing.put_back(chunk);
        assert!(!narrowing.next(None, |_| true).unwrap().takes_more());
    }

    #[test]
    fn full_chunk_goes_first() {
        let mut narrowing = Narrowing::new([(indices(50..60), 1), (indices(0..50), 2)].into_iter());
        assert!(narrowing.whole_chunk_first());
        assert_eq!(next(&mut narrowing, None, |_| true), Some((0..50).collect()));
        assert!(!narrowing.whole_chunk_first());
        assert_eq!(next(&mut narrowing, None, |_| true), Some((50..60).collect()));
        assert!(narrowing.whole_chunk_first());
    }

    #[test]
    fn urgency_gives_way_to_the_requested_order() {
        let mut narrowing = Narrowing::new([(indices([2, 3]), 1), (indices([0, 1]), 2)].into_iter());
        narrowing.in_requested_order();
        assert_eq!(next(&mut narrowing, None, |_| true), Some(vec![0, 1]));
        assert_eq!(next(&mut narrowing, None, |_| true), Some(vec![2, 3]));
    }

    #[test]
    fn empty_chunk_has_no_address_at_fault() {
        let mut narrowing = one_chunk(0);
        let empty = narrowing.stack.pop().unwrap();
        assert_eq!(narrowing.rejected(empty), Ok(()));
        assert_eq!(next(&mut narrowing, None, |_| true), None);
    }

    #[test]
    fn one_address_at_fault_costs_nine_calls_in_any_position() {
        assert_eq!((0..50).map(|bad| calls(50, &[bad])).max(), Some(9));
    }

    #[test]
    fn any_two_addresses_at_fault_stay_within_the_bound() {
        let worst = (0..50).flat_map(|a| (a + 1..50).map(move |b| calls(50, &[a, b]))).max();
        // The call for the whole chunk and the queue's list come before, and the list once more at the end.
        assert!(worst.unwrap() + 3 <= 14 + 9, "{worst:?}");
    }

    #[test]
    fn all_addresses_at_fault_cost_one_call_for_each_part() {
        assert_eq!(calls(50, &(0..50).collect::<Vec<_>>()), 98);
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
            let first = first_part(size);
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
            // The call for the whole chunk, the queue's list, and the list once more before an address is blamed.
            let none_listed = 3 + worst(50, bad, true, &mut memo);
            // If an address of the chunk is on the list, the other addresses are first tried together.
            let some_listed = if bad < 50 { 4 + worst(49, bad, true, &mut memo) } else { 0 };
            let calls = none_listed.max(some_listed);
            let bound = (14 + 9 * (bad - 1)).min(101);
            assert!(calls <= bound, "{bad} at fault: {calls} calls, {bound} allowed");
        }
    }
}
