//! The System Log.

use std::{sync::Arc, time::Duration};

use rest_core::{Call, Pager};

use crate::{App, Client, Error, Group, Id, SortOrder, User, json::resource, open_enum::open_enum};

/// Calls for the System Log.
///
/// The calls have one of the lowest rate limits: 120 per minute, or 20 in a free org. A
/// single token gets half of this.
#[derive(Debug, Clone, Copy)]
pub struct Logs<'a> {
    client: &'a Client,
}

impl Client {
    /// Returns the calls for the System Log.
    #[must_use]
    pub fn logs(&self) -> Logs<'_> {
        Logs { client: self }
    }
}

impl Logs<'_> {
    /// Lists the events that match `options` up to now, in the order of their time.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/example/run.rs"));
    /// # fn main() { run(async |okta, _| {
    /// # okta.groups().create("admins", None).await?;
    /// let options = ListLogs {
    ///     filter: Some("eventType eq \"group.lifecycle.create\"".to_owned()),
    ///     ..ListLogs::default()
    /// };
    /// let events = okta.logs().list(options).try_collect().await?;
    /// assert_eq!(events[0].group().expect("a group").name.as_deref(), Some("admins"));
    /// # Ok(()) }) }
    /// ```
    ///
    /// # Errors
    ///
    /// Reading a page fails if the request fails or Okta rejects the filter.
    ///
    /// Scope: `okta.logs.read`.
    pub fn list(&self, options: ListLogs) -> Pager<LogEvent, Error> {
        let client = self.client.clone();
        let first = Arc::new(move || options.call());
        Pager::new(first().operation(), move |cursor| {
            let (client, first) = (client.clone(), Arc::clone(&first));
            Box::pin(async move {
                let call = cursor.map_or_else(|| first(), Call::get_link);
                let mut page = client.request(call).await?.page(None)?;
                // The log has a link to the next page even if there are no events yet.
                if page.items.is_empty() {
                    page.next = None;
                }
                Ok(page)
            })
        })
    }

    /// Lists the events that match `options`, and then waits for new ones. The list does not end.
    ///
    /// Okta returns these events in the order in which it stored them, so that none is missed. While there are no new
    /// events, the log is read again after [`FollowLogs::interval`]. [`Pager::position`] can be saved: a later
    /// [`resume`](Pager::resume) returns the events since then.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/example/run.rs"));
    /// # fn main() { run(async |okta, _| {
    /// # okta.groups().create("admins", None).await?;
    /// let mut events = okta.logs().follow(FollowLogs {
    ///     filter: Some("eventType eq \"group.lifecycle.create\"".to_owned()),
    ///     ..FollowLogs::since("2026-01-01T00:00:00.000Z")
    /// });
    /// while let Some(event) = events.try_next().await? {
    ///     println!("{} {:?}", event.outcome, event.group().map(|group| &group.name));
    /// #   break;
    /// }
    /// # Ok(()) }) }
    /// ```
    ///
    /// # Errors
    ///
    /// Reading an event fails if the request fails or Okta rejects the filter. The next call reads the same page again.
    ///
    /// Scope: `okta.logs.read`.
    pub fn follow(&self, options: FollowLogs) -> Pager<LogEvent, Error> {
        let client = self.client.clone();
        let options = Arc::new(options);
        Pager::new(options.call().operation(), move |mut cursor| {
            let (client, options) = (client.clone(), Arc::clone(&options));
            Box::pin(async move {
                loop {
                    let call = cursor
                        .clone()
                        .map_or_else(|| options.call(), Call::get_link);
                    let page = client.request(call).await?.page(None)?;
                    if !page.items.is_empty() {
                        return Ok(page);
                    }
                    cursor = page.next.or(cursor);
                    client.sleep(options.interval).await;
                }
            })
        })
        .endless()
    }
}

/// Options of [`Logs::list`].
///
/// Fields may be added: end with `..ListLogs::default()`.
#[derive(Debug, Clone, Default)]
pub struct ListLogs {
    /// The earliest time, such as `2026-11-01T00:00:00.000Z` (default: 7 days before `until`).
    pub since: Option<String>,
    /// The latest time (default: now).
    pub until: Option<String>,
    /// A filter, such as `eventType eq "application.provision.user.push"`.
    pub filter: Option<String>,
    /// Keywords that the events contain, at most 10 of at most 40 characters.
    pub query: Option<String>,
    /// The order by time (default: the oldest first).
    pub sort_order: Option<SortOrder>,
    /// Number of events per page (default: 1000, Okta's maximum).
    pub limit: Option<u32>,
}

