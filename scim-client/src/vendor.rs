//! The [`Vendor`] implementation for SCIM services.

use http::HeaderMap;
use rest_core::{Vendor, headers};

/// Reads request ids. Throttling and server errors have the defaults of plain HTTP.
#[derive(Debug)]
pub(crate) struct Scim;

impl Vendor for Scim {
    fn request_id(&self, headers: &HeaderMap) -> Option<String> {
        REQUEST_IDS
            .iter()
            .find_map(|name| headers::text(headers, *name))
            .map(str::to_owned)
    }
}

/// The headers of request ids. AWS's header is first, because AWS support asks for its id.
const REQUEST_IDS: [&str; 3] = ["x-amzn-requestid", "x-amz-request-id", "x-request-id"];
