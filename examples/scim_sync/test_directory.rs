//! Generated directories of any size, and a sandbox as their target.

use std::sync::Arc;

use okta_aws_sso::{
    Error, ErrorKind,
    scim::{Client, ClientBuilder, Dialect, Endpoint},
    sync::Directory,
};
use rest_core::{Clock, Secret};
use sandbox::{Sandbox, SandboxBuilder, Stage};

/// The size of a generated directory.
#[derive(Clone, Copy)]
pub(crate) struct Size {
    /// Number of users.
    pub(crate) users: usize,
    /// Number of groups.
    pub(crate) groups: usize,
    /// Number of members per group.
    pub(crate) members: usize,
}

impl Size {
    /// Generates a directory of this size.
    pub(crate) fn directory(self) -> Directory {
        let user_id = |number: usize| format!("00u{number:017}");
        let users = (0..self.users).map(|number| {
            let name = format!("person.{number:05}@example.com");
            serde_json::json!({
                "id": user_id(number),
                "profile": {
                    "user_name": name, "email": name, "given_name": "Person",
                    "family_name": format!("Number{number:05}"),
                    "display_name": format!("Person Number{number:05}"),
                    "active": true, "optional": { "department": "Engines", "title": "Engineer" },
                },
            })
        });
        let groups = (0..self.groups).map(|group| {
            let members =
                (0..self.members).map(|member| user_id((group * 97 + member) % self.users));
            serde_json::json!({
                "id": format!("00g{group:017}"), "name": format!("group-{group:05}"),
                "members": members.collect::<Vec<_>>(),
            })
        });
        serde_json::from_value(serde_json::json!({
            "users": users.collect::<Vec<_>>(), "groups": groups.collect::<Vec<_>>(),
        }))
        .expect("a valid directory")
    }
}

/// Starts a sandbox with an empty directory, and returns it with a SCIM client.
pub(crate) async fn start_target(
    builder: SandboxBuilder,
    clock: Option<Arc<dyn Clock>>,
    configure: impl FnOnce(ClientBuilder) -> ClientBuilder,
) -> Result<(Sandbox, Client), Error> {
    let sandbox = builder
        .company(sandbox::Company::empty())
        .page_size(None)
        .stage(Stage::Federated)
        .start()
        .await
        .map_err(|error| Error::new(ErrorKind::UnusableSubject, error.to_string()))?;
    let provisioning = sandbox
        .console()
        .enable_automatic_provisioning()
        .map_err(|error| Error::new(ErrorKind::UnusableSubject, error.to_string()))?;
    let endpoint = Endpoint::parse(&provisioning.scim_endpoint)
        .map_err(|error| Error::new(ErrorKind::UnusableSubject, error.to_string()))?;
    let client = Client::builder(&endpoint, Secret::new(provisioning.access_token))
        .dialect(Dialect::AwsIdentityCenter);
    let client = match clock {
        Some(clock) => client.clock(clock),
        None => client,
    };
    let client = configure(client).build();
    sandbox.clear_requests();
    Ok((
        sandbox,
        client.map_err(|error| Error::new(ErrorKind::UnusableSubject, error.to_string()))?,
    ))
}
