//! The properties of endpoints that matter to partners.

use super::meaning::meaning;
use crate::{Element, reader::chars::collapse, tree::NamespaceId};

/// The properties of an endpoint that matter to partners.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct ComparedEndpoint {
    pub(super) name: String,
    pub(super) binding: String,
    pub(super) location: String,
    pub(super) response_location: Option<String>,
    pub(super) index: Option<String>,
    pub(super) is_default: Option<String>,
    pub(super) meaning: String,
}

impl ComparedEndpoint {
    pub(super) fn of(element: Element<'_>) -> Option<Self> {
        let is_endpoint = element.namespace_id() == NamespaceId::METADATA
            && element
                .own_attribute(name!("Binding"))
                .or(element.own_attribute(name!("Location")))
                .is_some();
        let value = |name| element.attribute(name).map(collapse).map(str::to_owned);
        is_endpoint.then(|| Self {
            name: element.local_name().to_owned(),
            binding: value("Binding").unwrap_or_default(),
            location: value("Location").unwrap_or_default(),
            response_location: value("ResponseLocation"),
            index: value("index"),
            is_default: value("isDefault"),
            meaning: meaning(element),
        })
    }

    pub(super) fn is_sign_in(&self) -> bool {
        matches!(
            self.name.as_str(),
            "SingleSignOnService" | "AssertionConsumerService" | "ArtifactResolutionService"
        )
    }

    /// Returns the index, the default flag and the response location as text.
    pub(super) fn details(&self) -> String {
        let mut text = format!("index {}", self.index.as_deref().unwrap_or("none"));
        if let Some(default) = &self.is_default {
            text = format!("{text}, isDefault {default}");
        }
        if let Some(response) = &self.response_location {
            text = format!("{text}, responses to {response}");
        }
        text
    }
}
