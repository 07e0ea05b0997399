//! Refusals of calls because of a limit of AWS.

use std::{sync::Arc, time::Duration};

use aws_smithy_runtime_api::{
    box_error::BoxError,
    client::{
        interceptors::{Intercept, context::FinalizerInterceptorContextRef},
        orchestrator::HttpResponse,
        runtime_components::RuntimeComponents,
    },
};
use aws_smithy_types::{
    config_bag::{ConfigBag, Storable, StoreReplace},
    retry::RetryConfig,
};
use rest_core::Clock;
use serde::Deserialize;

/// The limit because of which AWS refused a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Throttling {
    /// Calls per second.
    Rate,
    /// Writes that AWS carries out at the same time.
    Outstanding,
}

impl Throttling {
    /// Returns the limit because of which AWS refused a call; `None` if the response is another one.
    ///
    /// A limit of a customer's key in AWS KMS, which AWS reports with the same exception, is none of the
    /// service's limits.
    pub(crate) fn of(response: &HttpResponse) -> Option<Self> {
        #[derive(Deserialize, Default)]
        struct Refusal {
            #[serde(rename = "__type", default)]
            kind: String,
            #[serde(alias = "Message", default)]
            message: String,
            #[serde(rename = "Reason", default)]
            reason: String,
        }
        let status = response.status();
        if !status.is_client_error() {
            return None;
        }
        let body = response.body().bytes().unwrap_or_default();
        let refusal: Refusal = serde_json::from_slice(body).unwrap_or_default();
        // STS answers in XML.
        let is_xml = || {
            let code = b"<Code>Throttling</Code>";
            body.windows(code.len()).any(|part| part == code)
        };
        let code = response.headers().get("x-amzn-errortype");
        let code = code.unwrap_or(&refusal.kind);
        let code = code.split(':').next().unwrap_or_default();
        let code = code.rsplit('#').next().unwrap_or_default();
        if !CODES.contains(&code) && status.as_u16() != 429 && !is_xml()
            || refusal.reason.starts_with("KMS_")
        {
            return None;
        }
        Some(Self::of_message(&refusal.message))
    }

    /// Returns the limit that the message of a throttled call names.
    pub(crate) fn of_message(message: &str) -> Self {
        if message.to_lowercase().contains("too many requests proc") {
            Self::Outstanding
        } else {
            Self::Rate
        }
    }
}

/// Repeats throttled calls without counting their attempts, for a limited time.
///
/// A call with only one attempt is not repeated.
#[derive(Debug)]
pub(crate) struct RepeatThrottled {
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) timeout: Duration,
}

/// The elapsed time at which a call was throttled first.
#[derive(Debug, Clone, Copy)]
struct ThrottledSince(Duration);

impl Storable for ThrottledSince {
    type Storer = StoreReplace<Self>;
}

impl Intercept for RepeatThrottled {
    fn name(&self) -> &'static str {
        "RepeatThrottled"
    }

    /// Permits one attempt more after a throttled one, or none after the timeout. The SDK's retry strategy reads the number after
    /// this hook.
    fn read_after_attempt(
        &self,
        context: &FinalizerInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        cfg: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let Some(retries) = cfg.load::<RetryConfig>().cloned() else {
            return Ok(());
        };
        if retries.max_attempts() == 1 || context.response().and_then(Throttling::of).is_none() {
            return Ok(());
        }
        let now = self.clock.elapsed();
        let since = cfg.load::<ThrottledSince>().map_or(now, |since| since.0);
        let attempts = if now < since + self.timeout {
            retries.max_attempts().saturating_add(1)
        } else {
            1
        };
        let state = cfg.interceptor_state();
        state.store_put(retries.with_max_attempts(attempts));
        state.store_put(ThrottledSince(since));
        Ok(())
    }
}

const CODES: [&str; 4] = [
    "ThrottlingException",
    "Throttling",
    "TooManyRequestsException",
    "RequestLimitExceeded",
];

#[cfg(test)]
mod tests {
    use aws_smithy_runtime_api::http::StatusCode;
    use aws_smithy_types::body::SdkBody;

    use super::*;

    #[track_caller]
    fn check(status: u16, header: Option<&'static str>, body: &str, expected: Option<Throttling>) {
        let status = StatusCode::try_from(status).expect("a status");
        let mut response = HttpResponse::new(status, SdkBody::from(body));
        if let Some(code) = header {
            response.headers_mut().insert("x-amzn-errortype", code);
        }
        assert_eq!(Throttling::of(&response), expected, "{body}");
    }

    #[test]
    fn each_protocol_of_aws_has_its_refusal() {
        let rate = Some(Throttling::Rate);
        let json =
            r#"{"__type": "com.amazonaws.sso#ThrottlingException", "Message": "Rate exceeded"}"#;
        check(400, None, json, rate);
        check(400, None, r#"{"__type": "TooManyRequestsException"}"#, rate);
        check(429, Some("Unknown"), "{}", rate);
        check(400, Some("ThrottlingException:http://internal"), "{}", rate);
        check(400, None, "<Error><Code>Throttling</Code></Error>", rate);
        let message = "There are too many requests processing. Please try again later.";
        let json = format!(r#"{{"__type": "ThrottlingException", "message": "{message}"}}"#);
        check(400, None, &json, Some(Throttling::Outstanding));
    }

    #[test]
    fn other_refusals_and_a_limit_of_kms_are_no_limit_of_the_service() {
        check(400, None, r#"{"__type": "ConflictException"}"#, None);
        check(503, None, r#"{"__type": "ThrottlingException"}"#, None);
        check(200, None, r#"{"__type": "ThrottlingException"}"#, None);
        let kms = r#"{"__type": "ThrottlingException", "Reason": "KMS_ThrottlingException"}"#;
        check(400, None, kms, None);
    }
}
