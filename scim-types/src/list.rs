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
/// Every number is optional: AWS IAM Identity Center leaves `totalResults` and `startIndex` out of a
/// page that was asked for with a cursor. `Resources` may be absent from an empty page.
#[derive(Clone, Debug, PartialEq)]
pub struct ListResponse<T> {
    /// The URNs that were declared; [`schema_uri::LIST_RESPONSE`] is written when it is empty.
    pub schemas: Vec<Text>,
    /// How many resources all pages have together.
    ///
    /// AWS IAM Identity Center, asked without a cursor, says the size of this one page here.
    pub total_results: Option<u64>,
    /// How many resources a page has.
    pub items_per_page: Option<u64>,
    /// The number of the first resource on this page; the first of all is 1.
    pub start_index: Option<u64>,
    /// What to ask for the next page with; absent on the last page.
    pub next_cursor: Option<Text>,
    /// What to ask for the page before with, if the server says it.
    pub previous_cursor: Option<Text>,
    /// The resources of this page.
    pub resources: Vec<T>,
    /// What the server sent and this struct has no field for.
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
        formatter.write_str("an object, the SCIM ListResponse")
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
                // Two lists in one page: taking either would lose the other without a word.
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
    // What is said last is said.
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
    fn names_in_lower_case_and_numbers_as_texts_are_read() {
        let page = read(r#"{"totalresults":"2","resources":[{"displayname":"a"},{"id":"b"}]}"#);
        assert_eq!((page.total_results, page.resources.len()), (Some(2), 2));
        assert_eq!(page.resources[0], Group::new("a"));
    }

    #[test]
    fn of_what_a_page_says_twice_the_last_counts() {
        let page =
            read(r#"{"schemas":["a"],"totalResults":1,"schemas":["b"],"totalResults":null}"#);
        assert_eq!(page.schemas, ["b"]);
        assert_eq!(page.total_results, None);
    }

    #[test]
    fn two_lists_in_one_page_are_refused() {
        let text = r#"{"Resources":[],"resources":[{"id":"b"}]}"#;
        let error = serde_json::from_str::<ListResponse<Group>>(text).unwrap_err();
        assert_eq!(
            error.to_string(),
            "duplicate field `Resources` at line 1 column 27"
        );
    }

    #[test]
    fn a_negative_number_is_refused() {
        let error =
            serde_json::from_str::<ListResponse<Group>>(r#"{"startIndex":-1}"#).unwrap_err();
        assert_eq!(
            error.to_string(),
            "invalid type: integer `-1`, expected a whole number that is not negative, or its text \
             at line 1 column 16"
        );
    }

    #[test]
    fn an_empty_page_is_written_with_its_list() {
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
