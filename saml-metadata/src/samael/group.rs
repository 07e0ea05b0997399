//! Converts groups of entities to samael's type and back.

use ::samael::metadata::{EntitiesDescriptor as SamaelGroup, EntityDescriptorType};

use super::{
    Converted,
    read::{Walk, text_of},
    write::Out,
};
use crate::{Document, Element, EntitiesDescriptor, names::namespace::METADATA, write::BuildError};

/// Converts a group of entities, including nested groups, to samael's type.
#[must_use]
pub fn group_to_samael(group: EntitiesDescriptor<'_>) -> Converted<SamaelGroup> {
    let mut walk = Walk::default();
    let value = walk.group(group.element());
    walk.converted(value)
}

/// Converts a group of samael, including nested groups, to a document.
///
/// # Errors
///
/// Fails if a value has a character that XML cannot represent, or if the document exceeds the
/// default limits.
pub fn group_from_samael(group: &SamaelGroup) -> Result<Converted<Document>, BuildError> {
    let mut out = Out::new();
    out.group(group);
    out.document()
}

impl Walk {
    fn group(&mut self, element: Element<'_>) -> SamaelGroup {
        self.report_others(
            element,
            &["ID", "Name", "validUntil", "cacheDuration"],
            &[&["EntityDescriptor", "EntitiesDescriptor"]],
        );
        let descriptors = element
            .children()
            .filter(|child| child.namespace() == METADATA)
            .filter_map(|child| match child.local_name() {
                "EntityDescriptor" => {
                    Some(EntityDescriptorType::EntityDescriptor(self.entity(child)))
                }
                "EntitiesDescriptor" => {
                    Some(EntityDescriptorType::EntitiesDescriptor(self.group(child)))
                }
                _ => None,
            })
            .collect();
        SamaelGroup {
            id: text_of(element, "ID"),
            name: text_of(element, "Name"),
            valid_until: self.time(element),
            cache_duration: text_of(element, "cacheDuration"),
            signature: None,
            descriptors,
        }
    }
}

impl Out {
    fn group(&mut self, group: &SamaelGroup) {
        self.open("md:EntitiesDescriptor");
        self.declare();
        self.optional("ID", group.id.as_deref());
        self.optional("Name", group.name.as_deref());
        self.time(group.valid_until);
        self.optional("cacheDuration", group.cache_duration.as_deref());
        self.signature(group.signature.is_some());
        for descriptor in &group.descriptors {
            match descriptor {
                EntityDescriptorType::EntityDescriptor(entity) => self.entity(entity),
                EntityDescriptorType::EntitiesDescriptor(group) => self.group(group),
            }
        }
        self.close();
    }
}
