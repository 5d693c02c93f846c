//! Compares every message of the program about its input with `messages.txt`, which lists each under its command line
//! and file.

use crate::golden::{Messages, compare};
use crate::{Ran, file, finish, program, run_on_stdin};

const PAIR: &str = "instanceId,queueId,emailAddressId\ni,q,e\n";

#[test]
fn messages_match_the_list() {
    let mut messages = Messages::default();
    messages.section("Options and settings");
    for args in [
        &[][..],
        &["--nonsense", "pairs.csv"],
        &["--format", "xml", "-"],
        &["--fast", "--aws", "-"],
        &["--check-queues", "-"],
        &["--instance", "i", "plan", "pairs.csv"],
        &["no-such-file.json"],
        &["undo"],
        &["undo", "pairs.csv"],
        &["undo", "--yes", "--keep", "no-such-file.csv", "pairs.csv"],
        &["dead-letters"],
        &["dead-letters", "--queue-url", "dead-letters"],
        &["dead-letters", "--queue-url", "https://sqs.eu-central-1.amazonaws.com/111122223333/dead.fifo"],
        &[
            "dead-letters",
            "--queue-url",
            "https://sqs.eu-central-1.amazonaws.com/111122223333/dead",
            "--redrive",
        ],
    ] {
        let ran = finish(&mut program(args));
        add(&mut messages, &format!("associate-emails {}", args.join(" ")), &ran);
    }
    for (variable, value) in [("CONNECT_BURST", "many"), ("MAX_ATTEMPTS", "0")] {
        let ran = finish(program(&[]).env(variable, value).arg(file("pair.csv", PAIR)));
        add(&mut messages, &format!("{variable}={value} associate-emails pair.csv"), &ran);
    }
    for args in [&["--burst", "many"][..], &["--rate", "-1"], &["--instance", "a b"]] {
        add(&mut messages, &format!("associate-emails {} -", args.join(" ")), &run_on_stdin(args, PAIR));
    }

    messages.section("Access to AWS");
    let no_metadata = [("AWS_EC2_METADATA_DISABLED", "true"), ("AWS_CONFIG_FILE", "none")];
    for (variables, region) in [
        (&[][..], &[][..]),
        (&[("AWS_PROFILE", "mine")], &[]),
        (&[], &["--region", "eu-central-1"]),
        (&[("AWS_PROFILE", "mine")], &["--region", "eu-central-1"]),
        (
            &[
                ("AWS_ACCESS_KEY_ID", "id"),
                ("AWS_SECRET_ACCESS_KEY", "s"),
                ("AWS_ENDPOINT_URL_CONNECT", "http://127.0.0.1:9"),
            ],
            &["--region", "eu-central-1"],
        ),
        (&[("HTTPS_PROXY", "ht tp://proxy")], &["--region", "eu-central-1"]),
    ] {
        let mut command = program(&["--aws"]);
        command.envs(variables.iter().chain(&no_metadata).copied()).args(region).arg(file("aws.csv", PAIR));
        let variables: String = variables.iter().map(|(name, value)| format!("{name}={value} ")).collect();
        let input = format!("{variables}associate-emails --aws {}", region.join(" "));
        add(&mut messages, &input, &finish(&mut command));
    }

    messages.section("Files that cannot be used");
    for (name, content) in [
        ("empty.json", &b" \n"[..]),
        ("lines.json", b"{\"queueId\": \"q\"}\n{\"queueId\": \"p\"}\n"),
        ("null.json", b"null"),
        ("broken.json", b"{"),
        ("beside.json", b"{\"Items\": [], \"dryRun\": true}"),
        ("defaults.json", b"{\"Items\": [], \"BatchInput\": {\"dryRun\": 1}}"),
        ("broken.jsonl", b"{\"queueId\": \n"),
        ("pretty.jsonl", b"{\n  \"queueId\": \"q\"\n}\n"),
        ("array.jsonl", b"[\n  {\"queueId\": \"q\"}\n]\n"),
        ("header-only.csv", b"queueId,emailAddressId\n"),
        ("no-queue.csv", b"emailAddress\nx\n"),
        ("no-header.csv", b"11111111-2222-3333-4444-555555555555,22222222-2222-3333-4444-555555555555\n"),
        ("unknown.csv", b"name,mail\nx,y\n"),
        ("option.csv", b"queueId,emailAddressId,dryRun\nq,e,true\n"),
        ("list.csv", b"queueId,emailAddressIds\nq,e\n"),
        ("twice.csv", b"queueId,queueId,emailAddressId\nq,q,e\n"),
        ("sep.csv", b"sep=#\nqueueId#emailAddressId\nq#e\n"),
        ("two-separators.csv", b"queueId,emailAddressId,a;queueId;emailAddressId;b\nq,e,;q;e;\n"),
        ("two-headers.csv", b"queueId,emailAddressId\nq,e\nemailAddressId,queueId\ne,q\n"),
        ("quote.csv", b"queueId,emailAddressId\n\"q,e\nq,e\n"),
        ("long-cell.csv", b"queueId,emailAddressId\n\"q\nr\",e\n"),
        ("latin-1.csv", b"queueName,emailAddressId\nR\xfcckgaben,e\n"),
        ("utf-16.csv", b"q\0u\0e\0u\0e\0"),
        ("workbook.csv", b"PK\x03\x04..."),
        ("packed.csv", b"\x1f\x8b..."),
        ("text.xlsx", b"queueId,emailAddressId\nq,e\n"),
        ("damaged.xlsx", b"PK\x03\x04\x14\0"),
        ("old.ods", b"\xd0\xcf\x11\xe0"),
        ("line-ends.csv", b"queueId,emailAddressId\nq,e\rq,f\n"),
    ] {
        let ran = finish(program(&["--quiet", "--fast"]).arg(file(name, content)));
        add(&mut messages, &format!("{name}: {}", String::from_utf8_lossy(content)), &ran);
    }
    add(&mut messages, "standard input: \"text\"", &run_on_stdin(&[], "\"text\""));
    let dry_run = r#"{"instanceId": "i", "queueId": "q", "emailAddressId": "e", "dryRun": true}"#;
    let ran = finish(program(&["undo", "--yes"]).arg(file("dry-run.json", dry_run)));
    add(&mut messages, &format!("undo --yes dry-run.json: {dry_run}"), &ran);

    messages.section("Rows that fail without affecting the others, as shown in the table");
    let rows = "queueId,queueName,emailAddressId,emailAddress\n,,e,\nq,Q,e,\nq,,e,a@brand.example\nq,,,\na/b,,e,\nq,,e,,x\n\"\"\"q\",,e,\nq,,,a@brand.example.\nq,,,'a@brand.example\n";
    let ran = finish(program(&["--quiet", "--instance", "i"]).arg(file("rows.csv", rows)));
    messages.add(rows, &ran.stdout);
    let rows = "queueId,emailAddressId\nq,e1\nq,e2\n";
    messages.add(rows, &finish(program(&["--quiet"]).arg(file("rows.csv", rows))).stdout);
    compare("tests/program/messages.txt", messages.text());
}

/// Adds the lines on standard error, without the path of the folder.
fn add(messages: &mut Messages, input: &str, ran: &Ran) {
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(2), ""), "{input}: {}", ran.stderr);
    let folder = file("empty", "").display().to_string().replace("empty", "");
    messages.add(input, &ran.stderr.replace(&folder, ""));
}
