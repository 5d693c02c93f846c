//! The order in which directories are read.

use crate::associate::urgency::{CHUNK, fewest_calls};
use crate::index::{DirectoryIndex, Index, IndexList, PairIndex};
use crate::pairs::{Mention, Pairs};

/// Returns the urgency of each directory: the number of calls that the smallest request that needs the directory makes.
/// The number of pages is not known yet, so a directory counts as one call. `needs` returns the directories that a mention
/// needs.
pub(super) fn urgencies<Needed>(
    pairs: &Pairs,
    directories: usize,
    needs: impl Fn(&Mention) -> Needed,
) -> Vec<usize>
where
    Needed: Iterator<Item = DirectoryIndex>,
{
    let (chunk_of, chunks) = chunks(pairs);
    let mentions = || {
        pairs.mentions.iter().flat_map(|mention| {
            // The chunks take the numbers after the directories.
            let chunk = directories + chunk_of[mention.pair];
            let calls = needs(mention).map(Index::get).chain([chunk]);
            calls.map(|call| (mention.request, call))
        })
    };
    let mut fewest = fewest_calls(directories + chunks, pairs.requests.len(), mentions);
    fewest.truncate(directories);
    fewest
}

/// Returns the chunk of each pair, and the number of chunks, as if different names were different queues and addresses.
fn chunks(pairs: &Pairs) -> (IndexList<PairIndex, usize>, usize) {
    let mut of_queue = IndexList::from(vec![(0, 0); pairs.queues.len()]);
    let mut chunks = 0;
    let mut chunk_of = IndexList::with_capacity(pairs.pairs.len());
    for pair in &pairs.pairs {
        let (chunk, addresses) = &mut of_queue[pair.queue()];
        if *addresses % CHUNK == 0 {
            *chunk = chunks;
            chunks += 1;
        }
        *addresses += 1;
        chunk_of.push(*chunk);
    }
    (chunk_of, chunks)
}
