//! Pages of a list of resources.

use std::{fmt, marker::PhantomData};

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{Error as _, MapAccess, Visitor},
    ser::SerializeMap,
};

use crate::{
    OtherAttributes, Text,
    attribute::{Attribute, AttributeSeed, Found, Names},
    schema_uri,
};

/// One page of resources (RFC 7644 section 3.4.2, RFC 9865 section 2).
///
/// Every number is optional: AWS IAM Identity Center omits `totalResults` and `startIndex` from a page
/// that was requested with a cursor. An empty page may omit `Resources`.
#[derive(Clone, Debug, PartialEq)]
pub struct ListResponse<T> {
    /// The URNs of the declared schemas. If the list is empty, [`schema_uri::LIST_RESPONSE`] is written.
    pub schemas: Vec<Text>,
    /// Total number of resources on all pages.
    ///
    /// AWS IAM Identity Center returns the size of this page instead, if the request has no cursor.
    pub total_results: Option<u64>,
    /// Number of resources per page.
    pub items_per_page: Option<u64>,
    /// Index of the first resource on this page, counted from 1.
    pub start_index: Option<u64>,
    /// Cursor of the next page; absent on the last page.
    pub next_cursor: Option<Text>,
    /// Cursor of the previous page, if the server returns it.
    pub previous_cursor: Option<Text>,
    /// The resources of this page.
    pub resources: Vec<T>,
    /// Attributes that the server sent and that have no field in this struct.
    pub other: OtherAttributes,
}

impl<T> Default for ListResponse<T> {
    fn default() -> Self {
        Self {
            schemas: Vec::new(),
            total_results: None,
            items_per_page: None,
            start_index: None,
            next_cursor: None,
            previous_cursor: None,
            resources: Vec::new(),
            other: OtherAttributes::default(),
        }
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for ListResponse<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ListVisitor(PhantomData))
    }
}

impl<T: Serialize> Serialize for ListResponse<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        match self.schemas.as_slice() {
            [] => map.serialize_entry(SCHEMAS, &[schema_uri::LIST_RESPONSE])?,
            schemas => map.serialize_entry(SCHEMAS, schemas)?,
        }
        entry(&mut map, TOTAL_RESULTS, &self.total_results)?;
        entry(&mut map, ITEMS_PER_PAGE, &self.items_per_page)?;
        entry(&mut map, START_INDEX, &self.start_index)?;
        entry(&mut map, NEXT_CURSOR, &self.next_cursor)?;
        entry(&mut map, PREVIOUS_CURSOR, &self.previous_cursor)?;
        map.serialize_entry(RESOURCES, &self.resources)?;
        self.other.serialize_into(&mut map)?;
        map.end()
    }
}

fn entry<M: SerializeMap, A: Attribute>(
    map: &mut M,
    name: &'static str,
    attribute: &A,
) -> Result<(), M::Error> {
    if attribute.is_unassigned() {
        Ok(())
    } else {
        map.serialize_entry(name, attribute)
    }
}

struct ListVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for ListVisitor<T> {
    type Value = ListResponse<T>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a SCIM ListResponse object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut list = ListResponse::default();
        let mut resources: Option<Option<Vec<T>>> = None;
        while let Some(found) = map.next_key_seed(Names(NAMES))? {
            match found {
                Found::Known(SCHEMAS) => read(&mut map, &mut list.schemas)?,
                Found::Known(TOTAL_RESULTS) => read(&mut map, &mut list.total_results)?,
                Found::Known(ITEMS_PER_PAGE) => read(&mut map, &mut list.items_per_page)?,
                Found::Known(START_INDEX) => read(&mut map, &mut list.start_index)?,
                Found::Known(NEXT_CURSOR) => read(&mut map, &mut list.next_cursor)?,
                Found::Known(PREVIOUS_CURSOR) => read(&mut map, &mut list.previous_cursor)?,
                // A page with two lists is rejected, because one of the lists would be lost silently.
                Found::Known(_) if resources.is_some() => {
                    return Err(A::Error::duplicate_field(RESOURCES));
                }
                Found::Known(_) => resources = Some(map.next_value()?),
                Found::Other(name) => list.other.push(name, map.next_value()?),
            }
        }
        list.resources = resources.flatten().unwrap_or_default();
        Ok(list)
    }
}

fn read<'de, M: MapAccess<'de>, A: Attribute>(map: &mut M, place: &mut A) -> Result<(), M::Error> {
    // The last value of a repeated attribute wins.
    *place = A::default();
    map.next_value_seed(AttributeSeed(place))
}

const SCHEMAS: &str = "schemas";
const TOTAL_RESULTS: &str = "totalResults";
const ITEMS_PER_PAGE: &str = "itemsPerPage";
const START_INDEX: &str = "startIndex";
const NEXT_CURSOR: &str = "nextCursor";
const PREVIOUS_CURSOR: &str = "previousCursor";
const RESOURCES: &str = "Resources";
const NAMES: &[&str] = &[
    SCHEMAS,
    TOTAL_RESULTS,
    ITEMS_PER_PAGE,
    START_INDEX,
    NEXT_CURSOR,
    PREVIOUS_CURSOR,
    RESOURCES,
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Group;

    fn read(text: &str) -> ListResponse<Group> {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn a_cursor_page_of_aws_has_no_total() {
        let page = read(r#"{"itemsPerPage":100,"nextCursor":"Vk9+/=:","Resources":[]}"#);
        assert_eq!((page.total_results, page.items_per_page), (None, Some(100)));
        assert_eq!(page.next_cursor.as_deref(), Some("Vk9+/=:"));
    }

    #[test]
    fn resources_may_be_absent_or_null() {
        assert!(read(r#"{"totalResults":0}"#).resources.is_empty());
        assert!(read(r#"{"Resources":null}"#).resources.is_empty());
    }

    #[test]
    fn names_in_lower_case_and_numbers_as_strings_are_read() {
        let page = read(r#"{"totalresults":"2","resources":[{"displayname":"a"},{"id":"b"}]}"#);
        assert_eq!((page.total_results, page.resources.len()), (Some(2), 2));
        assert_eq!(page.resources[0], Group::new("a"));
    }

    #[test]
    fn the_last_value_of_a_repeated_attribute_wins() {
        let page =
            read(r#"{"schemas":["a"],"totalResults":1,"schemas":["b"],"totalResults":null}"#);
        assert_eq!(page.schemas, ["b"]);
        assert_eq!(page.total_results, None);
    }

    #[test]
    fn two_lists_in_one_page_are_rejected() {
        let text = r#"{"Resources":[],"resources":[{"id":"b"}]}"#;
        let error = serde_json::from_str::<ListResponse<Group>>(text).unwrap_err();
        assert_eq!(
            error.to_string(),
            "duplicate field `Resources` at line 1 column 27"
        );
    }

    #[test]
    fn a_negative_number_is_rejected() {
        let error =
            serde_json::from_str::<ListResponse<Group>>(r#"{"startIndex":-1}"#).unwrap_err();
        assert_eq!(
            error.to_string(),
            "invalid type: integer `-1`, expected a non-negative integer, or a string that contains one \
             at line 1 column 16"
        );
    }

    #[test]
    fn an_empty_page_is_written_with_an_empty_list() {
        let page = ListResponse::<Group> {
            total_results: Some(0),
            ..ListResponse::default()
        };
        assert_eq!(
            serde_json::to_string(&page).unwrap(),
            r#"{"schemas":["urn:ietf:params:scim:api:messages:2.0:ListResponse"],"totalResults":0,"Resources":[]}"#
        );
    }
}
