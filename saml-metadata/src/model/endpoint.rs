use super::{
    values::{boolean, default_of, optional_uri, parse_index, uri},
    view,
};
use crate::{Element, tree::NamespaceId};

view! {
    /// Where to send messages of one kind, and how: any element of `EndpointType` (MD 2.2.2).
    Endpoint
}

impl<'a> Endpoint<'a> {
    /// Returns the `Binding`, one of [`names::binding`](crate::names::binding) most of the time.
    #[must_use]
    pub fn binding(self) -> &'a str {
        uri(self.0, "Binding")
    }

    /// Returns the `Location` to send requests to.
    #[must_use]
    pub fn location(self) -> &'a str {
        uri(self.0, "Location")
    }

    /// Returns the `ResponseLocation`, where responses go if not to the location.
    #[must_use]
    pub fn response_location(self) -> Option<&'a str> {
        optional_uri(self.0, "ResponseLocation")
    }
}

view! {
    /// An endpoint that others refer to by number: any element of `IndexedEndpointType`
    /// (MD 2.2.3).
    IndexedEndpoint
}

impl<'a> IndexedEndpoint<'a> {
    /// Returns the `Binding`, one of [`names::binding`](crate::names::binding) most of the time.
    #[must_use]
    pub fn binding(self) -> &'a str {
        uri(self.0, "Binding")
    }

    /// Returns the `Location` to send messages to.
    #[must_use]
    pub fn location(self) -> &'a str {
        uri(self.0, "Location")
    }

    /// Returns the `ResponseLocation`, which no indexed endpoint of the specification may have.
    #[must_use]
    pub fn response_location(self) -> Option<&'a str> {
        optional_uri(self.0, "ResponseLocation")
    }

    /// Returns the `index`; `None` when it is missing or not a number up to 65535.
    #[must_use]
    pub fn index(self) -> Option<u16> {
        self.0.attribute("index").and_then(parse_index)
    }

    /// Returns `isDefault`; not saying it and saying `false` are different things.
    #[must_use]
    pub fn is_default(self) -> Option<bool> {
        boolean(self.0, "isDefault")
    }
}

pub(crate) fn endpoints<'a>(
    role: Element<'a>,
    local_name: &'static str,
) -> impl Iterator<Item = Endpoint<'a>> {
    role.children_in(NamespaceId::METADATA, local_name)
        .map(Endpoint::new)
}

pub(crate) fn indexed_endpoints<'a>(
    role: Element<'a>,
    local_name: &'static str,
) -> impl Iterator<Item = IndexedEndpoint<'a>> {
    role.children_in(NamespaceId::METADATA, local_name)
        .map(IndexedEndpoint::new)
}

pub(crate) fn default_endpoint<'a>(
    set: impl Iterator<Item = IndexedEndpoint<'a>>,
) -> Option<IndexedEndpoint<'a>> {
    default_of(set, IndexedEndpoint::is_default)
}
