//! Invalid: the invalid parts of a request.

use std::borrow::Cow;
use std::sync::Arc;

use super::{Excerpt, Field, Path};

/// An invalid part of a request, and the reason.
#[derive(Debug, Clone)]
pub struct Invalid {
    path: Path,
    /// The member's name as the caller wrote it, if it is not the field's own name.
    written_as: Option<Box<str>>,
    /// One line with the problem and the expected form. It never contains the value, which may be an email address.
    pub message: Arc<str>,
    /// A copy of the part. `None` if the invocation as a whole is invalid.
    pub(crate) excerpt: Option<Excerpt>,
}

impl Invalid {
    /// Creates an invalid part at a path.
    pub fn new(path: Path, message: impl Into<Arc<str>>) -> Self {
        Invalid { path, written_as: None, message: message.into(), excerpt: None }
    }

    /// Creates an invalid field of an object, with the message `<field> <reason>`.
    pub(super) fn field(object: Path, field: Field, reason: impl std::fmt::Display) -> Self {
        Invalid::new(object.field(field), format!("{field} {reason}"))
    }

    /// Creates an invalid member whose name is nearly that of a known field.
    pub(super) fn misspelled(object: Path, field: Field, written_as: &str) -> Self {
        let written_as = shown(written_as);
        Invalid {
            path: object.field(field),
            written_as: Some(written_as.as_ref().into()),
            message: format!("{written_as:?} is not a field of a request; {field} was meant").into(),
            excerpt: None,
        }
    }

    /// Creates an invalid member of the payload whose name is nearly that of a known one.
    pub(crate) fn misspelled_member(written_as: &str, meant: &str) -> Self {
        let message = format!("{:?} is not a member of the payload; {meant} was meant", shown(written_as));
        Invalid::new(Path::default(), message)
    }

    /// Sets the excerpt to a text that holds no request.
    pub(crate) fn in_text(self, text: impl Into<Box<str>>) -> Self {
        Invalid { excerpt: Some(Excerpt::Unreadable(text.into())), ..self }
    }

    /// The path of the part. It orders parts, and it leads to the entry.
    pub fn path(&self) -> Path {
        self.path
    }

    /// The JSON path of the part. `None` for a body as a whole.
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

/// Number of characters of a name that a message shows. A name that is nearly right may be a megabyte of blanks.
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
    fn misspelled_field_is_quoted() {
        let entry = Path::default().entry(2);
        let invalid = Invalid::misspelled(entry, Field::QueueId, "queue_id");
        assert_eq!(invalid.path_text().as_deref(), Some("associations[2].queue_id"));
        assert_eq!(&*invalid.message, r#""queue_id" is not a field of a request; queueId was meant"#);
        let invalid = Invalid::misspelled(Path::default(), Field::DryRun, "\u{feff}dryRun");
        assert_eq!(invalid.path_text().as_deref(), Some("\u{feff}dryRun"));
    }

    #[test]
    fn long_field_name_is_cut_in_the_message() {
        let invalid =
            Invalid::misspelled(Path::default(), Field::DryRun, &format!("dry{}Run", " ".repeat(1_000_000)));
        assert!(invalid.message.len() < 200, "{} bytes", invalid.message.len());
        assert!(invalid.path_text().is_some_and(|path| path.len() < 200));
    }
}
