//! The [`Context`]: what a step gets in addition to its own configuration.

use std::{
    any::{Any, TypeId},
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, MutexGuard, OnceLock},
    time::Duration,
};

use aws_sso_glue::InstanceArn;
use futures::future::BoxFuture;
use rest_core::Clock;
use serde::{Serialize, de::DeserializeOwned};
use tokio::sync::OnceCell;

use crate::{
    error::{Error, ErrorKind, Result},
    event::{Emitter, EventKind, ReadPart},
    operator::{Answers, ManualStep, Operator, OperatorError},
    plan::StepId,
    state::{Facts, KeptReads, Ledger, OtherLedgers, StateStore, now},
};

/// The input of a step in addition to its own configuration: facts, operator and clock.
///
/// One context lives as long as one `plan`, `apply` or `verify`. Data that several steps need is read once.
///
/// # Memory of a step
///
/// A step object holds configuration and no data of a run. A step of another crate has two memories:
///
/// - [`memory`](Self::memory) and [`remember`](Self::remember): a small JSON value that is saved with the state and that
///   the next run gets.
/// - [`run_memory`](Self::run_memory): a value of any type that lives as long as the context, such as an operation in
///   progress.
pub struct Context {
    draft: Mutex<Draft>,
    /// The facts that the state had at the start.
    facts_at_start: Facts,
    operator: Arc<dyn Operator>,
    clock: Arc<dyn Clock>,
    /// The elapsed time of the clock at the start.
    started: Duration,
    run_memory: Memory,
    shared_reads: Arc<Memory>,
    /// The store of the state, beside which a long read keeps its finished parts.
    store: Option<StateStore>,
    /// Saves the state; only during an apply.
    saver: OnceLock<Box<dyn Saver>>,
    /// The events of the plan, the run or the check.
    events: OnceLock<Arc<Emitter>>,
    ledger: Mutex<LedgerDraft>,
    /// The ledgers of other blueprints in the same store, once they were read.
    other_ledgers: OnceCell<OtherLedgers>,
}

/// The ledger of the blueprint as the run has changed it.
#[derive(Default)]
struct LedgerDraft {
    /// The name of the blueprint, and the file beside the state.
    blueprint: String,
    file: Arc<str>,
    ledger: Option<Arc<Ledger>>,
    is_unsaved: bool,
}

/// Values of any type, by their type.
#[derive(Default)]
pub(crate) struct Memory {
    values: Mutex<HashMap<TypeId, Arc<dyn Any + Send + Sync>>>,
    /// The elapsed time of the clock at the end of the last plan, run or check that used the values.
    used: Mutex<Option<Duration>>,
}

impl Memory {
    /// Returns the value of this type. The first call creates it.
    fn get<T: Default + Send + Sync + 'static>(&self) -> Arc<T> {
        let value = Arc::clone(
            lock(&self.values)
                .entry(TypeId::of::<T>())
                .or_insert_with(|| Arc::new(T::default())),
        );
        value
            .downcast()
            .expect("the key of a value is the id of its type")
    }

    pub(crate) fn clear(&self) {
        lock(&self.values).clear();
        *lock(&self.used) = None;
    }

    /// Records that a plan, run or check that used the values has ended.
    pub(crate) fn set_used(&self, now: Duration) {
        *lock(&self.used) = Some(now);
    }
}

/// Saves what a context has changed.
pub(crate) trait Saver: Send + Sync {
    /// Saves the facts and the side files if something has changed since the last save.
    fn save<'a>(&'a self, cx: &'a Context) -> BoxFuture<'a, Result<()>>;
}

/// The facts and side files as the run has changed them.
#[derive(Default)]
struct Draft {
    facts: Facts,
    files: BTreeMap<&'static str, SideFile>,
}

/// A file beside the state.
#[derive(Clone)]
struct SideFile {
    bytes: Arc<[u8]>,
    saved: bool,
}

impl Context {
    /// Creates a context that starts with these facts.
    #[must_use]
    pub fn new(facts: Facts, operator: Arc<dyn Operator>, clock: Arc<dyn Clock>) -> Self {
        Self {
            facts_at_start: facts.clone(),
            draft: Mutex::new(Draft {
                facts,
                files: BTreeMap::new(),
            }),
            operator,
            started: clock.elapsed(),
            clock,
            run_memory: Memory::default(),
            shared_reads: Arc::default(),
            store: None,
            saver: OnceLock::new(),
            events: OnceLock::new(),
            ledger: Mutex::default(),
            other_ledgers: OnceCell::new(),
        }
    }

