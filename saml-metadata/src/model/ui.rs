//! Metadata extensions for login and discovery user interfaces, version 1.0 (MDUI).

use super::{values::Localized, view};
use crate::{local_name::LocalName, reader::chars::collapse, tree::NamespaceId};

view! {
    /// `mdui:UIInfo`: display information for users (MDUI 2.1).
    UiInfo
}

impl<'a> UiInfo<'a> {
    /// Returns the `DisplayName`s.
    pub fn display_names(self) -> impl Iterator<Item = Localized<'a>> {
        self.localized(name!("DisplayName"))
    }

    /// Returns the `Description`s.
    pub fn descriptions(self) -> impl Iterator<Item = Localized<'a>> {
        self.localized(name!("Description"))
    }

    /// Returns the `Keywords`, separated by spaces; a `+` is a space inside a keyword.
    pub fn keywords(self) -> impl Iterator<Item = Localized<'a>> {
        self.localized(name!("Keywords"))
    }

    /// Returns the `InformationURL`s.
    pub fn information_urls(self) -> impl Iterator<Item = Localized<'a>> {
        self.localized(name!("InformationURL"))
    }

    /// Returns the `PrivacyStatementURL`s.
    pub fn privacy_statement_urls(self) -> impl Iterator<Item = Localized<'a>> {
        self.localized(name!("PrivacyStatementURL"))
    }

    /// Returns the `Logo`s.
    pub fn logos(self) -> impl Iterator<Item = Logo<'a>> {
        self.0
            .children_in(NamespaceId::UI, name!("Logo"))
            .map(Logo::new)
    }

    fn localized(self, local_name: LocalName) -> impl Iterator<Item = Localized<'a>> {
        self.0
            .children_in(NamespaceId::UI, local_name)
            .map(Localized::new)
    }
}

view! {
    /// `mdui:Logo`: an image (MDUI 2.1.5).
    Logo
}

impl<'a> Logo<'a> {
    /// Returns the URL of the image, which can be a `data:` URI that contains the image.
    #[must_use]
    pub fn url(self) -> &'a str {
        collapse(self.0.text())
    }

    /// Returns the width in pixels; `None` if it is missing or not a number.
    #[must_use]
    pub fn width(self) -> Option<u32> {
        self.pixels("width")
    }

    /// Returns the height in pixels; `None` if it is missing or not a number.
    #[must_use]
    pub fn height(self) -> Option<u32> {
        self.pixels("height")
    }

    /// Returns the language of the text in the image.
    #[must_use]
    pub fn language(self) -> Option<&'a str> {
        self.0.language()
    }

    fn pixels(self, name: &str) -> Option<u32> {
        collapse(self.0.attribute(name)?).parse().ok()
    }
}

view! {
    /// `mdui:DiscoHints`: hints for guessing the identity provider of a user (MDUI 2.2).
    DiscoHints
}

impl<'a> DiscoHints<'a> {
    /// Returns the `IPHint`s: network addresses with prefix length.
    pub fn ip_hints(self) -> impl Iterator<Item = &'a str> {
        self.texts(name!("IPHint"))
    }

    /// Returns the `DomainHint`s.
    pub fn domain_hints(self) -> impl Iterator<Item = &'a str> {
        self.texts(name!("DomainHint"))
    }

    /// Returns the `GeolocationHint`s: `geo:` URIs.
    pub fn geolocation_hints(self) -> impl Iterator<Item = &'a str> {
        self.texts(name!("GeolocationHint"))
    }

    fn texts(self, local_name: LocalName) -> impl Iterator<Item = &'a str> {
        self.0
            .children_in(NamespaceId::UI, local_name)
            .map(|element| collapse(element.text()))
    }
}
