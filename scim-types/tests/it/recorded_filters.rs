//! A filter suite of another implementation, as it was recorded, and every answer that differs.

use scim_types::filter::Filter;
use serde_json::Value;

use crate::{
    corpus,
    recorded::{Deviation, check_listed},
};

const READ: &[Deviation] = &[
    (56, "brackets do not stand in brackets (erratum 7322)"),
    (68, "`\\u` in a text begins four digits, as in JSON"),
    (82, "`not` has parentheses (RFC 7644 figure 1)"),
    (83, "`not` has parentheses (RFC 7644 figure 1)"),
    (84, "`not` has parentheses (RFC 7644 figure 1)"),
    (125, "brackets do not stand in brackets (erratum 7322)"),
    (126, "a name begins with a letter, or with `$`"),
];
const FOUND: &[Deviation] = &[
    (6, "a number has no parts to contain, start or end with"),
    (7, "a boolean has no parts to contain, start or end with"),
    (10, "a number has no parts to contain, start or end with"),
    (11, "a boolean has no parts to contain, start or end with"),
    (15, "a number has no parts to contain, start or end with"),
    (16, "a boolean has no parts to contain, start or end with"),
    (
        22,
        "booleans have no order, and to ask for it is an error (RFC 7644 table 3)",
    ),
    (
        23,
        "booleans have no order, and to ask for it is an error (RFC 7644 table 3)",
    ),
    (
        28,
        "booleans have no order, and to ask for it is an error (RFC 7644 table 3)",
    ),
    (
        34,
        "booleans have no order, and to ask for it is an error (RFC 7644 table 3)",
    ),
    (
        35,
        "booleans have no order, and to ask for it is an error (RFC 7644 table 3)",
    ),
    (
        41,
        "booleans have no order, and to ask for it is an error (RFC 7644 table 3)",
    ),
    (58, "`\\u` in a text begins four digits, as in JSON"),
    (79, "there is no option to make every attribute case-exact"),
    (80, "there is no option to make every attribute case-exact"),
];

#[test]
fn the_recorded_suite_of_scim2_parse_filter_is_read_and_finds_alike() {
    let set = corpus::json::<Value>("filters", "scim2-parse-filter-recorded.json");
    let Some(set) = set else { return };
    let cases = |name: &str| set[name].as_array().expect("cases").iter();
    assert_eq!((cases("parse").len(), cases("match").len()), (130, 89));
    let read = cases("parse").map(|case| {
        let text = case["filter"].as_str().expect("a filter");
        let read = Filter::parse(text);
        let alike = read.is_ok() == case.get("ast").is_some();
        (!alike).then(|| format!("{text} is {read:?}"))
    });
    check_listed(read, READ);
    let found = cases("match").map(|case| {
        let text = case["filter"].as_str().expect("a filter");
        let found = Filter::parse(text)
            .ok()
            .and_then(|filter| filter.matches(&case["resource"]).ok());
        let alike = found == case["match"].as_bool();
        (!alike).then(|| format!("{text} finds {found:?}"))
    });
    check_listed(found, FOUND);
}
