//! Conversion of the clients' errors into [`ServiceResponse`].

use crate::error::{ServiceError, ServiceResponse, root_cause};

impl ServiceError for okta_client::Error {
    fn response(&self) -> ServiceResponse {
        ServiceResponse {
            call: format!("Okta {}", self.operation()),
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
    fn response(&self) -> ServiceResponse {
        ServiceResponse {
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
    fn response(&self) -> ServiceResponse {
        ServiceResponse {
            call: format!("SCIM {}", self.operation()),
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
impl crate::error::sealed::Sealed for okta_client::Error {
    fn meaning(&self) -> crate::error::sealed::Meaning {
        crate::error::sealed::Meaning::default()
    }
}
impl crate::error::sealed::Sealed for scim_client::Error {
    fn meaning(&self) -> crate::error::sealed::Meaning {
        crate::error::sealed::Meaning::default()
    }
}
impl crate::error::sealed::Sealed for aws_sso_glue::Error {
    fn meaning(&self) -> crate::error::sealed::Meaning {
        crate::error::sealed::Meaning::default()
    }
}
