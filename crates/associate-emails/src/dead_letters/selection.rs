//! The conditions that select dead letters.

use super::args::DeadLetters;
use super::dead_letter::DeadLetter;

/// The conditions that select a dead letter. An empty list matches every dead letter.
#[derive(Debug)]
pub(super) struct Selection<'a> {
    errors: &'a [String],
    references: &'a [String],
    queue_ids: &'a [String],
}

impl<'a> Selection<'a> {
    pub(super) fn of(args: &'a DeadLetters) -> Self {
        Selection { errors: &args.error, references: &args.reference, queue_ids: &args.queue_id }
    }

    pub(super) fn includes(&self, letter: &DeadLetter) -> bool {
        let errors = letter.reasons.iter().map(|(error, _)| error);
        any_of(self.errors, errors)
            && any_of(self.references, letter.references.iter())
            && any_of(self.queue_ids, letter.queue_ids.iter())
    }
}

fn any_of<'l>(wanted: &[String], mut present: impl Iterator<Item = &'l String>) -> bool {
    wanted.is_empty() || present.any(|one| wanted.contains(one))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dead_letter_must_match_each_given_option() {
        let own = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        let letter = DeadLetter {
            id: "m".to_owned(),
            sent: None,
            received: None,
            reasons: vec![
                ("QueueFull".to_owned(), String::new()),
                ("NameNotFound".to_owned(), String::new()),
            ],
            references: ["r1".to_owned()].into(),
            queue_ids: ["q1".to_owned(), "q2".to_owned()].into(),
            body: String::new(),
        };
        let table: [([&[&str]; 3], bool); 7] = [
            ([&[], &[], &[]], true),
            ([&["NameNotFound"], &[], &[]], true),
            ([&["Other", "QueueFull"], &["r1"], &["q2"]], true),
            ([&["Other"], &[], &[]], false),
            ([&["QueueFull"], &["r2"], &[]], false),
            ([&[], &["r1"], &["q"]], false),
            ([&[], &["R1"], &[]], false),
        ];
        for ([errors, references, queue_ids], included) in table {
            let [errors, references, queue_ids] = [own(errors), own(references), own(queue_ids)];
            let selection = Selection { errors: &errors, references: &references, queue_ids: &queue_ids };
            assert_eq!(selection.includes(&letter), included, "{selection:?}");
        }
    }
}