    /// Calls `read` with the facts, and returns its result.
    pub fn facts<T>(&self, read: impl FnOnce(&Facts) -> T) -> T {
        read(&self.draft().facts)
    }

    /// Calls `write` with the facts to change them, and returns its result.
    pub fn update_facts<T>(&self, write: impl FnOnce(&mut Facts) -> T) -> T {
        write(&mut self.draft().facts)
    }

    /// Returns the facts that the context started with.
    pub(crate) fn facts_at_start(&self) -> &Facts {
        &self.facts_at_start
    }

    /// Returns a copy of all facts.
    #[must_use]
    pub fn all_facts(&self) -> Facts {
        self.draft().facts.clone()
    }

    /// Returns the saved memory of a step, or `None` if the step has saved none.
    ///
    /// # Errors
    ///
    /// Fails if the saved value is not a `T`.
    pub fn memory<T: DeserializeOwned>(&self, step: &StepId) -> Result<Option<T>> {
        let Some(value) = self.facts(|facts| facts.memory.get(step).cloned()) else {
            return Ok(None);
        };
        serde_json::from_value(value).map(Some).map_err(|error| {
            Error::new(
                ErrorKind::State,
                format!("the saved memory of step {step} is not of the expected type"),
            )
            .with_source(error)
            .with_help("remove the entry `memory` of this step from state.json, or read it as the type that wrote it")
        })
    }

    /// Sets the memory of a step. The value is saved with the state as JSON, and must not contain a secret.
    ///
    /// # Errors
    ///
    /// Fails if the value has no JSON form, or if its JSON has more than 64 KiB.
    pub fn remember<T: Serialize + ?Sized>(&self, step: &StepId, memory: &T) -> Result<()> {
        let failed = |why: String| {
            Error::new(
                ErrorKind::State,
                format!("the memory of step {step} cannot be saved: {why}"),
            )
        };
        let value = serde_json::to_value(memory).map_err(|error| failed(error.to_string()))?;
        let size = value.to_string().len();
        if size > MAX_MEMORY {
            return Err(failed(format!(
                "it has {size} bytes of JSON, and the limit is {MAX_MEMORY}"
            )));
        }
        self.update_facts(|facts| facts.memory.insert(step.clone(), value));
        Ok(())
    }

