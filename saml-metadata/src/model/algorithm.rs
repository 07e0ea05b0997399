//! View of a signature algorithm with its key sizes.

use super::{values::uri, view};
use crate::reader::chars::collapse;

view! {
    /// `alg:SigningMethod`: a signature algorithm, with an optional range of key sizes (Algorithm
    /// Support Profile 2.4).
    SigningMethod
}

impl<'a> SigningMethod<'a> {
    /// Returns the `Algorithm`.
    #[must_use]
    pub fn algorithm(self) -> &'a str {
        uri(self.0, name!("Algorithm"))
    }

    /// Returns the `MinKeySize` in bits; `None` if it is missing or not a number.
    #[must_use]
    pub fn min_key_size(self) -> Option<u32> {
        collapse(self.0.own_attribute(name!("MinKeySize"))?)
            .parse()
            .ok()
    }

    /// Returns the `MaxKeySize` in bits; `None` if it is missing or not a number.
    #[must_use]
    pub fn max_key_size(self) -> Option<u32> {
        collapse(self.0.own_attribute(name!("MaxKeySize"))?)
            .parse()
            .ok()
    }
}
