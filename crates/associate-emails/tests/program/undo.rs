//! `undo` removes the pairs of a file, and changes nothing else.

use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::channel;

use connect_simulator::{Connect, Effect, Fault, Fixture, Operation, Options, Server, Switches};
use serde_json::json;

use crate::{Ran, file, finish, on_aws, run, run_on, send_signal};

const DISASSOCIATE: Operation = Operation::DisassociateQueueEmailAddresses;

/// An instance with the queues q1 ("Billing") and q2 ("Orders") and the addresses e0 to e69. Address d is the default of
/// q2.
fn fixture() -> Fixture {
    let mut fixture = Fixture::new()
        .with_queue("i", "q1", "Billing")
        .with_queue("i", "q2", "Orders")
        .with_address("i", "d", "default@brand.example")
        .with_queue_default("i", "q2", "d");
    for number in 0..70 {
        fixture = fixture.with_address("i", format!("e{number}"), format!("e{number}@brand.example"));
    }
    fixture
}

fn with_addresses(fixture: Fixture, queue: &str, numbers: std::ops::Range<usize>) -> Fixture {
    numbers.fold(fixture, |fixture, number| fixture.with_association("i", queue, format!("e{number}")))
}

/// Returns instance `i` with the addresses `e0` to `e9` on queue `q1`.
fn connect_with_ten_pairs(switches: Switches) -> Connect {
    let fixture = with_addresses(fixture(), "q1", 0..10);
    Connect::new(Options { fixture, switches, ..Options::default() })
}

/// A CSV file with a pair for each number.
fn csv(queue: &str, numbers: std::ops::Range<usize>) -> String {
    let rows: String = numbers.map(|number| format!("{queue},e{number}\n")).collect();
    format!("queueId,emailAddressId\n{rows}")
}

async fn undo(connect: &Connect, args: &[&str], name: &str, content: &str) -> Ran {
    run_on(connect, &[&["undo", "--yes", "--instance", "i"], args].concat(), name, content).await
}

/// Calls `change` after the given list call of the simulator, counted from zero. The first list call of the program
/// checks the connection, the second reads the queue for the plan, and the third before the removal.
fn after_list(connect: &Connect, number: usize, change: impl Fn(&mut Fixture) + Send + Sync + 'static) {
    let (editor, lists) = (connect.clone(), AtomicUsize::new(0));
    connect.observe(move |call| {
        let is_list = call.operation == Operation::ListQueueEmailAddresses;
        if is_list && lists.fetch_add(1, Ordering::Relaxed) == number {
            editor.edit(|fixture| change(fixture));
        }
    });
}

/// Returns an instance with the given number of queues, each with one address, and a file of these pairs.
fn one_pair_on_each_queue(queues: usize) -> (Fixture, String) {
    let mut fixture = fixture();
    let mut content = "queueId,emailAddressId\n".to_owned();
    for number in 0..queues {
        let queue = format!("n{number}");
        fixture = fixture.with_queue("i", &queue, &queue).with_association("i", &queue, "e0");
        content.push_str(&format!("{queue},e0\n"));
    }
    (fixture, content)
}

/// Returns the removal calls, each as its queue and the number of its addresses.
fn removals(connect: &Connect) -> Vec<(String, usize)> {
    let calls = connect.calls().into_iter().filter(|call| call.operation == DISASSOCIATE);
    calls.map(|call| (call.queue.unwrap(), call.addresses.len())).collect()
}

fn rejection(status: u16, code: &str) -> Fault {
    Fault::new(Effect::error(status, code)).on(DISASSOCIATE)
}

