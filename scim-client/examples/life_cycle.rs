//! Does this SCIM service do what the client needs? A user and a group from their making to their end, lists, filters and patches.
//! `SCIM_TOKEN=… cargo run -p scim-client --example life_cycle -- https://scim.example.com/v2` writes to the service, and cleans up
#![expect(clippy::print_stdout, reason = "a program says what it found")]

use std::{env, error::Error, fmt::Debug};

use rest_core::Secret;
use scim_client::{Client, Created, Endpoint};
use scim_types::{
    ExternalId, Group, MultiValued, Name, PatchOp, PatchOperation, Reference, ResourceId, ScimType,
    User,
    filter::{AttributePath, Filter},
};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// More than a page of any server that is asked for pages of two.
const CROWD: usize = 205;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let url = env::args()
        .nth(1)
        .ok_or("the argument is the service's URL")?;
    let token = env::var("SCIM_TOKEN").map_err(|_unset| "SCIM_TOKEN is the bearer token")?;
    let endpoint = Endpoint::parse(&url)?;
    let client = Client::builder(&endpoint, Secret::new(token))
        .build()?
        .negotiated()
        .await?;
    let mut checks = Checks::default();

    let config = client.service_provider_config().await?;
    checks.same(
        "patch is supported",
        config.patch.and_then(|patch| patch.supported),
        Some(true),
    );
    checks.hold("schemas are shown", !client.schemas().await?.is_empty());
    checks.hold(
        "resource types are shown",
        client.resource_types().await?.len() >= 2,
    );

    users(&client, &mut checks).await?;
    groups(&client, &mut checks).await?;
    lists(&client, &mut checks).await?;
    println!("{} checks passed", checks.0);
    Ok(())
}

fn ada() -> User {
    User {
        external_id: Some(ExternalId::new("00u-ada")),
        name: Some(Name {
            given_name: Some("Ada".into()),
            family_name: Some("Lovelace".into()),
            ..Name::default()
        }),
        display_name: Some("Ada Lovelace".into()),
        active: Some(true),
        emails: vec![MultiValued::primary("ada@example.com")],
        ..User::new("ada@example.com")
    }
}

async fn users(client: &Client, checks: &mut Checks) -> Result<()> {
    let users = client.users();
    let created = users.create(&ada()).await?;
    let id = created.id.clone().ok_or("a user without an id")?;
    checks.same("a user is created", &created.user_name, &ada().user_name);
    checks.same(
        "a user is read",
        &users.get(&id).await?.display_name,
        &ada().display_name,
    );
    for (attribute, value) in [
        (AttributePath::USER_NAME, "ada@example.com"),
        (AttributePath::EXTERNAL_ID, "00u-ada"),
    ] {
        let found = users.find(Filter::eq(attribute, value)).await?;
        checks.same(
            "a user is found by a filter",
            found.and_then(|user| user.id),
            Some(id.clone()),
        );
    }
    for (name, quoted) in [("nobody", false), ("nobody \"at\" all", true)] {
        match users.find(Filter::eq(AttributePath::USER_NAME, name)).await {
            Ok(nobody) => checks.hold("who is not there is not found", nobody.is_none()),
            // RFC 7644 section 3.4.2.2 has JSON's escapes in filters; scimmy 1.3 reads none.
            Err(error) if quoted && error.scim_type() == Some(&ScimType::InvalidFilter) => {
                println!("-- this service reads no escaped quotes in filters");
            }
            Err(error) => return Err(error.into()),
        }
    }

    let conflict = users
        .create(&ada())
        .await
        .err()
        .ok_or("a user was made twice")?;
    checks.hold("a name that is taken is a conflict", conflict.is_conflict());
    match users.create_or_adopt(&ada()).await? {
        Created::Adopted(adopted) => {
            checks.same("a user who exists is adopted", adopted.id, Some(id.clone()));
        }
        Created::New(_) => return Err("a user was made twice".into()),
    }

    let mut changed = ada();
    changed.title = Some("Countess".into());
    let replaced = users.replace(&id, &changed).await?;
    checks.same(
        "a user is replaced",
        replaced.title.as_deref(),
        Some("Countess"),
    );
    users
        .patch(
            &id,
            &PatchOp::new(vec![
                PatchOperation::replace("active", false),
                PatchOperation::replace("name.givenName", "Augusta"),
                PatchOperation::remove("title"),
            ]),
        )
        .await?;
    let patched = users.get(&id).await?;
    checks.same("a user is deactivated", patched.active, Some(false));
    checks.same(
        "a part of a name is changed",
        patched.name.and_then(|name| name.given_name).as_deref(),
        Some("Augusta"),
    );
    checks.same("an attribute is removed", patched.title, None);

    users.delete(&id).await?;
    checks.hold("a user is deleted", users.get_opt(&id).await?.is_none());
    let gone = users
        .get(&id)
        .await
        .err()
        .ok_or("a user who was deleted is read")?;
    checks.hold("who was deleted is not found", gone.is_not_found());
    Ok(())
}

