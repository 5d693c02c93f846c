//! Delivers messages to two processes until each message has ended, as SQS does.

use std::collections::BTreeSet;
use std::time::Duration;

use futures_util::future::join;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep_until};

use crate::sqs::{CONTINUATION, FAILURES, Sent};
use crate::world::{World, listed, sqs};

use super::history::{History, NamedPair};
use super::message::Message;
use super::scene::Scene;

/// Number of rounds after which the faults end.
const ROUNDS_WITH_FAULTS: usize = 4;
/// Maximum number of deliveries of a message and its continuations after the faults end.
const DELIVERIES: usize = 15;
/// The deliveries after which SQS moves a message to its dead-letter queue if the function has no failures queue.
const MAX_RECEIVE_COUNT: usize = 3;
/// The visibility timeout of the queue.
const VISIBILITY: Duration = Duration::from_secs(180);

#[derive(Debug, Clone)]
struct Live {
    id: String,
    body: Value,
    pairs: BTreeSet<NamedPair>,
    received: usize,
    /// Deliveries of the message, and of the messages that it continues, since the faults ended.
    in_fair_weather: usize,
    visible: Instant,
    /// The state of the world at its first delivery.
    since: Option<usize>,
}

impl Live {
    fn new(id: String, body: Value, visible: Instant) -> Self {
        let pairs = NamedPair::of_body(&body);
        Live { id, body, pairs, received: 0, in_fair_weather: 0, visible, since: None }
    }

    fn handle(&self) -> String {
        format!("{} {}", self.id, self.received)
    }
}

/// Delivers the messages of a scene, and checks how each one ends.
pub async fn deliver(scene: &Scene) {
    let (mut processes, history) = scene.processes();
    let mut live: Vec<Live> = (scene.messages.iter().map(Message::body).enumerate())
        .map(|(number, body)| Live::new(format!("m{number}"), body, Instant::now()))
        .collect();
    let mut rounds = 0;
    while let Some(next) = live.iter().map(|message| message.visible).min() {
        sleep_until(next).await;
        rounds += 1;
        let is_fair = rounds > ROUNDS_WITH_FAULTS;
        if is_fair {
            processes[0].connect.clear_faults();
            processes[0].sqs.fail([]);
            for process in &mut processes {
                process.invocation_time = Duration::from_secs(scene.seconds.max(20));
            }
        }
        let mut batch = take_visible(&mut live, is_fair, history.now());
        let second = batch.split_off(batch.len() / 2);
        let (state_before, started, calls_before) =
            (history.now(), Instant::now(), processes[0].call_count());
        let (first_listed, second_listed) =
            join(invoke(&processes[0], &batch), invoke(&processes[1], &second)).await;
        let sent = processes[0].sqs.take();
        sent.iter()
            .filter(|sent| sent.queue_url == FAILURES)
            .for_each(|sent| check_reasons(&history, state_before, sent));
        let delivered: Vec<Live> = batch.into_iter().chain(second).collect();
        check_identifiers(&history, &processes[0], &delivered, calls_before, started);
        let continued: Vec<Live> = (sent.iter().enumerate())
            .filter(|(_, sent)| sent.queue_url == CONTINUATION)
            .map(|(number, sent)| continuation(format!("c{rounds}.{number}"), sent, &delivered))
            .collect();
        for message in delivered {
            if [&first_listed, &second_listed].iter().any(|listed| listed.contains(&message.id)) {
                if !scene.has_failures_queue && message.in_fair_weather >= MAX_RECEIVE_COUNT {
                    continue;
                }
                assert!(message.in_fair_weather < DELIVERIES, "{message:#?} does not end");
                live.push(Live { visible: next_visibility(&processes[0], &message), ..message });
            } else {
                check_done(&history, &message, &sent);
            }
        }
        live.extend(continued);
    }
}

/// Removes up to 20 visible messages from the queue, and returns them.
fn take_visible(live: &mut Vec<Live>, is_fair: bool, state: usize) -> Vec<Live> {
    let now = Instant::now();
    let (visible, hidden): (Vec<_>, Vec<_>) = live.drain(..).partition(|message| message.visible <= now);
    let mut visible = visible.into_iter();
    let taken = visible.by_ref().take(20).map(|mut message| {
        message.received += 1;
        message.in_fair_weather += usize::from(is_fair);
        message.since.get_or_insert(state);
        message
    });
    let taken = taken.collect();
    live.extend(visible.chain(hidden));
    taken
}

