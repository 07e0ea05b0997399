//! The services with the JSON protocol: a table of operations for each, and one kind of call.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::caller::Caller;
use super::cloud::Cloud;
use super::organizations::SSO;
use super::page::{BadToken, Page};
use super::params::{Params, Rule};
use super::reply::Refusal;

/// A service with the JSON 1.1 protocol.
#[derive(Debug)]
pub(super) struct JsonService {
    /// The name in the AWS CLI.
    pub(super) name: &'static str,
    /// The name in the scope of a signature.
    pub(super) signing_name: &'static str,
    /// The prefix of `X-Amz-Target`.
    pub(super) target: &'static str,
    /// The operations.
    pub(super) operations: &'static [ApiOperation],
    /// Rejects a call before its members are read.
    pub(super) admit: fn(&mut Call<'_>) -> Result<(), Refusal>,
    /// The service's code for a violation of the service model.
    pub(super) validation_code: &'static str,
    pub(super) paging: JsonPaging,
}

/// The rules for the lists of a service.
#[derive(Debug)]
pub(super) struct JsonPaging {
    /// The default and the maximum number of items on a page (`MaxResults`).
    pub(super) max: usize,
    /// The constraints on `NextToken`.
    pub(super) token: &'static Rule,
    /// Returns the error for a token that the list did not issue.
    pub(super) bad_token: fn() -> Refusal,
    /// Whether a list with several pages has an empty page.
    pub(super) empty_page: bool,
}

/// An operation of a service.
#[derive(Debug)]
pub(super) struct ApiOperation {
    /// The name, such as `ListUsers`.
    pub(super) name: &'static str,
    pub(super) access: Access,
    run: Handler,
}

/// The kind of access that an operation needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Access {
    /// Returns the pages of a list.
    List,
    /// Reads without pages.
    Read,
    /// Changes data.
    Write,
}

/// The implementation of an operation.
type Handler = fn(&mut Call<'_>) -> Result<Value, Refusal>;

impl ApiOperation {
    /// Returns whether the operation changes nothing.
    pub(super) fn reads(&self) -> bool {
        self.access != Access::Write
    }

    const fn new(name: &'static str, access: Access, run: Handler) -> Self {
        Self { name, access, run }
    }
}

/// Returns an operation that returns the pages of a list.
pub(super) const fn list(name: &'static str, run: Handler) -> ApiOperation {
    ApiOperation::new(name, Access::List, run)
}

/// Returns an operation that reads without pages.
pub(super) const fn read(name: &'static str, run: Handler) -> ApiOperation {
    ApiOperation::new(name, Access::Read, run)
}

/// Returns an operation that changes data.
pub(super) const fn write(name: &'static str, run: Handler) -> ApiOperation {
    ApiOperation::new(name, Access::Write, run)
}

impl JsonService {
    /// Returns the operation with a name.
    pub(super) fn operation(&self, name: &str) -> Option<&ApiOperation> {
        let mut operations = self.operations.iter();
        operations.find(|operation| operation.name == name)
    }
}

/// A call of an operation.
#[derive(Debug)]
pub(super) struct Call<'c> {
    pub(super) service: &'static JsonService,
    pub(super) cloud: &'c mut Cloud,
    pub(super) caller: &'c Caller,
    pub(super) now: Timestamp,
    pub(super) operation: &'static ApiOperation,
    pub(super) params: &'c Params<'c>,
}

impl Call<'_> {
    /// Runs the operation.
    pub(super) fn run(&mut self) -> Result<Value, Refusal> {
        (self.service.admit)(self)?;
        self.authorize()?;
        if self.operation.access == Access::List {
            // AWS checks all members of a request before it looks for the resource.
            let paging = &self.service.paging;
            self.params.page_request(paging.max as u64, paging.token);
        }
        (self.operation.run)(self)
    }

    /// Checks the members read so far against the service model.
    pub(super) fn check(&self) -> Result<(), Refusal> {
        self.params
            .check()
            .map_err(|refusal| refusal.renamed("ValidationException", self.service.validation_code))
    }

    /// Returns the requested page of a short list, whose items have ascending positions.
    pub(super) fn page<T>(
        &self,
        items: impl IntoIterator<Item = (u64, T)>,
        scope: &str,
    ) -> Result<Page<T>, Refusal> {
        self.page_from(scope, |first| {
            items
                .into_iter()
                .skip_while(move |(position, _)| *position < first)
        })
    }

    /// Returns the requested page of a list. `items` returns the items from a position on, with ascending positions.
    pub(super) fn page_from<T, I: IntoIterator<Item = (u64, T)>>(
        &self,
        scope: &str,
        items: impl FnOnce(u64) -> I,
    ) -> Result<Page<T>, Refusal> {
        debug_assert_eq!(self.operation.access, Access::List, "{:?}", self.operation);
        let paging = &self.service.paging;
        let request = self.params.page_request(paging.max as u64, paging.token);
        self.check()?;
        let scope = format!("{}/{scope}", self.operation.name);
        let pages = self.cloud.pages;
        let page = if paging.empty_page {
            pages.paginate_with_empty_page(items, &scope, &request, paging.max)
        } else {
            pages.paginate(items, &scope, &request, paging.max)
        };
        page.map_err(|BadToken| (paging.bad_token)())
    }

    /// Returns whether the caller administers Identity Center: from the management account or as a delegated
    /// administrator, or from the account that has an account instance.
    pub(super) fn may_administer(&self) -> bool {
        if let Some(center) = &self.cloud.center
            && center.is_account_instance()
        {
            return self.caller.administers && self.caller.account == center.owner;
        }
        let organization = &self.cloud.organization;
        self.caller.administers
            && (self.is_management() || organization.is_delegated(&self.caller.account, SSO))
    }

    /// Returns whether the caller is in the management account.
    pub(super) fn is_management(&self) -> bool {
        self.caller.account == self.cloud.organization.management
    }
}

/// Returns a list response with the items under `name`.
pub(super) fn list_response<T: Into<Value>>(name: &str, page: Page<T>) -> Value {
    let items: Vec<Value> = page.items.into_iter().map(Into::into).collect();
    let mut response = json!({ name: items });
    if let Some(next) = page.next {
        response["NextToken"] = next.into();
    }
    response
}
