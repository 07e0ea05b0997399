//! Tests of lossless round trips of documents.

use std::fs;

use scim_types::{
    BulkRequest, BulkResponse, Error, Group, ListResponse, PatchOp, ResourceType, Schema,
    SearchRequest, ServiceProviderConfig, User,
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Map, Value, json};

use crate::corpus;

/// Parses a document as the type that it declares and serializes it; `None` if it declares no known type.
fn reserialized(document: &Value) -> Option<Value> {
    let schemas = document["schemas"].as_array().cloned().unwrap_or_default();
    let name = schemas.first()?.as_str()?.rsplit(':').next()?;
    Some(match name {
        "User" => reserialized_as::<User>(document),
        "Group" => reserialized_as::<Group>(document),
        "ServiceProviderConfig" => reserialized_as::<ServiceProviderConfig>(document),
        "ResourceType" => reserialized_as::<ResourceType>(document),
        "Schema" => reserialized_as::<Schema>(document),
        "Error" => reserialized_as::<Error>(document),
        "PatchOp" => reserialized_as::<PatchOp>(document),
        "BulkRequest" => reserialized_as::<BulkRequest>(document),
        "BulkResponse" => reserialized_as::<BulkResponse>(document),
        "SearchRequest" => reserialized_as::<SearchRequest>(document),
        "ListResponse" => reserialized_as::<ListResponse<Value>>(document),
        _ => return None,
    })
}

fn reserialized_as<T: DeserializeOwned + Serialize>(document: &Value) -> Value {
    let value: T = serde_json::from_str(&document.to_string())
        .unwrap_or_else(|error| panic!("{error} in {document}"));
    serde_json::to_value(&value).expect("a parsed document can be serialized")
}

/// Removes `null` and empty lists, and converts `op` to lower case (RFC 7643 section 2.5, RFC 7644 section
/// 3.5.2).
fn normalized(value: &Value) -> Value {
    match value {
        Value::Object(attributes) => {
            let attributes = attributes
                .iter()
                .map(|(name, value)| match (name.as_str(), value) {
                    ("op", Value::String(op)) => (name.clone(), op.to_lowercase().into()),
                    (name, value) => (name.to_owned(), normalized(value)),
                });
            let is_assigned =
                |value: &Value| !value.is_null() && value.as_array() != Some(&Vec::new());
            attributes
                .filter(|(_, value)| is_assigned(value))
                .collect::<Map<_, _>>()
                .into()
        }
        Value::Array(list) => list.iter().map(normalized).collect(),
        value => value.clone(),
    }
}

#[track_caller]
fn round_trip(name: &str, document: &Value) -> bool {
    let written = reserialized(document);
    if let Some(written) = &written {
        assert_eq!(normalized(written), normalized(document), "{name}");
    }
    written.is_some()
}

#[test]
fn a_user_with_all_attributes_round_trips() {
    let user = json!({
        "schemas": [
            "urn:ietf:params:scim:schemas:core:2.0:User",
            "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User",
            "urn:example:2.0:User"
        ],
        "id": "u-1",
        "externalId": "00u1",
        "userName": "ada@example.com",
        "name": {"formatted": "Ms. Ada Lovelace", "familyName": "Lovelace", "givenName": "Ada",
                 "middleName": "King", "honorificPrefix": "Ms.", "honorificSuffix": "II",
                 "phonetic": {"given": "EY-da"}},
        "displayName": "Ada", "nickName": "A", "profileUrl": "https://example.com/ada",
        "title": "Countess", "userType": "Employee", "preferredLanguage": "en",
        "locale": "en-GB", "timezone": "Europe/London", "active": true, "password": "x",
        "emails": [{"value": "ada@example.com", "type": "work", "primary": true, "display": "Ada"},
                   {"value": "ada@home.example", "verified": [1, 2.50]}],
        "phoneNumbers": [{"value": "tel:+44-1", "type": "work"}],
        "ims": [{"value": "ada", "type": "xmpp"}],
        "photos": [{"value": "https://example.com/ada.png", "type": "photo"}],
        "addresses": [{"formatted": "1 St\nLondon", "streetAddress": "1 St", "locality": "London",
                       "region": "LDN", "postalCode": "W1", "country": "GB", "type": "work",
                       "primary": false, "floor": 3}],
        "groups": [{"value": "g-1", "$ref": "../Groups/g-1", "display": "G", "type": "direct"}],
        "entitlements": [{"value": "e"}],
        "roles": [{"value": "r", "primary": false}],
        "x509Certificates": [{"value": "MII="}],
        "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": {
            "employeeNumber": "7", "costCenter": "c", "organization": "o", "division": "d",
            "department": "e",
            "manager": {"value": "u-2", "$ref": "../Users/u-2", "displayName": "Charles", "since": 1}
        },
        "urn:example:2.0:User": {"badge": {"n": 1}},
        "meta": {"resourceType": "User", "created": "2011-05-13T04:42:34Z",
                 "lastModified": "2011-05-13T04:42:34Z", "version": "W/\"a\"",
                 "location": "https://example.com/Users/u-1", "etag": 1},
        "shoeSize": 37.5
    });
    assert!(round_trip("user", &user));
}