impl ListLogs {
    fn call(&self) -> Call {
        Call::get(LOGS)
            .query("limit", self.limit.unwrap_or(PAGE).to_string())
            .query_opt("since", self.since.clone())
            .query_opt("until", self.until.clone())
            .query_opt("filter", self.filter.clone())
            .query_opt("q", self.query.clone())
            .query_opt("sortOrder", self.sort_order.map(SortOrder::long))
    }
}

/// Options of [`Logs::follow`].
///
/// Fields may be added: end with `..FollowLogs::since(time)`.
#[derive(Debug, Clone)]
pub struct FollowLogs {
    /// The time from which events are returned, such as `2026-11-01T00:00:00.000Z`.
    pub since: String,
    /// A filter, such as `eventType sw "application.provision."`.
    pub filter: Option<String>,
    /// Keywords that the events contain, at most 10 of at most 40 characters.
    pub query: Option<String>,
    /// Number of events per page (default: 1000, Okta's maximum).
    pub limit: Option<u32>,
    /// The pause between two requests while there are no new events (default: 10 s).
    pub interval: Duration,
}

impl FollowLogs {
    /// Returns options for all events since a time, such as `2026-11-01T00:00:00.000Z`.
    pub fn since(time: impl Into<String>) -> Self {
        Self {
            since: time.into(),
            filter: None,
            query: None,
            limit: None,
            interval: Duration::from_secs(10),
        }
    }

    /// A request without `until` in ascending order is a polling request: Okta orders the events by the time at which it
    /// stored them ("System Log query").
    fn call(&self) -> Call {
        Call::get(LOGS)
            .query("limit", self.limit.unwrap_or(PAGE).to_string())
            .query("since", self.since.clone())
            .query_opt("filter", self.filter.clone())
            .query_opt("q", self.query.clone())
            .query("sortOrder", SortOrder::Ascending.long())
    }
}

resource! {
    /// An event of the System Log.
    resource LogEvent {
        /// The id.
        pub id: Id<LogEvent> = "/uuid",
        /// The type.
        pub event_type: EventType = "/eventType",
        /// The time, in Okta's format.
        pub published: String = "/published",
        /// The importance: `DEBUG`, `INFO`, `WARN`, `ERROR`.
        pub severity: Option<String> = "/severity",
        /// The description.
        pub message: Option<String> = "/displayMessage",
        /// The result.
        pub outcome: OutcomeResult = "/outcome/result",
        /// The reason of the result. Of a failed provisioning, this is the error of the app.
        pub reason: Option<String> = "/outcome/reason",
        /// The person, app or system that caused the event.
        pub actor: Option<LogObject> = "/actor",
        /// The objects of the event, in no fixed order.
        pub targets: Vec<LogObject> = "/target",
        /// The id of the transaction, which the events of one request share.
        pub transaction: Option<String> = "/transaction/id",
    }
}

impl LogEvent {
    /// Returns the first target of a type, such as `AppInstance`.
    #[must_use]
    pub fn target(&self, kind: &str) -> Option<&LogObject> {
        self.targets.iter().find(|target| target.kind == kind)
    }

    /// Returns the app of the event.
    #[must_use]
    pub fn app(&self) -> Option<&LogObject> {
        self.target("AppInstance")
    }

    /// Returns the id of the app of the event.
    #[must_use]
    pub fn app_id(&self) -> Option<Id<App>> {
        Id::parse(self.app()?.id.clone()?).ok()
    }

    /// Returns the user of the event. The user at an app, of type `AppUser`, is another target.
    #[must_use]
    pub fn user(&self) -> Option<&LogObject> {
        self.target("User")
    }

    /// Returns the id of the user of the event.
    #[must_use]
    pub fn user_id(&self) -> Option<Id<User>> {
        Id::parse(self.user()?.id.clone()?).ok()
    }

    /// Returns the group of the event.
    #[must_use]
    pub fn group(&self) -> Option<&LogObject> {
        self.target("UserGroup")
    }

    /// Returns the id of the group of the event.
    #[must_use]
    pub fn group_id(&self) -> Option<Id<Group>> {
        Id::parse(self.group()?.id.clone()?).ok()
    }
}

resource! {
    /// An actor or a target of an event.
    part LogObject {
        /// The id.
        pub id: Option<String> = "/id",
        /// The type, such as `User`, `UserGroup` or `AppInstance`.
        pub kind: String = "/type",
        /// The name that an admin sees.
        pub name: Option<String> = "/displayName",
        /// The login of a user, or the label of an app.
        pub alternate_id: Option<String> = "/alternateId",
    }
}

