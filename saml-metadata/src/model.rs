//! Typed views over the elements of a document, one file for each family of the schema.

pub(crate) mod algorithm;
pub(crate) mod attribute_service;
pub(crate) mod certificate;
pub(crate) mod contact;
pub(crate) mod endpoint;
pub(crate) mod entity;
pub(crate) mod extensions;
pub(crate) mod key;
pub(crate) mod role;
pub(crate) mod subject_id;
pub(crate) mod time;
pub(crate) mod ui;
pub(crate) mod values;

/// Declares a typed view of one element.
macro_rules! view {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub struct $name<'a>($crate::Element<'a>);

        impl<'a> $name<'a> {
            pub(crate) fn new(element: $crate::Element<'a>) -> Self {
                Self(element)
            }

            /// Returns the element of this view, to read items for which the view has no method.
            #[must_use]
            pub fn element(self) -> $crate::Element<'a> {
                self.0
            }
        }
    };
}

pub(crate) use view;
