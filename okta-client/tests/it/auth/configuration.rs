//! Tests of the configuration from the environment and from files.
#![expect(clippy::disallowed_methods, reason = "a test may block its thread")]

use std::{collections::HashMap, error::Error as _, time::Duration};

use okta_client::{Client, Config, ConfigError, Credential, Environment, KeyError};
use tempfile::TempDir;

use super::{EC256, TOKEN_URL};

type Variables<'a> = &'a [(&'a str, &'a str)];

/// Returns an environment with these variables and without files.
fn environment(variables: Variables<'_>) -> Environment {
    let variables: HashMap<_, _> = variables
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    Environment::new(move |name| variables.get(name).cloned())
}

/// Returns a folder with these files.
fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    folder
}

fn read(variables: Variables<'_>) -> Config {
    Config::read(&environment(variables)).unwrap()
}

#[track_caller]
fn problem(environment: &Environment) -> String {
    Config::read(environment)
        .expect_err("a problem")
        .to_string()
}

/// Returns the token that a configuration has, with its scheme.
#[track_caller]
fn token(config: &Config) -> String {
    match &config.credential {
        Credential::ApiToken(token) => format!("SSWS {}", token.expose()),
        Credential::Bearer(token) => format!("Bearer {}", token.expose()),
        other => panic!("no token: {other:?}"),
    }
}

#[track_caller]
fn app(config: &Config) -> String {
    let Credential::ServiceApp(app) = &config.credential else {
        panic!("no service app: {config:?}");
    };
    format!("{} {}", app.client_id(), app.scopes().join("+"))
}

#[test]
fn the_variables_of_the_sdks_are_read() {
    let config = read(&[
        ("OKTA_CLIENT_ORGURL", "https://acme.okta.com"),
        ("OKTA_CLIENT_TOKEN", "00abc"),
        ("OKTA_CLIENT_CONNECTIONTIMEOUT", "7"),
        ("OKTA_CLIENT_REQUESTTIMEOUT", "0"),
        ("OKTA_CLIENT_PROXY_HOST", "proxy.example.com"),
        ("OKTA_CLIENT_PROXY_PORT", "8080"),
        ("OKTA_CLIENT_PROXY_USERNAME", "ada"),
        ("OKTA_CLIENT_PROXY_PASSWORD", "p@ss word"),
    ]);
    assert_eq!(config.org_url, "https://acme.okta.com");
    assert_eq!(token(&config), "SSWS 00abc");
    assert_eq!(config.connect_timeout, Some(Duration::from_secs(7)));
    assert_eq!(config.request_timeout, None, "0 is the default");
    let proxy = config.proxy.clone().expect("a proxy");
    assert_eq!(
        proxy.expose(),
        "http://ada:p%40ss%20word@proxy.example.com:8080/"
    );
    let text = format!("{config:?}");
    assert!(
        !text.contains("00abc") && !text.contains("p%40ss"),
        "{text}"
    );
    config.into_builder().build().expect("a client");
}

#[test]
fn a_service_app_is_read_from_the_variables_of_the_sdks_and_of_terraform() {
    for variables in [
        [
            ("OKTA_CLIENT_ORGURL", "https://acme.okta.com"),
            ("OKTA_CLIENT_AUTHORIZATIONMODE", "PrivateKey"),
            ("OKTA_CLIENT_CLIENTID", "0oa1"),
            ("OKTA_CLIENT_SCOPES", "okta.users.read okta.groups.manage"),
            ("OKTA_CLIENT_PRIVATEKEY", EC256),
            ("OKTA_CLIENT_KID", "kid-1"),
        ],
        [
            ("OKTA_ORG_NAME", "acme"),
            ("OKTA_BASE_URL", "okta.com"),
            ("OKTA_API_CLIENT_ID", "0oa1"),
            ("OKTA_API_SCOPES", "okta.users.read,okta.groups.manage"),
            ("OKTA_API_PRIVATE_KEY", EC256),
            ("OKTA_API_PRIVATE_KEY_ID", "kid-1"),
        ],
    ] {
        let config = read(&variables);
        assert_eq!(config.org_url, "https://acme.okta.com");
        assert_eq!(app(&config), "0oa1 okta.users.read+okta.groups.manage");
        let text = format!("{config:?}");
        assert!(text.contains("key_id: Some(\"kid-1\")"), "{text}");
        assert!(text.contains("dpop: true"), "{text}");
    }
}

