//! SCIM services: one engine, and profiles that say as data what a service supports.
//!
//! [`RFC`] is the profile of the service in [`generic`], and [`AWS`] the one of IAM Identity Center, whose
//! users and groups are in AWS's identity store. This module does not depend on AWS: the identity store
//! implements [`Store`].

mod document;
mod filter;
pub(crate) mod generic;
mod options;
mod patch;
mod path;
mod profile;
mod query;
mod rates;
mod reply;
mod schema;
mod service;
mod store;

pub use {options::UnknownMembers, rates::ScimRateLimits};

pub(crate) use {
    options::ScimOptions,
    patch::member_ids,
    profile::{aws::AWS, endpoint, rfc::RFC},
    rates::ScimLimits,
    service::{Exchange, bearer_token, error_response},
    store::{MemberChange, Record, Records, Resource, Selection, Store, Taken},
};

/// The schema URN of users.
const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";

/// The schema URN of groups.
const GROUP: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";

/// The schema URN of the enterprise extension; a user's extension attributes are stored under it.
pub(crate) const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "a test may block its thread")]
mod tests {
    use std::{fs, path::Path};

    /// Returns the Rust files in a folder and below it.
    fn files(folder: &Path, found: &mut Vec<std::path::PathBuf>) {
        for entry in fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                files(&path, found);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(path);
            }
        }
    }

    #[test]
    fn the_scim_module_does_not_use_the_aws_module() {
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        let mut found = vec![source.join("scim.rs")];
        files(&source.join("scim"), &mut found);
        assert!(found.len() > 10, "the files of the module were not found");
        // In two parts, so that this file does not contain it.
        let forbidden = concat!("crate::", "aws");
        for path in found {
            let text = fs::read_to_string(&path).expect("a readable file");
            let imports = text.contains(forbidden) || text.contains(concat!("crate::{", "aws"));
            assert!(!imports, "{} uses the aws module", path.display());
        }
    }
}
