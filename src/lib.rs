#![doc = include_str!("../README.md")]

pub mod access;
pub mod blueprint;
pub mod drift;
pub mod guard;
pub mod operator;
pub mod plan;
#[cfg(feature = "saml-fetch")]
pub mod saml_fetch;
pub mod saml_response;
pub mod state;
pub mod steps;
pub mod sync;

mod aws_app;
mod aws_user_name;
mod batch;
mod context;
mod document;
mod error;
mod event;
mod outcome;
mod pipeline;
mod policy_document;
mod resolved_scope;
pub mod rights;
#[cfg(feature = "s3")]
mod s3;
mod service_response;
mod step;
mod text;
mod token_age;
mod user_attribute;
mod utc_day;

pub use aws_sso_glue as aws;
pub use okta_client as okta;
pub use saml_metadata as saml;
pub use scim_client as scim;

// The types in the signatures of this crate, so that a caller needs no other crate in the same version.
pub use futures::{Stream, future::BoxFuture};
pub use rest_core::{Clock, Hold, ManualClock, Reachability, Secret, SystemClock};

/// The crates of other authors whose types are in the signatures of this crate.
pub mod deps {
    pub use aws_sso_glue::aws_config;
    pub use futures;
    pub use jiff;
    pub use object_store;
    pub use reqwest;
    pub use schemars;
    pub use serde_json;
    pub use url;
}

pub use access::{AccessQuery, AccessReport, AccessSnapshot};
pub use batch::{Batch, Waiting};
pub use blueprint::Blueprint;
pub use context::Context;
pub use document::{Access, AccessHeader, Document, Formatted};
pub use drift::{Drift, DriftFinding, Severity};
pub use error::{Error, ErrorKind, Result, ServiceError, ServiceResponse};
pub use event::{Event, EventKind, ReadPart};
pub use guard::Guard;
pub use operator::Operator;
pub use outcome::{Cause, ChangeResult, CompleteReport, Outcome, Report};
pub use pipeline::{Pipeline, Verification, WaitPolicy};
pub use plan::{Plan, Problem, Subject};
pub use resolved_scope::{GroupWithMembers, ResolvedScope, profile_violations};
pub use state::{State, StateLock, StateStore};
pub use step::{Applied, Check, CheckOutcome, Planned, Step};
pub use token_age::TokenAge;
