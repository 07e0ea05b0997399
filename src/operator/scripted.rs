//! An operator that is a function, for tests and for tools with their own user interface.

use std::{fmt, sync::Arc};

use futures::future::BoxFuture;

use super::{Answers, ManualStep, Operator, OperatorError};

type Script =
    dyn Fn(ManualStep) -> BoxFuture<'static, Result<Answers, OperatorError>> + Send + Sync;

/// An operator whose answers come from a function.
#[derive(Clone)]
pub struct ScriptedOperator {
    script: Arc<Script>,
}

impl ScriptedOperator {
    /// Creates an operator that returns the result of the function's future.
    pub fn new<F, A>(script: F) -> Self
    where
        F: Fn(ManualStep) -> A + Send + Sync + 'static,
        A: Future<Output = Result<Answers, OperatorError>> + Send + 'static,
    {
        Self {
            script: Arc::new(move |manual_step| Box::pin(script(manual_step))),
        }
    }
}

impl Operator for ScriptedOperator {
    fn ask<'a>(
        &'a self,
        manual_step: &'a ManualStep,
    ) -> BoxFuture<'a, Result<Answers, OperatorError>> {
        (self.script)(manual_step.clone())
    }
}

impl fmt::Debug for ScriptedOperator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ScriptedOperator")
    }
}
