//! Views of endpoints, with and without an index.

use super::{
    values::{boolean, default_of, optional_uri, parse_index, uri},
    view,
};
use crate::{Element, local_name::LocalName, tree::NamespaceId};

view! {
    /// An endpoint for one kind of message: any element of `EndpointType` (MD 2.2.2).
    Endpoint
}

impl<'a> Endpoint<'a> {
    /// Returns the `Binding`, usually one of [`names::binding`](crate::names::binding).
    #[must_use]
    pub fn binding(self) -> &'a str {
        uri(self.0, name!("Binding"))
    }

    /// Returns the `Location`, to which requests are sent.
    #[must_use]
    pub fn location(self) -> &'a str {
        uri(self.0, name!("Location"))
    }

    /// Returns the `ResponseLocation`, the location for responses (default: `Location`).
    #[must_use]
    pub fn response_location(self) -> Option<&'a str> {
        optional_uri(self.0, name!("ResponseLocation"))
    }
}

view! {
    /// An endpoint that peers reference by index: any element of `IndexedEndpointType` (MD 2.2.3).
    IndexedEndpoint
}

impl<'a> IndexedEndpoint<'a> {
    /// Returns the `Binding`, usually one of [`names::binding`](crate::names::binding).
    #[must_use]
    pub fn binding(self) -> &'a str {
        uri(self.0, name!("Binding"))
    }

    /// Returns the `Location`, to which messages are sent.
    #[must_use]
    pub fn location(self) -> &'a str {
        uri(self.0, name!("Location"))
    }

    /// Returns the `ResponseLocation`, which the specification does not allow on indexed endpoints.
    #[must_use]
    pub fn response_location(self) -> Option<&'a str> {
        optional_uri(self.0, name!("ResponseLocation"))
    }

    /// Returns the `index`; `None` if it is missing or not a number up to 65535.
    #[must_use]
    pub fn index(self) -> Option<u16> {
        self.0.own_attribute(name!("index")).and_then(parse_index)
    }

    /// Returns `isDefault`; a missing attribute (`None`) differs from `false`.
    #[must_use]
    pub fn is_default(self) -> Option<bool> {
        boolean(self.0, name!("isDefault"))
    }
}

pub(crate) fn endpoints(
    role: Element<'_>,
    local_name: LocalName,
) -> impl Iterator<Item = Endpoint<'_>> {
    role.children_in(NamespaceId::METADATA, local_name)
        .map(Endpoint::new)
}

pub(crate) fn indexed_endpoints(
    role: Element<'_>,
    local_name: LocalName,
) -> impl Iterator<Item = IndexedEndpoint<'_>> {
    role.children_in(NamespaceId::METADATA, local_name)
        .map(IndexedEndpoint::new)
}

pub(crate) fn default_endpoint<'a>(
    set: impl Iterator<Item = IndexedEndpoint<'a>>,
) -> Option<IndexedEndpoint<'a>> {
    default_of(set, IndexedEndpoint::is_default)
}
