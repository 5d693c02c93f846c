//! Index: a position in a list, in four bytes.
//!
//! A large invocation holds several indices for each pair, and Lambda bills memory.

use std::fmt;
use std::num::NonZeroU32;

/// A position in a list. Four bytes are enough, because a Lambda payload has at most 6 MB (AWS Lambda Developer Guide,
/// "Lambda quotas"). A file that is sent by hand must fit into memory too.
///
/// The stored number counts from one, so an `Option<Index>` takes no more memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Index(NonZeroU32);

impl Index {
    /// The index of a position.
    pub fn new(position: usize) -> Self {
        let number = u32::try_from(position).unwrap_or(u32::MAX).saturating_add(1);
        Index(NonZeroU32::new(number).unwrap_or(NonZeroU32::MAX))
    }

    /// The position.
    pub fn get(self) -> usize {
        self.0.get() as usize - 1
    }
}

impl fmt::Display for Index {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.get().fmt(f)
    }
}
