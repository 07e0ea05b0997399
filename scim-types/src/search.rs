//! Search requests, which contain a query in the request body.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::{
    attribute::{Element, document},
    filter::{Filter, ParseFilterError},
};

document! {
    /// A query in the body of a request to `/.search` (RFC 7644 section 3.4.3, RFC 9865 section 2).
    pub struct SearchRequest of SEARCH_REQUEST {
        /// The attributes to return, in addition to the attributes that are always returned.
        pub attributes: Vec<String> = "attributes",
        /// The attributes not to return.
        pub excluded_attributes: Vec<String> = "excludedAttributes",
        /// The filter as it was sent; [`condition`](Self::condition) parses it.
        pub filter: Option<String> = "filter",
        /// The attribute to sort by.
        pub sort_by: Option<String> = "sortBy",
        /// The sort order.
        pub sort_order: Option<SortOrder> = "sortOrder",
        /// Index of the first resource. A value less than 1 counts as 1.
        pub start_index: Option<i64> = "startIndex",
        /// Maximum number of resources. A value less than 0 counts as 0.
        pub count: Option<i64> = "count",
        /// Cursor of the page to return; empty for the first page.
        pub cursor: Option<String> = "cursor",
    }
}

impl SearchRequest {
    /// Parses the filter, if the request has a filter.
    ///
    /// # Errors
    ///
    /// Fails if the filter cannot be parsed. A server answers such a request with status 400 and `invalidFilter`.
    pub fn condition(&self) -> Result<Option<Filter>, ParseFilterError> {
        self.filter.as_deref().map(Filter::parse).transpose()
    }
}

impl From<&Filter> for SearchRequest {
    fn from(filter: &Filter) -> Self {
        Self {
            filter: Some(filter.to_string()),
            ..Self::default()
        }
    }
}

/// The sort order of a search. Parsing accepts any case.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum SortOrder {
    /// Smallest value first.
    #[default]
    Ascending,
    /// Largest value first.
    Descending,
}

impl FromStr for SortOrder {
    type Err = ParseSortOrderError;

    fn from_str(text: &str) -> Result<Self, ParseSortOrderError> {
        match text {
            _ if text.eq_ignore_ascii_case("ascending") => Ok(Self::Ascending),
            _ if text.eq_ignore_ascii_case("descending") => Ok(Self::Descending),
            _ => Err(ParseSortOrderError {
                text: text.to_owned(),
            }),
        }
    }
}

impl Element for SortOrder {
    fn read<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// The error of `SortOrder::from_str`: the string is neither `ascending` nor `descending`.
#[derive(Debug, thiserror::Error)]
#[error("{text:?} is not a sort order: expected ascending or descending")]
pub struct ParseSortOrderError {
    text: String,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::filter::AttributePath;

    #[track_caller]
    fn check(read: &str, written: &str) -> SearchRequest {
        let request: SearchRequest = serde_json::from_str(read).unwrap();
        assert_eq!(serde_json::to_string(&request).unwrap(), written);
        request
    }

    #[test]
    fn numbers_as_strings_and_negative_numbers_are_read() {
        let request = check(
            r#"{"StartIndex":"-1","count":0,"sortorder":"Descending","x":1}"#,
            concat!(
                r#"{"schemas":["urn:ietf:params:scim:api:messages:2.0:SearchRequest"],"#,
                r#""sortOrder":"descending","startIndex":-1,"count":0,"x":1}"#
            ),
        );
        assert_eq!((request.start_index, request.count), (Some(-1), Some(0)));
        for (text, message) in [
            (
                r#"{"count":9223372036854775808}"#,
                "invalid value: integer `9223372036854775808`, expected an integer, or a string that contains one at line 1 column 28",
            ),
            (
                r#"{"sortOrder":"up"}"#,
                r#""up" is not a sort order: expected ascending or descending at line 1 column 18"#,
            ),
        ] {
            let error = serde_json::from_str::<SearchRequest>(text).unwrap_err();
            assert_eq!(error.to_string(), message);
        }
    }

    #[test]
    fn a_filter_is_kept_as_sent_and_parsed_on_request() {
        let request = check(
            r#"{"filter":"userName Eq \"a\""}"#,
            r#"{"schemas":["urn:ietf:params:scim:api:messages:2.0:SearchRequest"],"filter":"userName Eq \"a\""}"#,
        );
        let filter = Filter::eq(AttributePath::USER_NAME, "a");
        assert_eq!(request.condition(), Ok(Some(filter.clone())));
        let built = SearchRequest::from(&filter);
        assert_eq!(built.filter.as_deref(), Some(r#"userName eq "a""#));
        let malformed = check(
            r#"{"filter":"userName"}"#,
            r#"{"schemas":["urn:ietf:params:scim:api:messages:2.0:SearchRequest"],"filter":"userName"}"#,
        );
        assert_eq!(
            malformed.condition().unwrap_err().to_string(),
            "expected an operator, but the filter ends"
        );
    }
}