#[test]
fn every_other_document_type_round_trips() {
    let documents = json!([
        {"schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "id": "g", "displayName": "G",
         "members": [{"value": "u", "$ref": "../Users/u", "type": "User", "display": "U", "n": 1}],
         "owner": "x"},
        {"schemas": ["urn:ietf:params:scim:api:messages:2.0:Error"], "status": "409",
         "scimType": "uniqueness", "detail": "taken", "exceptionRequestId": "r", "timeStamp": "t"},
        {"schemas": ["urn:ietf:params:scim:api:messages:2.0:ListResponse"], "totalResults": 1,
         "itemsPerPage": 1, "startIndex": 1, "nextCursor": "n", "previousCursor": "p",
         "Resources": [{"id": "u", "x": null}], "took": 3},
        {"schemas": ["urn:ietf:params:scim:schemas:core:2.0:ResourceType"], "id": "User",
         "name": "User", "endpoint": "/Users", "description": "d", "schema": "s",
         "schemaExtensions": [{"schema": "e", "required": true}]},
        {"schemas": ["urn:ietf:params:scim:schemas:core:2.0:Schema"], "id": "s", "name": "User",
         "attributes": [{"name": "emails", "type": "complex", "multiValued": true,
            "canonicalValues": ["work"], "subAttributes": [{"name": "value", "caseExact": false}],
            "mutability": "readWrite", "returned": "default", "uniqueness": "none",
            "referenceTypes": ["User"], "required": false, "description": "d", "x": [1]}]},
        {"schemas": ["urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig"],
         "documentationUri": "d", "patch": {"supported": true},
         "bulk": {"supported": false, "maxOperations": 0, "maxPayloadSize": 0},
         "filter": {"supported": true, "maxResults": 50}, "changePassword": {"supported": false},
         "sort": {"supported": false}, "etag": {"supported": false, "weak": true},
         "pagination": {"cursor": true, "index": false, "defaultPaginationMethod": "cursor",
            "defaultPageSize": 100, "maxPageSize": 100, "cursorTimeout": 60},
         "authenticationSchemes": [{"type": "oauthbearertoken", "name": "n", "description": "d",
            "specUri": "s", "documentationUri": "d", "primary": true}]},
        {"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": [
            {"op": "add", "path": "members", "value": [{"value": "u"}]},
            {"op": "replace", "value": {"title": null}},
            {"op": "remove", "path": "members[value eq \"u\"]"}]},
        {"schemas": ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"],
         "attributes": ["userName"], "excludedAttributes": ["name"], "filter": "title Pr",
         "sortBy": "userName", "sortOrder": "descending", "startIndex": 0, "count": -1,
         "cursor": "", "hint": [1]},
        {"schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"], "failOnErrors": 1,
         "Operations": [{"method": "POST", "path": "/Users", "bulkId": "q", "version": "v",
            "data": {"userName": "ada", "x": {"y": [1, 2.50]}}, "why": "z"}], "batch": 1},
        {"schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkResponse"],
         "Operations": [{"method": "POST", "location": "l", "bulkId": "q", "version": "v",
            "status": "201", "response": {"id": "1"}, "took": 3}]}
    ]);
    for document in documents.as_array().expect("a list") {
        assert!(round_trip("document", document), "{document}");
    }
}

#[test]
fn the_examples_of_the_rfcs_round_trip() {
    let Some(folder) = corpus::folder("rfc-json") else {
        return;
    };
    let mut read = 0;
    for entry in fs::read_dir(folder).expect("a readable folder") {
        let path = entry.expect("a readable folder").path();
        let document: Value =
            serde_json::from_str(&fs::read_to_string(&path).expect("a readable file"))
                .expect("JSON");
        if document.is_object() {
            read += u32::from(round_trip(&path.display().to_string(), &document));
        }
    }
    assert!(read >= 45, "only {read} examples were read");
}

#[test]
fn the_documents_of_aws_and_its_clients_round_trip() {
    for set in ["aws", "idp-elimity/okta", "idp-elimity/azuread"] {
        let Some(folder) = corpus::folder(set) else {
            return;
        };
        for entry in fs::read_dir(folder).expect("a readable folder") {
            let path = entry.expect("a readable folder").path();
            let text = fs::read_to_string(&path).expect("a readable file");
            let documents: Value = serde_json::from_str(&text).expect("JSON");
            let documents = documents
                .as_array()
                .cloned()
                .unwrap_or_else(|| vec![documents]);
            for document in documents {
                // A file contains both requests and responses.
                for part in [
                    &document,
                    &document["request"],
                    &document["response"],
                    &document["body"],
                ] {
                    round_trip(&path.display().to_string(), part);
                }
            }
        }
    }
}
