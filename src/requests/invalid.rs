//! The invalid parts of a request.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use super::{Excerpt, Field, Path};

/// An invalid part of a request, and the reason.
#[derive(Debug, Clone)]
pub struct Invalid {
    path: Path,
    /// The field's name as the caller wrote it, if that is not its own name.
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

    /// Creates an invalid field whose name is nearly a known one.
    pub(super) fn misspelled(object: Path, field: Field, written_as: &str) -> Self {
        let written_as = shortened(written_as);
        Invalid {
            path: object.field(field),
            written_as: Some(written_as.as_ref().into()),
            message: unknown_field(&written_as, field.name()).into(),
            excerpt: None,
        }
    }

    /// Creates an invalid field of the payload whose name is nearly a known one.
    pub(crate) fn misspelled_member(written_as: &str, meant: &str) -> Self {
        Invalid::new(Path::default(), unknown_field(&shortened(written_as), meant))
    }

    /// Sets the excerpt to a text that is not a request.
    pub(crate) fn in_text(self, text: impl Into<Box<str>>) -> Self {
        Invalid { excerpt: Some(Excerpt::Unreadable(text.into())), ..self }
    }

    /// The path of the part.
    pub fn path(&self) -> Path {
        self.path
    }

    /// The JSON path of the part as text. `None` for a body as a whole.
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

/// The path and the message, in one line.
impl fmt::Display for Invalid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.path_text() {
            Some(path) => f.write_str(&located(&path, &self.message)),
            None => f.write_str(&self.message),
        }
    }
}

/// Adds the path to a message about an invalid part. If the message starts with the field's name, the path replaces it:
/// `associations[3].queueId must be a string`.
pub(crate) fn located(path: &str, message: &str) -> String {
    let field = path.rsplit('.').next().and_then(|last| last.split('[').next()).unwrap_or_default();
    let starts_with_path = message.strip_prefix(path).is_some_and(|rest| rest.starts_with(' '));
    if starts_with_path || (field == path && message.contains(field)) {
        return message.to_owned();
    }
    let subject = message.strip_prefix("an ").unwrap_or(message).strip_prefix(field);
    match subject.map(|rest| rest.strip_prefix(" element").unwrap_or(rest)) {
        Some(rest) if rest.starts_with(' ') => format!("{path}{rest}"),
        _ => format!("{path}: {message}"),
    }
}

fn unknown_field(name: &str, meant: &str) -> String {
    format!("unknown field {name:?}; did you mean {meant:?}?")
}

/// Maximum number of characters of a name in a message. A name that is nearly right may be a megabyte of spaces.
const MAX_SHOWN: usize = 60;

pub(super) fn shortened(name: &str) -> Cow<'_, str> {
    match name.char_indices().nth(MAX_SHOWN) {
        None => Cow::Borrowed(name),
        Some((end, _)) => Cow::Owned(format!("{}…", &name[..end])),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_field_name_is_cut_in_the_message() {
        let invalid =
            Invalid::misspelled(Path::default(), Field::DryRun, &format!("dry{}Run", " ".repeat(1_000_000)));
        assert!(invalid.message.len() < 200, "{} bytes", invalid.message.len());
        assert!(invalid.path_text().is_some_and(|path| path.len() < 200));
    }

    #[test]
    fn path_replaces_the_field_in_its_message() {
        for (path, message, line) in [
            ("queueId", "queueId must be a string", "queueId must be a string"),
            (
                "associations[3].queueId",
                "queueId must be a string",
                "associations[3].queueId must be a string",
            ),
            (
                "associations[3].ids[7]",
                "an ids element must not be empty",
                "associations[3].ids[7] must not be empty",
            ),
            ("Items[1]", "Items[1] must be an object", "Items[1] must be an object"),
            ("BatchInput", "BatchInput must be an object", "BatchInput must be an object"),
            (
                "associations[0].queueId",
                "missing queueId or queueName",
                "associations[0].queueId: missing queueId or queueName",
            ),
            ("queueId", "missing queueId or queueName", "missing queueId or queueName"),
            ("a.queueId", "queueIdentifier x", "a.queueId: queueIdentifier x"),
        ] {
            assert_eq!(located(path, message), line);
        }
    }
}
