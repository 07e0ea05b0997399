//! An AWS organization for tests, with signed requests and a clock that the test controls.

use std::time::Duration;

use axum::body::Bytes;
use axum::http::{HeaderMap, Request, Response};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::Cloud;
use super::seed::{AccessKey, AccountSeed, BaseUrls, InstanceOptions, Seed};
use super::sign_in::Assertion;
use super::sigv4::Authorization;
use crate::identity_center::IdentityCenterQuotas;

/// An organization and the caller of its services.
#[derive(Debug)]
pub(crate) struct Harness {
    /// The organization.
    pub(crate) cloud: Cloud,
    /// The current time.
    pub(crate) now: Timestamp,
    /// The access key that signs requests, and an optional session token.
    pub(crate) key: (AccessKey, Option<String>),
    /// The Region in the signature's scope.
    pub(crate) region: String,
    /// The SCIM endpoint and its token.
    pub(crate) scim: Option<(String, String)>,
}

/// The code and the message of an error response.
pub(crate) type ServiceError = (String, String);

impl Harness {
    /// Returns an organization with a management account, a delegated administrator's account, and accounts
    /// in several states.
    pub(crate) fn new() -> Self {
        Self::with(seed())
    }

    /// Returns an organization built from a seed.
    pub(crate) fn with(seed: Seed) -> Self {
        let key = seed.keys[0].clone();
        Self {
            cloud: Cloud::new(seed),
            now: "2026-11-24T10:57:08.014Z"
                .parse()
                .expect("a valid timestamp"),
            key: (key, None),
            region: "eu-central-1".to_owned(),
            scim: None,
        }
    }

    /// Returns the organization of a running sandbox.
    pub(crate) fn of(cloud: Cloud, region: &str, now: Timestamp) -> Self {
        Self {
            key: (cloud.keys[0].clone(), None),
            cloud,
            now,
            region: region.to_owned(),
            scim: None,
        }
    }

    /// Returns the same organization with Identity Center enabled.
    pub(crate) fn with_identity_center() -> Self {
        let mut harness = Self::new();
        harness.enable();
        harness
    }

    /// Returns the same organization with an identity provider and SCIM.
    pub(crate) fn provisioned() -> Self {
        let mut harness = Self::with_identity_center();
        harness.federate();
        harness.provision();
        harness
    }

    /// Enables Identity Center.
    pub(crate) fn enable(&mut self) {
        self.cloud
            .enable_identity_center("eu-central-1", self.now)
            .expect("Identity Center");
    }

    /// Makes an identity provider the identity source.
    pub(crate) fn federate(&mut self) {
        self.cloud
            .change_identity_source(METADATA.as_bytes(), self.now)
            .expect("an identity source");
    }

    /// Enables automatic provisioning.
    pub(crate) fn provision(&mut self) {
        let provisioned = self
            .cloud
            .enable_provisioning(self.now)
            .expect("a SCIM endpoint");
        self.scim = Some((provisioned.endpoint, provisioned.token));
    }

    /// Signs all later requests with the key of an account.
    pub(crate) fn sign_as(&mut self, account: &str) {
        self.key = (key_of(account), None);
    }

    /// Advances the current time.
    pub(crate) fn advance(&mut self, seconds: i64) {
        self.now += SignedDuration::from_secs(seconds);
    }

    /// Returns the ARN of the instance.
    pub(crate) fn instance(&self) -> String {
        self.cloud
            .center
            .as_ref()
            .expect("Identity Center")
            .arn
            .clone()
    }

    /// Returns the id of the identity store.
    pub(crate) fn store(&self) -> String {
        self.cloud
            .center
            .as_ref()
            .expect("Identity Center")
            .identity_store
            .clone()
    }

    /// Calls `sso-admin`; fills in the instance's ARN if it is missing.
    pub(crate) fn sso(&mut self, operation: &str, mut body: Value) -> Result<Value, ServiceError> {
        if body.get("InstanceArn").is_none() && self.cloud.center.is_some() {
            body["InstanceArn"] = self.instance().into();
        }
        self.json("sso", "SWBExternalService", operation, &body)
    }

    /// Calls `identitystore`; fills in the identity store's id if it is missing.
    pub(crate) fn identity(
        &mut self,
        operation: &str,
        mut body: Value,
    ) -> Result<Value, ServiceError> {
        if body.get("IdentityStoreId").is_none() && self.cloud.center.is_some() {
            body["IdentityStoreId"] = self.store().into();
        }
        self.json("identitystore", "AWSIdentityStore", operation, &body)
    }

    /// Calls `organizations`.
    pub(crate) fn organizations(
        &mut self,
        operation: &str,
        body: &Value,
    ) -> Result<Value, ServiceError> {
        self.json(
            "organizations",
            "AWSOrganizationsV20161128",
            operation,
            body,
        )
    }

    /// Calls `GetCallerIdentity` of STS; returns the status and the body.
    pub(crate) fn sts(&mut self) -> (u16, String) {
        let request = self.signed(
            "sts",
            Request::post("/").header("content-type", "application/x-www-form-urlencoded"),
            "Action=GetCallerIdentity&Version=2011-06-15",
        );
        let response = self.send(&request);
        let body = String::from_utf8(response.body().to_vec()).expect("the XML is valid UTF-8");
        (response.status().as_u16(), body)
    }