open_enum! {
    /// Result of an event.
    OutcomeResult {
        /// The action succeeded.
        Success = "SUCCESS",
        /// The action failed.
        Failure = "FAILURE",
        /// The action was not necessary.
        Skipped = "SKIPPED",
        /// A policy allowed the action.
        Allow = "ALLOW",
        /// A policy denied the action.
        Deny = "DENY",
        /// A policy asked for another authenticator.
        Challenge = "CHALLENGE",
        /// The action will be carried out later.
        Deferred = "DEFERRED",
        /// The action was planned.
        Scheduled = "SCHEDULED",
        /// A rate limit stopped the action.
        RateLimit = "RATE_LIMIT",
        /// Okta does not know the result.
        Unknown = "UNKNOWN",
    }
}

open_enum! {
    /// Type of an event. The types about provisioning and apps are known; see Okta's catalog "Event types" for all.
    EventType {
        /// A user was created at an app.
        UserPush = "application.provision.user.push",
        /// A user's attributes were updated at an app.
        UserPushProfile = "application.provision.user.push_profile",
        /// A user was activated at an app.
        UserActivate = "application.provision.user.activate",
        /// A user was deactivated at an app.
        UserDeactivate = "application.provision.user.deactivate",
        /// A user was deactivated at an app by hand.
        UserDeprovision = "application.provision.user.deprovision",
        /// A user was activated again at an app.
        UserReactivate = "application.provision.user.reactivate",
        /// Okta looked up whether a user exists at an app.
        UserVerifyExists = "application.provision.user.verify_exists",
        /// A user was synchronized with an app.
        UserSync = "application.provision.user.sync",
        /// A user was imported from an app.
        UserImport = "application.provision.user.import",
        /// A user's attributes were imported from an app.
        UserImportProfile = "application.provision.user.import_profile",
        /// A user's password was sent to an app.
        UserPushPassword = "application.provision.user.push_password",
        /// A user's password in Okta was sent to an app.
        UserPushOktaPassword = "application.provision.user.push_okta_password",
        /// A user's password changed at an app.
        UserPassword = "application.provision.user.password",
        /// A group was created at an app.
        GroupAdd = "application.provision.group.add",
        /// A group was updated at an app.
        GroupUpdate = "application.provision.group.update",
        /// A group was removed at an app.
        GroupRemove = "application.provision.group.remove",
        /// A group was imported from an app.
        GroupImport = "application.provision.group.import",
        /// Okta looked up whether a group exists at an app.
        GroupVerifyExists = "application.provision.group.verify_exists",
        /// A member was added to a group at an app.
        GroupMembershipAdd = "application.provision.group_membership.add",
        /// A member was removed from a group at an app.
        GroupMembershipRemove = "application.provision.group_membership.remove",
        /// The members of a group were updated at an app.
        GroupMembershipUpdate = "application.provision.group_membership.update",
        /// The members of a group were imported from an app.
        GroupMembershipImport = "application.provision.group_membership.import",
        /// A group was pushed to an app for the first time.
        GroupPushed = "application.provision.group_push.pushed",
        /// A pushed group was updated at an app.
        GroupPushUpdated = "application.provision.group_push.updated",
        /// A pushed group was removed at an app.
        GroupPushRemoved = "application.provision.group_push.removed",
        /// The members of a pushed group were sent to an app.
        GroupPushMemberships = "application.provision.group_push.push_memberships",
        /// A push mapping was created.
        GroupPushMappingCreated = "application.provision.group_push.mapping.created",
        /// A push mapping was activated.
        GroupPushMappingActivated = "application.provision.group_push.activate_mapping",
        /// A push mapping was deactivated.
        GroupPushMappingDeactivated = "application.provision.group_push.deactivate_mapping",
        /// A push mapping could not be updated or deleted.
        GroupPushMappingFailed = "application.provision.group_push.mapping.update.or.delete.failed",
        /// A push mapping could not be updated or deleted; the reason is the app's error.
        GroupPushMappingFailedWithError = "application.provision.group_push.mapping.update.or.delete.failed.with.error",
        /// Okta called the API of an app.
        IntegrationCallApi = "application.provision.integration.call_api",
        /// An app was created.
        AppCreate = "application.lifecycle.create",
        /// An app was updated.
        AppUpdate = "application.lifecycle.update",
        /// An app was activated.
        AppActivate = "application.lifecycle.activate",
        /// An app was deactivated.
        AppDeactivate = "application.lifecycle.deactivate",
        /// An app was deleted.
        AppDelete = "application.lifecycle.delete",
        /// A user was assigned to an app.
        AppUserAdd = "application.user_membership.add",
        /// A user was unassigned from an app.
        AppUserRemove = "application.user_membership.remove",
    }
}

const LOGS: [&str; 3] = ["api", "v1", "logs"];
const PAGE: u32 = 1000;
