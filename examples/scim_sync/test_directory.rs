//! Directories of any size, and a sandbox to write them to.

use std::sync::Arc;

use okta_aws_sso::{
    Error,
    scim::{Client, ClientBuilder, Dialect, Endpoint},
    sync::Directory,
};
use rest_core::{Clock, Secret};
use sandbox::{Sandbox, SandboxBuilder, Stage};

use crate::ends::unfit;

/// So many people, and so many groups of the same size.
#[derive(Clone, Copy)]
pub(crate) struct Size {
    pub(crate) users: usize,
    pub(crate) groups: usize,
    pub(crate) members: usize,
}

impl Size {
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
                    "active": true, "more": { "department": "Engines", "title": "Engineer" },
                },
            })
        });
        let groups = (0..self.groups).map(|group| {
            let members = (0..self.members).map(|place| user_id((group * 97 + place) % self.users));
            serde_json::json!({
                "id": format!("00g{group:017}"), "name": format!("group-{group:05}"),
                "members": members.collect::<Vec<_>>(),
            })
        });
        serde_json::from_value(serde_json::json!({
            "users": users.collect::<Vec<_>>(), "groups": groups.collect::<Vec<_>>(),
        }))
        .expect("a directory is what it looks like")
    }
}

/// A sandbox with an empty directory, and a client of it.
pub(crate) async fn target(
    builder: SandboxBuilder,
    clock: Option<Arc<dyn Clock>>,
    with: impl FnOnce(ClientBuilder) -> ClientBuilder,
) -> Result<(Sandbox, Client), Error> {
    let sandbox = builder
        .company(sandbox::Company::empty())
        .page_size(None)
        .stage(Stage::Federated)
        .start()
        .await
        .map_err(|error| unfit(error.to_string()))?;
    let shown = sandbox
        .console()
        .enable_automatic_provisioning()
        .map_err(|error| unfit(error.to_string()))?;
    let endpoint =
        Endpoint::parse(&shown.scim_endpoint).map_err(|error| unfit(error.to_string()))?;
    let client = Client::builder(&endpoint, Secret::new(shown.access_token))
        .dialect(Dialect::AwsIdentityCenter);
    let client = match clock {
        Some(clock) => client.clock(clock),
        None => client,
    };
    let client = with(client).build();
    sandbox.forget_requests();
    Ok((sandbox, client.map_err(|error| unfit(error.to_string()))?))
}
