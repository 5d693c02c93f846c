//! The program finds credentials, endpoint, proxy and certificates in the environment and in profiles, as the AWS CLI
//! does.

use std::process::Command;

use serde_json::json;

use crate::loopback::{Loopback, Response};
use crate::{Ran, file, finish, program};

/// Returns the program with `--aws` on a file with one pair, without credentials.
fn without_keys() -> Command {
    let mut command = program(&["--aws", "--quiet"]);
    command
        .env("AWS_CONFIG_FILE", "no-such-file")
        .env("AWS_SHARED_CREDENTIALS_FILE", "no-such-file")
        .arg(file("pair.csv", "instanceId,queueId,emailAddressId\ni,q,e\n"));
    command
}

/// Returns the program with `--aws`, credentials and a Region.
fn with_keys() -> Command {
    let mut command = without_keys();
    command
        .args(["--region", "us-east-1"])
        .env("AWS_ACCESS_KEY_ID", "id")
        .env("AWS_SECRET_ACCESS_KEY", "secret");
    command
}

/// Returns the program with `--aws` and a profile of the given configuration file.
fn with_profile(name: &str, config: &str, profile: &str) -> Command {
    let mut command = without_keys();
    command.env("AWS_CONFIG_FILE", file(name, config)).env("AWS_PROFILE", profile);
    command
}

/// Starts a server that accepts every request, as Connect.
fn connect() -> Loopback {
    Loopback::start(|_| Response::Json(json!({ "EmailAddressMetadataList": [] }).to_string()))
}

/// Asserts that the program stopped with one line that contains the given text.
#[track_caller]
fn assert_stopped(ran: &Ran, text: &str) {
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(2), ""), "{}", ran.stderr);
    assert!(ran.stderr.contains(text), "{}", ran.stderr);
    assert_eq!(ran.stderr.lines().count(), 1, "{}", ran.stderr);
}

const CREDENTIALS: &str = r#"{"Code": "Success", "Type": "AWS-HMAC", "AccessKeyId": "id", "SecretAccessKey": "secret",
    "Token": "session", "Expiration": "2100-01-01T00:00:00Z", "LastUpdated": "2020-01-01T00:00:00Z"}"#;

#[test]
fn container_credentials_never_go_through_the_proxy() {
    let container = Loopback::start(|_| Response::Json(CREDENTIALS.to_owned()));
    let proxy = connect();
    let mut command = without_keys();
    command
        .args(["--region", "us-east-1"])
        .env("AWS_CONTAINER_CREDENTIALS_FULL_URI", format!("{}/credentials", container.url))
        .env("AWS_CONTAINER_AUTHORIZATION_TOKEN", "token")
        .env("AWS_ENDPOINT_URL", "http://connect.invalid")
        .env("HTTP_PROXY", &proxy.url);
    let ran = finish(&mut command);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert_eq!(container.next().header("authorization"), Some("token"));
    let through_proxy = proxy.requests();
    assert!(!through_proxy.is_empty());
    for request in through_proxy {
        assert!(request.line.contains("http://connect.invalid/"), "{}", request.line);
        assert_eq!(request.header("x-amz-security-token"), Some("session"));
    }
}

#[test]
fn instance_metadata_never_goes_through_the_proxy() {
    for from_profile in [false, true] {
        let metadata = Loopback::start(|request| match request.line.split(' ').nth(1) {
            Some("/latest/api/token") => Response::Json("token".to_owned()),
            Some(path) if path.ends_with("/security-credentials/") => Response::Json("role".to_owned()),
            Some(path) if path.ends_with("/security-credentials/role") => {
                Response::Json(CREDENTIALS.to_owned())
            }
            _ => Response::Status(404, String::new()),
        });
        let proxy = connect();
        let config = format!("[profile p]\nec2_metadata_service_endpoint = {}\n", metadata.url);
        let mut command = with_profile("metadata.ini", &config, "p");
        if !from_profile {
            command.env("AWS_PROFILE", "").env("AWS_EC2_METADATA_SERVICE_ENDPOINT", &metadata.url);
        }
        command
            .args(["--region", "us-east-1"])
            .env("AWS_ENDPOINT_URL", "http://connect.invalid")
            .env("HTTP_PROXY", &proxy.url);
        let ran = finish(&mut command);
        assert_eq!(ran.code, Some(0), "{}", ran.stderr);
        let lines: Vec<String> = proxy.requests().into_iter().map(|request| request.line).collect();
        assert!(lines.iter().all(|line| line.contains("http://connect.invalid/")), "{lines:?}");
    }
}

