//! Writes findings as a SARIF 2.1.0 log, which code hosts and editors show beside the source.

use serde_json::{Value, json};

use crate::{Document, Finding, ReadError, Rule, Severity, error::with_causes, rules};

/// The JSON schema of the format.
const SCHEMA: &str =
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

/// Returns the findings about a document as a SARIF log with one run.
///
/// `uri` is the location of the document: an absolute URI, or a path relative to the root of the
/// repository, with `/` as separator. The log lists all rules, so that a viewer can explain each
/// finding.
///
/// ```
/// use saml_metadata::{Profile, sarif, validate};
///
/// let document = saml_metadata::read(
///     br#"<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" entityID="urn:a"/>"#,
/// )?;
/// let findings = validate(&document, Profile::AwsIdentityCenter, "2026-11-24T12:00:00Z".parse()?);
/// let log = sarif::log(&document, "metadata/idp.xml", &findings);
/// assert_eq!(log["version"], "2.1.0");
/// assert_eq!(log["runs"][0]["results"][0]["ruleId"], "MD-AWS-02");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use]
pub fn log(document: &Document, uri: &str, findings: &[Finding]) -> Value {
    let ids: Vec<_> = rules().map(|rule| rule.id).collect();
    let results: Vec<Value> = findings
        .iter()
        .map(|finding| {
            let mut result = result(document, uri, finding);
            if let Ok(index) = ids.binary_search(&finding.rule) {
                result["ruleIndex"] = json!(index);
            }
            result
        })
        .collect();
    run(uri, &results, &json!({ "executionSuccessful": true }))
}

/// Returns a SARIF log with one run for a document that could not be read.
///
/// The log has the error as a notification. An error of the reader is also a result with its rule and
/// position, so that a viewer shows it beside the source. The argument `error` is for other errors
/// too, such as a missing file.
#[must_use]
pub fn unreadable(uri: &str, error: &(dyn std::error::Error + 'static)) -> Value {
    let message = with_causes(error);
    let results: Vec<Value> = error
        .downcast_ref::<ReadError>()
        .map(|error| {
            let position = error.position();
            json!({
                "ruleId": error.rule().as_str(),
                "level": "error",
                "message": { "text": message },
                "locations": [{ "physicalLocation": {
                    "artifactLocation": { "uri": uri, "index": 0 },
                    "region": { "startLine": position.line, "startColumn": position.column },
                } }],
            })
        })
        .into_iter()
        .collect();
    let invocation = json!({
        "executionSuccessful": false,
        "toolExecutionNotifications": [{
            "level": "error",
            "message": { "text": format!("{uri}: {message}") },
        }],
    });
    run(uri, &results, &invocation)
}

fn run(uri: &str, results: &[Value], invocation: &Value) -> Value {
    let rules: Vec<Value> = rules().map(rule).collect();
    json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "saml-metadata",
                "version": env!("CARGO_PKG_VERSION"),
                "rules": rules,
            } },
            "columnKind": "unicodeCodePoints",
            "artifacts": [{ "location": { "uri": uri }, "mimeType": "application/samlmetadata+xml" }],
            "invocations": [invocation],
            "results": results,
        }],
    })
}

fn rule(rule: &Rule) -> Value {
    json!({
        "id": rule.id.as_str(),
        "shortDescription": { "text": rule.summary },
        "fullDescription": { "text": format!("{} ({})", rule.summary, rule.clause) },
        "help": { "text": rule.help },
    })
}

fn result(document: &Document, uri: &str, finding: &Finding) -> Value {
    let end = document
        .source
        .position_from(finding.position, finding.span.start, finding.span.end);
    json!({
        "ruleId": finding.rule.as_str(),
        "level": match finding.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Info => "note",
        },
        "message": { "text": finding.message },
        "locations": [{
            "physicalLocation": {
                "artifactLocation": { "uri": uri, "index": 0 },
                "region": {
                    "startLine": finding.position.line,
                    "startColumn": finding.position.column,
                    "endLine": end.line,
                    "endColumn": end.column,
                },
            },
            "logicalLocations": [{ "fullyQualifiedName": finding.path, "kind": "element" }],
        }],
    })
}
