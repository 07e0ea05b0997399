//! Tests of the `sso-admin` API, and their shared helpers.

mod assignments;
mod instances;
mod operation_faults;
mod permission_sets;
mod placement;
mod provisioning;

use serde_json::Value;

use crate::aws::harness::ServiceError;

const WEB: &str = "200000000002";
const LEGACY: &str = "200000000003";
const MANAGEMENT: &str = "111122223333";
const AUDIT: &str = "200000000001";

/// Returns the error code.
#[track_caller]
fn error_code(outcome: Result<Value, ServiceError>) -> String {
    outcome.expect_err("the request must fail").0
}

/// Returns the error code and the message.
#[track_caller]
fn error(outcome: Result<Value, ServiceError>) -> (String, String) {
    outcome.expect_err("the request must fail")
}
