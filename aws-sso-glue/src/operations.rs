//! Writes that AWS carries out in its own time.

use aws_sdk_ssoadmin::types::StatusValues;
use serde::{Deserialize, Serialize};

use crate::{Error, service::Service};

/// How far an asynchronous write has come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum OperationStatus {
    /// Still being carried out; ask again in some seconds.
    InProgress,
    /// Done.
    Succeeded,
    /// Given up by AWS.
    Failed {
        /// AWS's words, which it does not always find.
        reason: Option<String>,
    },
}

impl OperationStatus {
    pub(crate) fn read(
        operation: &'static str,
        status: Option<&StatusValues>,
        reason: Option<String>,
    ) -> Result<Self, Error> {
        match status {
            Some(StatusValues::InProgress) => Ok(Self::InProgress),
            Some(StatusValues::Succeeded) => Ok(Self::Succeeded),
            Some(StatusValues::Failed) => Ok(Self::Failed { reason }),
            other => {
                let text = other.map_or("nothing", StatusValues::as_str);
                let problem = format!("the answer's Status is {text}");
                Err(Error::unreadable(Service::SsoAdmin, operation, problem))
            }
        }
    }
}