#[test]
fn the_domain_of_the_org_is_okta_com_by_default() {
    let name = ("OKTA_ORG_NAME", "acme");
    let token = ("OKTA_API_TOKEN", "00abc");
    assert_eq!(read(&[name, token]).org_url, "https://acme.okta.com");
    let domain = ("OKTA_BASE_URL", "oktapreview.com");
    assert_eq!(
        read(&[name, token, domain]).org_url,
        "https://acme.oktapreview.com"
    );
    let url = ("OKTA_CLIENT_ORGURL", "https://other.okta.com");
    assert_eq!(read(&[name, token, url]).org_url, "https://other.okta.com");
}

/// The order of the Terraform provider without a mode, and the mode of the SDKs before it.
#[test]
fn of_several_credentials_the_mode_or_else_the_documented_order_decides() {
    let org = ("OKTA_CLIENT_ORGURL", "https://acme.okta.com");
    let token_1 = ("OKTA_CLIENT_TOKEN", "00one");
    let token_2 = ("OKTA_API_TOKEN", "00two");
    let access = ("OKTA_ACCESS_TOKEN", "eyJ");
    let key = [
        ("OKTA_API_CLIENT_ID", "0oa1"),
        ("OKTA_API_SCOPES", "okta.users.read"),
        ("OKTA_API_PRIVATE_KEY", EC256),
    ];
    let mode = |mode| ("OKTA_CLIENT_AUTHORIZATIONMODE", mode);
    for (variables, expected) in [
        (vec![token_1, token_2], "SSWS 00one"),
        (vec![token_1, access], "Bearer eyJ"),
        (vec![token_1, access, mode("SSWS")], "SSWS 00one"),
        (vec![token_1, mode("Bearer")], "Bearer 00one"),
        (vec![token_1, access, mode("bearer")], "Bearer eyJ"),
        (vec![token_2, key[0], key[1], key[2]], "SSWS 00two"),
    ] {
        let config = read(&[&[org][..], &variables].concat());
        assert_eq!(token(&config), expected, "{variables:?}");
    }
    for variables in [
        vec![key[0], key[1], key[2]],
        vec![token_1, access, key[0], key[1], key[2], mode("PrivateKey")],
    ] {
        assert_eq!(
            app(&read(&[&[org][..], &variables].concat())),
            "0oa1 okta.users.read"
        );
    }
    let unknown = problem(&environment(&[org, token_1, mode("Basic")]));
    assert_eq!(
        unknown,
        "OKTA_CLIENT_AUTHORIZATIONMODE is no authorization mode: use SSWS, PrivateKey or Bearer"
    );
}

#[test]
fn a_file_of_the_folder_counts_before_the_one_of_the_home_and_a_variable_before_both() {
    let home = folder(&[(
        ".okta/okta.yaml",
        "okta:\n  client:\n    orgUrl: https://home.okta.com\n    token: 00home\n    connectionTimeout: 9\n",
    )]);
    for name in ["okta.yaml", ".okta.yaml", ".okta/okta.yaml"] {
        let project = folder(&[(name, "okta: { client: { token: 00project } }")]);
        let environment = environment(&[]).home(home.path()).folder(project.path());
        let config = Config::read(&environment).unwrap();
        assert_eq!(config.org_url, "https://home.okta.com", "{name}");
        assert_eq!(token(&config), "SSWS 00project", "{name}");
        assert_eq!(config.connect_timeout, Some(Duration::from_secs(9)));
    }
    let project = folder(&[("okta.yaml", "okta: { client: { token: 00project } }")]);
    let variables = [
        ("OKTA_CLIENT_TOKEN", "00variable"),
        ("OKTA_ORG_NAME", "acme"),
    ];
    let environment = environment(&variables)
        .home(home.path())
        .folder(project.path());
    let config = Config::read(&environment).unwrap();
    assert_eq!(token(&config), "SSWS 00variable");
    assert_eq!(config.org_url, "https://acme.okta.com");
}

