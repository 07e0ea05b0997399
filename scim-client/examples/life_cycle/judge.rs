//! The checks of a SCIM service. A failed check is recorded, and the checks that do not depend on it go on.

use std::{error::Error as _, fmt::Debug, iter};

use scim_client::{
    Client, Created, Error, Resources,
    scim_types::{
        ExternalId, Group, MultiValued, Name, PatchOp, PatchOperation, Reference, Resource,
        ResourceId, ScimType, User,
        filter::{AttributePath, Filter},
    },
};

/// The result of all checks.
#[derive(Debug, Default)]
pub(crate) struct Verdict {
    /// Number of passed checks.
    pub(crate) passed: usize,
    /// The failed checks, each with what was found.
    pub(crate) failed: Vec<String>,
}

/// Checks one service, and deletes what the checks created.
pub(crate) struct Judge<'a> {
    client: &'a Client,
    /// A part of all names of this run.
    run: &'a str,
    print: &'a mut dyn FnMut(&str),
    verdict: Verdict,
    users: Vec<Sent>,
    groups: Vec<Sent>,
}

/// A resource whose creation was requested.
struct Sent {
    name: String,
    /// The id; `None` until the service has returned it.
    id: Option<ResourceId>,
}

impl<'a> Judge<'a> {
    pub(crate) fn new(client: &'a Client, run: &'a str, print: &'a mut dyn FnMut(&str)) -> Self {
        Self {
            client,
            run,
            print,
            verdict: Verdict::default(),
            users: Vec::new(),
            groups: Vec::new(),
        }
    }

    /// Runs all checks, with this number of users for the check of lists.
    pub(crate) async fn run(mut self, many: usize) -> Verdict {
        self.discovery().await;
        self.check_users().await;
        self.check_groups().await;
        self.check_lists(many).await;
        self.clean_up().await;
        self.verdict
    }

    async fn discovery(&mut self) {
        let config = self.client.service_provider_config().await;
        if let Some(config) = self.done("the configuration is returned", config) {
            let supported = config.patch.and_then(|patch| patch.supported);
            self.equal("PATCH is supported", supported, Some(true));
        }
        let schemas = self.client.schemas().try_collect().await;
        if let Some(schemas) = self.done("schemas are listed", schemas) {
            self.check("schemas are returned", !schemas.is_empty());
        }
        let types = self.client.resource_types().try_collect().await;
        if let Some(types) = self.done("resource types are listed", types) {
            self.check("resource types are returned", types.len() >= 2);
        }
    }

    async fn check_users(&mut self) {
        let users = self.client.users();
        let ada = self.user("ada");
        let Some(id) = self.create_user(&ada).await else {
            return;
        };
        if let Some(read) = self.done("a user is read", users.get(&id).await) {
            self.equal(
                "a user keeps its user name",
                &read.user_name,
                &ada.user_name,
            );
            self.equal(
                "a user keeps its display name",
                &read.display_name,
                &ada.display_name,
            );
            self.equal(
                "a user keeps its external id",
                &read.external_id,
                &ada.external_id,
            );
        }
        let name = ada.user_name.clone().unwrap_or_default();
        let external_id = ada.external_id.clone().expect("the user has one");
        for filter in [
            Filter::eq(AttributePath::USER_NAME, name.as_str()),
            Filter::eq(AttributePath::EXTERNAL_ID, &external_id),
        ] {
            let rule = format!("a user is found by {filter}");
            if let Some(found) = self.done(&rule, users.find(filter).await) {
                self.equal(&rule, found.and_then(|user| user.id), Some(id.clone()));
            }
        }
        self.check_absent_users().await;
        self.check_duplicates(&ada, &id).await;
        self.check_changes_of_a_user(&ada, &id).await;

        if self
            .done("a user can be deleted", users.delete(&id).await)
            .is_some()
        {
            self.gone("a deleted user is not found", users.get(&id).await);
        }
    }

