//! `/api/v1/logs`: the System Log, which records what administrators and the provisioning engine do.

use std::fmt::Write as _;

use http::Method;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::{
    Org,
    apps::App,
    filter::{Filter, Grammar},
    id_generator::{base62_text, hex_text},
    paging::{self, After, PageSizes},
    query::Call,
    reply::{Refusal, Reply},
    timestamps::millis,
    users::User,
};
use crate::clock::after;

/// The events, oldest first, and the time that an event needs until a query returns it.
#[derive(Debug)]
pub(super) struct SystemLog {
    events: Vec<Event>,
    delay: SignedDuration,
}

impl SystemLog {
    pub(super) fn new(delay: SignedDuration) -> Self {
        Self {
            events: Vec::new(),
            delay,
        }
    }
}

/// One event.
#[derive(Debug)]
struct Event {
    published: Timestamp,
    kind: String,
    /// Why the action failed; `None` if it succeeded.
    failure: Option<String>,
    targets: Vec<Value>,
    is_by_system: bool,
}

impl Event {
    fn document(&self, number: usize, actor: &Value) -> Value {
        let seed = hex_text(&format!("event{number}"), 32);
        let mut uuid = String::new();
        for (start, end) in [(0, 8), (8, 12), (12, 16), (16, 20), (20, 32)] {
            let separator = if start == 0 { "" } else { "-" };
            let _ = write!(uuid, "{separator}{}", &seed[start..end]);
        }
        let system = json!({
            "id": "00u0sandboxsystem000",
            "type": "SystemPrincipal",
            "alternateId": "system@okta.com",
            "displayName": "Okta System",
        });
        let failed = self.failure.is_some();
        json!({
            "actor": if self.is_by_system { &system } else { actor },
            "client": { "id": null, "zone": null },
            "authenticationContext": { "externalSessionId": "unknown" },
            "displayMessage": display_message(&self.kind),
            "eventType": self.kind,
            "outcome": {
                "result": if failed { "FAILURE" } else { "SUCCESS" },
                "reason": self.failure,
            },
            "published": millis(self.published),
            "securityContext": {},
            "severity": if failed { "WARN" } else { "INFO" },
            "debugContext": { "debugData": {} },
            "legacyEventType": null,
            "transaction": { "type": if self.is_by_system { "JOB" } else { "WEB" }, "id": seed, "detail": {} },
            "uuid": uuid,
            "version": "0",
            "request": { "ipChain": [] },
            "target": self.targets,
        })
    }
}

/// Returns a text such as `group lifecycle create`. Okta's texts are sentences of their own.
fn display_message(kind: &str) -> String {
    kind.replace(['.', '_'], " ")
}