    /// Calls the OIDC service or the portal; returns the status, the error code and the body.
    pub(crate) fn rest(
        &mut self,
        method: &str,
        path: &str,
        token: Option<&str>,
        body: &Value,
    ) -> (u16, String, Value) {
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header("content-type", "application/json");
        if let Some(token) = token {
            request = request.header("x-amz-sso_bearer_token", token);
        }
        let request = request
            .body(Bytes::from(body.to_string()))
            .expect("a request");
        let response = self.send(&request);
        let code = text(response.headers(), "x-amzn-errortype");
        (response.status().as_u16(), code, read(response.body()))
    }

    /// Calls SCIM; returns the status and the body.
    pub(crate) fn scim(&mut self, method: &str, path: &str, body: &Value) -> (u16, Value) {
        let (endpoint, token) = self.scim.clone().expect("a SCIM endpoint");
        let base = endpoint
            .strip_prefix("http://127.0.0.1:1")
            .expect("the URL of the SCIM listener")
            .trim_end_matches('/');
        let request = Request::builder()
            .method(method)
            .uri(format!("{base}{path}"))
            .header("authorization", format!("Bearer {token}"))
            .header("content-type", "application/scim+json")
            .body(Bytes::from(if body.is_null() {
                String::new()
            } else {
                body.to_string()
            }))
            .expect("a request");
        let response = super::scim::handle(&mut self.cloud, self.now, &request);
        (response.status().as_u16(), read(response.body()))
    }

    /// Creates a permission set; returns its ARN.
    pub(crate) fn permission_set(&mut self, name: &str) -> String {
        let created = self
            .sso("CreatePermissionSet", json!({ "Name": name }))
            .expect("a permission set");
        created["PermissionSet"]["PermissionSetArn"]
            .as_str()
            .expect("an ARN")
            .to_owned()
    }

    /// Creates a user through the Identity Store; returns its id.
    pub(crate) fn user(&mut self, name: &str) -> String {
        let body = json!({
            "UserName": name,
            "DisplayName": name,
            "Name": { "GivenName": "G", "FamilyName": "F" },
            "Emails": [{ "Value": name, "Primary": true, "Type": "work" }],
        });
        let created = self.identity("CreateUser", body).expect("a user");
        created["UserId"].as_str().expect("an id").to_owned()
    }

    /// Creates a group with members through the Identity Store; returns its id.
    pub(crate) fn group(&mut self, name: &str, members: &[&str]) -> String {
        let created = self
            .identity("CreateGroup", json!({ "DisplayName": name }))
            .expect("a group");
        let id = created["GroupId"].as_str().expect("an id").to_owned();
        for member in members {
            let body = json!({ "GroupId": id, "MemberId": { "UserId": member } });
            self.identity("CreateGroupMembership", body)
                .expect("a membership");
        }
        id
    }

    /// Assigns a permission set and waits until the operation ends; returns the final status.
    pub(crate) fn assign(&mut self, account: &str, set: &str, kind: &str, id: &str) -> Value {
        let started = self
            .sso(
                "CreateAccountAssignment",
                assignment(account, set, kind, id),
            )
            .expect("an operation");
        let request = started["AccountAssignmentCreationStatus"]["RequestId"].clone();
        self.advance(10);
        let body = json!({ "AccountAssignmentCreationRequestId": request });
        let status = self
            .sso("DescribeAccountAssignmentCreationStatus", body)
            .expect("a status");
        status["AccountAssignmentCreationStatus"].clone()
    }

    /// Signs a user in on a device; returns the access token.
    pub(crate) fn sign_in(&mut self, name: &str) -> String {
        let client = json!({ "clientName": "test", "clientType": "public" });
        let (_, _, client) = self.rest("POST", "/client/register", None, &client);
        let portal = self.cloud.portal_url().expect("a portal");
        let start = json!({
            "clientId": client["clientId"], "clientSecret": client["clientSecret"], "startUrl": portal,
        });
        let (_, _, device) = self.rest("POST", "/device_authorization", None, &start);
        let assertion = self.assertion(name);
        let code = device["userCode"].as_str().expect("a code").to_owned();
        self.cloud
            .approve_device(&code, &assertion, self.now)
            .expect("an approval");
        let token_request = json!({
            "clientId": client["clientId"],
            "clientSecret": client["clientSecret"],
            "grantType": "urn:ietf:params:oauth:grant-type:device_code",
            "deviceCode": device["deviceCode"],
        });
        let (_, _, token) = self.rest("POST", "/token", None, &token_request);
        token["accessToken"].as_str().expect("a token").to_owned()
    }

