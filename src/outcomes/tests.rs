//! What a second round keeps of the first.

use serde_json::{Value, json};

use crate::failure::Retry;
use crate::pairs::Named;
use crate::payload::Envelope;
use crate::requests::Home;

use super::*;

fn pairs(request: &Value) -> Pairs {
    let payload = request.to_string();
    let envelope = Envelope::read(payload.as_bytes()).unwrap();
    Pairs::read(&envelope, &Home::new("eu-central-1"), Some("i")).unwrap()
}

/// Names are found, with a mark before them and without a domain; but not those that begin with a question mark.
fn resolved(pairs: &Pairs, mark: &str) -> Resolved {
    let id = |named: Named<&Arc<str>>| match named {
        Named::Id(id) => Ok(id.clone()),
        Named::Name(name) if name.starts_with('?') => Err(failure(Blame::Nothing)),
        Named::Name(name) => Ok(format!("{mark}{}", name.trim_end_matches("@x.example")).into()),
    };
    Resolved {
        queues: pairs.queues.iter().map(|queue| id(queue.queue.as_ref())).collect(),
        addresses: pairs.pairs.iter().map(|pair| id(pair.address())).collect(),
    }
}

fn failure(blame: Blame) -> Arc<Failure> {
    Arc::new(Failure { blame, ..Failure::ours("E", "as the test wants", Retry::Never) })
}

fn failed(blame: Blame) -> Outcome {
    Outcome::Failed(failure(blame))
}

/// The identifiers after names were resolved once more, given what became of each pair under the first ones.
fn kept(outcomes: &[Outcome]) -> (Vec<String>, Vec<String>) {
    let pairs = pairs(&json!({ "associations": [
        { "queueName": "q", "emailAddresses": ["a@x.example", "?@x.example"] },
        { "queueName": "q", "emailAddresses": ["b@x.example"] },
    ]}));
    let plan = Plan::new(&pairs, resolved(&pairs, "old-"));
    let outcomes = Outcomes { by_group: Vec::new(), by_pair: outcomes.to_vec() };
    let resolved = outcomes.keep_in(resolved(&pairs, "new-"), &pairs, &plan);
    let text = |ids: Vec<Result<Arc<str>, _>>| {
        ids.into_iter().map(|id| id.map_or("none".to_owned(), |id| id.to_string()))
    };
    (text(resolved.queues).collect(), text(resolved.addresses).collect())
}

#[test]
fn what_was_refused_is_resolved_anew_and_all_else_stays_as_it_was_called() {
    let missing = failed(Blame::Nothing);
    let timeless = Outcome::Failed(Arc::new(Failure::deadline_exceeded("late")));
    for (a, b, queue, addresses) in [
        (failed(Blame::Address), Outcome::Associated, "old-q", ["new-a", "none", "old-b"]),
        (failed(Blame::Address), Outcome::AlreadyAssociated, "old-q", ["new-a", "none", "old-b"]),
        (failed(Blame::Queue), failed(Blame::Queue), "new-q", ["new-a", "none", "new-b"]),
        // Neither a pair whose name was not found nor a dry run nor want of time speaks for the queue.
        (failed(Blame::Queue), Outcome::Planned, "new-q", ["new-a", "none", "old-b"]),
        (failed(Blame::Queue), timeless, "new-q", ["new-a", "none", "old-b"]),
        (failed(Blame::Either), Outcome::Associated, "old-q", ["new-a", "none", "old-b"]),
        (Outcome::Planned, Outcome::Planned, "old-q", ["old-a", "none", "old-b"]),
    ] {
        let (queues, kept) = kept(&[a.clone(), missing.clone(), b.clone()]);
        assert_eq!(queues, [queue], "{a:?} {b:?}");
        assert_eq!(kept, addresses, "{a:?} {b:?}");
    }
}
