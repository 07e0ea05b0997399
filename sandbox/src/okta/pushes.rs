//! `…/group-push/mappings`: groups that Okta pushes to an application with their members.

use std::mem;

use http::{Method, StatusCode};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::{
    Org,
    groups::{Group, Kind},
    paging::{After, PageSizes, page},
    query::Call,
    reply::{Refusal, Reply},
    system_log::Subject,
    timestamps::seconds,
};

/// One mapping of an Okta group to a group of an application.
#[derive(Debug)]
pub(crate) struct Push {
    pub(crate) id: String,
    pub(crate) source: String,
    /// The Okta group that represents the group at the application.
    pub(crate) target: String,
    pub(crate) status: Status,
    pub(crate) last_sent: Option<Timestamp>,
    created: Timestamp,
    pub(crate) updated: Timestamp,
}

/// The status of a mapping.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    Active,
    Inactive,
    /// The application rejected the group for this reason.
    Error(String),
}

/// A deleted mapping.
#[derive(Debug)]
pub(crate) struct RemovedPush {
    pub(crate) push: String,
    /// Whether Okta also deletes the group at the application.
    pub(crate) delete_target: bool,
}

impl Push {
    fn status_name(&self) -> &'static str {
        match self.status {
            Status::Active => "ACTIVE",
            Status::Inactive => "INACTIVE",
            Status::Error(_) => "ERROR",
        }
    }

    fn document(&self, app: &str, host: &str) -> Value {
        let group = |id: &str| format!("http://{host}/api/v1/groups/{id}");
        let mut document = json!({
            "id": self.id,
            "created": seconds(self.created),
            "lastUpdated": seconds(self.updated),
            "sourceGroupId": self.source,
            "targetGroupId": self.target,
            "status": self.status_name(),
            "_links": {
                "app": { "href": format!("http://{host}/api/v1/apps/{app}") },
                "sourceGroup": { "href": group(&self.source) },
                "targetGroup": { "href": group(&self.target) },
            },
        });
        // Okta omits both fields if they have no value.
        if let Some(time) = self.last_sent {
            document["lastPush"] = seconds(time).into();
        }
        if let Status::Error(reason) = &self.status {
            document["errorSummary"] = reason.as_str().into();
        }
        document
    }
}

impl Org {
    pub(super) fn pushes_endpoint(
        &mut self,
        call: &Call<'_>,
        app: &str,
        path: &[&str],
    ) -> Result<Reply, Refusal> {
        match (call.method, path) {
            (&Method::GET, []) => self.list_pushes(call, app),
            (&Method::POST, []) => self.create_push(call, app),
            (&Method::GET, [push]) => {
                call.allow_only(&[])?;
                let missing = || Refusal::not_found(push, "GroupPushMapping");
                let push = self.app(app)?.pushes.get(*push).ok_or_else(missing)?;
                Ok(Reply::ok(push.document(app, &call.host)))
            }
            (&Method::PATCH, [push]) => self.set_push_status(call, app, push),
            (&Method::DELETE, [push]) => self.delete_push(call, app, push),
            (_, [] | [_]) => Err(Refusal::method()),
            _ => Err(Refusal::not_found(call.path, "Endpoint")),
        }
    }

