//! A signal stops the program, which prints what was done and exits with 128 plus the signal's number.

use std::io::Read;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::channel;

use connect_simulator::{Connect, Effect, Fault, Fixture, Operation, Server};
use serde_json::json;

use crate::loopback::{Loopback, Response};
use crate::{Ran, file, on_aws, program, send_signal};

const SIGNALS: [(&str, i32); 3] = [("INT", 130), ("TERM", 143), ("HUP", 129)];

/// Returns the command with the default action for SIGINT. A shell starts background jobs with SIGINT ignored, their
/// children inherit that, and the program respects it.
fn interruptible(command: &Command) -> Command {
    let mut env = Command::new("env");
    env.env_clear();
    if cfg!(target_os = "linux") {
        env.arg("--default-signal=INT");
    }
    env.arg(command.get_program()).args(command.get_args());
    env.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    env
}

fn wait(child: Child) -> Ran {
    child.wait_with_output().unwrap().into()
}

/// Starts a run of two pairs against a service that associates the first and never answers the second call. Returns
/// when the second call has arrived.
fn start_hanging_run(start: impl FnOnce(Command) -> Command) -> (Child, Connect, Server) {
    let fixture = Fixture::new()
        .with_queue("i", "q1", "Billing")
        .with_queue("i", "q2", "Orders")
        .with_address("i", "e", "a@brand.example");
    let connect = Connect::new(fixture);
    let hang = Fault::new(Effect::Hang).on(Operation::AssociateQueueEmailAddresses);
    connect.inject(Fault { queue: Some("q2".to_owned()), ..hang });
    let (sender, calls) = channel();
    connect.observe(move |call| drop(sender.send(call.queue.clone())));
    let server = Server::start(connect.clone()).unwrap();
    let mut command = on_aws(&["--quiet"], &server.endpoint());
    let pairs = "instanceId,queueId,emailAddressId\ni,q1,e\ni,q2,e\n";
    command.env("MAX_CONCURRENT_CALLS", "1").arg(file("pairs.csv", pairs));
    let child = start(command).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    while calls.recv().unwrap().as_deref() != Some("q2") {}
    (child, connect, server)
}

#[tokio::test(flavor = "multi_thread")]
async fn signal_stops_the_run_and_prints_what_was_done() {
    for (signal, code) in SIGNALS {
        let (child, connect, _server) = start_hanging_run(|command| interruptible(&command));
        send_signal(signal, &child);
        let ran = wait(child);
        assert_eq!((ran.code, ran.stdout.as_str()), (Some(code), ""), "{signal}: {}", ran.stderr);
        let line = "associate-emails: interrupted after 1 pair had been associated;";
        assert!(ran.stderr.starts_with(line), "{signal}: {}", ran.stderr);
        assert_eq!(connect.associated("i", "q1"), ["e"]);
    }
}

/// The output is longer than a pipe, so the program is still printing when the signal arrives.
#[test]
fn signal_does_not_cut_off_the_result() {
    let rows: String = (0..500).map(|queue| format!("queue-{queue:0>200},e\n")).collect();
    let pairs = file("many-queues.csv", format!("queueId,emailAddressId\n{rows}"));
    for command in [&["--fast"][..], &["undo", "--dry-run", "--fast"]] {
        let mut run =
            interruptible(program(&[command, &["--quiet", "--instance", "i"]].concat()).arg(&pairs));
        let mut child = run.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut first = [0];
        child.stdout.as_mut().unwrap().read_exact(&mut first).unwrap();
        send_signal("INT", &child);
        let ran = wait(child);
        assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""), "{command:?}");
        assert!(ran.last_line().starts_with("This was a "), "{}", ran.last_line());
    }
}

#[test]
fn signal_ends_a_run_that_waits_for_its_input() {
    for (signal, code) in SIGNALS {
        let mut command = interruptible(&program(&["-"]));
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        // The program has installed its signal handlers when it reads input.
        let mut stdin = child.stdin.take().unwrap();
        let more_than_a_pipe = vec![b' '; 1 << 20];
        std::io::Write::write_all(&mut stdin, &more_than_a_pipe).unwrap();
        send_signal(signal, &child);
        let ran = wait(child);
        assert_eq!((ran.code, ran.stderr.as_str()), (Some(code), "associate-emails: interrupted\n"));
    }
}

#[test]
fn second_signal_ends_the_process_at_once() {
    let message = json!({ "MessageId": "m", "ReceiptHandle": "r", "Body": "{}" });
    let received = Arc::new(AtomicBool::new(false));
    let sqs = Loopback::start(move |request| match request.operation() {
        "GetQueueAttributes" => {
            Response::Json(json!({ "Attributes": { "ApproximateNumberOfMessages": "1" } }).to_string())
        }
        "ReceiveMessage" if !received.swap(true, Ordering::Relaxed) => {
            Response::Json(json!({ "Messages": [message] }).to_string())
        }
        _ => Response::Hang,
    });
    let mut command = program(&["dead-letters", "--quiet", "--region", "eu-central-1", "--queue-url"]);
    command
        .arg(format!("{}/111122223333/letters", sqs.url))
        .env("AWS_ENDPOINT_URL_SQS", &sqs.url)
        .env("AWS_ACCESS_KEY_ID", "id")
        .env("AWS_SECRET_ACCESS_KEY", "secret");
    let mut child = command.spawn().unwrap();
    let wait_for = |operation: &str, child: &mut Child| {
        while sqs.next().operation() != operation {
            assert_eq!(child.try_wait().unwrap(), None);
        }
    };
    // The second request to receive shows that the response to the first has arrived.
    wait_for("ReceiveMessage", &mut child);
    wait_for("ReceiveMessage", &mut child);
    send_signal("TERM", &child);
    // The first signal makes the dead letter visible again. That request gets no response.
    wait_for("ChangeMessageVisibilityBatch", &mut child);
    send_signal("TERM", &child);
    let ran = wait(child);
    assert_eq!((ran.code, ran.stdout.as_str(), ran.stderr.as_str()), (Some(143), "", ""));
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn ignored_hang_up_stays_ignored() {
    let (child, _connect, _server) = start_hanging_run(|command| {
        let mut nohup = Command::new("nohup");
        nohup.env_clear().arg(command.get_program()).args(command.get_args());
        nohup.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
        nohup.stdin(Stdio::null());
        nohup
    });
    send_signal("HUP", &child);
    send_signal("TERM", &child);
    assert_eq!(wait(child).code, Some(143));
}

/// The kernel ignores a signal to process 1 of a container unless the process handles it (pid_namespaces(7)).
#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn process_1_handles_signals() {
    let namespaces = ["--user", "--map-root-user", "--pid", "--fork", "--kill-child"];
    if !Command::new("unshare").args(namespaces).arg("true").status().is_ok_and(|status| status.success()) {
        return;
    }
    let (child, connect, _server) = start_hanging_run(|command| {
        let mut unshare = Command::new("unshare");
        unshare.args(namespaces).arg(command.get_program()).args(command.get_args());
        unshare.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
        unshare
    });
    let children = format!("/proc/{0}/task/{0}/children", child.id());
    let process_1 = std::fs::read_to_string(children).unwrap();
    assert!(Command::new("kill").args(["-s", "TERM", process_1.trim()]).status().unwrap().success());
    let ran = wait(child);
    assert_eq!(ran.code, Some(143), "{}", ran.stderr);
    assert!(ran.stderr.contains("1 pair had been associated;"), "{}", ran.stderr);
    assert_eq!(connect.associated("i", "q1"), ["e"]);
}
