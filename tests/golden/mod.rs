//! Compares a text with its checked-in file, so that every change of the text is visible in a review.

use std::path::Path;

/// Compares a text with the file at a path within the crate. With `WRITE_MESSAGES=1` it writes the file instead.
pub(crate) fn compare(path: &str, text: &str) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    if std::env::var_os("WRITE_MESSAGES").is_some() {
        std::fs::write(&file, text).unwrap();
    }
    let before = std::fs::read_to_string(&file).unwrap_or_default();
    let mut lines = before.lines().zip(text.lines()).enumerate();
    let differs = lines.find(|(_, (before, now))| before != now);
    if let Some((number, (before, now))) = differs {
        panic!(
            "{path}, line {}\n  has {before}\n  now {now}\nIf the change is meant, run the test with \
             WRITE_MESSAGES=1 and commit the file.",
            number + 1
        );
    }
    assert_eq!(
        before.lines().count(),
        text.lines().count(),
        "{path} has another number of lines; WRITE_MESSAGES=1"
    );
}

/// A list of messages, each under the input that causes it.
#[derive(Default)]
pub(crate) struct Messages(String);

impl Messages {
    pub(crate) fn section(&mut self, title: &str) {
        let gap = if self.0.is_empty() { "" } else { "\n" };
        self.0 += &format!("{gap}# {title}\n\n");
    }

    pub(crate) fn add(&mut self, input: &str, message: &str) {
        let input = if input.is_empty() { "(nothing)" } else { input };
        let escaped = |c: char| if c.is_control() { c.escape_default().to_string() } else { c.to_string() };
        let mut shown: String = input.chars().take(110).map(escaped).collect();
        shown.extend(input.chars().nth(110).map(|_| '…'));
        let message = message.trim_end().replace('\n', "\n    ");
        self.0 += &format!("{}\n    {message}\n", shown.trim_end());
    }

    pub(crate) fn text(&self) -> &str {
        &self.0
    }
}
