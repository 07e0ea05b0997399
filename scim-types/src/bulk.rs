//! Bulk requests and their responses.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{
    Error, Json, PatchOp, StatusCode,
    attribute::{Element, complex, document},
};

document! {
    /// Several operations in one request (RFC 7644 section 3.7).
    pub struct BulkRequest of BULK_REQUEST {
        /// Number of failures after which the server stops; if absent, the server does not stop.
        pub fail_on_errors: Option<u64> = "failOnErrors",
        /// The operations. The server chooses the order in which it performs them.
        pub operations: Vec<BulkOperation> = "Operations",
    }
}

complex! {
    /// One operation of a [`BulkRequest`].
    pub struct BulkOperation {
        /// The method of the operation.
        pub method: Option<BulkMethod> = "method",
        /// The client's temporary id of a resource to create. Other operations refer to the resource as
        /// `bulkId:` followed by this id.
        pub bulk_id: Option<String> = "bulkId",
        /// The version that the resource must have.
        pub version: Option<String> = "version",
        /// The path below the base URL, such as `/Users` or `/Users/7`.
        pub path: Option<String> = "path",
        /// The resource or the patch.
        pub data: Option<Json> = "data",
    }
}

impl BulkOperation {
    /// Returns an operation that creates a resource under an endpoint, such as `/Users`.
    ///
    /// # Errors
    ///
    /// Fails if the resource cannot be serialized as JSON.
    pub fn create(
        endpoint: impl Into<String>,
        bulk_id: impl Into<String>,
        resource: &impl Serialize,
    ) -> Result<Self, serde_json::Error> {
        Ok(Self {
            bulk_id: Some(bulk_id.into()),
            data: Some(Json::new(resource)?),
            ..Self::new(BulkMethod::Post, endpoint)
        })
    }

    /// Returns an operation that replaces the resource at a path, such as `/Users/7`.
    ///
    /// # Errors
    ///
    /// Fails if the resource cannot be serialized as JSON.
    pub fn replace(
        path: impl Into<String>,
        resource: &impl Serialize,
    ) -> Result<Self, serde_json::Error> {
        Ok(Self {
            data: Some(Json::new(resource)?),
            ..Self::new(BulkMethod::Put, path)
        })
    }

    /// Returns an operation that patches the resource at a path.
    ///
    /// # Errors
    ///
    /// Fails if the patch cannot be serialized as JSON.
    pub fn change(path: impl Into<String>, change: &PatchOp) -> Result<Self, serde_json::Error> {
        Ok(Self {
            data: Some(Json::new(change)?),
            ..Self::new(BulkMethod::Patch, path)
        })
    }

    /// Returns an operation that deletes the resource at a path.
    pub fn delete(path: impl Into<String>) -> Self {
        Self::new(BulkMethod::Delete, path)
    }

    fn new(method: BulkMethod, path: impl Into<String>) -> Self {
        Self {
            method: Some(method),
            path: Some(path.into()),
            ..Self::default()
        }
    }

    /// Returns the reference by which other operations refer to the resource that this operation creates.
    #[must_use]
    pub fn reference(&self) -> Option<String> {
        self.bulk_id.as_ref().map(|id| format!("bulkId:{id}"))
    }

    /// Reads the data as a patch.
    ///
    /// The data may also be a bare list of operations, as in the example of the RFC (erratum 5050 of RFC
    /// 7644 corrects the example to a patch).
    ///
    /// # Errors
    ///
    /// Fails if the data is neither a patch nor a list of operations.
    pub fn patch(&self) -> Result<Option<PatchOp>, serde_json::Error> {
        let Some(data) = &self.data else {
            return Ok(None);
        };
        let is_list = data.as_str().trim_start().starts_with('[');
        let patch = if is_list {
            data.read().map(PatchOp::new)
        } else {
            data.read()
        };
        patch.map(Some)
    }
}

document! {
    /// The results of a [`BulkRequest`] (RFC 7644 section 3.7).
    pub struct BulkResponse of BULK_RESPONSE {
        /// The results, in the order of the request.
        pub operations: Vec<BulkResult> = "Operations",
    }
}

complex! {
    /// The result of one operation of a [`BulkRequest`].
    pub struct BulkResult {
        /// The URI of the resource; absent if the resource could not be created.
        pub location: Option<String> = "location",
        /// The method of the operation.
        pub method: Option<BulkMethod> = "method",
        /// The client's temporary id of the resource.
        pub bulk_id: Option<String> = "bulkId",
        /// The version of the resource.
        pub version: Option<String> = "version",
        /// The HTTP status that the operation would have had as a single request.
        pub status: Option<StatusCode> = "status",
        /// The response body that the operation would have had as a single request; for a failure, the error.
        pub response: Option<Json> = "response",
    }
}

impl BulkResult {
    /// Returns whether the operation succeeded.
    #[must_use]
    pub fn is_success(&self) -> bool {
        self.status
            .is_some_and(|status| (200..300).contains(&status.0))
    }