    /// Returns the value of this type that lives as long as the context. The first call creates it.
    ///
    /// The type is the key: a step uses a private type of its own.
    ///
    /// # Panics
    ///
    /// Panics if another thread has panicked while it used the map of these values.
    ///
    /// ```
    /// # use okta_aws_sso::Context;
    /// #[derive(Default)]
    /// struct Tickets(std::sync::Mutex<Vec<String>>);
    ///
    /// fn add_ticket(cx: &Context, ticket: &str) {
    ///     cx.run_memory::<Tickets>().0.lock().unwrap().push(ticket.to_owned());
    /// }
    /// ```
    #[must_use]
    pub fn run_memory<T: Default + Send + Sync + 'static>(&self) -> Arc<T> {
        self.run_memory.get()
    }

    /// Returns the reads of this type that a plan shares with the run that applies it, and with the check after that run.
    pub(crate) fn shared_reads<T: Default + Send + Sync + 'static>(&self) -> Arc<T> {
        self.shared_reads.get()
    }

    /// Returns the elapsed time of the clock at which the context was created.
    pub(crate) fn started(&self) -> Duration {
        self.started
    }

    /// Returns whether a shared read of this time may be used: it was read in this context, or a plan, run or check that used it
    /// has ended at most `max_age` ago. A plan of a large organization takes longer than that, and its first reads stay valid.
    /// A run uses its own reads for `max_age`, because it may wait for hours.
    pub(crate) fn is_shared(&self, read_at: Duration, max_age: Duration) -> bool {
        let used = *lock(&self.shared_reads.used);
        let now = self.clock.elapsed();
        let by_last =
            used.is_some_and(|used| read_at <= used && now.saturating_sub(used) < max_age);
        let is_run = self.saver.get().is_some();
        let is_own = read_at >= self.started && (!is_run || now.saturating_sub(read_at) < max_age);
        is_own || by_last
    }

    /// Returns the time since the context was created. What was read earlier is older.
    pub(crate) fn age(&self) -> Duration {
        self.clock.elapsed().saturating_sub(self.started)
    }

    /// Sets the shared reads, which live longer than this context, and the store beside which their parts are kept.
    pub(crate) fn with_shared_reads(mut self, reads: &Arc<Memory>, store: &StateStore) -> Self {
        self.shared_reads = Arc::clone(reads);
        self.store = Some(store.clone());
        self
    }

    /// Returns the parts that an earlier long read of the instance has kept; `None` if the context belongs to no pipeline.
    pub(crate) async fn kept_reads(&self, instance: &InstanceArn) -> Option<Arc<KeptReads>> {
        let store = self.store.clone()?;
        let kept = KeptReads::open(store, self.clock(), instance).await;
        Some(Arc::new(kept))
    }

    /// Sets the ledger that the store has for the blueprint of this name.
    pub(crate) fn with_ledger(mut self, ledger: Option<Ledger>, blueprint: &str) -> Self {
        self.ledger = Mutex::new(LedgerDraft {
            blueprint: blueprint.to_owned(),
            file: Ledger::file(blueprint).into(),
            ledger: ledger.map(Arc::new),
            is_unsaved: false,
        });
        self
    }

    /// Returns the ledgers of the other blueprints in the store. The first call reads them.
    ///
    /// # Errors
    ///
    /// Fails if a ledger cannot be read.
    pub(crate) async fn other_ledgers(&self) -> Result<&OtherLedgers> {
        let read = async || {
            let blueprint = lock(&self.ledger).blueprint.clone();
            match &self.store {
                Some(store) => OtherLedgers::read(store, &blueprint).await,
                None => Ok(OtherLedgers::default()),
            }
        };
        // A box, because the future is large.
        self.other_ledgers
            .get_or_try_init(|| Box::pin(read()))
            .await
    }

    /// Returns the ledger of the blueprint, or `None` if no run has made one.
    ///
    /// # Errors
    ///
    /// Fails if the ledger is of another instance than the one that the facts have.
    pub(crate) fn ledger(&self) -> Result<Option<Arc<Ledger>>> {
        let instance = self.facts(|facts| Some(facts.instance.as_ref()?.arn.clone()));
        let draft = lock(&self.ledger);
        match (&draft.ledger, instance) {
            (Some(ledger), Some(instance)) if !ledger.is_of(&instance) => Err(Error::new(
                ErrorKind::State,
                format!("{} belongs to another instance of IAM Identity Center than {instance}", draft.file),
            )
            .with_help("use the state store of that instance; or give the blueprint another `name`, which has a ledger of its own")),
            (known, _) => Ok(known.clone()),
        }
    }

    /// Changes the ledger of the blueprint. The next save writes it.
    pub(crate) fn update_ledger(&self, change: impl FnOnce(&mut Ledger)) {
        let instance = self.facts(|facts| Some(facts.instance.as_ref()?.arn.clone()));
        let mut draft = lock(&self.ledger);
        let ledger = draft.ledger.get_or_insert_with(|| Arc::new(Ledger::new()));
        let ledger = Arc::make_mut(ledger);
        ledger.set_instance(instance.as_ref());
        change(ledger);
        draft.is_unsaved = true;
    }

    /// Returns the file and the content of the ledger, if it has changed since the last call.
    pub(crate) fn take_unsaved_ledger(&self) -> Option<(Arc<str>, Vec<u8>)> {
        let mut draft = lock(&self.ledger);
        let is_unsaved = std::mem::take(&mut draft.is_unsaved);
        let ledger = draft.ledger.as_ref().filter(|_| is_unsaved)?;
        Some((Arc::clone(&draft.file), ledger.to_json()))
    }

    /// Stores a file that is saved beside the state.
    pub(crate) fn put_file(&self, name: &'static str, bytes: impl Into<Arc<[u8]>>) {
        let bytes = bytes.into();
        let mut draft = self.draft();
        let unchanged = draft
            .files
            .get(name)
            .is_some_and(|file| file.bytes == bytes);
        if !unchanged {
            draft.files.insert(
                name,
                SideFile {
                    bytes,
                    saved: false,
                },
            );
        }
    }

    /// Sets the content of a file that was read from the store.
    pub(crate) fn set_saved_file(&self, name: &'static str, bytes: Vec<u8>) {
        let file = SideFile {
            bytes: bytes.into(),
            saved: true,
        };
        self.draft().files.insert(name, file);
    }

    /// Returns the content of a file beside the state.
    pub(crate) fn file(&self, name: &str) -> Option<Arc<[u8]>> {
        self.draft().files.get(name).map(|file| file.bytes.clone())
    }

    /// Returns the files that are not saved yet.
    pub(crate) fn unsaved_files(&self) -> Vec<(&'static str, Arc<[u8]>)> {
        let draft = self.draft();
        let unsaved = draft.files.iter().filter(|(_, file)| !file.saved);
        unsaved
            .map(|(name, file)| (*name, file.bytes.clone()))
            .collect()
    }

    /// Records that this content of a file was saved.
    pub(crate) fn file_saved(&self, name: &str, bytes: &Arc<[u8]>) {
        if let Some(file) = self.draft().files.get_mut(name)
            && Arc::ptr_eq(&file.bytes, bytes)
        {
            file.saved = true;
        }
    }

    /// Lets this context save the state of an apply.
    pub(crate) fn set_saver(&self, saver: impl Saver + 'static) {
        let earlier = self.saver.set(Box::new(saver));
        debug_assert!(earlier.is_ok(), "a context belongs to one apply");
    }

    /// Lets this context emit the events of a plan, an apply or a check.
    pub(crate) fn set_events(&self, events: Arc<Emitter>) {
        let earlier = self.events.set(events);
        debug_assert!(
            earlier.is_ok(),
            "a context belongs to one plan, apply or check"
        );
    }

    /// Returns a function that emits how much of a part was read, at most twice a second.
    pub(crate) fn read_progress(
        &self,
        part: ReadPart,
    ) -> impl Fn(usize, usize) + Send + Sync + use<> {
        let events = self.events.get().cloned();
        move |done, total| {
            if let Some(events) = &events {
                events.read_progress(part, done, total);
            }
        }
    }

    pub(crate) fn emit(&self, event: EventKind) {
        if let Some(events) = self.events.get() {
            events.emit(event);
        }
    }

    /// Saves the state now, if this context belongs to an apply and if something has changed.
    ///
    /// A step calls this function after a change that must not be forgotten if the run is killed: it has made an object
    /// that no later plan finds again. The pipeline saves by itself before the first change, after each manual step, at
    /// least every 30 seconds, and at the end of each step.
    ///
    /// # Errors
    ///
    /// Fails if the state cannot be saved, or if another run has taken over the lock of the state.
    pub async fn checkpoint(&self) -> Result<()> {
        match self.saver.get() {
            Some(saver) => saver.save(self).await,
            None => Ok(()),
        }
    }

    /// Returns the current time of the context's clock.
    #[must_use]
    pub fn now(&self) -> jiff::Timestamp {
        now(&*self.clock)
    }

    /// Returns the clock, for a client that a step creates.
    #[must_use]
    pub fn clock(&self) -> Arc<dyn Clock> {
        self.clock.clone()
    }

    /// Asks the operator to do a manual step and returns the result of `verify` once it accepts the answers.
    ///
    /// # Errors
    ///
    /// Fails if no operator is present, or if `verify` rejects the answers: three times with an operator that can
    /// be asked again, otherwise once.
    pub async fn manual_step<T, P, F>(&self, mut manual_step: ManualStep, verify: P) -> Result<T>
    where
        P: Fn(Answers) -> F,
        F: Future<Output = Result<T>>,
    {
        let mut attempts_left = if self.operator.may_ask_again() {
            MAX_ATTEMPTS
        } else {
            1
        };
        loop {
            self.emit(EventKind::OperatorAsked {
                manual_step: manual_step.clone(),
            });
            let answered = |error: Option<&Error>| {
                self.emit(EventKind::OperatorAnswered {
                    title: manual_step.title.clone(),
                    rejected: error.map(ToString::to_string),
                });
            };
            let answers = self.operator.ask(&manual_step).await.map_err(|error| {
                let error = not_done(&manual_step, error);
                answered(Some(&error));
                error
            })?;
            let verified = verify(answers).await;
            answered(verified.as_ref().err());
            match verified {
                Ok(verified) => return Ok(verified),
                Err(error) if attempts_left == 1 => return Err(error),
                Err(error) => manual_step.rejected = Some(error.explain()),
            }
            attempts_left -= 1;
        }
    }

    fn draft(&self) -> MutexGuard<'_, Draft> {
        lock(&self.draft)
    }
}

