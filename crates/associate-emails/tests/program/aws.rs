//! `--aws`, with the simulator in the place of Amazon Connect.

use connect_simulator::{Connect, Fixture, Options, Server};

use crate::{Ran, program};

#[tokio::test(flavor = "multi_thread")]
async fn calls_go_to_the_endpoint_with_the_credentials_of_the_environment() {
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
fn without_a_region_nothing_is_begun() {
    let file = std::path::PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("no-region.json");
    std::fs::write(&file, "{}").unwrap();
    let mut command = program(&["--aws"]);
    command.env("AWS_EC2_METADATA_DISABLED", "true").env("AWS_CONFIG_FILE", "no-such-file").arg(file);
    let ran: Ran = command.output().unwrap().into();
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(2), ""));
    assert_eq!(
        ran.stderr,
        "associate-emails: no Region was found; give --region, or set AWS_REGION, or a region in the profile that \
         AWS_PROFILE names\n"
    );
}
