//! What is invalid in a request.

use std::borrow::Cow;

use super::{Excerpt, Field, Path};

/// How many entries and elements of one request may be invalid and still be told one by one. Each costs some hundred
/// times the two bytes that it takes to write it: without an end, one message of a megabyte would end the process for
/// want of memory, each time that it is delivered, and take along the others of its batch.
pub(super) const MAX_INVALID: usize = 10_000;

/// Something invalid: which part of the request, and why.
#[derive(Debug, Clone)]
pub struct Invalid {
    path: Path,
    /// The member's name as the caller wrote it, where that is not the field's own.
    written_as: Option<Box<str>>,
    /// One line: what was met and what is accepted. Never the value itself, which may be an email address.
    pub message: String,
    /// The part as it stood. What makes an invocation as a whole invalid has none.
    pub excerpt: Option<Excerpt>,
}

impl Invalid {
    /// Something invalid at a path.
    pub fn new(path: Path, message: impl Into<String>) -> Self {
        Invalid { path, written_as: None, message: message.into(), excerpt: None }
    }

    /// A field of an object that reads `<field> <reason>`.
    pub(super) fn field(object: Path, field: Field, reason: impl std::fmt::Display) -> Self {
        Invalid::new(object.field(field), format!("{field} {reason}"))
    }

    /// A member whose name is nearly that of a known field.
    pub(super) fn misspelled(object: Path, field: Field, written_as: &str) -> Self {
        let written_as = shown(written_as);
        Invalid {
            path: object.field(field),
            written_as: Some(written_as.as_ref().into()),
            message: format!("{written_as:?} is not a field of a request; {field} was meant"),
            excerpt: None,
        }
    }

    /// A member of the payload whose name is nearly that of a known one.
    pub(crate) fn misspelled_member(written_as: &str, meant: &str) -> Self {
        let message = format!("{:?} is not a member of the payload; {meant} was meant", shown(written_as));
        Invalid::new(Path::default(), message)
    }

    /// The same, of a text that holds no request.
    pub(crate) fn in_text(self, text: impl Into<Box<str>>) -> Self {
        Invalid { excerpt: Some(Excerpt::Unreadable(text.into())), ..self }
    }

    /// Where it stands, for ordering and for finding the entry again.
    pub fn path(&self) -> Path {
        self.path
    }

    /// Where it stands, as a JSON path; nothing for a body as a whole.
    pub fn path_text(&self) -> Option<String> {
        if self.path.is_empty() {
            return None;
        }
        let path = self.path.to_string();
        Some(match (&self.written_as, path.rfind('.')) {
            (Some(name), Some(dot)) => format!("{}.{name}", &path[..dot]),
            (Some(name), None) => name.to_string(),
            (None, _) => path,
        })
    }
}

/// Characters of a name that are shown: a name nearly right may be a megabyte of blanks.
const SHOWN: usize = 60;

pub(super) fn shown(name: &str) -> Cow<'_, str> {
    match name.char_indices().nth(SHOWN) {
        None => Cow::Borrowed(name),
        Some((end, _)) => Cow::Owned(format!("{}…", &name[..end])),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelled_field_is_named_as_it_was_written() {
        let entry = Path::default().entry(2);
        let invalid = Invalid::misspelled(entry, Field::QueueId, "queue_id");
        assert_eq!(invalid.path_text().as_deref(), Some("associations[2].queue_id"));
        assert_eq!(invalid.message, r#""queue_id" is not a field of a request; queueId was meant"#);
        let invalid = Invalid::misspelled(Path::default(), Field::DryRun, "\u{feff}dryRun");
        assert_eq!(invalid.path_text().as_deref(), Some("\u{feff}dryRun"));
    }

    #[test]
    fn a_name_of_any_length_makes_a_message_that_can_be_read() {
        let invalid =
            Invalid::misspelled(Path::default(), Field::DryRun, &format!("dry{}Run", " ".repeat(1_000_000)));
        assert!(invalid.message.len() < 200, "{} bytes", invalid.message.len());
        assert!(invalid.path_text().is_some_and(|path| path.len() < 200));
    }
}