/// Maximum number of prompts for one manual step, to allow for typing mistakes. After three wrong answers, another prompt
/// does not help.
const MAX_ATTEMPTS: u32 = 3;

/// Maximum size of the memory of a step, in bytes of JSON. The state is written as a whole and must stay small.
const MAX_MEMORY: usize = 64 * 1024;

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex
        .lock()
        .expect("no code panics while it holds a lock of the context")
}

fn not_done(manual_step: &ManualStep, error: OperatorError) -> Error {
    match error {
        OperatorError::Absent => Error::new(
            ErrorKind::ManualStep,
            format!("an operator is needed: {}", manual_step.title),
        )
        .with_help(format!(
            "do this manual step, then run again; the changes before it are done and saved\n{manual_step}"
        )),
        error => Error::new(
            ErrorKind::ManualStep,
            format!("manual step not done: {}", manual_step.title),
        )
        .with_source(error)
        .with_help("run again when the manual step can be done; the changes before it are done and saved"),
    }
}

impl std::fmt::Debug for Context {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Context")
            .field("facts", &self.all_facts())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operator::NoOperator;

    fn context() -> Context {
        Context::new(
            Facts::default(),
            Arc::new(NoOperator),
            Arc::new(rest_core::ManualClock::new(
                std::time::SystemTime::UNIX_EPOCH,
            )),
        )
    }

