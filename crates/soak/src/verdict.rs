//! The checks at the end of a run, and its figures.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use connect_simulator::{Connect, Operation, RecordedCall};

use crate::growth::Halves;
use crate::lambda::Stats;
use crate::queues::Queues;
use crate::traffic::{Asked, INSTANCE, Pair, pairs_of, untrue_failures};

/// The calls that Connect got.
#[derive(Clone, Default)]
pub(crate) struct Calls {
    all: Arc<AtomicU64>,
    throttled: Arc<AtomicU64>,
    unanswered: Arc<AtomicU64>,
    failed: Arc<AtomicU64>,
    invented: Arc<AtomicU64>,
}

impl Calls {
    /// Counts the calls, and checks of each that everything in it was asked for.
    pub(crate) fn watch(connect: &Connect, asked: Asked) -> Self {
        let calls = Calls::default();
        let (counted, of) = (calls.clone(), connect.clone());
        connect.observe(move |call| {
            let number = counted.all.fetch_add(1, Ordering::Relaxed);
            // The simulator keeps every call until it is told to forget them.
            if number.is_multiple_of(1_000) {
                of.clear_calls();
            }
            match call.status {
                None => count_up(&counted.unanswered),
                Some(_) if call.throttled() => count_up(&counted.throttled),
                Some(400..) => count_up(&counted.failed),
                Some(_) => {}
            }
            counted.invented.fetch_add(invented_by(call, &asked), Ordering::Relaxed);
        });
        calls
    }
}

/// The number of pairs in a call that nobody asked for. A call to an instance that no request names counts as 1 at
/// least.
fn invented_by(call: &RecordedCall, asked: &Asked) -> u64 {
    let foreign = call.instance != INSTANCE;
    let queue = call.queue.as_deref().unwrap_or_default();
    let associates = call.operation == Operation::AssociateQueueEmailAddresses;
    let unasked = |address: &&String| associates && (foreign || !asked.has(queue, address));
    let pairs = call.addresses.iter().filter(unasked).count() as u64;
    pairs.max(u64::from(foreign))
}