async fn groups(client: &Client, checks: &mut Checks) -> Result<()> {
    let (users, groups) = (client.users(), client.groups());
    let mut members = Vec::new();
    for number in 0..5 {
        let user = users
            .create(&User::new(format!("member-{number}@example.com")))
            .await?;
        members.push(user.id.ok_or("a user without an id")?);
    }
    let mut engineers = Group::new("Engineers");
    engineers.members = members[..2].iter().cloned().map(Reference::to).collect();
    let created = groups.create(&engineers).await?;
    let id = created.id.ok_or("a group without an id")?;
    checks.same(
        "a group is made with members",
        members_of(client, &id).await?,
        sorted(&members[..2]),
    );
    let found = groups
        .find(Filter::eq(AttributePath::DISPLAY_NAME, "Engineers"))
        .await?;
    checks.same(
        "a group is found by its name",
        found.and_then(|group| group.id),
        Some(id.clone()),
    );

    groups.add_members(&id, &members[1..]).await?;
    checks.same(
        "members are added once",
        members_of(client, &id).await?,
        sorted(&members),
    );
    groups.remove_members(&id, &members[..3]).await?;
    checks.same(
        "members are removed, and only they",
        members_of(client, &id).await?,
        sorted(&members[3..]),
    );
    groups.remove_members(&id, &members[..3]).await?;
    checks.same(
        "who is removed again stays removed",
        members_of(client, &id).await?,
        sorted(&members[3..]),
    );
    groups
        .patch(
            &id,
            &PatchOperation::replace("displayName", "Builders").into(),
        )
        .await?;
    let renamed = groups.get(&id).await?;
    checks.same(
        "a group is renamed",
        renamed.display_name.as_deref(),
        Some("Builders"),
    );
    checks.same(
        "and keeps its members",
        members_of(client, &id).await?,
        sorted(&members[3..]),
    );
    groups.replace(&id, &Group::new("Empty")).await?;
    checks.same(
        "a group is replaced as a whole",
        members_of(client, &id).await?,
        Vec::new(),
    );

    groups.delete(&id).await?;
    checks.hold("a group is deleted", groups.get_opt(&id).await?.is_none());
    for member in &members {
        users.delete(member).await?;
    }
    Ok(())
}

async fn lists(client: &Client, checks: &mut Checks) -> Result<()> {
    let users = client.users();
    let mut ids = Vec::new();
    for number in 0..CROWD {
        let user = users
            .create(&User::new(format!("crowd-{number}@example.com")))
            .await?;
        ids.push(user.id.ok_or("a user without an id")?);
    }
    let listed = users.list(None).try_collect().await?;
    let mut found: Vec<ResourceId> = listed.into_iter().filter_map(|user| user.id).collect();
    found.sort();
    checks.same(
        "a list has everybody once, page by page",
        found,
        sorted(&ids),
    );
    for id in &ids {
        users.delete(id).await?;
    }
    checks.hold(
        "an empty list is one",
        users.list(None).try_collect().await?.is_empty(),
    );
    Ok(())
}

async fn members_of(client: &Client, group: &ResourceId) -> Result<Vec<ResourceId>> {
    let group = client.groups().get(group).await?;
    let members: Vec<ResourceId> = group
        .members
        .into_iter()
        .filter_map(|member| member.value)
        .collect();
    Ok(sorted(&members))
}

fn sorted(ids: &[ResourceId]) -> Vec<ResourceId> {
    let mut ids = ids.to_vec();
    ids.sort();
    ids
}

/// How many checks have passed; the first that does not ends the program.
#[derive(Default)]
struct Checks(usize);

impl Checks {
    fn hold(&mut self, what: &str, holds: bool) {
        assert!(holds, "not so: {what}");
        self.0 += 1;
        println!("ok {what}");
    }

    #[expect(
        clippy::needless_pass_by_value,
        reason = "a check reads better without a reference on each side"
    )]
    fn same<T: PartialEq + Debug>(&mut self, what: &str, found: T, expected: T) {
        assert_eq!(found, expected, "not so: {what}");
        self.hold(what, true);
    }
}
