//! Builder for the texts and logos of user interfaces.

use super::xml::Xml;
use crate::names::namespace;

/// Builder for `mdui:UIInfo`: texts and logos for login and discovery pages, each in a language
/// (MDUI 2.1).
#[derive(Debug, Clone, Default)]
#[must_use = "a builder does nothing until it is given to the builder of a role"]
pub struct UserInterface {
    texts: Vec<(&'static str, String, String)>,
    logos: Vec<(String, u32, u32)>,
}

macro_rules! texts {
    ($($(#[$doc:meta])+ $name:ident $element:literal;)+) => {$(
        $(#[$doc])+
        pub fn $name(mut self, language: impl Into<String>, value: impl Into<String>) -> Self {
            self.texts.push(($element, language.into(), value.into()));
            self
        }
    )+};
}

impl UserInterface {
    /// Creates a builder without texts.
    pub fn new() -> Self {
        Self::default()
    }

    texts! {
        /// Adds a `DisplayName`.
        display_name "mdui:DisplayName";
        /// Adds a `Description`.
        description "mdui:Description";
        /// Adds an `InformationURL`.
        information_url "mdui:InformationURL";
        /// Adds a `PrivacyStatementURL`.
        privacy_statement_url "mdui:PrivacyStatementURL";
    }

    /// Adds a `Logo`, with its width and height in pixels.
    pub fn logo(mut self, url: impl Into<String>, width: u32, height: u32) -> Self {
        self.logos.push((url.into(), width, height));
        self
    }

    pub(super) fn write(&self, xml: &mut Xml) {
        xml.open("mdui:UIInfo");
        xml.attribute("xmlns:mdui", namespace::UI);
        for (element, language, value) in &self.texts {
            xml.open(element);
            xml.attribute("xml:lang", language);
            xml.text(value);
            xml.close(element);
        }
        for (url, width, height) in &self.logos {
            xml.open("mdui:Logo");
            xml.attribute("width", &width.to_string());
            xml.attribute("height", &height.to_string());
            xml.text(url);
            xml.close("mdui:Logo");
        }
        xml.close("mdui:UIInfo");
    }
}