    const STEP: StepId = StepId::new("tickets");

    #[test]
    fn a_step_reads_the_memory_that_it_has_saved() {
        let cx = context();
        assert_eq!(cx.memory::<Vec<String>>(&STEP).expect("no memory"), None);
        cx.remember(&STEP, &["T-1", "T-2"]).expect("a memory");
        assert_eq!(
            cx.memory::<Vec<String>>(&STEP).expect("a memory"),
            Some(vec!["T-1".to_owned(), "T-2".to_owned()])
        );
        let error = cx.memory::<u32>(&STEP).expect_err("another type");
        assert_eq!(
            error.to_string(),
            "the saved memory of step tickets is not of the expected type"
        );
    }

    #[test]
    fn a_memory_has_a_limit_and_a_larger_value_changes_nothing() {
        let cx = context();
        cx.remember(&STEP, "small").expect("a memory");
        let error = cx
            .remember(&STEP, &"x".repeat(64 * 1024))
            .expect_err("a large memory");
        assert!(
            error
                .to_string()
                .ends_with("65538 bytes of JSON, and the limit is 65536"),
            "{error}"
        );
        assert_eq!(
            cx.memory::<String>(&STEP).expect("a memory").as_deref(),
            Some("small")
        );
    }

    #[test]
    fn the_type_is_the_key_of_the_run_memory() {
        let cx = context();
        *cx.run_memory::<Mutex<u32>>().lock().expect("a lock") += 2;
        assert_eq!(*cx.run_memory::<Mutex<u32>>().lock().expect("a lock"), 2);
        assert_eq!(*cx.run_memory::<Mutex<u64>>().lock().expect("a lock"), 0);
    }

    #[test]
    fn a_file_is_unsaved_until_the_same_content_was_saved() {
        let cx = context();
        cx.set_saved_file("a", vec![1]);
        cx.put_file("a", vec![1]);
        assert_eq!(cx.unsaved_files(), []);
        cx.put_file("a", vec![2]);
        let [(name, bytes)] = cx.unsaved_files().try_into().expect("one file");
        cx.put_file("a", vec![3]);
        cx.file_saved(name, &bytes);
        assert_eq!(cx.unsaved_files().len(), 1, "a newer content is not saved");
    }
}
