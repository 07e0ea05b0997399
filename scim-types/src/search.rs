use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::{
    attribute::{Element, document},
    filter::{Filter, ParseFilterError},
};

document! {
    /// A query in the body of a request to `/.search` (RFC 7644 section 3.4.3, RFC 9865 section 2).
    pub struct SearchRequest of SEARCH_REQUEST {
        /// The attributes to return, besides those that always are.
        pub attributes: Vec<String> = "attributes",
        /// The attributes not to return.
        pub excluded_attributes: Vec<String> = "excludedAttributes",
        /// What the resources must fulfil, as it was written; [`condition`](Self::condition) reads it.
        pub filter: Option<String> = "filter",
        /// The attribute the resources are put in order by.
        pub sort_by: Option<String> = "sortBy",
        /// Which of them come first.
        pub sort_order: Option<SortOrder> = "sortOrder",
        /// The number of the first resource; what is less than 1 is taken for 1.
        pub start_index: Option<i64> = "startIndex",
        /// How many resources at most; what is less than 0 is taken for 0.
        pub count: Option<i64> = "count",
        /// Where to go on, empty for the start.
        pub cursor: Option<String> = "cursor",
    }
}

impl SearchRequest {
    /// Reads the filter, if there is one.
    ///
    /// # Errors
    ///
    /// When it is not a filter: what a server answers with 400 and `invalidFilter`.
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

/// Which resources come first; read in any case.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum SortOrder {
    /// The least.
    #[default]
    Ascending,
    /// The greatest.
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

/// A text that is neither `ascending` nor `descending`.
#[derive(Debug, thiserror::Error)]
#[error("{text:?} is not an order, which is ascending or descending")]
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
    fn numbers_as_texts_and_below_the_first_are_read() {
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
                "invalid value: integer `9223372036854775808`, expected a whole number, or its text at line 1 column 28",
            ),
            (
                r#"{"sortOrder":"up"}"#,
                r#""up" is not an order, which is ascending or descending at line 1 column 18"#,
            ),
        ] {
            let error = serde_json::from_str::<SearchRequest>(text).unwrap_err();
            assert_eq!(error.to_string(), message);
        }
    }

    #[test]
    fn a_filter_is_kept_as_it_was_and_read_when_it_is_asked_for() {
        let request = check(
            r#"{"filter":"userName Eq \"a\""}"#,
            r#"{"schemas":["urn:ietf:params:scim:api:messages:2.0:SearchRequest"],"filter":"userName Eq \"a\""}"#,
        );
        let filter = Filter::eq(AttributePath::USER_NAME, "a");
        assert_eq!(request.condition(), Ok(Some(filter.clone())));
        let built = SearchRequest::from(&filter);
        assert_eq!(built.filter.as_deref(), Some(r#"userName eq "a""#));
        let wrong = check(
            r#"{"filter":"userName"}"#,
            r#"{"schemas":["urn:ietf:params:scim:api:messages:2.0:SearchRequest"],"filter":"userName"}"#,
        );
        assert_eq!(
            wrong.condition().unwrap_err().to_string(),
            "the filter ends where an operator should be"
        );
    }
}
