//! The capabilities that a server advertises.

use crate::{
    Meta, Text,
    attribute::{complex, document},
};

document! {
    /// The capabilities that a server advertises (RFC 7643 section 5, RFC 9865 section 5).
    ///
    /// Every member is optional, because servers omit members that the RFC requires. The values are only
    /// hints: AWS IAM Identity Center advertises 50 results, but its pages hold 100.
    pub struct ServiceProviderConfig of SERVICE_PROVIDER_CONFIG {
        /// The URI of the server's documentation.
        pub documentation_uri: Option<Text> = "documentationUri",
        /// Support for PATCH.
        pub patch: Option<FeatureSupport> = "patch",
        /// Support for bulk requests, and their limits.
        pub bulk: Option<BulkSupport> = "bulk",
        /// Support for filters, and the maximum number of results.
        pub filter: Option<FilterSupport> = "filter",
        /// Support for password changes.
        pub change_password: Option<FeatureSupport> = "changePassword",
        /// Support for sorting.
        pub sort: Option<FeatureSupport> = "sort",
        /// Support for entity tags.
        pub etag: Option<FeatureSupport> = "etag",
        /// Support for pagination.
        pub pagination: Option<Pagination> = "pagination",
        /// The authentication schemes that the server supports.
        pub authentication_schemes: Vec<AuthenticationScheme> = "authenticationSchemes",
        /// The metadata of the document.
        pub meta: Option<Meta> = "meta",
    }
}

complex! {
    /// Support for a feature.
    pub struct FeatureSupport {
        /// Whether the feature is supported.
        pub supported: Option<bool> = "supported",
    }
}

complex! {
    /// Support for bulk requests, and their limits.
    pub struct BulkSupport {
        /// Whether bulk requests are supported.
        pub supported: Option<bool> = "supported",
        /// Maximum number of operations in one request.
        pub max_operations: Option<u64> = "maxOperations",
        /// Maximum size of a request, in bytes.
        pub max_payload_size: Option<u64> = "maxPayloadSize",
    }
}

complex! {
    /// Support for filters, and the maximum number of results.
    pub struct FilterSupport {
        /// Whether filters are supported.
        pub supported: Option<bool> = "supported",
        /// Maximum number of resources in one response.
        pub max_results: Option<u64> = "maxResults",
    }
}

complex! {
    /// Support for pagination (RFC 9865 section 5).
    pub struct Pagination {
        /// Whether pagination by `cursor` is supported.
        pub cursor: Option<bool> = "cursor",
        /// Whether pagination by `startIndex` is supported.
        pub index: Option<bool> = "index",
        /// Pagination method for a request without `cursor` and `startIndex`: `cursor` or `index`.
        pub default_pagination_method: Option<Text> = "defaultPaginationMethod",
        /// Number of resources per page if the request does not specify it.
        pub default_page_size: Option<u64> = "defaultPageSize",
        /// Maximum number of resources per page.
        pub max_page_size: Option<u64> = "maxPageSize",
        /// Lifetime of a cursor, in seconds.
        pub cursor_timeout: Option<u64> = "cursorTimeout",
    }
}

complex! {
    /// A scheme by which a client authenticates.
    pub struct AuthenticationScheme {
        /// The type, such as `oauthbearertoken`.
        pub kind: Option<Text> = "type",
        /// The display name.
        pub name: Option<Text> = "name",
        /// A short description of the scheme.
        pub description: Option<Text> = "description",
        /// The URI of the specification.
        pub spec_uri: Option<Text> = "specUri",
        /// The URI of the documentation.
        pub documentation_uri: Option<Text> = "documentationUri",
        /// Whether this is the preferred scheme.
        pub primary: Option<bool> = "primary",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_configuration_without_the_required_members_is_read() {
        let config: ServiceProviderConfig = serde_json::from_str(
            r#"{"bulk":{"supported":"false"},"filter":{"supported":true,"maxResults":"50"}}"#,
        )
        .unwrap();
        let bulk = config.bulk.unwrap();
        assert_eq!((bulk.supported, bulk.max_operations), (Some(false), None));
        assert_eq!(config.filter.unwrap().max_results, Some(50));
        assert_eq!(config.pagination, None);
    }

    #[test]
    fn the_pagination_of_rfc_9865_is_read() {
        let config: ServiceProviderConfig = serde_json::from_str(
            r#"{"pagination":{"cursor":true,"index":false,"defaultPaginationMethod":"cursor",
                "defaultPageSize":100,"maxPageSize":250,"cursorTimeout":3600}}"#,
        )
        .unwrap();
        let pagination = config.pagination.unwrap();
        assert_eq!(
            (pagination.cursor, pagination.index),
            (Some(true), Some(false))
        );
        assert_eq!(
            pagination.default_pagination_method.as_deref(),
            Some("cursor")
        );
        assert_eq!(pagination.max_page_size, Some(250));
        assert_eq!(pagination.cursor_timeout, Some(3600));
    }
}
