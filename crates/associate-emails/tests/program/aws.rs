//! Tests `--aws` with the simulator in place of Amazon Connect.

use connect_simulator::{Connect, Fixture, Options, Server};

use crate::{Ran, program};

#[tokio::test(flavor = "multi_thread")]
async fn calls_use_endpoint_and_credentials_of_the_environment() {
    let fixture = Fixture::new().with_queue("i", "q", "Billing").with_address("i", "e", "a@brand.example");
    let connect = Connect::new(Options { fixture, ..Options::default() });
    let server = Server::start(connect.clone()).unwrap();
    let file = std::path::PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("aws.csv");
    std::fs::write(&file, "queueName,emailAddress\nBilling,A@brand.example\nRepairs,a@brand.example\n")
        .unwrap();
    let mut command = program(&["--aws", "--region", "eu-central-1", "--instance", "i"]);
    command
        .env("AWS_ENDPOINT_URL_CONNECT", server.endpoint())
        .env("AWS_ACCESS_KEY_ID", "id")
        .env("AWS_SECRET_ACCESS_KEY", "secret")
        .arg(file);
    let ran: Ran = tokio::task::spawn_blocking(move || command.output()).await.unwrap().unwrap().into();
    assert_eq!(ran.code, Some(1), "{}{}", ran.stdout, ran.stderr);
    assert_eq!(connect.associated("i", "q"), ["e"]);
    assert_eq!(ran.rows(&["| 3 ", "Repairs", "NameNotFound"]), 1, "{}", ran.stdout);
    assert!(!ran.stdout.contains("simulation"), "{}", ran.stdout);
}

#[test]
fn missing_region_stops_the_run() {
    let file = std::path::PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("no-region.json");
    std::fs::write(&file, "{}").unwrap();
    let mut command = program(&["--aws"]);
    command.env("AWS_EC2_METADATA_DISABLED", "true").env("AWS_CONFIG_FILE", "no-such-file").arg(file);
    let ran: Ran = command.output().unwrap().into();
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(2), ""));
    assert_eq!(
        ran.stderr,
        "associate-emails: no Region was found; give --region, or set AWS_REGION, or a region in the selected profile \
         (AWS_PROFILE)\n"
    );
}

const PAIR: &str = "instanceId,queueId,emailAddressId\ni,q,e\n";

/// Returns the program with `--aws` and credentials, on a file with one pair.
fn on_aws(name: &str) -> std::process::Command {
    let file = std::path::PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::write(&file, PAIR).unwrap();
    let mut command = program(&["--aws", "--region", "eu-central-1", "--quiet"]);
    command.env("AWS_ACCESS_KEY_ID", "id").env("AWS_SECRET_ACCESS_KEY", "secret").arg(file);
    command
}

async fn ran(mut command: std::process::Command) -> Ran {
    tokio::task::spawn_blocking(move || command.output()).await.unwrap().unwrap().into()
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_go_through_the_proxy() {
    let fixture = Fixture::new().with_queue("i", "q", "Billing").with_address("i", "e", "a@brand.example");
    let connect = Connect::new(Options { fixture, ..Options::default() });
    // A proxy for http:// receives the whole URL, and the simulator uses only its path.
    let proxy = Server::start(connect.clone()).unwrap();
    let mut command = on_aws("proxy.csv");
    command.env("AWS_ENDPOINT_URL_CONNECT", "http://connect.invalid").env("HTTP_PROXY", proxy.endpoint());
    let ran_through = ran(command).await;
    assert_eq!(ran_through.code, Some(0), "{}{}", ran_through.stdout, ran_through.stderr);
    assert_eq!(connect.associated("i", "q"), ["e"]);

    let mut command = on_aws("no-proxy.csv");
    command
        .env("AWS_ENDPOINT_URL_CONNECT", "http://connect.invalid")
        .env("HTTP_PROXY", proxy.endpoint())
        .env("NO_PROXY", "other.example,.invalid");
    let direct = ran(command).await;
    assert_eq!((direct.code, direct.stdout.as_str()), (Some(2), ""));
    let said = "associate-emails: Amazon Connect cannot be called: the API was not reached: \
                connect.invalid: ";
    assert!(direct.stderr.starts_with(said), "{}", direct.stderr);
    assert_eq!(direct.stderr.lines().count(), 1, "{}", direct.stderr);
}

#[tokio::test(flavor = "multi_thread")]
async fn https_goes_through_a_tunnel() {
    use std::io::{BufRead, BufReader, Write};
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let proxy = format!("http://{}", listener.local_addr().unwrap());
    let requested = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut line = String::new();
        BufReader::new(&stream).read_line(&mut line).unwrap();
        stream.write_all(b"HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n").unwrap();
        line
    });
    let mut command = on_aws("tunnel.csv");
    command.env("HTTPS_PROXY", &proxy);
    let rejected = ran(command).await;
    assert_eq!(rejected.code, Some(2), "{}", rejected.stderr);
    assert!(
        rejected.stderr.contains("connect.eu-central-1.amazonaws.com through the proxy 127.0.0.1:"),
        "{}",
        rejected.stderr
    );
    assert_eq!(requested.join().unwrap().trim(), "CONNECT connect.eu-central-1.amazonaws.com:443 HTTP/1.1");

    let mut command = on_aws("wrong-proxy.csv");
    command.env("HTTPS_PROXY", "ftp://user:secret@proxy");
    let wrong = ran(command).await;
    assert_eq!(wrong.code, Some(2));
    assert!(
        wrong
            .stderr
            .starts_with("associate-emails: HTTPS_PROXY is not a valid proxy URL; expected http(s)://HOST")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn missing_credentials_stop_the_run() {
    let file = std::path::PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("no-credentials.csv");
    std::fs::write(&file, PAIR).unwrap();
    let config = std::path::PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("aws-config");
    std::fs::write(&config, "[profile one]\nregion = eu-central-1\n").unwrap();
    let program = |profile: Option<&str>| {
        let mut command = program(&["--aws", "--region", "eu-central-1"]);
        command.env("AWS_EC2_METADATA_DISABLED", "true").env("AWS_CONFIG_FILE", &config).arg(&file);
        command.envs(profile.map(|profile| ("AWS_PROFILE", profile)));
        command
    };
    for (profile, said) in [
        (
            None,
            "associate-emails: no credentials were found; sign in (aws sso login), set AWS_PROFILE, or set",
        ),
        (
            Some("two"),
            "associate-emails: no credentials were found for the profile \"two\"; check that it exists, or sign",
        ),
    ] {
        let ran = ran(program(profile)).await;
        assert_eq!((ran.code, ran.stdout.as_str()), (Some(2), ""), "{}", ran.stderr);
        assert!(ran.stderr.starts_with(said), "{}", ran.stderr);
        assert_eq!(ran.stderr.lines().count(), 1, "{}", ran.stderr);
    }
}
