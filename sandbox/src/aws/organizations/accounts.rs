//! The life of accounts: creation, moving and closure.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::tree::{Account, AccountIx, Organization};
use super::{account_not_found, tags};
use crate::aws::call::Call;
use crate::aws::ids::Ids;
use crate::aws::later;
use crate::aws::reply::{Refusal, epoch};
use crate::aws::rules::{
    ACCOUNT_EMAIL, ACCOUNT_ID, ACCOUNT_NAME, CREATION_ID, PARENT_ID, POLICY_NAME,
};
use crate::aws::seed::AccountSeed;
use crate::clock::signed;

/// The creation of an account.
#[derive(Debug)]
struct Creation {
    id: String,
    account: AccountSeed,
    requested: Timestamp,
    due: Timestamp,
    /// The id of the account, or the reason of the failure; `None` while the creation is in progress.
    ended: Option<Result<String, &'static str>>,
}

/// The creations and closures of accounts.
#[derive(Debug, Default)]
pub(super) struct Changes {
    creations: Vec<Creation>,
    closures: Vec<(Timestamp, AccountIx)>,
}

/// Starts the closure of an account, which is `PENDING_CLOSURE` until it is `CLOSED`. Its assignments remain.
pub(super) fn close(call: &mut Call<'_>) -> Result<Value, Refusal> {
    let id = call.params.text("AccountId", &ACCOUNT_ID);
    call.check()?;
    let due = later(call.now, signed(call.cloud.operation_delay));
    let organization = &mut call.cloud.organization;
    let ix = organization.account_ix(&id).ok_or_else(account_not_found)?;
    if id == organization.management {
        return Err(Refusal::new(
            "ConstraintViolationException",
            "You can't close the management account.",
        )
        .with("Reason", "CANNOT_CLOSE_MANAGEMENT_ACCOUNT"));
    }
    let account = organization.account_at_mut(ix);
    match account.state.as_str() {
        "CLOSED" => Err(Refusal::new(
            "AccountAlreadyClosedException",
            "You attempted to close an account that is already closed.",
        )),
        "PENDING_CLOSURE" => Err(Refusal::conflict(
            "The request failed because it conflicts with the current state of the specified resource.",
        )),
        _ => {
            "PENDING_CLOSURE".clone_into(&mut account.state);
            organization.changes.closures.push((due, ix));
            Ok(Value::Null)
        }
    }
}

/// Moves an account from its parent to another one.
pub(super) fn move_account(call: &mut Call<'_>) -> Result<Value, Refusal> {
    let params = call.params;
    let id = params.text("AccountId", &ACCOUNT_ID);
    let source = params.text("SourceParentId", &PARENT_ID);
    let destination = params.text("DestinationParentId", &PARENT_ID);
    call.check()?;
    let organization = &mut call.cloud.organization;
    let ix = organization.account_ix(&id).ok_or_else(account_not_found)?;
    let parent = organization.account_at(ix).parent;
    if organization.parent(&source) != Some(parent) {
        return Err(Refusal::new(
            "SourceParentNotFoundException",
            "We can't find a source root or OU with the ParentId that you specified.",
        ));
    }
    let destination = organization.parent(&destination).ok_or_else(|| {
        Refusal::new(
            "DestinationParentNotFoundException",
            "We can't find the destination container (a root or OU) with the ParentId that you specified.",
        )
    })?;
    if destination == parent {
        return Err(Refusal::new(
            "DuplicateAccountException",
            "That account is already present in the specified destination.",
        ));
    }
    organization.move_to(ix, destination);
    Ok(Value::Null)
}

/// Starts the creation of an account. The account appears in the root when the creation has succeeded.
pub(super) fn create(call: &mut Call<'_>) -> Result<Value, Refusal> {
    let params = call.params;
    let email = params.text("Email", &ACCOUNT_EMAIL);
    let name = params.text("AccountName", &ACCOUNT_NAME);
    params.text_opt("RoleName", &POLICY_NAME);
    params.choice_opt("IamUserAccessToBilling", &["ALLOW", "DENY"]);
    let tags = tags(&params.structures_opt("Tags", 0, 50).unwrap_or_default());
    call.check()?;
    let id = format!("car-{}", call.cloud.ids.hex("account creation", &email, 32));
    let creation = Creation {
        id,
        requested: call.now,
        due: later(call.now, signed(call.cloud.operation_delay)),
        account: AccountSeed {
            email,
            tags,
            ..AccountSeed::new("", &name, "")
        },
        ended: None,
    };
    let json = creation.to_json();
    call.cloud.organization.changes.creations.push(creation);
    Ok(json!({ "CreateAccountStatus": json }))
}

pub(super) fn describe_creation(call: &mut Call<'_>) -> Result<Value, Refusal> {
    let id = call.params.text("CreateAccountRequestId", &CREATION_ID);
    call.check()?;
    let creations = &call.cloud.organization.changes.creations;
    let creation = creations.iter().find(|creation| creation.id == id);
    let creation = creation.ok_or_else(|| {
        Refusal::new(
            "CreateAccountStatusNotFoundException",
            "We can't find an create account request with the CreateAccountRequestId that you specified.",
        )
    })?;
    Ok(json!({ "CreateAccountStatus": creation.to_json() }))
}

impl Creation {
    fn to_json(&self) -> Value {
        let mut json = json!({
            "Id": self.id,
            "AccountName": self.account.name,
            "State": "IN_PROGRESS",
            "RequestedTimestamp": epoch(self.requested),
        });
        if let Some(ended) = &self.ended {
            let (state, member, value) = match ended {
                Ok(account) => ("SUCCEEDED", "AccountId", account.as_str()),
                Err(reason) => ("FAILED", "FailureReason", *reason),
            };
            json["State"] = state.into();
            json[member] = value.into();
            json["CompletedTimestamp"] = epoch(self.due);
        }
        json
    }
}

impl Organization {
    /// Completes the creations and closures that are due.
    pub(crate) fn complete_due_changes(&mut self, ids: &mut Ids, now: Timestamp) {
        let Changes {
            mut creations,
            closures,
        } = std::mem::take(&mut self.changes);
        let (due, closures) = closures.into_iter().partition(|(due, _)| *due <= now);
        self.changes.closures = closures;
        for (_, account) in Vec::from_iter(due) {
            "CLOSED".clone_into(&mut self.account_at_mut(account).state);
        }
        for creation in &mut creations {
            if creation.ended.is_none() && creation.due <= now {
                creation.ended = Some(self.add_created(creation, ids));
            }
        }
        self.changes.creations = creations;
    }

    fn add_created(&mut self, creation: &Creation, ids: &mut Ids) -> Result<String, &'static str> {
        let email = &creation.account.email;
        let first = AccountIx::default();
        let taken = |(_, account): (AccountIx, &Account)| account.email == *email;
        if self.accounts(first).any(taken) {
            return Err("EMAIL_ALREADY_EXISTS");
        }
        let digits = ids.hex("account", email, 12);
        let number = u64::from_str_radix(&digits, 16).expect("the digits are hexadecimal");
        let id = format!("{:012}", 300_000_000_000 + number % 600_000_000_000);
        let account = AccountSeed {
            id: id.clone(),
            ..creation.account.clone()
        };
        self.add(&account, None, creation.due);
        Ok(id)
    }
}
