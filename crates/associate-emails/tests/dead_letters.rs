//! Tests `dead-letters` against a real implementation of SQS. `scripts/local/sqs` starts a server and runs these tests.
//!
//! `cargo test` does not run them (`test = false` in `Cargo.toml`), because they need a server.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on fails")]

use std::collections::BTreeMap;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use aws_config::{BehaviorVersion, Region};
use aws_credential_types::Credentials;
use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::{MessageAttributeValue, QueueAttributeName, SendMessageBatchRequestEntry};
use serde_json::{Value, json};

/// The queues of one test.
struct World {
    client: Client,
    endpoint: String,
    letters: String,
    target: String,
}

impl World {
    async fn new(name: &str) -> Self {
        let endpoint = std::env::var("SQS_ENDPOINT").expect("SQS_ENDPOINT: scripts/local/sqs sets it");
        let config = aws_config::SdkConfig::builder()
            .behavior_version(BehaviorVersion::v2026_01_12())
            .region(Region::new("us-east-1"))
            .credentials_provider(aws_credential_types::provider::SharedCredentialsProvider::new(
                Credentials::for_tests(),
            ))
            .http_client(queue_email_associator::sdk::http_client())
            .endpoint_url(&endpoint)
            .build();
        let client = Client::new(&config);
        let mut urls = Vec::new();
        for queue in ["letters", "target"] {
            let created = client
                .create_queue()
                .queue_name(format!("{name}-{queue}"))
                .attributes(QueueAttributeName::MaximumMessageSize, "1048576");
            urls.push(created.send().await.unwrap().queue_url.unwrap());
        }
        let target = urls.pop().unwrap();
        World { client, endpoint, letters: urls.pop().unwrap(), target }
    }

    async fn send(&self, bodies: &[String]) {
        for bodies in bodies.chunks(10) {
            let entry = |(number, body): (usize, &String)| {
                let entry = SendMessageBatchRequestEntry::builder().id(number.to_string()).message_body(body);
                entry.build().unwrap()
            };
            let entries = bodies.iter().enumerate().map(entry).collect();
            let request =
                self.client.send_message_batch().queue_url(&self.letters).set_entries(Some(entries));
            assert!(request.send().await.unwrap().failed.is_empty());
        }
    }

    /// Returns the number of messages in a queue that can be received now.
    async fn visible(&self, queue: &str) -> usize {
        self.attribute(queue, QueueAttributeName::ApproximateNumberOfMessages).await
    }

    /// Returns the number of messages in a queue.
    async fn count(&self, queue: &str) -> usize {
        let hidden = self.attribute(queue, QueueAttributeName::ApproximateNumberOfMessagesNotVisible).await;
        self.visible(queue).await + hidden
    }

    async fn attribute(&self, queue: &str, name: QueueAttributeName) -> usize {
        let request = self.client.get_queue_attributes().queue_url(queue).attribute_names(name.clone());
        request.send().await.unwrap().attributes.unwrap()[&name].parse().unwrap()
    }

