//! `/api/v1/users/{id}/lifecycle`: the transitions between the statuses of a user, and the credentials.

use http::StatusCode;
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::{
    Org,
    query::Call,
    reply::{Refusal, Reply},
    users::User,
};
use crate::company::PersonStatus::{
    self, Active, Deprovisioned, LockedOut, PasswordExpired, Provisioned, Recovery, Staged,
    Suspended,
};

impl User {
    /// Returns the status of a user right after the activation.
    ///
    /// A user without a password and without another provider has to follow the link of the activation first.
    pub(super) fn status_after_activation(&self) -> PersonStatus {
        if self.has_password || self.provider["type"] != "OKTA" {
            Active
        } else {
            Provisioned
        }
    }

    /// Returns the links of the operations that the status allows: the relation, and the name in the path.
    pub(super) fn allowed_links(&self) -> &'static [(&'static str, &'static str)] {
        const RESET: (&str, &str) = ("resetPassword", "reset_password");
        const EXPIRE: (&str, &str) = ("expirePassword", "expire_password");
        const DEACTIVATE: (&str, &str) = ("deactivate", "deactivate");
        const REACTIVATE: (&str, &str) = ("reactivate", "reactivate");
        match self.status {
            Active => &[("suspend", "suspend"), RESET, EXPIRE, DEACTIVATE],
            Staged => &[("activate", "activate"), DEACTIVATE],
            Deprovisioned => &[("activate", "activate")],
            Provisioned => &[REACTIVATE, RESET, DEACTIVATE],
            Recovery => &[REACTIVATE, RESET, EXPIRE, DEACTIVATE],
            PasswordExpired => &[RESET, EXPIRE, DEACTIVATE],
            LockedOut => &[("unlock", "unlock"), RESET, EXPIRE, DEACTIVATE],
            Suspended => &[("unsuspend", "unsuspend"), DEACTIVATE],
            PersonStatus::Other(_) => &[],
        }
    }

    /// Applies the member `credentials` of a request.
    pub(super) fn set_credentials(
        &mut self,
        body: &Map<String, Value>,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        let Some(credentials) = body.get("credentials") else {
            return Ok(());
        };
        if let Some(provider @ Value::Object(_)) = credentials.get("provider") {
            self.provider = provider.clone();
        }
        let password = &credentials["password"];
        let has_other_form = password["hash"].is_object() || password["hook"].is_object();
        if let Some(password) = password["value"].as_str() {
            // Source: the default password policy, "minimum length 8".
            if password.chars().count() < 8 {
                let summary = "Update of credentials failed";
                return Err(
                    Refusal::new(StatusCode::FORBIDDEN, "E0000014", summary).with_cause(
                        "Password requirements were not met. Password requirements: at least 8 characters.",
                    ),
                );
            }
        }
        if has_other_form || password["value"].is_string() {
            self.has_password = true;
            self.password_changed = Some(now);
        }
        if let Some(question) = credentials["recovery_question"]["question"].as_str() {
            self.recovery_question = Some(question.to_owned());
        }
        Ok(())
    }
}

impl Org {
    pub(super) fn user_lifecycle(
        &mut self,
        call: &Call<'_>,
        name: &str,
        verb: &str,
    ) -> Result<Reply, Refusal> {
        let user = self.user(name)?;
        let (id, status) = (user.id.clone(), user.status);
        let activated = user.status_after_activation();
        let allowed = match verb {
            "suspend" | "unsuspend" | "unlock" | "expire_password" => &[][..],
            "activate" | "deactivate" | "reactivate" => &["sendEmail"],
            "reset_password" | "expire_password_with_temp_password" => {
                &["sendEmail", "revokeSessions"]
            }
            _ => return Err(Refusal::not_found(call.path, "Endpoint")),
        };
        call.allow_only(allowed)?;
        let (new, event) = match (verb, status) {
            ("activate", Staged | Deprovisioned) => (activated, "user.lifecycle.activate"),
            ("activate", _) => {
                let summary = "Activation failed because the user is already active";
                return Err(Refusal::new(StatusCode::FORBIDDEN, "E0000016", summary));
            }
            ("deactivate", status) if status != Deprovisioned => {
                (Deprovisioned, "user.lifecycle.deactivate")
            }
            ("reactivate", Provisioned | Recovery) => (Provisioned, "user.lifecycle.reactivate"),
            ("suspend", Active) => (Suspended, "user.lifecycle.suspend"),
            ("unsuspend", Suspended) => (Active, "user.lifecycle.unsuspend"),
            // Source: the description of E0000001 in Okta's list of error codes names this case.
            ("suspend", _) => {
                return Err(not_in_status("Cannot suspend a user that is not active"));
            }
            ("unsuspend", _) => {
                return Err(not_in_status(
                    "Cannot unsuspend a user that is not suspended",
                ));
            }
            ("unlock", LockedOut) => (Active, "user.account.unlock_by_admin"),
            ("unlock", _) => {
                let summary = "Unlock is not allowed for this user.";
                return Err(Refusal::new(StatusCode::FORBIDDEN, "E0000032", summary));
            }
            ("reset_password", _) if call.parameter("sendEmail").is_none() => {
                return Err(Refusal::missing_parameter("sendEmail"));
            }
            ("reset_password", Active | Provisioned | Recovery | PasswordExpired | LockedOut) => {
                (Recovery, "user.account.reset_password")
            }
            (
                "expire_password" | "expire_password_with_temp_password",
                Active | Recovery | PasswordExpired | LockedOut,
            ) => (PasswordExpired, "user.account.expire_password"),
            _ => return Err(Refusal::user_status()),
        };
        let sends_email = call.bool_parameter("sendEmail", verb == "activate")?;
        self.set_user_status(&id, new, call.now);
        self.log_user(call.now, event, &id);
        let host = &call.host;
        let token = self.ids.opaque(20);
        Ok(Reply::ok(match verb {
            "activate" | "reactivate" if !sends_email => json!({
                "activationUrl": format!("http://{host}/tokens/{token}/verify"),
                "activationToken": token,
            }),
            "reset_password" if !sends_email => {
                json!({ "resetPasswordUrl": format!("http://{host}/reset_password/{token}") })
            }
            "expire_password" => self.user_by_id(&id)?.full_document(host),
            "expire_password_with_temp_password" => json!({ "tempPassword": &token[..8] }),
            _ => json!({}),
        }))
    }
}

fn not_in_status(reason: &str) -> Refusal {
    let summary = format!("Api validation failed: {reason}");
    Refusal::new(StatusCode::BAD_REQUEST, "E0000001", summary)
}
