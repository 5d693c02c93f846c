//! Dead letters as text: a table with a row for each error, or a line of JSON for each dead letter.

use super::advice::advice;
use super::dead_letter::{DeadLetter, Reason};
use crate::printable::printable_json;
use crate::tables::{self, Column};
use crate::workload::count;

struct Group<'l> {
    error: &'l str,
    letters: Vec<&'l DeadLetter>,
}

/// Returns a table with a row for each error. `total` counts all dead letters in the queue; `now` is in milliseconds
/// since 1970.
pub(super) fn table(letters: &[DeadLetter], total: usize, now: u64, width: Option<u16>) -> String {
    let summary = match letters.len() {
        selected if selected == total => format!("{} in the queue", count(total, "dead letter")),
        selected => format!("{selected} of {} in the queue selected", count(total, "dead letter")),
    };
    if letters.is_empty() {
        return summary;
    }
    let groups = by_error(letters);
    let columns = vec![
        Column::text("error", &groups, |group| group.error.to_owned()),
        Column::number("dead letters", &groups, |group| group.letters.len()),
        Column::text("oldest", &groups, |group| {
            let oldest = group.letters.iter().filter_map(|letter| letter.sent).min();
            oldest.map(|sent| age(now.saturating_sub(sent))).unwrap_or_default()
        }),
        Column::text("references", &groups, |group| {
            let references: Vec<&String> =
                group.letters.iter().flat_map(|letter| &letter.references).collect();
            tables::firsts(&references, tables::FIRST, |reference| (*reference).clone())
        }),
        Column::text("what to do", &groups, |group| advice(group.error).to_owned()),
    ];
    format!("{}\n\n{summary}", tables::table(columns, width))
}

pub(super) fn json_lines(letters: &[DeadLetter]) -> String {
    // Serializing a dead letter cannot fail.
    let line = |letter| printable_json(&serde_json::to_string(letter).unwrap_or_default());
    letters.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// Groups dead letters by error, the most frequent first. A dead letter with several errors is in each of their groups.
fn by_error(letters: &[DeadLetter]) -> Vec<Group<'_>> {
    let mut groups: Vec<Group<'_>> = Vec::new();
    for letter in letters {
        for Reason { error, .. } in &letter.reasons {
            match groups.iter_mut().find(|group| group.error == error) {
                Some(group) => group.letters.push(letter),
                None => groups.push(Group { error, letters: vec![letter] }),
            }
        }
    }
    groups.sort_by_key(|group| std::cmp::Reverse(group.letters.len()));
    groups
}

/// Formats a time in milliseconds, in its largest whole unit.
fn age(millis: u64) -> String {
    let seconds = millis / 1_000;
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3_600 => format!("{} min", seconds / 60),
        3_600..86_400 => format!("{} h", seconds / 3_600),
        _ => format!("{} d", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn letter(id: &str, sent: u64, errors: &[&str]) -> DeadLetter {
        DeadLetter {
            id: id.to_owned(),
            sent: Some(sent),
            received: Some(1),
            reasons: errors.iter().map(|error| Reason::new(error, "why")).collect(),
            references: [format!("ref-{id}")].into(),
            queue_ids: ["q".to_owned()].into(),
            body: r#"{"queueId": "q"}"#.to_owned(),
        }
    }

    #[test]
    fn each_error_is_a_row_with_oldest_and_advice() {
        let hour = 3_600_000;
        let letters = [
            letter("1", 10 * hour, &["QueueFull"]),
            letter("2", 7 * hour, &["NameNotFound", "QueueFull"]),
            letter("3", 9 * hour, &["QueueFull"]),
            letter("4", 8 * hour, &["QueueFull"]),
        ];
        let text = table(&letters, 9, 12 * hour, None);
        let rows: Vec<&str> = text.lines().filter(|line| line.starts_with("| ")).collect();
        assert!(rows[1].starts_with("| QueueFull                 4   5 h "), "{text}");
        assert!(rows[1].contains("ref-1, ref-2, ref-3 and 1 more"), "{text}");
        assert!(rows[2].starts_with("| NameNotFound              1   5 h "), "{text}");
        assert!(rows[2].contains("create it, or fix the name, then redrive"), "{text}");
        assert!(text.ends_with("\n\n4 of 9 dead letters in the queue selected"), "{text}");
        assert_eq!(table(&[], 0, 0, None), "0 dead letters in the queue");
    }

    #[test]
    fn each_dead_letter_is_a_line_of_json() {
        let mut hostile = letter("2", 0, &["Unknown"]);
        hostile.body = "\u{9b}31m\u{202e}txt\u{e0041}\u{7f}".to_owned();
        let text = json_lines(&[letter("1", 5, &["QueueFull"]), hostile.clone()]);
        assert!(!text.contains(|c: char| c != '\n' && !(' '..='~').contains(&c)), "{text}");
        let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(
            lines[0],
            json!({ "messageId": "1", "sent": 5, "received": 1, "references": ["ref-1"], "queueIds": ["q"],
                    "reasons": [{ "error": "QueueFull", "message": "why" }], "body": { "queueId": "q" } })
        );
        assert_eq!(lines[1]["body"], hostile.body);
    }
}
