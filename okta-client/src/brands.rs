//! Brands of an org.

use rest_core::{Call, Pager};

use crate::{Client, Error, Id, client::join, json::resource};

/// Calls for brands.
#[derive(Debug, Clone, Copy)]
pub struct Brands<'a> {
    pub(crate) client: &'a Client,
}

impl Client {
    /// Returns the calls for the org's brands.
    #[must_use]
    pub fn brands(&self) -> Brands<'_> {
        Brands { client: self }
    }
}

impl Brands<'_> {
    /// Lists the brands.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/example/run.rs"));
    /// # fn main() { run(async |okta, _| {
    /// let brands = okta.brands().list().try_collect().await?;
    /// assert!(brands.iter().any(|brand| brand.is_default));
    /// # Ok(()) }) }
    /// ```
    ///
    /// # Errors
    ///
    /// Reading a page fails if the request fails.
    ///
    /// Scope: `okta.brands.read`.
    pub fn list(&self) -> Pager<Brand, Error> {
        self.client
            .list(|| Call::get(BRANDS).query("limit", PAGE.to_string()))
    }

    /// Returns a brand.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/example/run.rs"));
    /// # fn main() { run(async |okta, _| {
    /// # let id = okta.brands().list().try_collect().await?[0].id.clone();
    /// let brand = okta.brands().get(&id).await?;
    /// assert_eq!(brand.name.as_deref(), Some("Okta Default"));
    /// # Ok(()) }) }
    /// ```
    ///
    /// # Errors
    ///
    /// Fails if the request fails or the brand does not exist.
    ///
    /// Scope: `okta.brands.read`.
    pub async fn get(&self, id: &Id<Brand>) -> Result<Brand, Error> {
        self.client.read(Call::get(path(id, &[]))).await
    }
}

resource! {
    /// A brand: the look of the org's pages and emails.
    resource Brand {
        /// The id.
        pub id: Id<Brand> = "/id",
        /// The name.
        pub name: Option<String> = "/name",
        /// Whether the org's own domain has this brand.
        pub is_default: bool = "/isDefault",
    }
}

/// Returns the path of a brand, with the segments `rest` appended.
pub(crate) fn path(id: &Id<Brand>, rest: &[&str]) -> Vec<String> {
    join(&[&BRANDS, &[id.as_str()], rest])
}

const BRANDS: [&str; 3] = ["api", "v1", "brands"];
// The maximum of Okta's lists without a documented page size.
const PAGE: u32 = 200;
