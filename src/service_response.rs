//! Conversion of the clients' errors into [`ServiceResponse`].

use crate::error::{
    ServiceError, ServiceResponse, root_cause,
    sealed::{Category, Meaning, Sealed},
};

/// Implements the conversion for client errors, which all have the same accessors.
macro_rules! service_errors {
    ($($error:ty => $service:literal),+ $(,)?) => {$(
        impl ServiceError for $error {
            fn response(&self) -> ServiceResponse {
                let operation = self.operation().unwrap_or_default();
                ServiceResponse {
                    call: format!(concat!($service, "{}"), operation),
                    status: self.status(),
                    code: self.code().map(ToOwned::to_owned),
                    message: Some(
                        self.message()
                            .map_or_else(|| root_cause(self), ToOwned::to_owned),
                    ),
                    request_id: self.request_id().map(ToOwned::to_owned),
                }
            }

            fn advice(&self) -> Option<String> {
                self.help().map(ToOwned::to_owned)
            }
        }

        impl Sealed for $error {
            fn meaning(&self) -> Meaning {
                let categories = [
                    (self.is_not_found(), Category::NotFound),
                    (self.is_conflict(), Category::Conflict),
                    (self.is_throttled(), Category::Throttled),
                    (self.is_unauthenticated(), Category::Unauthenticated),
                    (self.is_permission_denied(), Category::PermissionDenied),
                ];
                let category = categories.into_iter().find(|(is, _)| *is);
                Meaning {
                    category: category.map_or(Category::Other, |(_, category)| category),
                    may_have_acted: self.may_have_acted(),
                }
            }
        }
    )+};
}

service_errors! {
    okta_client::Error => "Okta ",
    scim_client::Error => "SCIM ",
    // An operation of AWS contains the name of its service.
    aws_sso_glue::Error => "",
}