    /// Returns the identity provider's assertion for a user.
    pub(crate) fn assertion(&self, name: &str) -> Assertion {
        let center = self.cloud.center.as_ref().expect("Identity Center");
        let metadata = center.sp_metadata();
        Assertion {
            issuer: "http://www.okta.com/exk1".to_owned(),
            audience: metadata.issuer,
            recipient: metadata.acs_url,
            name_id: name.to_owned(),
            certificate_der: center
                .identity_provider
                .as_ref()
                .expect("a provider")
                .certificates[0]
                .clone(),
        }
    }

    /// Calls a service that uses the JSON protocol.
    pub(crate) fn json(
        &mut self,
        service: &str,
        prefix: &str,
        operation: &str,
        body: &Value,
    ) -> Result<Value, ServiceError> {
        let head = Request::post("/")
            .header("content-type", "application/x-amz-json-1.1")
            .header("x-amz-target", format!("{prefix}.{operation}"));
        let request = self.signed(service, head, &body.to_string());
        outcome(&self.send(&request))
    }

    /// Returns a request that the current key signs.
    pub(crate) fn signed(
        &self,
        service: &str,
        head: axum::http::request::Builder,
        body: &str,
    ) -> Request<Bytes> {
        let date = self.now.strftime("%Y%m%d").to_string();
        let timestamp = self.now.strftime("%Y%m%dT%H%M%SZ").to_string();
        let (key, token) = &self.key;
        let mut head = head
            .header("host", "127.0.0.1:1")
            .header("x-amz-date", timestamp);
        if let Some(token) = token {
            head = head.header("x-amz-security-token", token);
        }
        let authorization = format!(
            "AWS4-HMAC-SHA256 Credential={}/{date}/{}/{service}/aws4_request, SignedHeaders=host;x-amz-date, Signature=",
            key.id, self.region
        );
        let mut request = head
            .header("authorization", &authorization)
            .body(Bytes::from(body.to_owned()))
            .expect("a request");
        let signature = Authorization::read(&request, service)
            .expect("a complete header")
            .signature_of(&request, &key.secret);
        let value = format!("{authorization}{signature}")
            .parse()
            .expect("a header");
        request.headers_mut().insert("authorization", value);
        request
    }

    /// Sends a request without signing it again.
    pub(crate) fn send(&mut self, request: &Request<Bytes>) -> Response<Bytes> {
        super::handle(&mut self.cloud, self.now, request)
    }
}

/// Returns the members of an assignment request.
pub(crate) fn assignment(account: &str, set: &str, kind: &str, id: &str) -> Value {
    json!({
        "TargetId": account,
        "TargetType": "AWS_ACCOUNT",
        "PermissionSetArn": set,
        "PrincipalType": kind,
        "PrincipalId": id,
    })
}

/// Returns the response's body, or the code and the message of the error.
pub(crate) fn outcome(response: &Response<Bytes>) -> Result<Value, ServiceError> {
    let body = read(response.body());
    if response.status() == 200 {
        return Ok(body);
    }
    let member = |name: &str| body[name].as_str().unwrap_or_default().to_owned();
    Err((member("__type"), member("Message")))
}

/// Returns the organization that most tests use.
pub(crate) fn seed() -> Seed {
    let account = |id: &str, name: &str, unit: &str, state: &str| AccountSeed {
        state: state.to_owned(),
        ..AccountSeed::new(id, name, unit)
    };
    let mut accounts = vec![
        account("111122223333", "Management", "", "ACTIVE"),
        account("200000000001", "Audit", "Security", "ACTIVE"),
        account(
            "200000000002",
            "Web Production",
            "Workloads/Production",
            "ACTIVE",
        ),
        account("200000000003", "Legacy", "Workloads", "SUSPENDED"),
        account("200000000004", "Gone", "", "CLOSED"),
        account("200000000005", "Going", "", "PENDING_CLOSURE"),
    ];
    accounts[2].policies.push("/ops/BreakGlass".to_owned());
    accounts[2]
        .tags
        .push(("stage".to_owned(), "production".to_owned()));
    Seed {
        accounts,
        units: vec!["Empty".to_owned()],
        keys: vec![
            key_of("111122223333"),
            key_of("200000000001"),
            key_of("200000000002"),
        ],
        operation_delay: Duration::from_secs(10),
        region: "eu-central-1".to_owned(),
        // The clock of a harness only moves on request.
        instance: InstanceOptions {
            quotas: IdentityCenterQuotas {
                calls_per_second: None,
                ..IdentityCenterQuotas::AWS
            },
            ..InstanceOptions::default()
        },
        base_urls: BaseUrls {
            scim: "http://127.0.0.1:1/".parse().ok(),
        },
        ..Seed::default()
    }
}

fn key_of(account: &str) -> AccessKey {
    AccessKey {
        id: format!("AKIA{account}"),
        secret: format!("secret of {account}"),
        account: account.to_owned(),
        user: "integration".to_owned(),
    }
}

fn read(body: &Bytes) -> Value {
    serde_json::from_slice(body).unwrap_or_default()
}

fn text(headers: &HeaderMap, name: &str) -> String {
    headers
        .get(name)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default()
        .to_owned()
}

/// The metadata of an identity provider; its certificate was created for this file.
pub(crate) const METADATA: &str = include_str!("harness/identity-provider.xml");
