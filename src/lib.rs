#![doc = include_str!("../README.md")]

pub mod blueprint;
pub mod operator;
pub mod plan;
pub mod report;
#[cfg(feature = "samael")]
pub mod saml_response;
pub mod state;
pub mod steps;
pub mod sync;

mod error;
mod event;
mod guard;
mod pipeline;
mod resolved_scope;
mod service_response;
mod step;

pub use aws_sso_glue as aws;
pub use okta_client as okta;
pub use saml_metadata as saml;
pub use scim_client as scim;

pub use blueprint::Blueprint;
pub use error::{Error, ErrorKind, Result, ServiceError, ServiceResponse};
pub use event::Event;
pub use guard::Guard;
pub use operator::Operator;
pub use pipeline::{Pipeline, Report, Verification, WaitPolicy};
pub use plan::Plan;
pub use report::AccessReport;
pub use resolved_scope::{GroupWithMembers, ResolvedScope, profile_violations};
pub use state::{State, StateStore};
pub use step::{Applied, Check, CheckOutcome, Context, Planned, Step, Waiting};