async fn invoke(process: &World, batch: &[Live]) -> Vec<String> {
    if batch.is_empty() {
        return Vec::new();
    }
    let mut payload = sqs(&batch.iter().map(|message| message.body.clone()).collect::<Vec<_>>());
    for (record, message) in payload["Records"].as_array_mut().unwrap().iter_mut().zip(batch) {
        record["messageId"] = json!(message.id);
        record["receiptHandle"] = json!(message.handle());
        record["attributes"]["ApproximateReceiveCount"] = json!(message.received.to_string());
    }
    let started = Instant::now();
    let ending = process.invoke(&payload).await;
    assert!(started.elapsed() < process.invocation_time, "{:?}", started.elapsed());
    listed(&ending)
}

/// Returns the time at which a listed message becomes visible again.
fn next_visibility(process: &World, message: &Live) -> Instant {
    let hidden = process.sqs.seconds().into_iter().rfind(|(handle, _)| *handle == message.handle());
    Instant::now() + hidden.map_or(VISIBILITY, |(_, seconds)| Duration::from_secs(seconds))
}

/// Asserts that the reason of every permanent failure was true at some moment of the invocation.
fn check_reasons(history: &History, since: usize, sent: &Sent) {
    let failures = sent.body["failures"].as_array().unwrap();
    assert!(!failures.is_empty(), "a message of the failures queue has no reason: {}", sent.body);
    for failure in failures.iter().filter(|failure| failure["error"] != "InvalidRequest") {
        let pairs = NamedPair::of_merged(failure);
        assert!(!pairs.is_empty(), "a failure of no pair: {failure}");
        let error = failure["error"].as_str().unwrap();
        for pair in pairs {
            assert!(history.explains(&pair, error, since), "not true at any moment: {pair:?}, {failure}");
        }
    }
}

/// Asserts that each call contains at most 50 distinct addresses, and only identifiers that a requested pair had
/// uniquely, at most five minutes before the invocation.
fn check_identifiers(
    history: &History,
    process: &World,
    delivered: &[Live],
    calls_before: usize,
    started: Instant,
) {
    let requested: BTreeSet<NamedPair> =
        delivered.iter().flat_map(|message| message.pairs.iter().cloned()).collect();
    let calls = process.connect.calls();
    for call in &calls[calls_before..] {
        let distinct: BTreeSet<&String> = call.addresses.iter().collect();
        assert!(call.addresses.len() <= 50 && distinct.len() == call.addresses.len(), "{call:?}");
        for address in &call.addresses {
            let ids = (call.queue.clone().unwrap(), address.clone());
            assert!(
                history.was_unique(&requested, &call.instance, &ids, started),
                "{ids:?} was called although no requested pair had these identifiers alone"
            );
        }
    }
}

/// Asserts that each pair of a finished message was on its queue or was sent on.
fn check_done(history: &History, message: &Live, sent: &[Sent]) {
    let sent: BTreeSet<NamedPair> = sent.iter().flat_map(|sent| NamedPair::of_body(&sent.body)).collect();
    for pair in &message.pairs {
        let is_done =
            history.was_associated(pair, message.since.unwrap_or_default()) || history.is_among(pair, &sent);
        assert!(is_done, "{} is done, but {pair:?} is lost", message.id);
    }
}

/// Returns a message that continues one of the delivered messages.
fn continuation(id: String, sent: &Sent, delivered: &[Live]) -> Live {
    let live = Live::new(id, sent.body.clone(), Instant::now() + sent.delay);
    let continues = || delivered.iter().filter(|message| live.pairs.is_subset(&message.pairs));
    let in_fair_weather = continues().map(|message| message.in_fair_weather).max();
    assert!(
        in_fair_weather < Some(DELIVERIES),
        "{:?}, which {live:#?} continues, does not end",
        continues().next()
    );
    Live {
        in_fair_weather: in_fair_weather.expect("a continuation continues a message"),
        since: continues().filter_map(|message| message.since).min(),
        ..live
    }
}