/// Prints the figures and the failed checks as a table. Gives whether every check holds.
pub(crate) fn print(
    took: Duration,
    connect: &Connect,
    queues: &Queues,
    asked: &Asked,
    calls: &Calls,
    stats: &[Stats],
) -> bool {
    let through = queues.through();
    let pairs = asked.pairs();
    let associated: BTreeSet<Pair> = connect
        .associations()
        .remove(INSTANCE)
        .unwrap_or_default()
        .into_iter()
        .flat_map(|(queue, addresses)| addresses.into_iter().map(move |address| (queue.clone(), address)))
        .collect();
    let (failed, failed_texts) = read(&through.failures);
    let (dead, dead_texts) = read(&through.dead_letters);
    let nowhere = pairs
        .iter()
        .filter(|pair| !associated.contains(*pair) && !failed.contains(*pair) && !dead.contains(*pair))
        .count();
    let unreadable = asked.unreadable();
    let texts_nowhere =
        unreadable.iter().filter(|text| !failed_texts.contains(*text) && !dead_texts.contains(*text)).count();
    let without_reason = through.failures.iter().filter(|body| !body.contains("\"failures\":[{")).count();
    let untrue: Vec<Pair> = through.failures.iter().flat_map(|body| untrue_failures(body)).collect();
    let sum = |count: fn(&Stats) -> u64| stats.iter().map(count).sum::<u64>();
    let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
    let invented = associated.difference(&pairs).count() as u64 + count(&calls.invented);
    let growth = stats.first().and_then(|stats| Halves::of(&stats.looks));
    let late = sum(|stats| stats.late);
    let errors: Vec<&String> = stats.iter().flat_map(|stats| &stats.errors).collect();
    let share =
        |part: u64, whole: u64| format!("{part} ({:.1} %)", 100.0 * part as f64 / whole.max(1) as f64);
    let all = count(&calls.all);
    let rows = [
        ("time", format!("{} s", took.as_secs())),
        ("messages sent, and deliveries of them", format!("{}, {}", asked.messages(), sum(|s| s.deliveries))),
        ("invocations", sum(|stats| stats.invocations).to_string()),
        ("processes killed in the middle of one", sum(|stats| stats.kills).to_string()),
        ("messages continued", through.continued.to_string()),
        ("batches to SQS that met a fault", through.sending_faults.to_string()),
        ("calls to Connect", all.to_string()),
        ("of these throttled, by the quota or a fault", share(count(&calls.throttled), all)),
        ("of these refused or failed otherwise", share(count(&calls.failed), all)),
        ("of these cut off or not answered", share(count(&calls.unanswered), all)),
        ("pairs asked for", pairs.len().to_string()),
        ("of these associated", pairs.intersection(&associated).count().to_string()),
        ("of these in the failures queue, with a reason", failed.difference(&associated).count().to_string()),
        (
            "of these only in the dead-letter queue",
            dead.iter()
                .filter(|pair| !associated.contains(*pair) && !failed.contains(*pair))
                .count()
                .to_string(),
        ),
        ("pairs and texts that are nowhere", (nowhere + texts_nowhere).to_string()),
        ("pairs that are said not to exist, and do", untrue.len().to_string()),
        ("pairs that nobody asked for, and calls to another instance", invented.to_string()),
        ("answers after the deadline", late.to_string()),
        ("batches that ended in an error", errors.len().to_string()),
        ("messages left", through.left.len().to_string()),
    ];
    println!("| | |\n| --- | --- |");
    for (name, value) in rows {
        println!("| {name} | {value} |");
    }
    if let Some(Halves { first, second }) = growth {
        println!(
            "| memory of the process that lives all along, median (most) | first half {:.1} ({:.1}) MiB, second half {:.1} ({:.1}) MiB |",
            first.resident_kib as f64 / 1_024.0,
            first.most_resident_kib as f64 / 1_024.0,
            second.resident_kib as f64 / 1_024.0,
            second.most_resident_kib as f64 / 1_024.0,
        );
        println!(
            "| file handles of it, at most | first half {}, second half {} |",
            first.most_handles, second.most_handles
        );
    }
    errors.iter().take(5).for_each(|error| eprintln!("soak: {error}"));
    let grew = growth.is_none_or(Halves::grew);
    let holds = nowhere + texts_nowhere + without_reason + errors.len() + through.left.len() == 0
        && invented == 0
        && untrue.is_empty()
        && late == 0
        && !grew;
    println!("\n{}", if holds { "All of it holds." } else { "It does not hold." });
    if grew {
        eprintln!("soak: the process that lives all along has grown, or was not looked at for long enough");
    }
    untrue.iter().take(5).for_each(|(queue, address)| {
        eprintln!("soak: {address} on {queue} is said not to exist, and does");
    });
    if without_reason > 0 {
        eprintln!("soak: {without_reason} messages of the failures queue have no reason");
    }
    holds
}

/// The pairs and the texts in messages.
fn read(bodies: &[String]) -> (BTreeSet<Pair>, BTreeSet<String>) {
    let (mut pairs, mut texts) = (BTreeSet::new(), BTreeSet::new());
    for body in bodies {
        match pairs_of(body) {
            Ok(of_body) => pairs.extend(of_body),
            Err(text) => {
                texts.insert(text);
            }
        }
    }
    (pairs, texts)
}

fn count_up(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}

#[cfg(test)]
mod tests {
    use tokio::time::Instant;

    use super::*;

    fn call(operation: Operation, instance: &str, addresses: &[&str]) -> RecordedCall {
        RecordedCall {
            operation,
            instance: instance.to_owned(),
            queue: Some("q".to_owned()),
            addresses: addresses.iter().map(|id| (*id).to_owned()).collect(),
            client_token: None,
            status: Some(200),
            error: None,
            at: Instant::now(),
            uri: String::new(),
        }
    }

    #[test]
    fn call_to_another_instance_is_invented() {
        let associate = Operation::AssociateQueueEmailAddresses;
        let list = Operation::ListQueueEmailAddresses;
        let asked = Asked::default();
        asked.note("q", "asked");
        for (operation, instance, addresses, invented) in [
            (associate, INSTANCE, &["asked"][..], 0),
            (associate, INSTANCE, &["asked", "e1", "e2"], 2),
            (list, INSTANCE, &[], 0),
            (associate, "other", &["asked", "e1"], 2),
            (list, "other", &[], 1),
        ] {
            let call = call(operation, instance, addresses);
            assert_eq!(invented_by(&call, &asked), invented, "{operation} {instance} {addresses:?}");
        }
    }
}