#[test]
fn an_environment_without_files_reads_the_file_of_a_private_key_and_no_other() {
    let project = folder(&[
        (
            "okta.yaml",
            "okta: { client: { token: 00project, orgUrl: 'https://file.okta.com' } }",
        ),
        ("app.pem", EC256),
    ]);
    let key = [
        ("OKTA_ORG_NAME", "acme"),
        ("OKTA_API_CLIENT_ID", "0oa1"),
        ("OKTA_API_SCOPES", "okta.users.read"),
        ("OKTA_API_PRIVATE_KEY", "app.pem"),
    ];
    let environment = |variables| {
        environment(variables)
            .folder(project.path())
            .without_files()
    };
    let config = Config::read(&environment(&key)).unwrap();
    assert_eq!(app(&config), "0oa1 okta.users.read");
    let error = problem(&environment(&key[1..3]));
    assert_eq!(
        error,
        "the org URL is missing: set one of OKTA_CLIENT_ORGURL, OKTA_ORG_URL, OKTA_ORG_NAME; \
         the private key is missing: set one of OKTA_CLIENT_PRIVATEKEY, OKTA_API_PRIVATE_KEY"
    );
}

#[test]
fn a_service_app_is_read_from_a_file_with_a_list_of_scopes_and_a_key_as_text_jwk_or_path() {
    let jwk = include_str!("keys/ec256.jwk.json");
    let indented = EC256.replace('\n', "\n      ");
    for key in [
        format!("|\n      {indented}"),
        jwk.to_owned(),
        format!("'{}'", jwk.trim()),
        "keys/app.pem".to_owned(),
    ] {
        let text = format!(
            "okta:\n  client:\n    orgUrl: https://acme.okta.com\n    authorizationMode: PrivateKey\n    clientId: 0oa1\n    dpopEnabled: false\n    scopes:\n      - okta.users.read\n      - okta.groups.manage\n    privateKey: {key}\n"
        );
        let project = folder(&[("okta.yaml", &text), ("keys/app.pem", EC256)]);
        let config = Config::read(&environment(&[]).folder(project.path())).expect(&key);
        assert_eq!(app(&config), "0oa1 okta.users.read+okta.groups.manage");
        assert!(format!("{config:?}").contains("dpop: false"));
    }
}

#[test]
fn each_missing_setting_is_named_with_the_places_that_were_searched() {
    let (home, project) = (folder(&[]), folder(&[("okta.yaml", "# empty\n")]));
    let empty = environment(&[("OKTA_CLIENT_TOKEN", " ")]);
    let error = problem(&empty.home(home.path()).folder(project.path()));
    let (home, project) = (home.path().display(), project.path().display());
    assert_eq!(
        error,
        format!(
            "the org URL is missing: set one of OKTA_CLIENT_ORGURL, OKTA_ORG_URL, OKTA_ORG_NAME, \
             okta.client.orgUrl in {project}/okta.yaml, \
             okta.client.orgUrl in {project}/.okta.yaml (no such file), \
             okta.client.orgUrl in {project}/.okta/okta.yaml (no such file), \
             okta.client.orgUrl in {home}/.okta/okta.yaml (no such file); \
             the API token is missing: set one of OKTA_CLIENT_TOKEN, OKTA_API_TOKEN, \
             okta.client.token in {project}/okta.yaml, \
             okta.client.token in {project}/.okta.yaml (no such file), \
             okta.client.token in {project}/.okta/okta.yaml (no such file), \
             okta.client.token in {home}/.okta/okta.yaml (no such file)"
        )
    );
    let mode = ("OKTA_CLIENT_AUTHORIZATIONMODE", "PrivateKey");
    let error = problem(&environment(&[mode, ("OKTA_ORG_NAME", "acme")]));
    assert_eq!(
        error,
        "the client id is missing: set one of OKTA_CLIENT_CLIENTID, OKTA_API_CLIENT_ID; \
         the list of scopes is missing: set one of OKTA_CLIENT_SCOPES, OKTA_API_SCOPES; \
         the private key is missing: set one of OKTA_CLIENT_PRIVATEKEY, OKTA_API_PRIVATE_KEY"
    );
}

