//! Tests of the options of a connection.

use std::{error::Error as _, iter, process::Command};

use aws_config::{Region, SdkConfig};
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_types::service_config::{LoadServiceConfig, ServiceConfigKey};
use rest_core::Secret;
use url::Url;

use super::{Aws, ConnectOptions};
use crate::{
    Credentials, Error,
    replay::{Replay, block_on},
};

fn keys(id: &str) -> Credentials {
    Credentials {
        access_key_id: id.to_owned(),
        secret_access_key: Secret::new("hunter2"),
        session_token: None,
    }
}

/// A caller's configuration, whose HTTP client is a fake of AWS.
fn configuration(replay: &Replay) -> aws_types::sdk_config::Builder {
    SdkConfig::builder()
        .region(Region::new("eu-north-1"))
        .credentials_provider(SharedCredentialsProvider::from(keys("AKIDCALLER")))
        .http_client(replay.client())
}

fn connect(config: aws_types::sdk_config::Builder, options: ConnectOptions) -> Result<Aws, Error> {
    block_on(Aws::connect(ConnectOptions {
        sdk_config: Some(config.build()),
        ..options
    }))
}

/// An endpoint of one service, as the environment and the profile set it.
#[derive(Debug)]
struct ServiceEndpoint(&'static str, &'static str);

impl LoadServiceConfig for ServiceEndpoint {
    fn load_config(&self, key: ServiceConfigKey<'_>) -> Option<String> {
        (key.service_id() == self.0).then(|| self.1.to_owned())
    }
}

const REFUSED: &str =
    "the endpoint override for `aws.example.com` is neither https nor on this machine";

#[test]
fn an_endpoint_must_be_https_or_on_this_machine() {
    let refused = connect(
        configuration(&Replay::new()).endpoint_url("http://user:hunter2@aws.example.com"),
        ConnectOptions::default(),
    );
    let of_options = connect(
        configuration(&Replay::new()),
        ConnectOptions {
            endpoint_url: Some(Url::parse("http://user:hunter2@aws.example.com/").expect("a URL")),
            ..ConnectOptions::default()
        },
    );
    for refused in [refused, of_options] {
        let error = refused.expect_err("must be refused");
        assert_eq!(error.to_string(), REFUSED);
        assert!(error.help().expect("help").contains("https://"));
        assert_eq!((error.operation(), error.status()), (None, None));
        assert!(!format!("{error:?}").contains("hunter2"));
    }
    for url in [
        "https://aws.example.com",
        "http://127.0.0.1:4566",
        "http://[::1]",
    ] {
        connect(
            configuration(&Replay::new()).endpoint_url(url),
            ConnectOptions::default(),
        )
        .expect(url);
    }
}

/// The SDK reads these endpoints when a client is built, so a call to such an endpoint fails.
#[test]
fn an_endpoint_of_one_service_must_be_https_or_on_this_machine() {
    let replay = Replay::new();
    let endpoint = ServiceEndpoint("Organizations", "http://aws.example.com");
    let config = configuration(&replay).service_config(endpoint);
    let aws = connect(config, ConnectOptions::default()).expect("a connection");
    let error = block_on(aws.organizations().describe()).expect_err("must be refused");
    let chain: Vec<_> = iter::successors(error.source(), |&error| error.source())
        .map(ToString::to_string)
        .collect();
    assert!(chain.iter().any(|text| text == REFUSED), "{chain:?}");
    assert!(replay.requests().is_empty());
}