    /// Reads the error of a failed operation; `None` if the operation succeeded or has no response body.
    ///
    /// # Errors
    ///
    /// Fails if the operation failed and its response body is not a SCIM error.
    pub fn error(&self) -> Result<Option<Error>, serde_json::Error> {
        let response = self.response.as_ref().filter(|_| !self.is_success());
        response.map(Json::read).transpose()
    }
}

/// The method of an operation in a [`BulkRequest`]. Serialization writes upper case; parsing accepts any case.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum BulkMethod {
    /// Creates a resource.
    Post,
    /// Replaces a resource.
    Put,
    /// Changes a resource.
    Patch,
    /// Deletes a resource.
    Delete,
    /// A method that the RFC does not define.
    Other(String),
}

impl BulkMethod {
    /// Returns the method in its wire form.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
            Self::Other(text) => text,
        }
    }
}

impl From<String> for BulkMethod {
    fn from(text: String) -> Self {
        let known = [Self::Post, Self::Put, Self::Patch, Self::Delete];
        let known = known
            .into_iter()
            .find(|method| method.as_str().eq_ignore_ascii_case(&text));
        known.unwrap_or(Self::Other(text))
    }
}

impl fmt::Display for BulkMethod {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl Serialize for BulkMethod {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl Element for BulkMethod {
    fn read<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::from)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{PatchOperation, ScimType, User};

    #[test]
    fn operations_are_written_as_in_the_rfc() {
        let create =
            BulkOperation::create("/Users", "qwerty", &json!({"userName": "ada"})).unwrap();
        assert_eq!(create.reference().as_deref(), Some("bulkId:qwerty"));
        let patch = PatchOperation::remove("title").into();
        let request = BulkRequest {
            fail_on_errors: Some(1),
            operations: vec![
                create,
                BulkOperation::replace("/Users/1", &json!({"userName": "bob"})).unwrap(),
                BulkOperation::change("/Users/2", &patch).unwrap(),
                BulkOperation::delete("/Users/3"),
            ],
            ..BulkRequest::default()
        };
        assert_eq!(
            serde_json::to_value(&request).unwrap(),
            json!({
                "schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],
                "failOnErrors": 1,
                "Operations": [
                    {"method": "POST", "bulkId": "qwerty", "path": "/Users", "data": {"userName": "ada"}},
                    {"method": "PUT", "path": "/Users/1", "data": {"userName": "bob"}},
                    {"method": "PATCH", "path": "/Users/2", "data": {
                        "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
                        "Operations": [{"op": "remove", "path": "title"}]
                    }},
                    {"method": "DELETE", "path": "/Users/3"}
                ]
            })
        );
    }

    #[test]
    fn patch_data_may_be_a_bare_list_of_operations() {
        let read = |text: &str| serde_json::from_str::<BulkOperation>(text).unwrap().patch();
        let bare = read(r#"{"data": [{"op":"Remove","path":"title"}]}"#).unwrap();
        assert_eq!(bare, Some(PatchOperation::remove("title").into()));
        let whole = r#"{"data":{"operations":[{"op":"remove","path":"title"}]}}"#;
        assert_eq!(read(whole).unwrap(), bare);
        assert_eq!(read("{}").unwrap(), None);
        assert_eq!(
            read(r#"{"data":7}"#).unwrap_err().to_string(),
            "invalid type: integer `7`, expected a SCIM PatchOp object at line 1 column 1"
        );
    }

    #[test]
    fn names_and_methods_are_read_in_any_case_and_numbers_from_strings() {
        let request: BulkRequest = serde_json::from_str(
            r#"{"failOnErrors":"2","operations":[{"METHOD":"post","BulkID":"a","data":{"n":1.50}},
                {"method":"MOVE","why":1}]}"#,
        )
        .unwrap();
        assert_eq!(
            serde_json::to_string(&request).unwrap(),
            concat!(
                r#"{"schemas":["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],"failOnErrors":2,"#,
                r#""Operations":[{"method":"POST","bulkId":"a","data":{"n":1.50}},"#,
                r#"{"method":"MOVE","why":1}]}"#
            )
        );
    }

    #[test]
    fn the_error_of_a_failed_operation_is_read() {
        let response: BulkResponse = serde_json::from_str(
            r#"{"Operations":[{"method":"DELETE","status":204},
                {"method":"POST","status":"400","response":{"scimType":"invalidValue","status":"400"}},
                {"status":"500","response":"<html>"}]}"#,
        )
        .unwrap();
        let [done, refused, malformed] = response.operations.as_slice() else {
            panic!("expected three results")
        };
        assert!(done.is_success() && done.error().unwrap().is_none());
        let error = refused.error().unwrap().unwrap();
        assert_eq!(error.scim_type, Some(ScimType::InvalidValue));
        assert!(!malformed.is_success() && malformed.error().is_err());
    }

    #[test]
    fn debug_does_not_print_the_data() {
        let mut ada = User::new("ada");
        ada.other.insert("password", &"hunter2").unwrap();
        let create = BulkOperation::create("/Users", "q", &ada).unwrap();
        assert!(format!("{create:?}").contains("data: Some(Json(..))"));
    }
}
