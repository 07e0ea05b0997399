//! What the clients' errors say, in the facade's words.

use crate::error::{Answer, ServiceError, root_cause};

impl ServiceError for okta_client::Error {
    fn answer(&self) -> Answer {
        Answer {
            call: format!("Okta {}", self.doing()),
            status: self.status().map(|status| status.as_u16()),
            code: self.code().map(ToOwned::to_owned),
            message: Some(
                self.summary()
                    .map_or_else(|| root_cause(self), ToOwned::to_owned),
            ),
            request_id: self.request_id().map(ToOwned::to_owned),
        }
    }

    fn advice(&self) -> Option<String> {
        self.help().map(ToOwned::to_owned)
    }
}

impl ServiceError for aws_sso_glue::Error {
    fn answer(&self) -> Answer {
        Answer {
            call: format!("{} {}", self.service(), self.operation()),
            status: self.status().map(|status| status.as_u16()),
            code: self.code().map(ToOwned::to_owned),
            message: Some(
                self.message()
                    .map_or_else(|| root_cause(self), ToOwned::to_owned),
            ),
            request_id: self.request_id().map(ToOwned::to_owned),
        }
    }

    fn advice(&self) -> Option<String> {
        self.help()
    }
}

impl ServiceError for scim_client::Error {
    fn answer(&self) -> Answer {
        Answer {
            call: format!("SCIM {}", self.doing()),
            status: self.status().map(|status| status.as_u16()),
            code: None,
            message: Some(
                self.detail()
                    .map_or_else(|| root_cause(self), ToOwned::to_owned),
            ),
            request_id: self.request_id().map(ToOwned::to_owned),
        }
    }

    fn advice(&self) -> Option<String> {
        self.help().map(ToOwned::to_owned)
    }
}