    async fn check_absent_users(&mut self) {
        let users = self.client.users();
        for (name, quoted) in [("absent", false), ("an \"absent\" user", true)] {
            let name = format!("{name} {}", self.run);
            match users
                .find(Filter::eq(AttributePath::USER_NAME, name.as_str()))
                .await
            {
                // RFC 7644 section 3.4.2.2 requires JSON escapes in filters; scimmy 1.3 does not support
                // them.
                Err(error) if quoted && error.scim_type() == Some(&ScimType::InvalidFilter) => {
                    (self.print)("-- this service does not support escaped quotes in filters");
                }
                found => {
                    if let Some(found) = self.done("an absent user is looked up", found) {
                        self.check("an absent user is not found", found.is_none());
                    }
                }
            }
        }
    }

    async fn check_duplicates(&mut self, user: &User, id: &ResourceId) {
        let users = self.client.users();
        match users.create(user).await {
            Ok(second) => {
                self.users.push(Sent {
                    name: name_of(user),
                    id: second.id,
                });
                self.fail(
                    "a duplicate name is a conflict",
                    "the service created the user twice",
                );
            }
            Err(error) if error.is_conflict() => self.check("a duplicate name is a conflict", true),
            Err(error) => self.fail("a duplicate name is a conflict", &describe(&error)),
        }
        match self.done(
            "an existing user can be adopted",
            users.create_or_adopt(user).await,
        ) {
            Some(Created::Adopted(adopted)) => {
                self.equal("an existing user is adopted", adopted.id, Some(id.clone()));
            }
            Some(Created::New(second)) => {
                self.users.push(Sent {
                    name: name_of(user),
                    id: second.id,
                });
                self.fail(
                    "an existing user is adopted",
                    "the service created the user twice",
                );
            }
            None => {}
        }
    }

    async fn check_changes_of_a_user(&mut self, user: &User, id: &ResourceId) {
        let users = self.client.users();
        let mut changed = user.clone();
        changed.title = Some("Countess".into());
        if let Some(replaced) =
            self.done("a user can be replaced", users.replace(id, &changed).await)
        {
            self.equal(
                "a user is replaced",
                replaced.title.as_deref(),
                Some("Countess"),
            );
        }
        let patch = PatchOp::new(vec![
            PatchOperation::replace("active", false),
            PatchOperation::replace("name.givenName", "Augusta"),
            PatchOperation::remove("title"),
        ]);
        if self
            .done("a user can be patched", users.patch(id, &patch).await)
            .is_none()
        {
            return;
        }
        if let Some(patched) = self.done("a patched user is read", users.get(id).await) {
            self.equal("a user is deactivated", patched.active, Some(false));
            self.equal(
                "a part of a name is changed",
                patched.name.and_then(|name| name.given_name).as_deref(),
                Some("Augusta"),
            );
            self.equal("an attribute is removed", patched.title, None);
        }
    }

