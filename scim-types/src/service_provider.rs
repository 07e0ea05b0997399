use crate::{
    Meta, Text,
    attribute::{complex, document},
};

document! {
    /// What a server says it can do (RFC 7643 section 5, RFC 9865 section 5).
    ///
    /// Every member is optional: servers leave members out that the RFC requires. Take it as a hint:
    /// AWS IAM Identity Center's says 50 results where its pages hold 100.
    pub struct ServiceProviderConfig of SERVICE_PROVIDER_CONFIG {
        /// Where a person reads about the server.
        pub documentation_uri: Option<Text> = "documentationUri",
        /// Whether PATCH works.
        pub patch: Option<Supported> = "patch",
        /// Whether many operations in one request work, and how many.
        pub bulk: Option<BulkSupport> = "bulk",
        /// Whether filters work, and how much they may find.
        pub filter: Option<FilterSupport> = "filter",
        /// Whether a password can be changed.
        pub change_password: Option<Supported> = "changePassword",
        /// Whether lists can be sorted.
        pub sort: Option<Supported> = "sort",
        /// Whether entity tags work.
        pub etag: Option<Supported> = "etag",
        /// How lists are cut into pages.
        pub pagination: Option<Pagination> = "pagination",
        /// How a client may prove who it is.
        pub authentication_schemes: Vec<AuthenticationScheme> = "authenticationSchemes",
        /// What the server says about the document as such.
        pub meta: Option<Meta> = "meta",
    }
}

complex! {
    /// Whether something works.
    pub struct Supported {
        /// Whether it works.
        pub supported: Option<bool> = "supported",
    }
}

complex! {
    /// Whether many operations in one request work, and how many.
    pub struct BulkSupport {
        /// Whether it works.
        pub supported: Option<bool> = "supported",
        /// The highest number of operations in one request.
        pub max_operations: Option<u64> = "maxOperations",
        /// The largest request, in bytes.
        pub max_payload_size: Option<u64> = "maxPayloadSize",
    }
}

complex! {
    /// Whether filters work, and how much they may find.
    pub struct FilterSupport {
        /// Whether it works.
        pub supported: Option<bool> = "supported",
        /// The highest number of resources in one response.
        pub max_results: Option<u64> = "maxResults",
    }
}

complex! {
    /// How lists are cut into pages (RFC 9865 section 5).
    pub struct Pagination {
        /// Whether `cursor` works.
        pub cursor: Option<bool> = "cursor",
        /// Whether `startIndex` works.
        pub index: Option<bool> = "index",
        /// What a request without either gets: `cursor` or `index`.
        pub default_pagination_method: Option<Text> = "defaultPaginationMethod",
        /// How many resources a page has if the request does not say.
        pub default_page_size: Option<u64> = "defaultPageSize",
        /// How many resources a page has at most.
        pub max_page_size: Option<u64> = "maxPageSize",
        /// How long a cursor is good for, in seconds.
        pub cursor_timeout: Option<u64> = "cursorTimeout",
    }
}

complex! {
    /// A way for a client to prove who it is.
    pub struct AuthenticationScheme {
        /// The kind, such as `oauthbearertoken`.
        pub kind: Option<Text> = "type",
        /// The name to show.
        pub name: Option<Text> = "name",
        /// What it is, in a sentence.
        pub description: Option<Text> = "description",
        /// Where its specification is.
        pub spec_uri: Option<Text> = "specUri",
        /// Where a person reads about it.
        pub documentation_uri: Option<Text> = "documentationUri",
        /// Whether it is the preferred one.
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
