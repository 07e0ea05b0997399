//! Round trips through samael's types, compared element by element.

use std::{collections::BTreeMap, fs, path::Path};

use saml_metadata::{
    Element, EntityDescriptor,
    names::namespace::{SCHEMA_INSTANCE, SIGNATURE, XML},
    read,
    samael::{Loss, from_samael, to_samael},
};

use crate::support::{ALL, document};

/// An element in the form that is compared: without prefixes and white space, children sorted by name.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Normalized {
    name: String,
    attributes: BTreeMap<String, String>,
    text: String,
    children: Vec<Self>,
}

/// Normalizes an element, removes the lost parts and adds the empty attributes that samael requires.
fn normalize(element: Element<'_>, lost: &BTreeMap<String, &str>) -> Normalized {
    let path = element.path();
    let mut attributes: BTreeMap<String, String> = element
        .attributes()
        .map(|attribute| (name_of(attribute), attribute.value()))
        .filter(|(name, _)| {
            // samael keeps the text of `xsi:type`, but not the namespace of the prefix in it.
            lost.get(&format!("{path}/@{name}"))
                .is_none_or(|what| what.contains("what its prefix means"))
        })
        .map(|(name, value)| {
            let value = value_of(&name, value);
            (name, value)
        })
        .collect();
    for required in [
        "Binding",
        "Location",
        "Name",
        "Algorithm",
        "affiliationOwnerID",
    ] {
        let is_missing = lost
            .get(&format!("{path}/@{required}"))
            .is_some_and(|what| what.contains("required"));
        if is_missing {
            attributes.insert(required.to_owned(), String::new());
        }
    }
    let mut children: Vec<Normalized> = element
        .children()
        .filter(|child| {
            lost.get(&child.path())
                .is_none_or(|what| what.contains("move"))
        })
        .map(|child| normalize(child, lost))
        .collect();
    if lost.contains_key(&format!("{path}/ds:KeyInfo")) {
        children.push(Normalized {
            name: format!("{SIGNATURE} KeyInfo"),
            attributes: BTreeMap::new(),
            text: String::new(),
            children: Vec::new(),
        });
    }
    children.sort_by(|one, other| one.name.cmp(&other.name));
    // samael merges the certificates of several X509Data into one.
    let data = format!("{SIGNATURE} X509Data");
    while let Some(second) = children
        .windows(2)
        .position(|pair| pair.iter().all(|child| child.name == data))
    {
        let moved = children.remove(second + 1);
        children[second].children.extend(moved.children);
    }
    let text = if lost.contains_key(&format!("{path}/text()")) {
        String::new()
    } else {
        element.text().trim().to_owned()
    };
    Normalized {
        name: format!("{} {}", element.namespace(), element.local_name()),
        attributes,
        text,
        children,
    }
}

fn name_of(attribute: saml_metadata::Attribute<'_>) -> String {
    match attribute.namespace() {
        "" => attribute.local_name().to_owned(),
        XML => format!("xml:{}", attribute.local_name()),
        SCHEMA_INSTANCE => format!("xsi:{}", attribute.local_name()),
        _ => attribute.qualified_name().to_owned(),
    }
}

fn value_of(name: &str, value: &str) -> String {
    match name {
        "validUntil" => value
            .trim()
            .parse::<jiff::Timestamp>()
            .map_or_else(|_| value.to_owned(), |time| time.to_string()),
        "index" => value
            .trim()
            .parse::<usize>()
            .map_or_else(|_| value.to_owned(), |index| index.to_string()),
        "isDefault"
        | "isRequired"
        | "WantAuthnRequestsSigned"
        | "AuthnRequestsSigned"
        | "WantAssertionsSigned" => match value.trim() {
            "1" => "true".to_owned(),
            "0" => "false".to_owned(),
            other => other.to_owned(),
        },
        _ => value.to_owned(),
    }
}

/// Converts an entity to samael and back, and compares the result with the original.
#[track_caller]
fn check(name: &str, entity: EntityDescriptor<'_>) {
    let converted = to_samael(entity);
    let restored = match from_samael(&converted.value) {
        Ok(restored) => restored,
        Err(error) => panic!("{name}: {error}"),
    };
    let unexpected: Vec<&Loss> = restored
        .losses
        .iter()
        .filter(|loss| !loss.path.ends_with("@xsi:type"))
        .collect();
    assert!(unexpected.is_empty(), "{name}: {unexpected:?}");
    let lost: BTreeMap<String, &str> = converted
        .losses
        .iter()
        // The comparison ignores the order of roles.
        .filter(|loss| !loss.what.contains("the order of roles"))
        .map(|loss| (loss.path.clone(), loss.what))
        .collect();
    let before = normalize(entity.element(), &lost);
    let after = normalize(restored.value.root(), &BTreeMap::new());
    assert_eq!(before, after, "{name}");
    let again = to_samael(restored.value.entity().expect("an entity"));
    assert_eq!(again.value, converted.value, "{name}");
}

#[test]
fn everything_except_the_losses_survives_the_round_trip() {
    for (name, xml) in ALL {
        for entity in document(xml).entities() {
            check(name, entity);
        }
    }
}

#[test]
fn corpus_documents_survive_the_round_trip_except_for_losses() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/corpus/saml");
    let Ok(files) = fs::read_dir(&folder) else {
        println!("skipped: there is no corpus at {}", folder.display());
        return;
    };
    let mut count = 0;
    for file in files {
        let path = file.expect("an entry").path();
        let Ok(bytes) = fs::read(&path) else { continue };
        let Ok(document) = read(&bytes) else { continue };
        for entity in document.entities().take(20) {
            check(&path.display().to_string(), entity);
            count += 1;
        }
    }
    assert!(count > 100, "only {count} entities");
}