#[tokio::test(flavor = "multi_thread")]
async fn undone_run_leaves_the_queues_as_before() {
    let fixture = with_addresses(fixture(), "q2", 60..63);
    let connect = Connect::new(Options { fixture, limit: 70, ..Options::default() });
    let before = connect.associations();
    let mut content = "queueName,emailAddress\n".to_owned();
    (0..60).for_each(|number| content.push_str(&format!("Billing,E{number}@brand.example\n")));
    (0..3).for_each(|number| content.push_str(&format!("Orders,e{number}@brand.example\n")));
    let ran = run_on(&connect, &["--quiet", "--instance", "i"], "all.csv", &content).await;
    // The tool's own limit is 49, but the service accepts more.
    assert_eq!(ran.code, Some(0), "{}", ran.stdout);
    assert_eq!(connect.associated("i", "q1").len(), 60);
    connect.clear_calls();
    let ran = undo(&connect, &[], "all.csv", &content).await;
    assert_eq!(ran.code, Some(0), "{}{}", ran.stdout, ran.stderr);
    assert_eq!(connect.associations(), before);
    let mut removals = removals(&connect);
    removals.sort();
    assert_eq!(removals, [("q1".to_owned(), 10), ("q1".to_owned(), 50), ("q2".to_owned(), 3)]);
    assert_eq!(ran.rows(&["Billing", "60"]), 1, "{}", ran.stdout);
    let summary = "SUCCEEDED: 63 requested, 63 removed, 0 failed; ";
    assert!(ran.last_line().starts_with(summary), "{}", ran.stdout);
}

#[tokio::test(flavor = "multi_thread")]
async fn pairs_that_a_plan_found_on_their_queues_are_kept() {
    let connect = Connect::new(with_addresses(fixture(), "q1", 0..5));
    let before = connect.associations();
    let content = csv("q1", 0..10);
    let plan =
        run_on(&connect, &["plan", "--json", "--quiet", "--instance", "i"], "pairs.csv", &content).await;
    let plan = file("half-before.json", &plan.stdout);
    run_on(&connect, &["--quiet", "--instance", "i"], "pairs.csv", &content).await;
    // Another client adds an address before the file is undone.
    connect.add(Fixture::new().with_association("i", "q1", "e50"));
    let keep = ["--keep", plan.to_str().unwrap()];
    let ran = undo(&connect, &keep, "half.csv", &content).await;
    assert_eq!(ran.code, Some(0), "{}{}", ran.stdout, ran.stderr);
    assert!(ran.last_line().contains("5 removed, 5 kept, 0 failed"), "{}", ran.stdout);
    connect.edit(|fixture| fixture.instance("i").queue("q1").email_address_ids.retain(|id| id != "e50"));
    assert_eq!(connect.associations(), before);
}

