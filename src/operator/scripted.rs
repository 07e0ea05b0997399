//! An operator that is a function: for tests, for rehearsals, and for tools that have their own way to ask.

use std::{fmt, sync::Arc};

use futures::future::BoxFuture;

use super::{Answers, HandOff, Operator, OperatorError};

type Script = dyn Fn(HandOff) -> BoxFuture<'static, Result<Answers, OperatorError>> + Send + Sync;

/// An operator whose answers come from a function.
#[derive(Clone)]
pub struct ScriptedOperator {
    script: Arc<Script>,
}

impl ScriptedOperator {
    /// An operator that answers with what the function's future returns.
    pub fn new<F, A>(script: F) -> Self
    where
        F: Fn(HandOff) -> A + Send + Sync + 'static,
        A: Future<Output = Result<Answers, OperatorError>> + Send + 'static,
    {
        Self {
            script: Arc::new(move |handoff| Box::pin(script(handoff))),
        }
    }
}

impl Operator for ScriptedOperator {
    fn ask<'a>(&'a self, handoff: &'a HandOff) -> BoxFuture<'a, Result<Answers, OperatorError>> {
        (self.script)(handoff.clone())
    }
}

impl fmt::Debug for ScriptedOperator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ScriptedOperator")
    }
}
