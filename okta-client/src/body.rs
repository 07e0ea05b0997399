//! Decodes bodies: one value, or a list whose elements are decoded one by one.

use std::str;

use bytes::Bytes;
use rest_core::ItemError;
use serde::de::{Error as _, IgnoredAny};
use serde_json::value::RawValue;

use crate::{
    error::Reason,
    json::{FromJson, Json, Paths},
};

/// White space of JSON (RFC 8259).
const SPACE: [char; 4] = [' ', '\t', '\n', '\r'];

/// Decodes a body as one value.
pub(crate) fn document<T: FromJson>(body: &Bytes) -> Result<T, Reason> {
    let text = text(body)?;
    let mut json = Json::new(body, text);
    let value = T::from_json(&mut json);
    match json.split() {
        Some((_, after)) if skip(after).is_empty() => value.map_err(Reason::from),
        _ => Err(not_a_list(text)),
    }
}

/// Decodes a body as a list, or as an object with a list in `field`. An element that cannot be decoded is an error of its
/// own.
pub(crate) fn list<T: FromJson>(
    body: &Bytes,
    field: Option<&str>,
) -> Result<Vec<Result<T, ItemError>>, Reason> {
    let text = text(body)?;
    let list = match field {
        None => text,
        Some(field) => {
            let object: &RawValue = serde_json::from_str(text)?;
            let [list] = Paths::of_names(&[[field]]).scan(object.get());
            list.unwrap_or(object).get()
        }
    };
    elements(body, list).ok_or_else(|| not_a_list(text))
}

/// Decodes the elements of `list`, or returns `None` if it is not a list.
fn elements<T: FromJson>(body: &Bytes, list: &str) -> Option<Vec<Result<T, ItemError>>> {
    let mut elements = Vec::new();
    let mut rest = skip(list.strip_prefix('[')?);
    if !rest.starts_with(']') {
        loop {
            let mut json = Json::new(body, rest);
            let element = T::from_json(&mut json);
            let (text, after) = json.split()?;
            elements.push(element.map_err(|missing| ItemError::new(text, Reason::from(missing))));
            rest = skip(after);
            match rest.strip_prefix(',') {
                Some(next) => rest = skip(next),
                None => break,
            }
        }
    }
    skip(rest.strip_prefix(']')?).is_empty().then_some(elements)
}

/// Returns the reason why `text` is no list.
fn not_a_list(text: &str) -> Reason {
    match serde_json::from_str::<IgnoredAny>(text) {
        Ok(_) => Reason::NotAList,
        Err(error) => Reason::Json(error),
    }
}

/// Returns the text of a body.
fn text(body: &Bytes) -> Result<&str, serde_json::Error> {
    let text = str::from_utf8(body).map_err(serde_json::Error::custom)?;
    Ok(skip(text))
}

fn skip(text: &str) -> &str {
    text.trim_start_matches(SPACE)
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use proptest::prelude::*;
    use serde_json::value::RawValue;

    use super::{document, list};
    use crate::{Group, error::Reason};

    /// A name and the text of each group, or the text of an element that is no group.
    type Elements = Vec<Result<(String, String), String>>;

    fn groups(body: &str) -> Result<Elements, Reason> {
        let groups = list::<Group>(&Bytes::copy_from_slice(body.as_bytes()), None)?;
        let groups = groups.into_iter().map(|group| match group {
            Ok(group) => Ok((group.name.clone(), group.raw().as_str().to_owned())),
            Err(error) => Err(error.raw().to_owned()),
        });
        Ok(groups.collect())
    }

    fn group(name: &str) -> String {
        format!(r#"{{"id":"00g1", "profile" : {{"name":"{name}","x":[{{}},1e400]}}}}"#)
    }

    #[test]
    fn an_element_keeps_its_text_without_the_space_around_it() {
        let (a, b) = (group("A"), group("B"));
        let found = groups(&format!(" [ {a}\n,\t7 , {b} ]\r\n")).expect("a list");
        let of = |name: &str, text| Ok((name.to_owned(), text));
        assert_eq!(found, [of("A", a), Err("7".to_owned()), of("B", b)]);
        assert_eq!(groups("[\n]").expect("a list"), []);
    }

    #[test]
    fn an_element_that_is_nested_too_deeply_to_be_decoded_ends_no_list() {
        let deep = format!(r#"{{"profile":{}{}}}"#, "[".repeat(500), "]".repeat(500));
        let found = groups(&format!("[{deep},{}]", group("A"))).expect("a list");
        assert_eq!(found[0], Err(deep));
        assert!(found[1].is_ok());
    }

    #[test]
    fn a_body_that_is_no_list_is_told_from_a_body_that_is_no_json() {
        for body in ["{}", "7", "\"[]\"", "null"] {
            assert!(matches!(groups(body), Err(Reason::NotAList)), "{body}");
        }
        for body in [
            "",
            "[",
            "[1",
            "[1,",
            "[1,]",
            "[,1]",
            "[1 2]",
            "[1]]",
            "[{]}",
            "[1\u{a0}]",
            "<html>",
        ] {
            assert!(matches!(groups(body), Err(Reason::Json(_))), "{body}");
            assert!(
                document::<Group>(&Bytes::from_static(body.as_bytes())).is_err(),
                "{body}"
            );
        }
        assert!(matches!(
            list::<Group>(&Bytes::from_static(b"[\"\xff\"]"), None),
            Err(Reason::Json(_))
        ));
    }

    #[test]
    fn a_document_has_nothing_after_it() {
        let read = |body: String| document::<Group>(&body.into());
        assert!(read(format!(" {} ", group("A"))).is_ok());
        assert!(matches!(read(group("A") + "}"), Err(Reason::Json(_))));
        assert!(matches!(read(group("A") + "{}"), Err(Reason::Json(_))));
        assert!(matches!(read("{}".to_owned()), Err(Reason::Missing(_))));
    }

    proptest! {
        /// A list has the elements that `serde_json` finds. A text that is no list for `serde_json` is an error.
        #[test]
        fn a_list_is_split_as_serde_json_splits_it(body in r#"\[?( ?(\{"id": ?"00g1"\}|"\\?[\[\],a]"|-?1e?[0-9]|null|\[\[1?\],2\])[ ,]?){0,5}[ \]]{0,2}"#) {
            let expected = serde_json::from_str::<Vec<&RawValue>>(&body).ok();
            let expected = expected.map(|list| list.into_iter().map(RawValue::get).map(str::to_owned).collect::<Vec<_>>());
            let found = groups(&body).ok().map(|list| {
                list.into_iter().map(|element| element.map_or_else(|text| text, |(_, text)| text)).collect::<Vec<_>>()
            });
            prop_assert_eq!(found, expected);
        }
    }
}
