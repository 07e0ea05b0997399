//! The list of the steps of a pipeline.

use std::fmt;

use crate::{
    error::{Error, ErrorKind, Result},
    plan::StepId,
    step::Step,
};

/// The steps of a pipeline, in order.
#[derive(Default)]
pub struct Steps(Vec<Box<dyn Step>>);

impl Steps {
    /// Creates an empty list.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a step at the end.
    pub fn push(&mut self, step: impl Step + 'static) {
        self.0.push(Box::new(step));
    }

    /// Inserts a step before the step with this id.
    ///
    /// # Errors
    ///
    /// Fails if the list has no step with this id, or if it already has a step with the id of the new one.
    pub fn insert_before(self, id: &StepId, step: impl Step + 'static) -> Result<Self> {
        self.insert(id, 0, Box::new(step))
    }

    /// Inserts a step after the step with this id.
    ///
    /// # Errors
    ///
    /// Fails if the list has no step with this id, or if it already has a step with the id of the new one.
    pub fn insert_after(self, id: &StepId, step: impl Step + 'static) -> Result<Self> {
        self.insert(id, 1, Box::new(step))
    }

    /// Leaves out the step with this id. A list without such a step stays as it is.
    #[must_use]
    pub fn without(mut self, id: &StepId) -> Self {
        self.0.retain(|step| step.id() != *id);
        self
    }

    /// Returns the ids of the steps, in order.
    pub fn ids(&self) -> impl Iterator<Item = StepId> {
        self.0.iter().map(|step| step.id())
    }

    /// Returns the steps, in order.
    pub fn iter(&self) -> impl Iterator<Item = &dyn Step> {
        self.0.iter().map(AsRef::as_ref)
    }

    fn insert(mut self, id: &StepId, offset: usize, step: Box<dyn Step>) -> Result<Self> {
        let invalid = |summary: String| Err(Error::new(ErrorKind::Pipeline, summary));
        let new = step.id();
        if self.ids().any(|id| id == new) {
            return invalid(format!("the list of steps already has a step {new}"));
        }
        let Some(index) = self.ids().position(|step| step == *id) else {
            let ids: Vec<String> = self.ids().map(|id| id.to_string()).collect();
            return invalid(format!(
                "step {new} cannot be inserted beside step {id}: the steps are {}",
                ids.join(", ")
            ));
        };
        self.0.insert(index + offset, step);
        Ok(self)
    }
}

impl From<Vec<Box<dyn Step>>> for Steps {
    fn from(steps: Vec<Box<dyn Step>>) -> Self {
        Self(steps)
    }
}

impl<S: Step + 'static> From<S> for Steps {
    fn from(step: S) -> Self {
        Self(vec![Box::new(step)])
    }
}

impl FromIterator<Box<dyn Step>> for Steps {
    fn from_iter<I: IntoIterator<Item = Box<dyn Step>>>(steps: I) -> Self {
        Self(steps.into_iter().collect())
    }
}

impl fmt::Debug for Steps {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list()
            .entries(self.ids().map(|id| id.to_string()))
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use futures::future::BoxFuture;

    use super::*;
    use crate::{
        context::Context,
        plan::Change,
        step::{Applied, Planned},
    };

    struct Named(&'static str);

    impl Step for Named {
        fn id(&self) -> StepId {
            StepId::new(self.0)
        }

        fn title(&self) -> String {
            String::new()
        }

        fn plan<'a>(&'a self, _: &'a Context) -> BoxFuture<'a, Result<Planned>> {
            Box::pin(std::future::ready(Ok(Planned::nothing())))
        }

        fn apply<'a>(&'a self, _: &'a Change, _: &'a Context) -> BoxFuture<'a, Result<Applied>> {
            Box::pin(std::future::ready(Ok(Applied::Done)))
        }
    }

    const B: StepId = StepId::new("b");

    fn steps() -> Steps {
        let mut steps = Steps::new();
        for id in ["a", "b", "c"] {
            steps.push(Named(id));
        }
        steps
    }

    #[test]
    fn a_step_is_inserted_beside_the_step_with_the_id() {
        let steps = steps()
            .insert_before(&B, Named("x"))
            .and_then(|steps| steps.insert_after(&B, Named("y")))
            .expect("a list");
        assert_eq!(format!("{steps:?}"), r#"["a", "x", "b", "y", "c"]"#);
        assert_eq!(
            format!("{:?}", steps.without(&B)),
            r#"["a", "x", "y", "c"]"#
        );
    }

    #[test]
    fn an_unknown_neighbor_and_a_second_step_of_one_id_are_errors() {
        let error = steps()
            .insert_after(&StepId::new("z"), Named("x"))
            .expect_err("an unknown id");
        assert_eq!(
            error.to_string(),
            "step x cannot be inserted beside step z: the steps are a, b, c"
        );
        let error = steps().insert_after(&B, Named("c")).expect_err("a twin");
        assert_eq!(error.to_string(), "the list of steps already has a step c");
    }
}
