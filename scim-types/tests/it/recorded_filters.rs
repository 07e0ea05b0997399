//! Tests with a recorded filter suite of another implementation.
//!
//! The module lists every case in which the result differs, with the reason.

use scim_types::filter::Filter;
use serde_json::Value;

use crate::{
    corpus,
    recorded::{Deviation, check_listed},
};

const PARSED: &[Deviation] = &[
    (56, "brackets cannot be nested (erratum 7322)"),
    (
        68,
        "four hexadecimal digits must follow `\\u` in a string, as in JSON",
    ),
    (82, "`not` requires parentheses (RFC 7644 figure 1)"),
    (83, "`not` requires parentheses (RFC 7644 figure 1)"),
    (84, "`not` requires parentheses (RFC 7644 figure 1)"),
    (125, "brackets cannot be nested (erratum 7322)"),
    (126, "a name starts with a letter or with `$`"),
];
const MATCHED: &[Deviation] = &[
    (6, "`co`, `sw` and `ew` never match a number"),
    (7, "`co`, `sw` and `ew` never match a boolean"),
    (10, "`co`, `sw` and `ew` never match a number"),
    (11, "`co`, `sw` and `ew` never match a boolean"),
    (15, "`co`, `sw` and `ew` never match a number"),
    (16, "`co`, `sw` and `ew` never match a boolean"),
    (
        22,
        "booleans have no order, so ordering them is an error (RFC 7644 table 3)",
    ),
    (
        23,
        "booleans have no order, so ordering them is an error (RFC 7644 table 3)",
    ),
    (
        28,
        "booleans have no order, so ordering them is an error (RFC 7644 table 3)",
    ),
    (
        34,
        "booleans have no order, so ordering them is an error (RFC 7644 table 3)",
    ),
    (
        35,
        "booleans have no order, so ordering them is an error (RFC 7644 table 3)",
    ),
    (
        41,
        "booleans have no order, so ordering them is an error (RFC 7644 table 3)",
    ),
    (
        58,
        "four hexadecimal digits must follow `\\u` in a string, as in JSON",
    ),
    (79, "there is no option to make every attribute case-exact"),
    (80, "there is no option to make every attribute case-exact"),
];

#[test]
fn the_recorded_suite_of_scim2_parse_filter_has_the_same_results() {
    let set = corpus::json::<Value>("filters", "scim2-parse-filter-recorded.json");
    let Some(set) = set else { return };
    let cases = |name: &str| set[name].as_array().expect("cases").iter();
    assert_eq!((cases("parse").len(), cases("match").len()), (130, 89));
    let parsed = cases("parse").map(|case| {
        let text = case["filter"].as_str().expect("a filter");
        let parsed = Filter::parse(text);
        let alike = parsed.is_ok() == case.get("ast").is_some();
        (!alike).then(|| format!("{text} is parsed as {parsed:?}"))
    });
    check_listed(parsed, PARSED);
    let matched = cases("match").map(|case| {
        let text = case["filter"].as_str().expect("a filter");
        let matched = Filter::parse(text)
            .ok()
            .and_then(|filter| filter.matches(&case["resource"]).ok());
        let alike = matched == case["match"].as_bool();
        (!alike).then(|| format!("{text} matches: {matched:?}"))
    });
    check_listed(matched, MATCHED);
}