#[test]
fn a_value_that_is_not_valid_is_named_with_its_place() {
    let token = [("OKTA_ORG_NAME", "acme"), ("OKTA_API_TOKEN", "00abc")];
    for (variable, value, expected) in [
        (
            "OKTA_CLIENT_REQUESTTIMEOUT",
            "30s",
            "is not a number of seconds, such as 30",
        ),
        (
            "OKTA_CLIENT_PROXY_PORT",
            "eighty",
            "is not a port, such as 8080",
        ),
    ] {
        let host = ("OKTA_CLIENT_PROXY_HOST", "proxy");
        let error = problem(&environment(&[token[0], token[1], host, (variable, value)]));
        assert_eq!(error, format!("{variable} {expected}"));
    }
}

#[test]
fn no_error_repeats_a_key_or_a_line_of_a_file() {
    let app = [
        ("OKTA_ORG_NAME", "acme"),
        ("OKTA_API_CLIENT_ID", "0oa1"),
        ("OKTA_API_SCOPES", "okta.users.read"),
    ];
    // A key without its header could be the path of a file.
    let bare = EC256.lines().nth(1).unwrap();
    let key = ("OKTA_API_PRIVATE_KEY", bare);
    let error = Config::read(&environment(&[&app[..], &[key]].concat())).expect_err("no key");
    assert_eq!(
        error.to_string(),
        "the private key in OKTA_API_PRIVATE_KEY cannot be used"
    );
    let cause = error.source().expect("a cause").to_string();
    assert_eq!(cause, KeyError::Format.to_string());
    assert!(!format!("{error:?}").contains(bare));

    let project = folder(&[(
        "okta.yaml",
        "okta:\n  client:\n    token: \"00secret\n   x: {",
    )]);
    let error = Config::read(&environment(&[]).folder(project.path())).expect_err("no YAML");
    let text = format!("{error} {error:?}");
    assert!(
        matches!(error, ConfigError::Yaml { line: Some(_), .. }),
        "{text}"
    );
    assert!(!text.contains("00secret"), "{text}");
}

#[test]
fn a_file_that_cannot_be_read_is_an_error_and_not_absent() {
    let project = folder(&[("okta.yaml/x", "")]);
    let error = Config::read(&environment(&[]).folder(project.path())).expect_err("a folder");
    assert!(
        error.to_string().ends_with("okta.yaml could not be read"),
        "{error}"
    );
}

#[test]
fn a_file_alone_is_not_in_the_variables() {
    let home = folder(&[(".okta/okta.yaml", "okta: { client: { token: 00home } }")]);
    let with = |variables: Variables<'_>| {
        Config::is_in_variables(&environment(variables).home(home.path()))
    };
    assert!(!with(&[]));
    assert!(!with(&[
        ("OKTA_API_TOKEN", ""),
        ("OKTA_CLIENT_REQUESTTIMEOUT", "3")
    ]));
    for name in [
        "OKTA_ORG_NAME",
        "OKTA_ORG_URL",
        "OKTA_ACCESS_TOKEN",
        "OKTA_API_PRIVATE_KEY",
    ] {
        assert!(with(&[(name, "x")]), "{name}");
    }
}

#[tokio::test]
async fn a_client_is_built_from_the_configuration() {
    let config = read(&[
        ("OKTA_ORG_NAME", "acme"),
        ("OKTA_API_CLIENT_ID", "0oa1"),
        ("OKTA_API_SCOPES", "okta.users.read"),
        ("OKTA_API_PRIVATE_KEY", EC256),
    ]);
    let org = crate::Org::responding([super::oauth_error("invalid_client", "unknown")]);
    let builder = config
        .into_builder()
        .transport(std::sync::Arc::new(org.clone()));
    let client: Client = builder.build().unwrap();
    client.users().me().await.expect_err("a refusal");
    assert_eq!(org.0.requests.lock().unwrap()[0].uri(), TOKEN_URL);
}
