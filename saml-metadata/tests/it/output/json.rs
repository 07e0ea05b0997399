use saml_metadata::{Finding, Profile, rules, sarif, validate};
use serde_json::{Value, json};

use crate::support::{ALL, IDP, change, document, now};

fn broken() -> String {
    change(
        IDP,
        &[("<md:GivenName>Ada</md:GivenName>", "<md:GivenName/>")],
    )
}

#[test]
fn a_finding_serializes_to_numbers_and_strings() {
    let findings = validate(&document(&broken()), Profile::SamlCore, now());
    assert_eq!(
        serde_json::to_value(&findings).expect("JSON"),
        json!([{
            "rule": "MD-ENT-08",
            "severity": "error",
            "message": "GivenName is empty",
            "path": "/md:EntityDescriptor/md:ContactPerson/md:GivenName",
            "span": { "start": findings[0].span.start, "end": findings[0].span.end },
            "position": { "offset": findings[0].position.offset, "line": 95, "column": 5 },
            "help": "Fill the element or remove it.",
            "clause": "saml-core-2.0-os 1.3.1; eduGAIN Metadata Aggregation Practice Statement E3",
        }])
    );
}

#[test]
fn a_rule_serializes_to_strings() {
    let rule = rules().next().expect("a rule");
    assert_eq!(
        serde_json::to_value(rule).expect("JSON"),
        json!({
            "id": rule.id.as_str(),
            "summary": rule.summary,
            "clause": rule.clause,
            "help": rule.help,
        })
    );
    let profile = serde_json::to_value(Profile::AwsIam).expect("JSON");
    assert_eq!(profile, json!("aws-iam"));
}

/// Checks the requirements of the SARIF 2.1.0 schema for the parts that are written.
#[track_caller]
fn check_sarif(log: &Value, findings: &[Finding]) {
    check_keys(log, &["$schema", "version", "runs"]);
    assert_eq!(log["version"], "2.1.0");
    let [run] = log["runs"].as_array().expect("runs").as_slice() else {
        panic!("expected one run");
    };
    check_keys(
        run,
        &["tool", "columnKind", "artifacts", "invocations", "results"],
    );
    assert!(["unicodeCodePoints", "utf16CodeUnits"].contains(&text(&run["columnKind"])));
    let driver = &run["tool"]["driver"];
    check_keys(driver, &["name", "version", "rules"]);
    assert!(!text(&driver["name"]).is_empty());
    let rules = driver["rules"].as_array().expect("rules");
    for rule in rules {
        check_keys(rule, &["id", "shortDescription", "fullDescription", "help"]);
        for part in ["shortDescription", "fullDescription", "help"] {
            assert!(!text(&rule[part]["text"]).is_empty());
        }
    }
    let results = run["results"].as_array().expect("results");
    assert_eq!(results.len(), findings.len());
    for result in results {
        check_keys(
            result,
            &["ruleId", "ruleIndex", "level", "message", "locations"],
        );
        let index = number(&result["ruleIndex"]);
        assert_eq!(rules[index]["id"], result["ruleId"]);
        assert!(["none", "note", "warning", "error"].contains(&text(&result["level"])));
        assert!(!text(&result["message"]["text"]).is_empty());
        for location in result["locations"].as_array().expect("locations") {
            check_keys(location, &["physicalLocation", "logicalLocations"]);
            let physical = &location["physicalLocation"];
            check_keys(physical, &["artifactLocation", "region"]);
            let artifact = number(&physical["artifactLocation"]["index"]);
            let uri = &run["artifacts"][artifact]["location"]["uri"];
            assert_eq!(physical["artifactLocation"]["uri"], *uri);
            let at = |line, column| {
                (
                    number(&physical["region"][line]),
                    number(&physical["region"][column]),
                )
            };
            let (start, end) = (at("startLine", "startColumn"), at("endLine", "endColumn"));
            assert!(
                start.0 >= 1 && start.1 >= 1 && end >= start,
                "{start:?} {end:?}"
            );
            for logical in location["logicalLocations"].as_array().expect("names") {
                check_keys(logical, &["fullyQualifiedName", "kind"]);
            }
        }
    }
}

#[track_caller]
fn check_keys(object: &Value, keys: &[&str]) {
    for key in object.as_object().expect("an object").keys() {
        assert!(keys.contains(&key.as_str()), "{key}");
    }
}

#[track_caller]
fn text(value: &Value) -> &str {
    value.as_str().expect("a text")
}

#[track_caller]
fn number(value: &Value) -> usize {
    let number = value.as_u64().expect("a number");
    usize::try_from(number).expect("a number that fits usize")
}

#[test]
fn the_log_is_valid_sarif_in_every_profile() {
    for profile in Profile::ALL {
        for (name, xml) in ALL {
            let document = document(xml);
            let findings = validate(&document, profile, now());
            check_sarif(&sarif::log(&document, name, &findings), &findings);
        }
    }
}

#[test]
fn a_file_that_cannot_be_read_is_a_failed_run_in_sarif() {
    let error = saml_metadata::read(b"<a>\n<b></a>").expect_err("not XML");
    let log = sarif::unreadable("idp.xml", &error);
    let run = &log["runs"][0];
    assert_eq!(run["results"][0]["ruleId"], "MD-XML-01");
    let region = &run["results"][0]["locations"][0]["physicalLocation"]["region"];
    assert_eq!(region["startLine"], 2);
    assert_eq!(run["invocations"][0]["executionSuccessful"], false);

    let missing = std::io::Error::new(std::io::ErrorKind::NotFound, "no such file");
    let log = sarif::unreadable("idp.xml", &missing);
    let run = &log["runs"][0];
    assert_eq!(run["results"], json!([]));
    assert_eq!(
        run["invocations"][0]["toolExecutionNotifications"][0]["message"]["text"],
        "idp.xml: no such file"
    );
    let document = document(IDP);
    let log = sarif::log(&document, "idp.xml", &[]);
    assert_eq!(
        log["runs"][0]["invocations"],
        json!([{ "executionSuccessful": true }])
    );
}

#[test]
fn a_sarif_result_has_a_rule_a_message_and_a_location() {
    let document = document(&broken());
    let findings = validate(&document, Profile::SamlCore, now());
    let log = sarif::log(&document, "metadata/idp.xml", &findings);
    let result = &log["runs"][0]["results"][0];
    assert_eq!(result["ruleId"], "MD-ENT-08");
    assert_eq!(result["level"], "error");
    assert_eq!(result["message"]["text"], "GivenName is empty");
    assert_eq!(
        result["locations"],
        json!([{
            "physicalLocation": {
                "artifactLocation": { "uri": "metadata/idp.xml", "index": 0 },
                "region": { "startLine": 95, "startColumn": 5, "endLine": 95, "endColumn": 20 },
            },
            "logicalLocations": [{
                "fullyQualifiedName": "/md:EntityDescriptor/md:ContactPerson/md:GivenName",
                "kind": "element",
            }],
        }])
    );
}
