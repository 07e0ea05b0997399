use http::HeaderMap;
use rest_core::{Vendor, headers};

/// How a SCIM service speaks about a request; throttling and failures are as plain HTTP has them.
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

/// AWS's own first: its support asks for it.
const REQUEST_IDS: [&str; 3] = ["x-amzn-requestid", "x-amz-request-id", "x-request-id"];