    /// Removes all messages from the queue that dead letters are moved to, and counts equal bodies.
    async fn moved(&self) -> BTreeMap<String, usize> {
        let mut bodies = BTreeMap::new();
        loop {
            let request = self.client.receive_message().queue_url(&self.target).max_number_of_messages(10);
            let messages =
                request.visibility_timeout(3_600).send().await.unwrap().messages.unwrap_or_default();
            if messages.is_empty() {
                return bodies;
            }
            for message in messages {
                *bodies.entry(message.body.unwrap()).or_default() += 1;
            }
        }
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_associate-emails"));
        command
            .env_clear()
            .env("AWS_ACCESS_KEY_ID", "id")
            .env("AWS_SECRET_ACCESS_KEY", "secret")
            .env("AWS_ENDPOINT_URL_SQS", &self.endpoint)
            .args(["dead-letters", "--region", "us-east-1", "--queue-url", &self.letters])
            .args(args)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    async fn run(&self, args: &[&str]) -> Ran {
        let mut command = self.command(args);
        tokio::task::spawn_blocking(move || command.output()).await.unwrap().unwrap().into()
    }
}

struct Ran {
    code: Option<i32>,
    stdout: String,
    stderr: String,
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        Ran {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

fn letter(number: usize, error: &str, queue: &str) -> String {
    let failure = json!({ "queueId": queue, "emailAddressId": "e", "error": error, "message": "why",
                          "retryable": false, "messageId": format!("m{number}") });
    let entry = json!({ "queueId": queue, "emailAddressId": "e" });
    json!({ "instanceId": "i", "reference": format!("ref-{number}"), "associations": [entry], "failures": [failure] })
        .to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn showing_removes_nothing() {
    let world = World::new("looking").await;
    let mut bodies: Vec<String> = (0..12).map(|n| letter(n, "QueueFull", "q1")).collect();
    bodies.extend((12..15).map(|n| letter(n, "NameNotFound", "q2")));
    bodies.push(
        json!({ "unreadable": "{", "failures": [{ "error": "InvalidRequest", "message": "no JSON" }] })
            .to_string(),
    );
    bodies.push("no JSON at all".to_owned());
    world.send(&bodies).await;
    let event = json!({ "id": "event-1", "detail-type": "t", "source": "s", "detail": { "queueId": "q3" } });
    let text =
        |text: &str| MessageAttributeValue::builder().data_type("String").string_value(text).build().unwrap();
    let undelivered = world.client.send_message().queue_url(&world.letters).message_body(event.to_string());
    let undelivered = undelivered.message_attributes("ERROR_CODE", text("NO_PERMISSIONS"));
    undelivered.message_attributes("RULE_ARN", text("arn")).send().await.unwrap();

    let ran = world.run(&[]).await;
    assert_eq!(ran.code, Some(0), "{}{}", ran.stdout, ran.stderr);
    for (error, letters) in
        [("QueueFull", 12), ("NameNotFound", 3), ("InvalidRequest", 1), ("Unknown", 1), ("NO_PERMISSIONS", 1)]
    {
        let row = ran.stdout.lines().find(|line| line.contains(&format!("| {error} ")));
        let row = row.unwrap_or_else(|| panic!("{error} in {}", ran.stdout));
        assert_eq!(row.split_whitespace().nth(2), Some(&*letters.to_string()), "{row}");
    }
    assert!(ran.stdout.ends_with("\n\n18 dead letters in the queue\n"), "{}", ran.stdout);
    assert_eq!(world.visible(&world.letters).await, 18);

    let ran =
        world.run(&["--json", "--error", "NameNotFound", "--queue-id", "q2", "--reference", "ref-13"]).await;
    let letters: Vec<Value> = ran.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(letters.len(), 1, "{}", ran.stdout);
    assert_eq!(letters[0]["body"], serde_json::from_str::<Value>(&letter(13, "NameNotFound", "q2")).unwrap());
    assert_eq!(letters[0]["references"], json!(["m13", "ref-13"]));
    assert_eq!(world.visible(&world.letters).await, 18);
}

#[tokio::test(flavor = "multi_thread")]
async fn only_selected_dead_letters_move_after_confirmation() {
    let world = World::new("selected").await;
    let bodies: Vec<String> =
        (0..30).map(|n| letter(n, ["QueueFull", "NameNotFound", "InvalidRequest"][n % 3], "q")).collect();
    world.send(&bodies).await;
    let redrive = ["--error", "NameNotFound", "--redrive", "--to", &world.target];
    let ran = world.run(&redrive).await;
    assert_eq!(ran.code, Some(2), "{}", ran.stderr);
    assert!(
        ran.stderr.contains("Move 10 dead letters to") && ran.stderr.contains("confirm with --yes"),
        "{}",
        ran.stderr
    );
    assert_eq!((world.visible(&world.letters).await, world.visible(&world.target).await), (30, 0));

    let ran = world.run(&[&redrive[..], &["--yes"]].concat()).await;
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert!(ran.stderr.contains("10 dead letters moved, 0 left in the queue"), "{}", ran.stderr);
    let moved = world.moved().await;
    let wanted: BTreeMap<String, usize> =
        bodies.iter().skip(1).step_by(3).map(|body| (body.clone(), 1)).collect();
    assert_eq!(moved, wanted);
    assert_eq!(world.visible(&world.letters).await, 20);

    let ran = world.run(&["--reference", "ref-2", "--reference", "ref-5", "--delete", "--yes"]).await;
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert!(ran.stderr.contains("2 dead letters deleted"), "{}", ran.stderr);
    assert_eq!(world.visible(&world.letters).await, 18);
}

#[tokio::test(flavor = "multi_thread")]
async fn unsendable_dead_letter_stays() {
    let world = World::new("unsendable").await;
    let too_long = json!({ "queueId": "q", "note": "n".repeat(5_000) }).to_string();
    world.send(&[letter(0, "QueueFull", "q"), too_long]).await;
    let smaller = world.client.set_queue_attributes().queue_url(&world.target);
    smaller.attributes(QueueAttributeName::MaximumMessageSize, "1024").send().await.unwrap();
    let ran = world.run(&["--redrive", "--to", &world.target, "--yes"]).await;
    assert_eq!(ran.code, Some(1), "{}", ran.stderr);
    assert!(ran.stderr.contains("left in the queue"), "{}", ran.stderr);
    let moved: usize = world.moved().await.values().sum();
    assert_eq!(world.visible(&world.letters).await + moved, 2);

    let missing = format!("{}-missing", world.target);
    let ran = world.run(&["--redrive", "--to", &missing, "--yes"]).await;
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(2), ""));
    assert!(ran.stderr.contains(&missing) && ran.stderr.contains("NonExistentQueue"), "{}", ran.stderr);
}

/// Kills the program during the run, then interrupts it, then runs it to the end. `LETTERS` is the number of letters.
/// moto scans all messages of a queue for each request, so ten thousand letters would take hours.
/// `tests/end_to_end/test_dead_letters.py` moves ten thousand.
#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn dead_letters_survive_kill_and_interrupt() {
    let world = World::new("interrupted").await;
    let letters: usize = std::env::var("LETTERS").map_or(400, |letters| letters.parse().unwrap());
    let bodies: Vec<String> = (0..letters).map(|n| letter(n, "QueueFull", "q")).collect();
    world.send(&bodies).await;
    let redrive = ["--redrive", "--to", &world.target, "--yes", "--quiet"];
    // SIGTERM, because a shell starts background jobs with SIGINT ignored, and the program respects that.
    for (signal, until, code) in [("-KILL", letters / 4, None), ("-TERM", letters / 2, Some(143))] {
        let mut child = world.command(&redrive).spawn().unwrap();
        while world.visible(&world.target).await < until {
            assert_eq!(child.try_wait().unwrap(), None, "it ended before it was killed");
            // The server handles one request at a time, and the program under test needs it too.
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let killed = Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap();
        assert!(killed.success());
        let ran: Ran =
            tokio::task::spawn_blocking(move || child.wait_with_output()).await.unwrap().unwrap().into();
        assert_eq!(ran.code, code, "{}", ran.stderr);
    }
    // The letters that the killed program received become visible when their visibility timeout ends.
    while world.count(&world.letters).await > 0 {
        let ran = world.run(&redrive).await;
        assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    }
    let moved = world.moved().await;
    assert!(bodies.iter().all(|body| moved.contains_key(body)), "{} of {letters} arrived", moved.len());
    let twice = moved.values().filter(|count| **count == 2).count();
    // The batch that was in progress when the program was killed.
    assert!(twice <= 10 && moved.values().all(|count| *count <= 2), "{twice} arrived twice");
}
