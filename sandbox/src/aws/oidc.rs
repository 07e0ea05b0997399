//! The OIDC service of Identity Center, limited to signing in on a device.

use axum::body::Bytes;
use axum::http::Request;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};

use super::center::Center;
use super::cloud::Cloud;
use super::ids::Ids;
use super::partition::Partition;
use super::reply::Refusal;
use super::sign_in::{Client, Device, Session};

/// The lifetime of a device authorization; `expiresIn` is 600 in responses of the service.
const WAIT: SignedDuration = SignedDuration::from_mins(10);

/// The minimum interval between two token requests of a device; `interval` is 1 in responses of the
/// service.
const INTERVAL: SignedDuration = SignedDuration::from_secs(1);

/// The duration of a session in the access portal: "the default is 8 hours" (user guide).
const SESSION: SignedDuration = SignedDuration::from_hours(8);

/// The lifetime of a client registration.
const REGISTRATION: SignedDuration = SignedDuration::from_hours(90 * 24);

const DEVICE_GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";

/// Returns the operation at a path.
pub(super) fn operation(request: &Request<Bytes>) -> Option<&'static str> {
    match request.uri().path() {
        "/client/register" => Some("RegisterClient"),
        "/device_authorization" => Some("StartDeviceAuthorization"),
        "/token" => Some("CreateToken"),
        _ => None,
    }
}

/// Runs an operation.
pub(super) fn call(
    cloud: &mut Cloud,
    now: Timestamp,
    operation: &str,
    request: &Request<Bytes>,
) -> Result<Value, Refusal> {
    if request.method() != "POST" {
        return Err(Refusal::new("UnknownOperationException", "").with_status(404));
    }
    let body: Map<String, Value> = serde_json::from_slice(request.body())
        .map_err(|error| invalid(&format!("the body is not JSON: {error}")))?;
    let (center, ids) = match &mut cloud.center {
        Some(center) => (center, &mut cloud.ids),
        None => return Err(invalid("IAM Identity Center is not enabled")),
    };
    match operation {
        "RegisterClient" => register(center, ids, now, &body),
        "StartDeviceAuthorization" => start(center, ids, now, &body),
        _ => create_token(center, ids, now, &body),
    }
}

fn register(
    center: &mut Center,
    ids: &mut Ids,
    now: Timestamp,
    body: &Map<String, Value>,
) -> Result<Value, Refusal> {
    let name = text(body, "clientName")?;
    let kind = text(body, "clientType")?;
    if kind != "public" {
        return Err(oauth(
            "InvalidClientMetadataException",
            "invalid_client_metadata",
            "Invalid client type",
        ));
    }
    let client = Client {
        id: ids.base32("client", name, 22),
        secret: ids.secret("client secret", name, 300),
        expires: super::later(now, REGISTRATION),
    };
    let response = json!({
        "clientId": client.id,
        "clientSecret": client.secret,
        "clientIdIssuedAt": now.as_second(),
        "clientSecretExpiresAt": client.expires.as_second(),
    });
    center.sign_in.clients.push(client);
    Ok(response)
}

fn start(
    center: &mut Center,
    ids: &mut Ids,
    now: Timestamp,
    body: &Map<String, Value>,
) -> Result<Value, Refusal> {
    let client = client(center, now, body)?;
    let start_url = text(body, "startUrl")?;
    if !center
        .portal_urls()
        .contains(&start_url.trim_end_matches(['/', '#']).to_owned())
    {
        return Err(invalid("Invalid start url provided"));
    }
    let letters = ids.base32("user code", &client, 8);
    let device = Device {
        secret_code: ids.secret("device code", &client, 120),
        user_code: format!("{}-{}", &letters[..4], &letters[4..]),
        client,
        expires: super::later(now, WAIT),
        last_token_request: None,
        user: None,
        redeemed: false,
    };
    let page = format!("{}/#/device", center.portal_url());
    let response = json!({
        "deviceCode": device.secret_code,
        "userCode": device.user_code,
        "verificationUri": page,
        "verificationUriComplete": format!("{page}?user_code={}", device.user_code),
        "expiresIn": WAIT.as_secs(),
        "interval": INTERVAL.as_secs(),
    });
    center.sign_in.devices.push(device);
    Ok(response)
}