impl Org {
    /// Handles `/logs`.
    ///
    /// Without `until`, the request is a polling query in ascending order: it always has a link to the next
    /// page, also if the page is empty. With `until`, it is a bounded query, whose last page has no link.
    pub(super) fn logs_endpoint(&self, call: &Call<'_>) -> Result<Reply, Refusal> {
        if call.method != Method::GET || call.segments.len() > 1 {
            return Err(Refusal::method());
        }
        call.allow_only(&[
            "since",
            "until",
            "after",
            "filter",
            "q",
            "limit",
            "sortOrder",
        ])?;
        let until = time_parameter(call, "until")?;
        let since = time_parameter(call, "since")?.unwrap_or_else(|| {
            after(
                until.unwrap_or(call.now),
                SignedDuration::from_hours(-7 * 24),
            )
        });
        let descending = match call.parameter("sortOrder") {
            None | Some("ASCENDING") => false,
            Some("DESCENDING") => true,
            Some(_) => return Err(Refusal::not_allowed("sortOrder")),
        };
        let filter = call
            .parameter("filter")
            .map(|text| Filter::parse(text, FILTER));
        let filter = filter.transpose()?;
        let keywords = call.parameter("q").unwrap_or_default().to_lowercase();
        let keywords: Vec<&str> = keywords.split_whitespace().collect();
        if keywords.len() > 10 || keywords.iter().any(|word| word.chars().count() > 40) {
            return Err(Refusal::invalid("q", "q: Too many or too long keywords"));
        }
        let actor = self.actor();
        let SystemLog { events, delay } = &self.system_log;
        let is_polling = until.is_none() && !descending;
        let in_time = |event: &Event| {
            let stored = after(event.published, *delay);
            // A polling query selects by the time at which the event was stored ("System Log query").
            let time = if is_polling { stored } else { event.published };
            stored <= call.now && time >= since && until.is_none_or(|until| time < until)
        };
        let wanted = |document: &Value| {
            let text = || document.to_string().to_lowercase();
            filter
                .as_ref()
                .is_none_or(|filter| filter.matches(document))
                && (keywords.is_empty() || keywords.iter().all(|word| text().contains(word)))
        };
        let key = |number: usize| {
            let number = if descending {
                usize::MAX - number
            } else {
                number
            };
            format!("{number:020}")
        };
        let documents = events
            .iter()
            .enumerate()
            .filter(|(_, event)| in_time(event))
            .map(|(number, event)| (key(number), event.document(number, &actor)))
            .filter(|(_, document)| wanted(document));
        let mut documents: Vec<(String, Value)> = documents.collect();
        if descending {
            documents.reverse();
        }
        let last = documents.last().map(|(key, _)| key.clone());
        let items = |(start, _): After<'_>| {
            if let std::ops::Bound::Excluded(after) = start {
                documents.retain(|(key, _)| key.as_str() > after);
            }
            documents
        };
        let sizes = PageSizes {
            min: 0,
            ..PageSizes::new(100, 1000)
        };
        let mut reply = paging::page(call, sizes, self.page_size, items, |document| document)?;
        if is_polling && !reply.links.iter().any(|(relation, _)| *relation == "next") {
            let last = last.unwrap_or_else(|| key(events.len().saturating_sub(1)));
            reply.links.push(("next", paging::next_url(call, &last)));
        }
        Ok(reply)
    }

    /// Returns the administrator that owns the API token.
    fn actor(&self) -> Value {
        self.users
            .values()
            .next()
            .map_or(Value::Null, |user| self.user_target(&user.id, "User"))
    }

    fn user_target(&self, id: &str, kind: &str) -> Value {
        let user = self.users.get(id);
        json!({
            "id": id,
            "type": kind,
            "alternateId": user.map(User::login),
            "displayName": user.map(User::full_name),
            "detailEntry": null,
        })
    }

    fn group_target(&self, id: &str) -> Value {
        let name = self.groups.get(id).map(|group| group.name.as_str());
        json!({
            "id": id,
            "type": "UserGroup",
            "alternateId": "unknown",
            "displayName": name,
            "detailEntry": null,
        })
    }

    /// Returns the target for a user's assignment to an application. Its id is not the user's id.
    fn app_user_target(&self, app: &str, user: &str) -> Value {
        let mut target = self.user_target(user, "AppUser");
        target["id"] = format!("0ua{}", base62_text(&format!("{app}{user}"), 17)).into();
        target
    }

    fn app_target(&self, id: &str) -> Value {
        let app = self.apps.get(id);
        json!({
            "id": id,
            "type": "AppInstance",
            "alternateId": app.map(App::label),
            "displayName": app.map(App::label),
            "detailEntry": null,
        })
    }

    fn log(&mut self, now: Timestamp, kind: &str, targets: Vec<Value>) {
        self.system_log.events.push(Event {
            published: now,
            kind: kind.to_owned(),
            failure: None,
            targets,
            is_by_system: false,
        });
    }

    pub(super) fn log_user(&mut self, now: Timestamp, kind: &str, user: &str) {
        self.log(now, kind, vec![self.user_target(user, "User")]);
    }

    pub(super) fn log_group(&mut self, now: Timestamp, kind: &str, group: &str) {
        self.log(now, kind, vec![self.group_target(group)]);
    }

    pub(super) fn log_app(&mut self, now: Timestamp, kind: &str, app: &str) {
        self.log(now, kind, vec![self.app_target(app)]);
    }

    pub(super) fn log_membership(&mut self, now: Timestamp, kind: &str, group: &str, user: &str) {
        let targets = vec![self.user_target(user, "User"), self.group_target(group)];
        self.log(now, kind, targets);
    }

    pub(super) fn log_app_user(&mut self, now: Timestamp, kind: &str, app: &str, user: &str) {
        self.log(now, kind, self.app_user_targets(app, user));
    }

    fn app_user_targets(&self, app: &str, user: &str) -> Vec<Value> {
        vec![
            self.app_user_target(app, user),
            self.app_target(app),
            self.user_target(user, "User"),
        ]
    }

    pub(super) fn log_app_group(&mut self, now: Timestamp, kind: &str, app: &str, group: &str) {
        let targets = vec![self.group_target(group), self.app_target(app)];
        self.log(now, kind, targets);
    }

    /// Records a job of the provisioning engine, and why it failed.
    pub(crate) fn log_provisioning(
        &mut self,
        now: Timestamp,
        kind: &str,
        app: &str,
        subject: Subject<'_>,
        failure: Option<String>,
    ) {
        let targets = match subject {
            Subject::User(user) => self.app_user_targets(app, user),
            Subject::Group(group) => vec![self.group_target(group), self.app_target(app)],
            Subject::Mapping { id, group } => {
                let mapping = json!({
                    "id": id,
                    "type": "GroupPushMapping",
                    "alternateId": "unknown",
                    "displayName": null,
                    "detailEntry": null,
                });
                vec![self.app_target(app), self.group_target(group), mapping]
            }
            Subject::App => vec![self.app_target(app)],
        };
        self.system_log.events.push(Event {
            published: now,
            kind: format!("application.provision.{kind}"),
            failure,
            targets,
            is_by_system: true,
        });
    }
}

fn time_parameter(call: &Call<'_>, name: &str) -> Result<Option<Timestamp>, Refusal> {
    let text = call.parameter(name);
    let time = text.map(str::parse).transpose();
    time.map_err(|_error| {
        let summary = "Bad request. Invalid date. Dates must be of the form yyyy-MM-dd'T'HH:mm:ss.SSSZZ, e.g. 2013-01-01T12:00:00.000-07:00.";
        Refusal::new(http::StatusCode::BAD_REQUEST, "E0000030", summary)
    })
}

/// The targets of the event of a provisioning job, by id.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Subject<'a> {
    User(&'a str),
    Group(&'a str),
    /// A group push mapping, with its group (Okta Workflows, event card "Group Push Failed").
    Mapping {
        id: &'a str,
        group: &'a str,
    },
    /// The application alone. A group that could not be created is no target of its event, as an org has recorded it.
    App,
}

/// Source: parameter `filter` of "List all System Log events" in Okta's API reference.
const FILTER: Grammar = Grammar {
    attributes: &[
        "eventType",
        "severity",
        "uuid",
        "published",
        "displayMessage",
        "actor.",
        "outcome.",
        "target.",
        "transaction.",
        "client.",
        "debugContext.",
        "request.",
        "securityContext.",
    ],
    operators: &["eq", "sw", "co", "ew", "pr", "gt", "ge", "lt", "le"],
    contains: &[],
    timestamps: &[],
    ignore_case: false,
};
