//! A place in a request, whose text is written only when it is needed.

use std::fmt;

use crate::index::{ElementIndex, Index};

use super::Field;

/// A JSON path within a request: `associations[3].emailAddressIds[7]`, `Items[1].queueId`, or empty.
///
/// Paths are ordered as their places in a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Path {
    base: Base,
    entry: Option<ElementIndex>,
    only_entry: bool,
    field: Option<Field>,
    element: Option<ElementIndex>,
}

// Every requested pair has a path, and Lambda bills memory.
const _: () = assert!(size_of::<Path>() == 20);

/// The place of a request in the payload or body.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Base {
    /// The payload or the body itself.
    #[default]
    Root,
    /// The defaults of a Distributed Map batch.
    BatchInput,
    /// An item of a Distributed Map batch.
    Item(u32),
}

impl Path {
    /// The request itself.
    pub fn of(base: Base) -> Self {
        Path { base, ..Path::default() }
    }

    /// An entry of `associations`.
    #[must_use]
    pub fn entry(self, index: usize) -> Self {
        Path { entry: Some(ElementIndex::new(index)), ..self }
    }

    /// The entry that is `associations` itself, an object where an array is expected.
    #[must_use]
    pub(crate) fn only_entry(self) -> Self {
        Path { only_entry: true, ..self.entry(0) }
    }

    /// A field of the request or of the entry.
    #[must_use]
    pub fn field(self, field: Field) -> Self {
        Path { field: Some(field), ..self }
    }

    /// An element of the field, which is an array.
    #[must_use]
    pub fn element(self, index: usize) -> Self {
        Path { element: Some(ElementIndex::new(index)), ..self }
    }

    /// Whether the path is the root itself, which has no text.
    pub fn is_empty(self) -> bool {
        self == Path::default()
    }

    /// The place of the request in the payload or body.
    pub fn base(self) -> Base {
        self.base
    }

    /// Index of the entry in `associations`, if the path leads to an entry. An entry without an array has index 0.
    pub fn entry_index(self) -> Option<usize> {
        self.entry.map(ElementIndex::get)
    }

    /// The array and the index of the element, if the path leads to an element.
    pub fn list_element(self) -> Option<(Field, usize)> {
        Some((self.field?, self.element?.get()))
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut dot = "";
        match self.base {
            Base::Root => {}
            Base::BatchInput => {
                f.write_str("BatchInput")?;
                dot = ".";
            }
            Base::Item(index) => {
                write!(f, "Items[{index}]")?;
                dot = ".";
            }
        }
        if let Some(index) = self.entry {
            write!(f, "{dot}associations")?;
            if !self.only_entry {
                write!(f, "[{}]", index.get())?;
            }
            dot = ".";
        }
        if let Some(field) = self.field {
            write!(f, "{dot}{field}")?;
            if let Some(index) = self.element {
                write!(f, "[{}]", index.get())?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_written_as_json_paths() {
        let root = Path::default();
        let table = [
            (root, ""),
            (root.field(Field::QueueId), "queueId"),
            (root.field(Field::EmailAddressIds).element(7), "emailAddressIds[7]"),
            (root.entry(3), "associations[3]"),
            (root.entry(3).field(Field::QueueId), "associations[3].queueId"),
            (root.entry(3).field(Field::EmailAddressIds).element(7), "associations[3].emailAddressIds[7]"),
            (root.only_entry(), "associations"),
            (root.only_entry().field(Field::QueueId), "associations.queueId"),
            (root.only_entry().field(Field::EmailAddressIds).element(7), "associations.emailAddressIds[7]"),
            (Path::of(Base::Item(1)), "Items[1]"),
            (Path::of(Base::Item(1)).field(Field::DryRun), "Items[1].dryRun"),
            (Path::of(Base::Item(1)).entry(0).field(Field::QueueId), "Items[1].associations[0].queueId"),
            (Path::of(Base::BatchInput).field(Field::DryRun), "BatchInput.dryRun"),
        ];
        for (path, text) in table {
            assert_eq!(path.to_string(), text);
        }
    }
}