/// The results of a bucket have a byte-order mark, the columns of each form, and the row of the file.
#[tokio::test(flavor = "multi_thread")]
async fn results_of_a_bucket_are_undone() {
    let header = "\u{feff}instanceId,queueId,queueName,emailAddressId,emailAddress,row,reference\n";
    let connect = Connect::new(with_addresses(fixture(), "q1", 0..3));
    let associated = format!("{header}i,q1,,e0,,2,a\ni,,Billing,,e1@brand.example,3,\ni,q1,,e2,,4,\n");
    let keep = file("bucket-already.csv", format!("{header}i,,Billing,e2,,4,\n"));
    let ran = undo(&connect, &["--keep", keep.to_str().unwrap()], "bucket.csv", &associated).await;
    assert_eq!(ran.code, Some(0), "{}{}", ran.stdout, ran.stderr);
    assert_eq!(connect.associated("i", "q1"), ["e2"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn unknown_pair_to_keep_removes_nothing() {
    for (name, content, reason) in [
        ("unknown-kept.csv", "queueName,emailAddressId\nRepairs,e1\n", "NameNotFound"),
        ("invalid-kept.csv", "queueId,emailAddressId\nq1,\n", "InvalidRequest"),
        ("long-report.json", r#"{"alreadyAssociated": 4000}"#, "does not list the 4000 pairs"),
    ] {
        let connect = Connect::new(with_addresses(fixture(), "q1", 0..3));
        let before = connect.associations();
        let keep = file(name, content);
        let keep = ["--keep", keep.to_str().unwrap()];
        let ran = undo(&connect, &keep, "pairs.csv", &csv("q1", 0..3)).await;
        assert_eq!((ran.code, ran.stdout.as_str()), (Some(2), ""), "{name}: {}", ran.stderr);
        assert!(ran.stderr.contains(reason), "{}", ran.stderr);
        assert_eq!(connect.associations(), before);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn default_address_is_never_removed() {
    let connect = Connect::new(with_addresses(fixture(), "q2", 0..1));
    let content = "queueId,emailAddressId\nq2,d\nq2,e0\nq2,e1\n";
    let plan = undo(&connect, &["--dry-run"], "default.csv", content).await;
    assert_eq!(plan.code, Some(0), "{}", plan.stderr);
    let summary = "1 to remove, 1 not on their queue, 1 default address that stays, 0 unknown; 1 call at ";
    assert!(plan.stdout.contains(summary), "{}", plan.stdout);
    assert_eq!(plan.last_line(), "This was a dry run: the queues were read, and nothing was changed.");
    assert_eq!(removals(&connect), []);
    let ran = undo(&connect, &["--json"], "default.csv", content).await;
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let report = ran.json();
    assert_eq!(report["status"], "SUCCEEDED");
    for (count, number) in [
        ("requested", 3),
        ("distinct", 3),
        ("removed", 1),
        ("notOnQueue", 1),
        ("defaultAddresses", 1),
        ("failed", 0),
    ] {
        assert_eq!(report[count], number, "{count}: {report}");
    }
    assert_eq!(report["queues"][0]["queueId"], "q2");
    assert_eq!(connect.associated("i", "q2"), [""; 0]);
    assert_eq!(removals(&connect), [("q2".to_owned(), 1)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn address_that_became_the_default_after_the_plan_stays() {
    let connect = Connect::new(with_addresses(fixture(), "q1", 0..2));
    after_list(&connect, 1, |fixture| {
        let queue = fixture.instance("i").queue("q1");
        queue.email_address_ids.retain(|id| id != "e1");
        queue.default_email_address_id = Some("e1".to_owned());
    });
    let ran = undo(&connect, &["--json"], "new-default.csv", &csv("q1", 0..2)).await;
    assert_eq!((&ran.json()["removed"], &ran.json()["defaultAddresses"]), (&json!(1), &json!(1)));
    assert!(connect.calls().iter().all(|call| !call.addresses.contains(&"e1".to_owned())));
}

#[tokio::test(flavor = "multi_thread")]
async fn invalid_pairs_are_reported_and_the_others_are_removed() {
    let connect = Connect::new(with_addresses(fixture(), "q1", 0..2));
    let content = "queueName,queueId,emailAddressId\nBilling,,e0\nRepairs,,e1\n,gone,e1\n,q1,\n";
    let ran = undo(&connect, &["--quiet"], "wrong-names.csv", content).await;
    assert_eq!(ran.code, Some(1), "{}", ran.stderr);
    assert_eq!(ran.rows(&["3", "Repairs", "e1", "NameNotFound"]), 1, "{}", ran.stdout);
    assert_eq!(
        ran.rows(&["4", "gone", "e1", "ResourceNotFoundException", "check the queue"]),
        1,
        "{}",
        ran.stdout
    );
    assert_eq!(ran.rows(&["5", "InvalidRequest"]), 1, "{}", ran.stdout);
    assert!(ran.last_line().starts_with("PARTIAL: 4 requested, 1 removed, 3 failed; "), "{}", ran.stdout);
    assert_eq!(connect.associated("i", "q1"), ["e1"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_address_is_found_and_the_others_are_removed() {
    for (status, code) in [(400, "InvalidParameterException"), (404, "ResourceNotFoundException")] {
        let connect = Connect::new(with_addresses(fixture(), "q1", 0..49));
        connect.inject(Fault { address: Some("e17".to_owned()), ..rejection(status, code) });
        let ran = undo(&connect, &["--quiet"], "pairs.csv", &csv("q1", 0..49)).await;
        assert_eq!(ran.code, Some(1), "{}", ran.stderr);
        assert_eq!(connect.associated("i", "q1"), ["e17"]);
        assert_eq!(ran.rows(&["19", "q1", "e17", code, "no"]), 1, "{}", ran.stdout);
        assert!(removals(&connect).len() <= 10, "{:?}", removals(&connect));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn address_that_another_client_removed_counts_as_done() {
    for reject_repeated_removals in [false, true] {
        let connect = connect_with_ten_pairs(Switches { reject_repeated_removals, ..Switches::default() });
        after_list(&connect, 2, |fixture| {
            fixture.instance("i").queue("q1").email_address_ids.retain(|id| id != "e3");
        });
        let ran = undo(&connect, &[], "race.csv", &csv("q1", 0..10)).await;
        assert_eq!(ran.code, Some(0), "{reject_repeated_removals}: {}{}", ran.stdout, ran.stderr);
        assert_eq!(connect.associated("i", "q1"), [""; 0]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn throttled_and_lost_calls_are_retried_with_their_token() {
    let connect = connect_with_ten_pairs(Switches { reject_repeated_removals: true, ..Switches::default() });
    connect.inject(rejection(429, "TooManyRequestsException").times(2));
    connect.inject(Fault::new(Effect::Reset).on(DISASSOCIATE).times(1));
    connect.inject(Fault::new(Effect::ResetAfter).on(DISASSOCIATE).times(1));
    let ran = undo(&connect, &["--json"], "throttled.csv", &csv("q1", 0..10)).await;
    assert_eq!(ran.code, Some(0), "{}", ran.stdout);
    assert_eq!((&ran.json()["removed"], &ran.json()["throttledCalls"]), (&json!(10), &json!(2)));
    let calls = connect.calls();
    let tokens: Vec<_> =
        calls.iter().filter(|call| call.operation == DISASSOCIATE).map(|call| &call.client_token).collect();
    assert_eq!(tokens.len(), 5);
    assert!(tokens[0].is_some() && tokens.iter().all(|token| *token == tokens[0]), "{tokens:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn missing_permission_costs_one_call_per_queue() {
    let connect = Connect::new(with_addresses(fixture(), "q1", 0..60));
    connect.inject(rejection(403, "AccessDeniedException"));
    let ran = undo(&connect, &["--quiet"], "denied.csv", &csv("q1", 0..60)).await;
    assert_eq!(ran.code, Some(1), "{}", ran.stderr);
    let advice = "the credentials need connect:DisassociateQueueEmailAddresses";
    assert_eq!(ran.rows(&["60", "AccessDeniedException", advice]), 1, "{}", ran.stdout);
    assert_eq!(removals(&connect), [("q1".to_owned(), 50)]);
    assert_eq!(connect.associated("i", "q1").len(), 60);
}

#[tokio::test(flavor = "multi_thread")]
async fn expired_credentials_stop_further_calls() {
    let (fixture, content) = one_pair_on_each_queue(5);
    let connect = Connect::new(fixture);
    let expiring = connect.clone();
    connect.observe(move |call| {
        if call.operation == DISASSOCIATE {
            expiring.inject(Fault { operation: None, ..rejection(403, "ExpiredTokenException") });
        }
    });
    let server = Server::start(connect.clone()).unwrap();
    let mut command =
        on_aws(&["undo", "--yes", "--quiet", "--rate", "1000", "--instance", "i"], &server.endpoint());
    command.env("MAX_CONCURRENT_CALLS", "1").arg(file("pairs.csv", content));
    let ran = tokio::task::spawn_blocking(move || finish(&mut command)).await.unwrap();
    assert_eq!(ran.code, Some(1), "{}", ran.stderr);
    assert_eq!(ran.rows(&["4", "ExpiredTokenException", "yes"]), 1, "{}", ran.stdout);
    let rejected = connect.calls().iter().filter(|call| call.status == Some(403)).count();
    assert_eq!((removals(&connect).len(), rejected), (1, 2));
    assert!(ran.stderr.contains("sign in again"), "{}", ran.stderr);
}

#[tokio::test(flavor = "multi_thread")]
async fn unreadable_list_removes_nothing() {
    let connect = Connect::new(with_addresses(fixture(), "q1", 0..3));
    let denied = Fault::new(Effect::error(403, "AccessDeniedException"));
    connect.inject(denied.on(Operation::ListQueueEmailAddresses));
    let ran = undo(&connect, &["--quiet"], "unlisted.csv", &csv("q1", 0..3)).await;
    assert_eq!(ran.code, Some(1), "{}", ran.stderr);
    let cells = ["3", "AccessDeniedException", "the credentials need connect:ListQueueEmailAddresses"];
    assert_eq!(ran.rows(&cells), 1, "{}", ran.stdout);
    assert_eq!(removals(&connect), []);
}

#[test]
fn time_limit_ends_the_calls() {
    let pairs = file("undo-late.csv", "queueId,emailAddressId\nq1,e0\nq2,e0\n");
    // The second list would wait for two seconds.
    let options = ["--rate", "0.5", "--burst", "1", "--time-limit", "2"];
    let args = [&["undo", "--yes", "--quiet", "--instance", "i"], &options[..]].concat();
    let ran = Ran::from(crate::program(&args).arg(pairs).output().unwrap());
    assert_eq!(ran.code, Some(1), "{}", ran.stderr);
    assert_eq!(ran.rows(&["e0", "DeadlineExceeded", "yes"]), 1, "{}", ran.stdout);
}

#[tokio::test(flavor = "multi_thread")]
async fn second_undo_completes_an_interrupted_one() {
    let connect = Connect::new(with_addresses(with_addresses(fixture(), "q1", 0..3), "q2", 0..3));
    connect.inject(Fault { queue: Some("q2".to_owned()), ..Fault::new(Effect::Hang).on(DISASSOCIATE) });
    let (sender, calls) = channel();
    connect.observe(move |call| drop(sender.send((call.operation, call.queue.clone()))));
    let server = Server::start(connect.clone()).unwrap();
    let content = format!("{}q2,e0\nq2,e1\nq2,e2\n", csv("q1", 0..3));
    let mut command = on_aws(&["undo", "--yes", "--quiet", "--instance", "i"], &server.endpoint());
    command.env("MAX_CONCURRENT_CALLS", "1").arg(file("pairs.csv", &content));
    let child = command.spawn().unwrap();
    while calls.recv().unwrap() != (DISASSOCIATE, Some("q2".to_owned())) {}
    send_signal("TERM", &child);
    let ran: Ran = child.wait_with_output().unwrap().into();
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(143), ""), "{}", ran.stderr);
    let line = "associate-emails: interrupted after 3 pairs had been removed; ";
    assert!(ran.stderr.starts_with(line), "{}", ran.stderr);
    assert_eq!(connect.associated("i", "q1"), [""; 0]);
    connect.clear_faults();
    let ran = undo(&connect, &[], "interrupted.csv", &content).await;
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert!(ran.last_line().contains("3 removed, 3 not on their queue, 0 failed"), "{}", ran.stdout);
    assert_eq!(connect.associated("i", "q2"), [""; 0]);
}

/// `script` of util-linux runs a program in its own terminal.
#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn terminal_user_is_asked_for_confirmation() {
    for (answer, left) in [("n\n", 3), ("y\n", 0)] {
        let connect = Connect::new(with_addresses(fixture(), "q1", 0..3));
        let server = Server::start(connect.clone()).unwrap();
        let undo = on_aws(&["undo", "--instance", "i"], &server.endpoint());
        let path = file("pairs.csv", csv("q1", 0..3));
        let words = undo.get_args().map(|word| word.to_str().unwrap()).collect::<Vec<_>>().join(" ");
        let line = format!("{} {words} {}", undo.get_program().to_str().unwrap(), path.display());
        let mut script = Command::new("script");
        script.args(["--quiet", "--return", "--command", &line, "/dev/null"]);
        script.env_clear().envs(undo.get_envs().filter_map(|(name, value)| Some((name, value?))));
        script.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let Ok(mut child) = script.spawn() else { return };
        let mut stdin = child.stdin.take().unwrap();
        std::io::Write::write_all(&mut stdin, answer.as_bytes()).unwrap();
        let ran: Ran = child.wait_with_output().unwrap().into();
        drop(stdin);
        assert_eq!(ran.code, Some(0), "{}", ran.stdout);
        assert!(ran.stdout.contains("3 to remove, 0 not on their queue, 0 unknown"), "{}", ran.stdout);
        assert!(ran.stdout.contains("Remove 3 addresses from 1 queue? [y/N]"), "{}", ran.stdout);
        assert_eq!(connect.associated("i", "q1").len(), left, "{}", ran.stdout);
    }
}

#[test]
fn simulation_has_every_pair_on_its_queue() {
    let content =
        "instanceId,queueName,queueId,emailAddressId,emailAddress\ni,Billing,,,A@brand.example\ni,,q2,e1,\n";
    let ran = run(&["undo", "--yes"], "simulation.csv", content);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert!(ran.stdout.contains("SUCCEEDED: 2 requested, 2 removed, 0 failed; "), "{}", ran.stdout);
    assert!(ran.last_line().starts_with("This was a simulation, "), "{}", ran.stdout);
}
