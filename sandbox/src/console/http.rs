//! The console over HTTP, with JSON requests and responses.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json};

use super::{ConsoleError, DnsRecord, ProvisioningForm};
use crate::{
    faults::Fault,
    record::{RecordedRequest, Service},
    state::SandboxState,
};

/// Handles one request to the console.
pub(crate) fn handle(state: &mut SandboxState, request: &Request<Bytes>) -> Response<Bytes> {
    state.run_due_work();
    let (status, body) = match answer(state, request) {
        Ok(body) => (StatusCode::OK, body),
        Err(Failure::UnknownPage) => (
            StatusCode::NOT_FOUND,
            json!({ "error": "unknown console page" }),
        ),
        Err(Failure::Refused(message)) => (StatusCode::BAD_REQUEST, json!({ "error": message })),
    };
    let mut response = Response::new(Bytes::from(body.to_string()));
    *response.status_mut() = status;
    let json = HeaderValue::from_static("application/json");
    response.headers_mut().insert(header::CONTENT_TYPE, json);
    response
}

enum Failure {
    UnknownPage,
    Refused(String),
}

impl From<ConsoleError> for Failure {
    fn from(ConsoleError(message): ConsoleError) -> Self {
        Self::Refused(message)
    }
}

fn answer(state: &mut SandboxState, request: &Request<Bytes>) -> Result<Value, Failure> {
    match (request.method(), request.uri().path()) {
        (&Method::POST, "/aws/enable-identity-center") => {
            let form: Region = parse_form(request)?;
            to_json(&state.enable_identity_center(form.region.as_deref())?)
        }
        (&Method::POST, "/aws/access-portal") => {
            let portal_url = state.cloud.portal_url().map_err(ConsoleError)?;
            Ok(json!({ "portal_url": portal_url }))
        }
        (&Method::POST, "/aws/identity-source") => {
            let form: IdentitySource = parse_form(request)?;
            to_json(&state.change_identity_source(form.idp_metadata.as_bytes())?)
        }
        (&Method::POST, "/aws/automatic-provisioning") => {
            to_json(&state.enable_automatic_provisioning()?)
        }
        (&Method::POST, "/aws/delete-scim-tokens") => {
            Ok(json!({ "deleted": state.cloud.delete_scim_tokens() }))
        }
        (&Method::POST, "/okta/provisioning") => {
            let form: Provisioning = parse_form(request)?;
            let features = state.configure_provisioning(&form.into())?;
            Ok(json!({ "features": features }))
        }
        (&Method::POST, "/okta/application") => {
            let form: Application = parse_form(request)?;
            Ok(json!({ "id": state.add_application(&form.label)? }))
        }
        (&Method::POST, "/okta/domain-certificate") => {
            let form: DomainCertificate = parse_form(request)?;
            state.upload_certificate(&form.domain)?;
            Ok(json!({}))
        }
        (&Method::GET, "/okta/provisioning-errors") => Ok(
            json!({ "errors": crate::provisioning_engine::ProvisioningEngine::errors(&state.org) }),
        ),
        (&Method::POST, "/dns/records") => {
            let form: Records = parse_form(request)?;
            let records: Vec<DnsRecord> = form.records.into_iter().map(DnsRecord::from).collect();
            state.publish_dns(&records);
            Ok(json!({}))
        }
        (&Method::POST, "/sign-in") => {
            let form: SignIn = parse_form(request)?;
            Ok(json!({ "signed_in_as": state.sign_in(&form.user_code, &form.login)? }))
        }
        (&Method::GET, "/requests") => to_json(&state.log),
        (&Method::GET, "/writes") => {
            let writes = state
                .log
                .iter()
                .filter(|request: &&RecordedRequest| request.write);
            Ok(json!({ "count": writes.count() }))
        }
        (&Method::GET, "/snapshot") => Ok(state.snapshot()),
        (&Method::POST, "/faults") => {
            let form: FaultForm = parse_form(request)?;
            state.faults.push(form.try_into()?);
            Ok(json!({}))
        }
        (&Method::POST, "/advance") => {
            let form: Advance = parse_form(request)?;
            state.advance(Duration::from_secs(form.seconds));
            Ok(json!({ "now": state.now().to_string() }))
        }
        _ => Err(Failure::UnknownPage),
    }
}

fn to_json(document: &impl serde::Serialize) -> Result<Value, Failure> {
    serde_json::to_value(document).map_err(|error| Failure::Refused(error.to_string()))
}

/// Parses the form in the request body; an empty body is an empty form.
fn parse_form<T: DeserializeOwned>(request: &Request<Bytes>) -> Result<T, Failure> {
    let body: &[u8] = match request.body().as_ref() {
        [] => b"{}",
        body => body,
    };
    serde_json::from_slice(body).map_err(|error| Failure::Refused(format!("invalid form: {error}")))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Region {
    region: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct IdentitySource {
    idp_metadata: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Provisioning {
    base_url: String,
    api_token: String,
    #[serde(default)]
    create: bool,
    #[serde(default)]
    update: bool,
    #[serde(default)]
    deactivate: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Application {
    label: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DomainCertificate {
    domain: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Records {
    records: Vec<RecordForm>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RecordForm {
    #[serde(rename = "type")]
    kind: String,
    name: String,
    value: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SignIn {
    user_code: String,
    login: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Advance {
    seconds: u64,
}

/// A fault; `kind` is `throttle`, `concurrency`, `fail`, `close-before-processing`, `close-after-processing` or `foreign-next-link`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FaultForm {
    service: String,
    kind: String,
    #[serde(default)]
    seconds: u32,
    status: Option<u16>,
    #[serde(default)]
    body: String,
    #[serde(default)]
    origin: String,
    on: Option<String>,
}

impl From<Provisioning> for ProvisioningForm {
    fn from(form: Provisioning) -> Self {
        Self {
            base_url: form.base_url,
            api_token: form.api_token,
            create: form.create,
            update: form.update,
            deactivate: form.deactivate,
        }
    }
}

impl From<RecordForm> for DnsRecord {
    fn from(form: RecordForm) -> Self {
        Self::new(form.kind, form.name, form.value)
    }
}

impl TryFrom<FaultForm> for Fault {
    type Error = Failure;

    fn try_from(form: FaultForm) -> Result<Self, Failure> {
        let service = match form.service.as_str() {
            "okta" => Service::Okta,
            "aws" => Service::Aws,
            "scim" => Service::Scim,
            other => return Err(Failure::Refused(format!("unknown service {other:?}"))),
        };
        let fault = match form.kind.as_str() {
            "throttle" => Self::throttle(service, form.seconds),
            "concurrency" => Self::concurrency(),
            "fail" => Self::fail(service, form.status.unwrap_or(502), form.body),
            "close-before-processing" => Self::close_before_processing(service),
            "close-after-processing" => Self::close_after_processing(service),
            "foreign-next-link" => Self::foreign_next_link(form.origin),
            other => return Err(Failure::Refused(format!("unknown fault kind {other:?}"))),
        };
        Ok(match form.on {
            Some(on) => fault.on(on),
            None => fault,
        })
    }
}