    async fn check_groups(&mut self) {
        let groups = self.client.groups();
        let mut members = Vec::new();
        for number in 0..5 {
            members.extend(
                self.create_user(&self.user(&format!("member-{number}")))
                    .await,
            );
        }
        if members.len() < 5 {
            return;
        }
        let mut engineers = Group::new(format!("Engineers {}", self.run));
        engineers.members = members[..2].iter().cloned().map(Reference::to).collect();
        let Some(id) = self.create_group(&engineers).await else {
            return;
        };
        self.members_are("a group is created with members", &id, &members[..2])
            .await;
        let name = engineers.display_name.clone().unwrap_or_default();
        let by_name = Filter::eq(AttributePath::DISPLAY_NAME, name.as_str());
        if let Some(found) = self.done("a group is looked up", groups.find(by_name).await) {
            self.equal(
                "a group is found by its name",
                found.and_then(|group| group.id),
                Some(id.clone()),
            );
        }

        if self
            .done(
                "members can be added",
                groups.add_members(&id, &members[1..]).await,
            )
            .is_some()
        {
            self.members_are("members are added once", &id, &members)
                .await;
        }
        for rule in [
            "members are removed, and the others stay",
            "removing members again changes nothing",
        ] {
            let removed = groups.remove_members(&id, &members[..3]).await;
            if self.done("members can be removed", removed).is_some() {
                self.members_are(rule, &id, &members[3..]).await;
            }
        }
        let builders = format!("Builders {}", self.run);
        let rename = PatchOperation::replace("displayName", builders.as_str());
        if self
            .done(
                "a group can be renamed",
                groups.patch(&id, &rename.into()).await,
            )
            .is_some()
        {
            if let Some(renamed) = self.done("a renamed group is read", groups.get(&id).await) {
                self.equal(
                    "a group is renamed",
                    renamed.display_name.as_deref(),
                    Some(&*builders),
                );
            }
            self.members_are("a renamed group keeps its members", &id, &members[3..])
                .await;
        }
        if self.client.dialect().rules().replaces_groups {
            let empty = Group::new(format!("Empty {}", self.run));
            if self
                .done("a group can be replaced", groups.replace(&id, &empty).await)
                .is_some()
            {
                self.members_are("a group is replaced as a whole", &id, &[])
                    .await;
            }
        }
        if self
            .done("a group can be deleted", groups.delete(&id).await)
            .is_some()
        {
            self.gone("a deleted group is not found", groups.get(&id).await);
        }
    }

    async fn check_lists(&mut self, many: usize) {
        let mut created = Vec::new();
        for number in 0..many {
            let Some(id) = self
                .create_user(&self.user(&format!("user-{number}")))
                .await
            else {
                return;
            };
            created.push(id);
        }
        let listed = self.client.users().list(None).try_collect().await;
        let Some(listed) = self.done("users are listed", listed) else {
            return;
        };
        // The service may have users of its own.
        let found = listed.into_iter().filter_map(|user| user.id);
        let found = sorted(found.filter(|id| created.contains(id)));
        let rule = "a list of several pages returns every user once";
        if found == sorted(created.iter().cloned()) {
            self.check(rule, true);
        } else {
            let found = format!("{} of {} users were found", found.len(), created.len());
            self.fail(rule, &found);
        }
    }

    /// Deletes what the checks created. What remains is a finding.
    async fn clean_up(&mut self) {
        let client = self.client;
        for group in std::mem::take(&mut self.groups) {
            let deleted = delete(&client.groups(), &group).await;
            self.check_deleted("group", &group.name, deleted);
        }
        for user in std::mem::take(&mut self.users) {
            let deleted = delete(&client.users(), &user).await;
            self.check_deleted("user", &user.name, deleted);
        }
    }

    fn check_deleted(&mut self, kind: &str, name: &str, deleted: Result<(), Error>) {
        if let Err(error) = deleted
            && !error.is_not_found()
        {
            let problem = format!("delete it by hand: {}", describe(&error));
            self.fail(
                &format!("the {kind} `{name}` of the checks is deleted"),
                &problem,
            );
        }
    }

    /// Returns a user with the attributes that all services take.
    fn user(&self, name: &str) -> User {
        let email = format!("{name}-{}@example.com", self.run);
        User {
            external_id: Some(ExternalId::new(format!("00u-{name}-{}", self.run))),
            name: Some(Name {
                given_name: Some("Ada".into()),
                family_name: Some("Lovelace".into()),
                ..Name::default()
            }),
            display_name: Some(format!("Ada Lovelace ({name})").into()),
            active: Some(true),
            emails: vec![MultiValued::primary(email.as_str())],
            ..User::new(email)
        }
    }

    async fn create_user(&mut self, user: &User) -> Option<ResourceId> {
        let sent = self.users.len();
        // The response may be lost after the service created the user, so the name is recorded first.
        self.users.push(Sent {
            name: name_of(user),
            id: None,
        });
        let created = self.client.users().create(user).await;
        let created = self.done("a user is created", created)?;
        if created.id.is_none() {
            self.fail("a created user has an id", "the response has none");
        }
        self.users[sent].id.clone_from(&created.id);
        created.id
    }

