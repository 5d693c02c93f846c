//! Positions in lists. The type of a position says what it counts.
//!
//! A large invocation has several indices for each pair, and Lambda bills memory, so an index has only four bytes. This
//! is enough, because a Lambda payload has at most 6 MB (AWS Lambda Developer Guide, "Lambda quotas"). A file that is
//! sent by hand must fit into memory too.

use std::marker::PhantomData;
use std::num::NonZeroU32;
use std::ops::{Deref, DerefMut};

/// A position in a list.
pub trait Index: Copy {
    /// The index of a position.
    fn new(position: usize) -> Self;

    /// The position.
    fn get(self) -> usize;
}

macro_rules! indices {
    ($($(#[$doc:meta])* $name:ident)*) => {$(
        $(#[$doc])*
        // The number counts from one, so an `Option` takes no more memory.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(NonZeroU32);

        impl Index for $name {
            fn new(position: usize) -> Self {
                let number = u32::try_from(position).unwrap_or(u32::MAX).saturating_add(1);
                $name(NonZeroU32::new(number).unwrap_or(NonZeroU32::MAX))
            }

            fn get(self) -> usize {
                self.0.get() as usize - 1
            }
        }
    )*};
}

indices! {
    /// Counts the sources of an envelope.
    SourceIndex
    /// Counts the requests of an invocation.
    RequestIndex
    /// Counts the requested queues, as callers named them.
    QueueIndex
    /// Counts the requested pairs, as callers named them.
    PairIndex
    /// Counts the invalid parts of requests.
    InvalidIndex
    /// Counts the different reasons in the dead letters of a source.
    ReasonIndex
    /// Counts the groups of a plan.
    GroupIndex
    /// Counts the addresses of a group.
    AddressIndex
    /// Counts the directories that an invocation reads names from.
    DirectoryIndex
    /// Counts the elements of a list in a request.
    ElementIndex
}

/// A list whose elements are found by one kind of index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IndexList<I, T> {
    items: Vec<T>,
    index: PhantomData<I>,
}

impl<I: Index, T> IndexList<I, T> {
    /// Returns an empty list with room for the given number of elements.
    pub fn with_capacity(elements: usize) -> Self {
        Vec::with_capacity(elements).into()
    }

    /// Adds an element, and returns its index.
    pub fn push(&mut self, item: T) -> I {
        self.items.push(item);
        I::new(self.items.len() - 1)
    }

    /// The index of each element.
    pub fn indices(&self) -> impl Iterator<Item = I> + use<I, T> {
        (0..self.items.len()).map(I::new)
    }

    /// The elements with their indices.
    pub fn indexed(&self) -> impl Iterator<Item = (I, &T)> {
        self.indices().zip(&self.items)
    }

    pub(crate) fn indexed_mut(&mut self) -> impl Iterator<Item = (I, &mut T)> {
        self.indices().zip(&mut self.items)
    }

    pub(crate) fn reserve_exact(&mut self, more: usize) {
        self.items.reserve_exact(more);
    }

    pub(crate) fn next_index(&self) -> I {
        I::new(self.items.len())
    }
}

impl<I: Index, T> std::ops::Index<I> for IndexList<I, T> {
    type Output = T;

    fn index(&self, index: I) -> &T {
        &self.items[index.get()]
    }
}

impl<I: Index, T> std::ops::IndexMut<I> for IndexList<I, T> {
    fn index_mut(&mut self, index: I) -> &mut T {
        &mut self.items[index.get()]
    }
}

impl<I, T> Deref for IndexList<I, T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.items
    }
}

impl<I, T> DerefMut for IndexList<I, T> {
    fn deref_mut(&mut self) -> &mut [T] {
        &mut self.items
    }
}

impl<I, T> Default for IndexList<I, T> {
    fn default() -> Self {
        Vec::new().into()
    }
}

impl<I, T> From<Vec<T>> for IndexList<I, T> {
    fn from(items: Vec<T>) -> Self {
        IndexList { items, index: PhantomData }
    }
}

impl<I, T> FromIterator<T> for IndexList<I, T> {
    fn from_iter<Items: IntoIterator<Item = T>>(items: Items) -> Self {
        Vec::from_iter(items).into()
    }
}

impl<I, T> IntoIterator for IndexList<I, T> {
    type Item = T;
    type IntoIter = std::vec::IntoIter<T>;

    fn into_iter(self) -> Self::IntoIter {
        self.items.into_iter()
    }
}

impl<'l, I, T> IntoIterator for &'l IndexList<I, T> {
    type Item = &'l T;
    type IntoIter = std::slice::Iter<'l, T>;

    fn into_iter(self) -> Self::IntoIter {
        self.items.iter()
    }
}

impl<'l, I, T> IntoIterator for &'l mut IndexList<I, T> {
    type Item = &'l mut T;
    type IntoIter = std::slice::IterMut<'l, T>;

    fn into_iter(self) -> Self::IntoIter {
        self.items.iter_mut()
    }
}