#[test]
fn the_endpoint_of_the_options_replaces_the_endpoints_of_single_services() {
    let replay = Replay::new().json(r#"{"Instances": []}"#);
    let config = configuration(&replay)
        .service_config(ServiceEndpoint("SSO Admin", "https://aws.example.com"));
    let options = ConnectOptions {
        endpoint_url: Some(Url::parse("http://127.0.0.1:4566/").expect("a URL")),
        ..ConnectOptions::default()
    };
    let aws = connect(config, options).expect("a connection");
    block_on(aws.instances().try_collect()).expect("a list");
    assert_eq!(replay.requests()[0].uri, "http://127.0.0.1:4566/");
}

#[test]
fn the_other_options_replace_the_settings_of_a_caller() {
    let replay = Replay::new().json(r#"{"Instances": []}"#);
    let options = ConnectOptions {
        region: Some("eu-west-3".to_owned()),
        credentials: Some(keys("AKIDOTHER").into()),
        ..ConnectOptions::default()
    };
    let aws = connect(configuration(&replay), options).expect("a connection");
    block_on(aws.instances().try_collect()).expect("a list");
    let request = &replay.requests()[0];
    assert_eq!(request.uri, "https://sso.eu-west-3.amazonaws.com/");
    let authorization = request.header("authorization");
    assert!(
        authorization.contains("Credential=AKIDOTHER/"),
        "{authorization}"
    );
}

/// The environment of a process cannot be changed safely, so the test runs itself as a child.
#[test]
#[expect(clippy::disallowed_methods, reason = "a test may block its thread")]
fn an_endpoint_of_the_environment_or_the_profile_must_be_https_or_on_this_machine() {
    const CHILD: &str = "AWS_SSO_GLUE_TEST_CHILD";
    if std::env::var_os(CHILD).is_some() {
        let connected = block_on(Aws::connect(ConnectOptions::default()));
        assert_eq!(connected.expect_err("must be refused").to_string(), REFUSED);
        return;
    }
    let profile = std::env::temp_dir().join(format!("aws-sso-glue-{}", std::process::id()));
    let text = "[default]\nregion = us-east-1\nendpoint_url = http://aws.example.com\n";
    std::fs::write(&profile, text).expect("a file");
    for (name, value) in [
        ("AWS_ENDPOINT_URL", "http://user:hunter2@aws.example.com"),
        ("AWS_CONFIG_FILE", profile.to_str().expect("a path")),
    ] {
        let child = Command::new(std::env::current_exe().expect("a program"))
            .arg("--exact")
            .arg("connect::tests::an_endpoint_of_the_environment_or_the_profile_must_be_https_or_on_this_machine")
            .env("AWS_CONFIG_FILE", "/dev/null")
            .env("AWS_REGION", "us-east-1")
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .env(name, value)
            .env(CHILD, "1")
            .output()
            .expect("a child");
        let output = String::from_utf8_lossy(&child.stdout);
        assert!(
            child.status.success() && output.contains("1 passed"),
            "{name}: {output}"
        );
    }
    std::fs::remove_file(profile).expect("the file");
}

#[test]
fn a_missing_region_is_an_error_that_says_where_to_set_it() {
    let error = connect(SdkConfig::builder(), ConnectOptions::default()).expect_err("no region");
    assert_eq!(error.to_string(), "no AWS region is configured");
    assert!(error.help().expect("help").contains("AWS_REGION"));
}

#[test]
fn in_region_keeps_the_caller() {
    let replay = Replay::new().json(r#"{"Instances": []}"#);
    let (aws, _) = replay.connect();
    let other_region = aws.in_region("eu-central-1");
    assert_eq!(
        (aws.region(), other_region.region()),
        ("us-east-1", "eu-central-1")
    );
    block_on(other_region.instances().try_collect()).expect("a list");
    let request = &replay.requests()[0];
    assert_eq!(request.uri, "https://sso.eu-central-1.amazonaws.com/");
    let authorization = request.header("authorization");
    assert!(authorization.contains("AKIDEXAMPLE/"), "{authorization}");
}

#[test]
fn debug_output_contains_the_region_and_no_secret() {
    let (aws, _) = Replay::new().connect();
    assert_eq!(format!("{aws:?}"), "Aws { region: \"us-east-1\", .. }");
    let options = ConnectOptions {
        credentials: Some(keys("AKIDEXAMPLE").into()),
        ..ConnectOptions::default()
    };
    assert!(!format!("{options:?}").contains("hunter2"));
}
