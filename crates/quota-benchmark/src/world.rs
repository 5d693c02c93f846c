//! World: a simulator over HTTP for one run, and what happens beside the contestant.

use std::io;
use std::time::Duration;

use bytes::Bytes;
use connect_simulator::{Connect, Options, Quota, RecordedCall, Server, Switches};
use futures_util::future::try_join_all;
use http::Request;
use serde_json::json;
use thiserror::Error;
use tokio::sync::watch;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until};

use crate::contestants::{Contestant, ContestantError, Told};
use crate::scenarios::{Scenario, Step};
use crate::setup::{BURST, INSTANCE, Setup, deployed_workers};

/// The queue of somebody else, whose calls are not the contestant's.
pub(crate) const ELSEWHERE: &str = "elsewhere";

/// Why a run failed.
#[derive(Debug, Error)]
pub(crate) enum WorldError {
    /// The simulator found no port.
    #[error("the simulator could not be started: {0}")]
    Simulator(#[from] io::Error),
    /// A contestant did not begin.
    #[error(transparent)]
    Contestant(#[from] ContestantError),
}

/// Lets a contestant do the work once, on a simulator of its own, and gives the simulator's record of the calls.
///
/// # Errors
/// The run could not begin.
pub(crate) async fn run(
    setup: Setup,
    scenario: Scenario,
    contestant: Contestant,
    run: u32,
) -> Result<Vec<RecordedCall>, WorldError> {
    let quota = scenario.quota(setup);
    // Of what is there for the contestant, somebody else's part was taken off.
    let rate = quota.first().map_or(0.0, |step| step.rate) + scenario.taken(setup);
    let connect = Connect::new(Options {
        switches: Switches { auto_create: true, ..Switches::default() },
        quota: Quota::per_second(rate, BURST),
        latency: setup.latency(),
        ..Options::default()
    });
    let server = Server::start(connect.clone())?;
    let endpoint = server.endpoint();
    let (first_call, begun) = watch::channel(None);
    connect.observe(move |call| {
        first_call.send_if_modified(|first| {
            let modified = first.is_none();
            first.get_or_insert(call.at);
            modified
        });
    });
    let name = |process| format!("{}-{}-{run}-{process}", contestant.name(), scenario.name());
    let deployed = deployed_workers().ok_or(ContestantError::Template)?;
    let (rate, burst) = scenario.told(setup);
    let told = Told { rate, burst, workers: scenario.workers(deployed) };
    let start = Instant::now();
    let processes = scenario.processes(setup, deployed).into_iter().enumerate().map(|(number, process)| {
        let (endpoint, name) = (&endpoint, name(number));
        async move {
            sleep_until(start + process.starts).await;
            contestant.process(setup, told, endpoint, process.queues, name).await
        }
    });
    tokio::select! {
        ended = try_join_all(processes) => { ended?; }
        () = beside(setup, scenario, &connect, begun) => {}
    }
    Ok(connect.calls())
}

/// Makes the events of a scenario happen, from the first call on. Never ends.
async fn beside(
    setup: Setup,
    scenario: Scenario,
    connect: &Connect,
    mut begun: watch::Receiver<Option<Instant>>,
) {
    // The sender lives as long as the simulator, which outlives this.
    let start = begun.wait_for(Option::is_some).await.ok().and_then(|start| *start);
    if let Some(start) = start {
        change_quota(connect, &scenario.quota(setup), start).await;
        if scenario.taken(setup) > 0.0 {
            take(connect, scenario.taken(setup)).await;
        }
    }
    std::future::pending::<()>().await;
}

/// Sets the quota of each step but the first, which holds already.
///
/// The simulator fills its buckets when the quota is set. A quota that changes gives nobody a burst, so as many
/// calls are made at once as bring the bucket back to what it held, to the nearest whole token.
async fn change_quota(connect: &Connect, steps: &[Step], start: Instant) {
    let mut held = BURST;
    for pair in steps.windows(2) {
        let [before, step] = pair else { continue };
        let from = start + Duration::from_secs_f64(before.from);
        let at = start + Duration::from_secs_f64(step.from);
        sleep_until(at).await;
        let now = Instant::now();
        let accepted = connect.calls();
        let accepted =
            accepted.iter().filter(|call| is_contestants(call) && !call.throttled() && call.at >= from);
        held = bucket_at(held, before.rate, from, accepted.map(|call| call.at), now).round();
        connect.set_quota(Quota::per_second(step.rate, BURST));
        let surplus = (0..5).take_while(|drawn| BURST - f64::from(*drawn) > held).count();
        (0..surplus).for_each(|_| call_elsewhere(connect));
    }
}

/// The tokens in a bucket after calls at these times.
fn bucket_at(held: f64, rate: f64, from: Instant, calls: impl Iterator<Item = Instant>, now: Instant) -> f64 {
    let fill = |tokens: f64, from: Instant, to: Instant| {
        (tokens + to.saturating_duration_since(from).as_secs_f64() * rate).min(BURST)
    };
    let (tokens, at) =
        calls.fold((held, from), |(tokens, at), call| ((fill(tokens, at, call) - 1.0).max(0.0), call));
    fill(tokens, at, now)
}

/// Somebody else: a call at each tick, whatever became of the one before. Never ends.
async fn take(connect: &Connect, rate: f64) {
    let mut ticks = interval(Duration::from_secs_f64(1.0 / rate));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
    loop {
        ticks.tick().await;
        call_elsewhere(connect);
    }
}

/// A call that takes of the same quota as the contestant's. It goes without a socket: only the quota sees it.
fn call_elsewhere(connect: &Connect) {
    let path = format!("/queues/{INSTANCE}/{ELSEWHERE}/associate-email-addresses");
    let body = json!({ "EmailAddressesConfig": [{ "EmailAddressId": "somebody-else" }] }).to_string();
    // Path and method are constants that a request can have.
    if let Ok(request) = Request::post(path).body(Bytes::from(body)) {
        connect.answer(request, Instant::now());
    }
}

/// Whether a call is the contestant's, and not somebody else's.
pub(crate) fn is_contestants(call: &RecordedCall) -> bool {
    call.queue.as_deref() != Some(ELSEWHERE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_is_replayed_from_its_calls() {
        let start = Instant::now();
        let at = |millis| start + Duration::from_millis(millis);
        let table: [(&[u64], u64, f64); 4] = [
            (&[], 1_000, 5.0),
            (&[0, 0, 0, 0, 0], 0, 0.0),
            (&[0, 0, 0, 0, 0], 1_000, 2.0),
            (&[0, 0, 500], 1_000, 4.0),
        ];
        for (calls, now, tokens) in table {
            let held = bucket_at(5.0, 2.0, start, calls.iter().map(|call| at(*call)), at(now));
            assert_eq!(held, tokens, "{calls:?}");
        }
    }

    #[test]
    fn calls_of_somebody_else_are_told_apart() {
        let options = Options {
            switches: Switches { auto_create: true, ..Switches::default() },
            quota: Quota::per_second(1.0, 1.0),
            ..Options::default()
        };
        let connect = Connect::new(options);
        call_elsewhere(&connect);
        call_elsewhere(&connect);
        let calls = connect.calls();
        assert!(calls.iter().all(|call| !is_contestants(call)));
        assert_eq!(calls.iter().map(RecordedCall::throttled).collect::<Vec<_>>(), [false, true]);
        assert_eq!(calls[0].status, Some(200));
    }
}
