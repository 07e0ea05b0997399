//! Enums whose values Okta may extend without notice.

/// Declares an enum of strings, with a variant `Other` for unknown strings.
///
/// A value that is absent, `null` or not a string becomes `Other` with an empty string.
macro_rules! open_enum {
    ($(#[$meta:meta])* $name:ident { $($(#[$about:meta])* $variant:ident = $text:literal,)+ }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum $name {
            $($(#[$about])* $variant,)+
            /// A value that this version does not know, as Okta sent it.
            Other(String),
        }

        impl $name {
            /// Returns the value in Okta's notation.
            #[must_use]
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$variant => $text,)+
                    Self::Other(text) => text,
                }
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                match text {
                    $($text => Self::$variant,)+
                    other => Self::Other(other.to_owned()),
                }
            }
        }

        impl $crate::json::Element for $name {
            fn element(raw: &serde_json::value::RawValue) -> Option<Self> {
                let text = $crate::raw::text(raw.get()).filter(|text| !text.is_empty())?;
                Some(Self::from(&*text))
            }

            fn absent() -> Option<Self> {
                Some(Self::from(""))
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

pub(crate) use open_enum;

#[cfg(test)]
mod tests {
    use crate::PushStatus;

    #[test]
    fn an_unknown_value_is_kept() {
        assert_eq!(PushStatus::from("ERROR"), PushStatus::Error);
        assert_eq!(PushStatus::from("ODD"), PushStatus::Other("ODD".to_owned()));
        assert_eq!(PushStatus::from("ODD").to_string(), "ODD");
        assert_eq!(PushStatus::Active.as_str(), "ACTIVE");
    }
}