    async fn create_group(&mut self, group: &Group) -> Option<ResourceId> {
        let sent = self.groups.len();
        self.groups.push(Sent {
            name: group.display_name.as_deref().unwrap_or_default().to_owned(),
            id: None,
        });
        let created = self.client.groups().create(group).await;
        let created = self.done("a group is created", created)?;
        if created.id.is_none() {
            self.fail("a created group has an id", "the response has none");
        }
        self.groups[sent].id.clone_from(&created.id);
        created.id
    }

    /// Checks the members of a group. AWS lists them only by a filter for users.
    async fn members_are(&mut self, rule: &str, group: &ResourceId, expected: &[ResourceId]) {
        let members: Result<Vec<_>, Error> = if self.client.dialect().rules().returns_members {
            let group = self.client.groups().get(group).await;
            group.map(|group| {
                group
                    .members
                    .into_iter()
                    .filter_map(|member| member.value)
                    .collect()
            })
        } else {
            let filter = Filter::eq(AttributePath::GROUPS_VALUE, group.as_str());
            let users = self.client.users().list(filter).try_collect().await;
            users.map(|users| users.into_iter().filter_map(|user| user.id).collect())
        };
        if let Some(members) = self.done(rule, members) {
            self.equal(rule, sorted(members), sorted(expected.iter().cloned()));
        }
    }

    fn gone<T>(&mut self, rule: &str, read: Result<T, Error>) {
        match read {
            Ok(_) => self.fail(rule, "the service still returns it"),
            Err(error) if error.is_not_found() => self.check(rule, true),
            Err(error) => self.fail(rule, &describe(&error)),
        }
    }

    /// Returns the result of a call, and records a failed call.
    fn done<T>(&mut self, rule: &str, result: Result<T, Error>) -> Option<T> {
        result
            .map_err(|error| self.fail(rule, &describe(&error)))
            .ok()
    }

    #[expect(
        clippy::needless_pass_by_value,
        reason = "a check is easier to read without references"
    )]
    fn equal<T: PartialEq + Debug>(&mut self, rule: &str, found: T, expected: T) {
        if found == expected {
            self.check(rule, true);
        } else {
            self.fail(rule, &format!("found {found:?}, expected {expected:?}"));
        }
    }

    fn check(&mut self, rule: &str, holds: bool) {
        if holds {
            self.verdict.passed += 1;
            (self.print)(&format!("ok {rule}"));
        } else {
            self.fail(rule, "the service does not meet it");
        }
    }

    fn fail(&mut self, rule: &str, found: &str) {
        let failed = format!("{rule}: {found}");
        (self.print)(&format!("FAILED {failed}"));
        self.verdict.failed.push(failed);
    }
}

/// Returns the message of an error with its causes and its help.
pub(crate) fn describe(error: &Error) -> String {
    let causes = iter::successors(error.source(), |&cause| cause.source());
    let mut text = causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"));
    if let Some(help) = error.help() {
        text = format!("{text} (to do: {help})");
    }
    text
}

/// Deletes a resource by its id. If the service has not returned the id, the resource is looked up by its name.
async fn delete<R: Resource>(resources: &Resources<'_, R>, sent: &Sent) -> Result<(), Error> {
    let id = if let Some(id) = &sent.id {
        Some(id.clone())
    } else {
        let by_name = Filter::eq(R::NAME, sent.name.as_str());
        let found = resources.find(by_name).await?;
        found.and_then(|found| found.id().cloned())
    };
    match id {
        Some(id) => resources.delete(&id).await,
        None => Ok(()),
    }
}

fn name_of(user: &User) -> String {
    user.user_name.as_deref().unwrap_or_default().to_owned()
}

fn sorted(ids: impl IntoIterator<Item = ResourceId>) -> Vec<ResourceId> {
    let mut ids: Vec<ResourceId> = ids.into_iter().collect();
    ids.sort();
    ids
}
