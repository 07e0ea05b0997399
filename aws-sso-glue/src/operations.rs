//! The status of asynchronous writes.

use aws_sdk_ssoadmin::types::StatusValues;
use serde::{Deserialize, Serialize};

use crate::{Error, service::Service};

/// The status of an asynchronous write.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum OperationStatus {
    /// AWS is still carrying out the write. Read the status again in a few seconds.
    InProgress,
    /// The write is done.
    Succeeded,
    /// The write failed.
    Failed {
        /// AWS's reason, if AWS returned one.
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
                let text = other.map_or("missing", StatusValues::as_str);
                let problem = format!("the response's Status is {text}");
                Err(Error::invalid_response(
                    Service::SsoAdmin,
                    operation,
                    problem,
                ))
            }
        }
    }
}
