//! Both sides, compared element by element: what is not in the losses is the same.

use std::{collections::BTreeMap, fs, path::Path};

use saml_metadata::{
    Element, EntityDescriptor,
    names::namespace::{SCHEMA_INSTANCE, SIGNATURE, XML},
    read,
    samael::{Loss, from_samael, to_samael},
};

use crate::support::{ALL, document};

/// An element without what does not count: prefixes, white space, the order of different names.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Plain {
    name: String,
    attributes: BTreeMap<String, String>,
    text: String,
    children: Vec<Self>,
}

/// Returns an element without what is lost, and with what stands for what samael requires.
fn plain(element: Element<'_>, lost: &BTreeMap<String, &str>) -> Plain {
    let path = element.path();
    let mut attributes: BTreeMap<String, String> = element
        .attributes()
        .map(|attribute| (name_of(attribute), attribute.value()))
        .filter(|(name, _)| {
            // The spelling of a type's name is kept; what its prefix means is not.
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
    let mut children: Vec<Plain> = element
        .children()
        .filter(|child| {
            lost.get(&child.path())
                .is_none_or(|what| what.contains("move"))
        })
        .map(|child| plain(child, lost))
        .collect();
    if lost.contains_key(&format!("{path}/ds:KeyInfo")) {
        children.push(Plain {
            name: format!("{SIGNATURE} KeyInfo"),
            attributes: BTreeMap::new(),
            text: String::new(),
            children: Vec::new(),
        });
    }
    children.sort_by(|one, other| one.name.cmp(&other.name));
    // Certificates of several X509Data are in one.
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
    Plain {
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

/// Sends an entity there and back, and holds what comes back to what was there.
#[track_caller]
fn check(name: &str, entity: EntityDescriptor<'_>) {
    let there = to_samael(entity);
    let back = match from_samael(&there.value) {
        Ok(back) => back,
        Err(error) => panic!("{name}: {error}"),
    };
    let silent: Vec<&Loss> = back
        .losses
        .iter()
        .filter(|loss| !loss.path.ends_with("@xsi:type"))
        .collect();
    assert!(silent.is_empty(), "{name}: {silent:?}");
    let lost: BTreeMap<String, &str> = there
        .losses
        .iter()
        // The order is no part of what is compared.
        .filter(|loss| !loss.what.contains("the order of roles"))
        .map(|loss| (loss.path.clone(), loss.what))
        .collect();
    let before = plain(entity.element(), &lost);
    let after = plain(back.value.root(), &BTreeMap::new());
    assert_eq!(before, after, "{name}");
    let again = to_samael(back.value.entity().expect("an entity"));
    assert_eq!(again.value, there.value, "{name}");
}

#[test]
fn what_is_not_in_the_losses_is_the_same_on_both_sides() {
    for (name, xml) in ALL {
        for entity in document(xml).entities() {
            check(name, entity);
        }
    }
}

#[test]
fn real_documents_are_the_same_on_both_sides_but_for_the_losses() {
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