#[test]
fn hosts_in_no_proxy_are_called_directly() {
    let proxy = connect();
    let mut command = with_keys();
    command.env("AWS_ENDPOINT_URL", "http://connect.invalid").env("HTTP_PROXY", &proxy.url);
    assert_eq!(finish(&mut command).code, Some(0));
    assert!(!proxy.requests().is_empty());
    let stopped = finish(command.env("NO_PROXY", "other.example,.invalid"));
    assert_stopped(&stopped, "connect.invalid: ");
    assert!(proxy.requests().is_empty());
}

#[test]
fn certificate_bundle_of_variable_or_profile_is_trusted() {
    let authority = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/program/tls/authority.pem");
    let connect = Loopback::start_tls(|_| Response::Json("{}".to_owned()));
    let mut command = with_keys();
    command.env("AWS_ENDPOINT_URL", &connect.url);
    let advice =
        "invalid peer certificate: UnknownIssuer; if a proxy inspects the connections, set AWS_CA_BUNDLE to";
    assert_stopped(&finish(&mut command), advice);
    let trusted = finish(command.env("AWS_CA_BUNDLE", authority));
    assert_eq!(trusted.code, Some(0), "{}", trusted.stderr);

    let config = format!("[profile p]\nca_bundle = {authority}\nregion = us-east-1\n");
    let mut command = with_profile("ca-bundle.ini", &config, "p");
    command
        .env("AWS_ACCESS_KEY_ID", "id")
        .env("AWS_SECRET_ACCESS_KEY", "secret")
        .env("AWS_ENDPOINT_URL", &connect.url);
    let trusted = finish(&mut command);
    assert_eq!(trusted.code, Some(0), "{}", trusted.stderr);

    let empty = file("empty.pem", "x");
    for (bundle, text) in [
        ("no-such-file", r#"cannot read AWS_CA_BUNDLE "no-such-file": "#),
        (empty.to_str().unwrap(), "no certificate in AWS_CA_BUNDLE"),
    ] {
        assert_stopped(&finish(command.env("AWS_CA_BUNDLE", bundle)), text);
    }
}

#[test]
fn missing_certificates_stop_only_calls_to_aws() {
    let connect = Loopback::start_tls(|_| Response::Json("{}".to_owned()));
    let mut command = with_keys();
    command
        .env("SSL_CERT_FILE", "/no/such")
        .env("SSL_CERT_DIR", "/no/such")
        .env("AWS_ENDPOINT_URL", &connect.url);
    assert_stopped(&finish(&mut command), "otherwise install the CA certificates of the operating system");
    let mut command = program(&["--quiet", "--fast"]);
    command.env("SSL_CERT_FILE", "/no/such").env("SSL_CERT_DIR", "/no/such");
    command.arg(file("pair.csv", "instanceId,queueId,emailAddressId\ni,q,e\n"));
    let ran = finish(&mut command);
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""), "{}", ran.stdout);
}

