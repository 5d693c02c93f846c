//! Tests tables, JSON, exit codes, and the line that says that nothing was changed.

use connect_simulator::{Connect, Effect, Fault, Fixture, Operation};
use serde_json::json;

use crate::{file, finish, program, run, run_on, run_on_stdin};

const SIMULATED: &str = "This was a simulation: nothing was changed in AWS, and the queues and email addresses were not \
                         checked there. Use --aws to associate them in AWS.";

const DRY_RUN: &str = "This was a dry run without AWS: nothing was changed, and the queues and email addresses were not \
                       checked. Use --aws to look up names.";

const TWO_PAIRS: &str = r#"{"instanceId": "i", "associations": [
    {"queueId": "q1", "emailAddressId": "e1"}, {"queueId": "q2", "emailAddressId": "e2"}]}"#;

const ONE_INVALID: &str = r#"{"instanceId": "i", "associations": [
    {"queueId": "q1", "emailAddressId": "e1"}, {"queueId": "q2"}]}"#;

/// A batch of two messages. The second is invalid.
fn batch() -> String {
    let record = |id: &str, body: &str| json!({ "eventSource": "aws:sqs", "messageId": id, "body": body });
    let good = r#"{"instanceId": "i", "queueId": "q1", "emailAddressId": "e1"}"#;
    json!({ "Records": [record("m1", good), record("m2", r#"{"queueId": "q1"}"#)] }).to_string()
}

#[test]
fn success_is_shown_and_exits_0() {
    let ran = run(&[], "done.json", TWO_PAIRS);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert_eq!(ran.rows(&["q1", "1"]), 1, "{}", ran.stdout);
    assert!(
        ran.stdout.contains(
            "SUCCEEDED: 2 requested, 2 associated, 0 failed; 2 calls to Amazon Connect, 0 throttled"
        ),
        "{}",
        ran.stdout
    );
    assert_eq!(ran.last_line(), SIMULATED);
    assert_eq!(
        ran.stderr,
        "2 pairs on 2 queues: 2 calls at 1000 per second, less than a second\n2 calls, 2/2 pairs\n"
    );
}

#[test]
fn file_with_nothing_valid_exits_2() {
    for (name, content, message) in [
        ("nothing-valid.json", r#"{"instanceId": "i", "queueId": "q"}"#, "missing emailAddressId"),
        (
            "nothing-valid.csv",
            "instanceId,queueId,emailAddressId\ni,q,\n",
            "the row has no email address: expected a value in the column emailAddressId",
        ),
    ] {
        let ran = run(&[], name, content);
        assert_eq!(ran.code, Some(2), "{name}: {}", ran.stderr);
        assert_eq!(ran.rows(&["InvalidRequest", message]), 1, "{}", ran.stdout);
    }
}

#[test]
fn json_is_only_the_response() {
    let ran = run(&["--json", "--quiet"], "report.json", ONE_INVALID);
    assert_eq!(ran.code, Some(1));
    let report = ran.json();
    assert_eq!((&report["status"], &report["associated"]), (&json!("PARTIAL"), &json!(1)));
    assert_eq!(report["failures"][0]["path"], "associations[1].emailAddressId");
    assert_eq!(ran.stderr, format!("{SIMULATED}\n"));

    let ran = run(&["--json"], "batch.json", &batch());
    assert_eq!(ran.code, Some(1));
    assert_eq!(ran.json(), json!({ "batchItemFailures": [{ "itemIdentifier": "m2" }] }));
    assert_eq!(ran.stderr.lines().last(), Some(SIMULATED));

    let ran = run(&["--json"], "error.json", r#"{"queueId": "q"}"#);
    assert_eq!((ran.code, &ran.json()["errorType"]), (Some(2), &json!("InvalidRequest")));
    assert!(ran.json()["errorMessage"].is_string());

    let ran = run_on_stdin(&["--json"], "{\"Records\": 1}");
    assert_eq!((ran.code, &ran.json()["errorType"]), (Some(2), &json!("InvalidRequest")));
}

#[test]
fn batch_shows_report_and_listed_messages() {
    let ran = run(&[], "batch-report.json", &batch());
    assert_eq!(ran.code, Some(1));
    assert_eq!(ran.rows(&["m2", "emailAddressId", "InvalidRequest"]), 1, "{}", ran.stdout);
    let answer = "The function would list 1 message to be redelivered";
    assert!(ran.stdout.contains(answer), "{}", ran.stdout);
}

#[test]
fn dry_run_plans_without_calls() {
    let ids: Vec<String> = (0..49).map(|number| format!("e{number}")).collect();
    let request = json!({ "instanceId": "i", "associations": [
        { "queueId": "q1", "emailAddressIds": ids }, { "queueId": "q2", "emailAddressId": "e1" }] });
    let ran = run(&["--dry-run"], "plan.json", &request.to_string());
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""));
    assert_eq!(ran.rows(&["q1", "49", "1"]), 1, "{}", ran.stdout);
    assert!(
        ran.stdout.contains(
            "PLANNED: 50 requested, 0 associated, 50 planned, 0 failed; 0 calls to Amazon Connect, 0 throttled\n\
             A run would take less than a second: 2 calls for 2 queues, at 1000 per second with a burst of 100\n"
        ),
        "{}",
        ran.stdout
    );
    assert_eq!(ran.last_line(), DRY_RUN);
}

#[test]
fn help_and_version_exit_0() {
    let help = finish(&mut program(&["--help"]));
    assert_eq!(help.code, Some(0));
    for text in ["Examples:", "Exit codes:", "--dry-run", "json-lines", "CONNECT_INSTANCE_ID"] {
        assert!(help.stdout.contains(text), "{text}");
    }
    let version = finish(&mut program(&["--version"]));
    assert_eq!(version.stdout, format!("associate-emails {}\n", env!("CARGO_PKG_VERSION")));
}

/// Returns a simulated Connect with the queue `q` and the address `e1`.
fn connect() -> Connect {
    Connect::new(Fixture::new().with_queue("i", "q", "Billing").with_address("i", "e1", "1@brand.example"))
}

#[tokio::test(flavor = "multi_thread")]
async fn expired_credentials_say_to_sign_in_again() {
    let rows = "instanceId,queueId,emailAddressId\ni,q,e1\n";
    let expired = |operation| Fault::new(Effect::error(403, "ExpiredTokenException")).on(operation);
    let during = connect();
    during.inject(expired(Operation::AssociateQueueEmailAddresses));
    let ran = run_on(&during, &["--quiet"], "pairs.csv", rows).await;
    assert_eq!(ran.code, Some(1), "{}", ran.stderr);
    assert_eq!(
        ran.stderr,
        "associate-emails: AWS rejected the credentials; sign in again (aws sso login), or renew the credentials, then \
         run the command again\n"
    );
    let before = connect();
    before.inject(expired(Operation::ListQueueEmailAddresses));
    let ran = run_on(&before, &["--quiet"], "pairs.csv", rows).await;
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(2), ""), "{}", ran.stderr);
    assert!(ran.stderr.contains("; sign in again (aws sso login)"), "{}", ran.stderr);
}

#[tokio::test(flavor = "multi_thread")]
async fn invisible_characters_are_escaped_in_tables_and_json() {
    let name = "Bill\u{9b}31ming\u{202e}\u{2066}\u{e0041}";
    let request = json!({ "instanceId": "i", "queueName": name, "emailAddressId": "e1", "reference": name });
    for args in [&["--json"][..], &[]] {
        let ran = run_on(&connect(), args, "request.json", &request.to_string()).await;
        assert_ne!(ran.code, Some(0), "{}", ran.stdout);
        let all = ran.stdout + &ran.stderr;
        assert!(all.contains("Bill\\u"), "{all}");
        assert!(!all.contains(|c: char| c.is_control() && c != '\n'), "{all:?}");
        assert!(!all.contains(['\u{202e}', '\u{2066}', '\u{e0041}']), "{all:?}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn lost_output_is_reported_but_not_a_closed_pipe() {
    let file = file("pairs.json", TWO_PAIRS);
    for args in [&["--json", "--quiet"][..], &["--quiet"], &["--help"]] {
        let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        let ran = finish(program(args).arg(&file).stdout(full));
        assert_eq!(ran.code, Some(3), "{args:?}: {}", ran.stderr);
        let line = "associate-emails: cannot write to standard output: No space left on device";
        assert!(ran.stderr.contains(line), "{}", ran.stderr);
    }
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let ran = finish(program(&["--quiet"]).arg(&file).stdout(writer));
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""));
}