    fn list_pushes(&self, call: &Call<'_>, app: &str) -> Result<Reply, Refusal> {
        call.allow_only(&["sourceGroupId", "status", "limit", "after"])?;
        let (source, status) = (call.parameter("sourceGroupId"), call.parameter("status"));
        let pushes = &self.app(app)?.pushes;
        let found = |after: After<'_>| {
            pushes.range::<str, _>(after).filter(|(_, push)| {
                source.is_none_or(|source| push.source == source)
                    && status.is_none_or(|status| push.status_name() == status)
            })
        };
        page(
            call,
            PageSizes::new(100, 1000),
            self.page_size,
            found,
            |push| push.document(app, &call.host),
        )
    }

    /// Creates a mapping. Okta allows this without provisioning, but then never pushes the group.
    fn create_push(&mut self, call: &Call<'_>, app: &str) -> Result<Reply, Refusal> {
        call.allow_only(&[])?;
        let body = call.json_object()?;
        let text = |name: &str| body.get(name).and_then(Value::as_str);
        let Some(source) = text("sourceGroupId") else {
            return Err(Refusal::blank("sourceGroupId"));
        };
        let status = match text("status") {
            None | Some("ACTIVE") => Status::Active,
            Some("INACTIVE") => Status::Inactive,
            Some(_) => {
                return Err(Refusal::invalid(
                    "status",
                    "status: Not one of the allowed values.",
                ));
            }
        };
        let Some(group) = self.groups.get(source) else {
            return Err(Refusal::invalid(
                "sourceGroupId",
                "sourceGroupId: The group does not exist",
            ));
        };
        let name = group.name.clone();
        if self
            .app(app)?
            .pushes
            .values()
            .any(|push| push.source == source)
        {
            return Err(Refusal::invalid(
                "sourceGroupId",
                "sourceGroupId: The group is already pushed",
            ));
        }
        let target = match (text("targetGroupId"), text("targetGroupName")) {
            (Some(id), None) => self.check_target(app, id)?,
            (None, Some(target)) => self.find_or_create_target(app, &name, target, call.now)?,
            _ => {
                return Err(Refusal::invalid(
                    "targetGroupId",
                    "Exactly one of targetGroupId and targetGroupName must be provided",
                ));
            }
        };
        let push = Push {
            id: self.ids.id("gPm"),
            source: source.to_owned(),
            target,
            status,
            last_sent: None,
            created: call.now,
            updated: call.now,
        };
        let document = push.document(app, &call.host);
        self.app_mut(app)?.pushes.insert(push.id.clone(), push);
        let subject = Subject::Group(source);
        self.log_provisioning(call.now, "group_push.mapping.created", app, subject, None);
        // The reference documents 201, but the service answers 200.
        Ok(Reply::ok(document))
    }

    /// Checks that a group can be linked: it belongs to the application and has no other mapping.
    fn check_target(&self, app: &str, id: &str) -> Result<String, Refusal> {
        let app_kind = Kind::App {
            app: app.to_owned(),
        };
        let belongs_to_app = self
            .groups
            .get(id)
            .is_some_and(|group| group.kind == app_kind);
        let is_linked = self.app(app)?.pushes.values().any(|push| push.target == id);
        if belongs_to_app && !is_linked {
            return Ok(id.to_owned());
        }
        Err(Refusal::invalid(
            "targetGroupId",
            "targetGroupId: Not a group of the app that can be linked",
        ))
    }

    /// Finds or creates the application's group with this name.
    ///
    /// The name must be the source group's name, because an org renames pushed groups by default. An
    /// administrator can turn that off, but no API can.
    fn find_or_create_target(
        &mut self,
        app: &str,
        source: &str,
        name: &str,
        now: Timestamp,
    ) -> Result<String, Refusal> {
        if name != source {
            return Err(Refusal::invalid(
                "targetGroupName",
                "targetGroupName: Must be the name of the source group while app groups are renamed to match",
            ));
        }
        let app_kind = Kind::App {
            app: app.to_owned(),
        };
        let is_target = |group: &&Group| group.kind == app_kind && group.name == name;
        if let Some(group) = self.groups.values().find(is_target) {
            return self.check_target(app, &group.id);
        }
        let id = self.ids.id("00g");
        let group = Group::new(id.clone(), app_kind, name, now);
        self.groups.insert(id.clone(), group);
        Ok(id)
    }

    fn set_push_status(
        &mut self,
        call: &Call<'_>,
        app: &str,
        push: &str,
    ) -> Result<Reply, Refusal> {
        call.allow_only(&[])?;
        let body = call.json_object()?;
        let status = match body.get("status").and_then(Value::as_str) {
            Some("ACTIVE") => Status::Active,
            Some("INACTIVE") => Status::Inactive,
            _ => {
                return Err(Refusal::invalid(
                    "status",
                    "status: Not one of the allowed values.",
                ));
            }
        };
        let missing = || Refusal::not_found(push, "GroupPushMapping");
        let host = &call.host;
        let push = self
            .app_mut(app)?
            .pushes
            .get_mut(push)
            .ok_or_else(missing)?;
        if matches!(push.status, Status::Error(_)) {
            return Err(Refusal::invalid(
                "status",
                "status: A mapping in error cannot be changed",
            ));
        }
        if mem::replace(&mut push.status, status.clone()) != status {
            push.updated = call.now;
        }
        Ok(Reply::ok(push.document(app, host)))
    }

    fn delete_push(&mut self, call: &Call<'_>, app: &str, push: &str) -> Result<Reply, Refusal> {
        call.allow_only(&["deleteTargetGroup"])?;
        if call.parameter("deleteTargetGroup").is_none() {
            return Err(Refusal::blank("deleteTargetGroup"));
        }
        let delete_target = call.bool_parameter("deleteTargetGroup", false)?;
        let instance = self.app_mut(app)?;
        let missing = || Refusal::not_found(push, "GroupPushMapping");
        if instance.pushes.get(push).ok_or_else(missing)?.status == Status::Active {
            return Err(Refusal::invalid(
                "status",
                "status: The mapping must be inactive to be deleted",
            ));
        }
        let removed = instance.pushes.remove(push);
        if let Some(removed) = removed {
            self.removed_pushes.push(RemovedPush {
                push: removed.id,
                delete_target,
            });
            if delete_target {
                self.groups.remove(&removed.target);
            }
        }
        // The reference documents 204, but the service answers 200 with an empty body.
        Ok(Reply::empty(StatusCode::OK))
    }
}