fn create_token(
    center: &mut Center,
    ids: &mut Ids,
    now: Timestamp,
    body: &Map<String, Value>,
) -> Result<Value, Refusal> {
    let client = client(center, now, body)?;
    let grant = text(body, "grantType")?;
    if grant != DEVICE_GRANT {
        return Err(oauth(
            "UnsupportedGrantTypeException",
            "unsupported_grant_type",
            "The grant type is not supported",
        ));
    }
    let code = text(body, "deviceCode")?;
    let device = center
        .sign_in
        .devices
        .iter_mut()
        .find(|device| device.secret_code == code && device.client == client && !device.redeemed)
        .ok_or_else(|| {
            oauth(
                "InvalidGrantException",
                "invalid_grant",
                "Invalid grant provided",
            )
        })?;
    if device.expires <= now {
        return Err(oauth(
            "ExpiredTokenException",
            "expired_token",
            "Device code expired",
        ));
    }
    let early = device
        .last_token_request
        .is_some_and(|last| now.duration_since(last) < INTERVAL);
    device.last_token_request = Some(now);
    let Some(user) = device.user.clone() else {
        return Err(if early {
            oauth(
                "SlowDownException",
                "slow_down",
                "You are polling too often",
            )
        } else {
            oauth(
                "AuthorizationPendingException",
                "authorization_pending",
                "The authorization is pending",
            )
        });
    };
    device.redeemed = true;
    let session = Session {
        token: ids.secret("session", &user, 300),
        user,
        expires: super::later(now, SESSION),
    };
    let response = json!({
        "accessToken": session.token,
        "tokenType": "Bearer",
        "expiresIn": SESSION.as_secs(),
    });
    center.sign_in.sessions.push(session);
    Ok(response)
}

impl Center {
    /// Returns the URLs of the access portal (user guide, workforce access through additional Regions; GovCloud user guide; for
    /// China, the AWS CLI).
    fn portal_urls(&self) -> [String; 4] {
        let (instance, region) = (self.instance_id(), &self.region);
        let [ipv4, dual_stack] = match self.partition() {
            Partition::Aws | Partition::AwsUsGov => ["amazonaws.com", "app.aws"],
            Partition::AwsCn => ["amazonaws.com.cn", "app.amazonwebservices.com.cn"],
        };
        [
            self.portal_url(),
            self.partition().portal_url(&self.identity_store),
            format!("https://{instance}.{region}.portal.{ipv4}"),
            format!("https://{instance}.portal.{region}.{dual_stack}"),
        ]
    }
}

/// Returns the id of the client, which has to be registered.
fn client(center: &Center, now: Timestamp, body: &Map<String, Value>) -> Result<String, Refusal> {
    let (id, secret) = (text(body, "clientId")?, text(body, "clientSecret")?);
    let known = center
        .sign_in
        .clients
        .iter()
        .any(|client| client.id == id && client.secret == secret && client.expires > now);
    if known {
        Ok(id.to_owned())
    } else {
        Err(oauth(
            "InvalidClientException",
            "invalid_client",
            "Invalid client provided",
        )
        .with_status(401))
    }
}

fn text<'a>(body: &'a Map<String, Value>, name: &str) -> Result<&'a str, Refusal> {
    body.get(name)
        .and_then(Value::as_str)
        .filter(|text| !text.is_empty())
        .ok_or_else(|| invalid(&format!("Missing required parameter: {name}")))
}

fn invalid(description: &str) -> Refusal {
    oauth("InvalidRequestException", "invalid_request", description)
}

fn oauth(code: &'static str, error: &str, description: &str) -> Refusal {
    Refusal::new(code, description).with("error", error)
}