#[test]
fn unsupported_profile_is_reported_with_the_command_that_exports_its_credentials() {
    let config = "[profile signed-in]\nregion = us-east-1\nlogin_session = arn:aws:iam::111122223333:user/admin\n\
                  [profile base]\naws_access_key_id = x\naws_secret_access_key = x\n\
                  [profile code]\nregion = us-east-1\nrole_arn = arn:aws:iam::111122223333:role/r\nsource_profile = base\n\
                  mfa_serial = arn:aws:iam::111122223333:mfa/admin\n\
                  [profile role]\nregion = us-east-1\nrole_arn = arn:aws:iam::111122223333:role/r\n\
                  source_profile = signed-in\n";
    for (profile, reason) in [
        ("signed-in", r#"the profile "signed-in" is signed in with "aws login""#),
        ("role", r#"the profile "signed-in" is signed in with "aws login""#),
        ("code", r#"the profile "code" needs an MFA code (mfa_serial)"#),
    ] {
        let stopped = finish(&mut with_profile("export.ini", config, profile));
        assert_stopped(&stopped, reason);
        let advice =
            format!("eval \"$(aws configure export-credentials --profile {profile} --format env)\" first");
        assert!(stopped.stderr.contains(&advice), "{}", stopped.stderr);
    }
    // Exported credentials are in the environment, which takes precedence over the profile.
    let connect = connect();
    let mut command = with_profile("export.ini", config, "signed-in");
    command
        .env("AWS_ACCESS_KEY_ID", "id")
        .env("AWS_SECRET_ACCESS_KEY", "secret")
        .env("AWS_ENDPOINT_URL", &connect.url);
    let ran = finish(&mut command);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
}

#[test]
fn default_profile_variable_selects_a_profile() {
    let connect = connect();
    let config = format!(
        "[profile p]\nregion = us-east-1\naws_access_key_id = x\naws_secret_access_key = x\nendpoint_url = {}\n",
        connect.url
    );
    let mut command = with_profile("older.ini", &config, "");
    for other in ["", "other"] {
        let ran = finish(command.env("AWS_PROFILE", other).env("AWS_DEFAULT_PROFILE", "p"));
        assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    }
}

#[test]
fn credential_process_runs_once() {
    let connect = connect();
    let log = file("process.log", "");
    let credentials = r#"{"Version": 1, "AccessKeyId": "id", "SecretAccessKey": "secret"}"#;
    let script = file("process.sh", format!("echo run >> {}\necho '{credentials}'\n", log.display()));
    let config = format!(
        "[profile p]\nregion = us-east-1\nendpoint_url = {}\ncredential_process = /bin/sh {}\n",
        connect.url,
        script.display()
    );
    let ran = finish(with_profile("process.ini", &config, "p").env("PATH", "/usr/bin:/bin"));
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert_eq!(std::fs::read_to_string(log).unwrap(), "run\n");
}

/// Runs in a separate network namespace, in which packets to the DNS server are lost.
#[cfg(target_os = "linux")]
#[test]
fn hanging_name_resolution_is_one_line_with_the_host() {
    let resolver = file("resolv.conf", "nameserver 10.1.1.1\noptions timeout:30 attempts:2\n");
    let switch = file("nsswitch.conf", "hosts: dns\n");
    let network = format!(
        "ip link set lo up && ip route add 10.0.0.0/8 dev lo && mount --bind {} /etc/resolv.conf && \
         mount --bind {} /etc/nsswitch.conf",
        resolver.display(),
        switch.display()
    );
    let isolated = |script: &str| {
        let mut unshare = Command::new("unshare");
        unshare.args(["--user", "--map-root-user", "--mount", "--net", "sh", "-c", script, "sh"]);
        unshare
    };
    // Some machines do not allow network namespaces. The test then ends without a result.
    if !isolated(&network).output().is_ok_and(|output| output.status.success()) {
        return;
    }
    let program = with_keys();
    // The resolver of the C library would wait for at least a minute.
    let mut command = isolated(&format!("{network} && exec timeout 30 \"$@\""));
    command.arg(program.get_program()).args(program.get_args());
    command.envs(program.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let host = "connect.us-east-1.amazonaws.com";
    assert_stopped(
        &finish(&mut command),
        &format!("{host}: the name \"{host}\" was not resolved within 3 s"),
    );
}
