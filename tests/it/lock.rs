//! Tests of the lock of the state, of its saves, and of two runs at the same time.

use std::{
    fmt::{self, Write as _},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use futures::{future::BoxFuture, stream::BoxStream};
use object_store::{
    CopyOptions, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore,
    PutMultipartOptions, PutOptions, PutPayload, PutResult, memory::InMemory, path::Path,
};
use okta_aws_sso::{
    Applied, Context, ErrorKind, Operator, Pipeline, Planned, Result, StateLock, StateStore, Step,
    operator::{Answers, ManualStep, OperatorError},
    plan::{Action, Change, StepId, Subject},
    steps::CatalogApp,
};
use tokio::sync::Notify;

use crate::fixture::{Fixture, SEED, apply, company};

/// An object store that counts the reads and the writes of each object.
#[derive(Debug, Default)]
pub(crate) struct Counting {
    store: InMemory,
    /// The object that cannot be written, if there is one.
    read_only: Option<&'static str>,
    reads: Mutex<Vec<String>>,
    writes: Mutex<Vec<String>>,
}

impl Counting {
    pub(crate) fn writes(&self, name: &str) -> usize {
        count(&self.writes, name)
    }

    fn reads(&self, name: &str) -> usize {
        count(&self.reads, name)
    }
}

fn count(names: &Mutex<Vec<String>>, name: &str) -> usize {
    let names = names.lock().expect("a lock");
    names.iter().filter(|known| *known == name).count()
}

impl fmt::Display for Counting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Counting")
    }
}

type StoreResult<T> = object_store::Result<T>;

#[async_trait::async_trait]
impl ObjectStore for Counting {
    async fn put_opts(
        &self,
        location: &Path,
        payload: PutPayload,
        options: PutOptions,
    ) -> StoreResult<PutResult> {
        let name = location.to_string();
        if self.read_only == Some(name.as_str()) {
            return Err(object_store::Error::Generic {
                store: "Counting",
                source: "the disk is full".into(),
            });
        }
        self.writes.lock().expect("a lock").push(name);
        self.store.put_opts(location, payload, options).await
    }

    async fn put_multipart_opts(
        &self,
        location: &Path,
        options: PutMultipartOptions,
    ) -> StoreResult<Box<dyn MultipartUpload>> {
        self.store.put_multipart_opts(location, options).await
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> StoreResult<GetResult> {
        let name = location.to_string();
        self.reads.lock().expect("a lock").push(name);
        self.store.get_opts(location, options).await
    }

    fn delete_stream(
        &self,
        locations: BoxStream<'static, StoreResult<Path>>,
    ) -> BoxStream<'static, StoreResult<Path>> {
        self.store.delete_stream(locations)
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, StoreResult<ObjectMeta>> {
        self.store.list(prefix)
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> StoreResult<ListResult> {
        self.store.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> StoreResult<()> {
        self.store.copy_opts(from, to, options).await
    }
}

/// An operator who does a manual step only after the test allows it.
#[derive(Default)]
struct SlowOperator {
    asked: Notify,
    allowed: Notify,
}

impl Operator for SlowOperator {
    fn ask<'a>(&'a self, _: &'a ManualStep) -> BoxFuture<'a, Result<Answers, OperatorError>> {
        Box::pin(async move {
            self.asked.notify_one();
            self.allowed.notified().await;
            Err(OperatorError::Declined("the test has ended".to_owned()))
        })
    }
}

/// Starts a run that stays in its first manual step, and checks that a second run is refused before its first change.
async fn second_run_is_refused(store: StateStore) {
    let mut fixture = Fixture::new(SEED).await;
    fixture.store = store;
    let operator = Arc::new(SlowOperator::default());
    let first = fixture.pipeline().operator(operator.clone());
    let plan = first.plan().await.expect("a plan");
    let run = {
        let plan = plan.clone();
        tokio::spawn(async move {
            first
                .apply(&plan)
                .await
                .and_then(okta_aws_sso::Report::complete)
        })
    };
    operator.asked.notified().await;

    let second = fixture.pipeline();
    let plan = second.plan().await.expect("a plan beside a run");
    fixture.sandbox.clear_requests();
    let error = second
        .apply(&plan)
        .await
        .and_then(okta_aws_sso::Report::complete)
        .expect_err("a second run");
    assert_eq!(error.kind(), ErrorKind::Locked);
    let holder = format!("of process {} on host ", std::process::id());
    assert!(error.to_string().contains(&holder), "{error}");
    assert_eq!(fixture.sandbox.writes().len(), 0);

    operator.allowed.notify_one();
    let error = run.await.expect("the first run").expect_err("no answer");
    assert_eq!(error.kind(), ErrorKind::ManualStep);
    fixture.run().await.expect("a run after the first one");
}

#[tokio::test]
async fn the_second_of_two_runs_on_a_folder_is_refused_before_its_first_change() {
    let folder = tempfile::tempdir().expect("a folder");
    second_run_is_refused(StateStore::folder(folder.path()).expect("a store")).await;
}

#[tokio::test]
async fn the_second_of_two_runs_on_an_object_store_is_refused_before_its_first_change() {
    second_run_is_refused(StateStore::memory()).await;
}

#[tokio::test]
async fn a_run_whose_lease_was_taken_over_starts_no_further_change() {
    let fixture = Fixture::new(SEED).await;
    let operator = Arc::new(TakeOver {
        store: fixture.store.clone(),
        clock: fixture.clock.clone(),
        operator: fixture.operator.clone(),
        taken: Mutex::default(),
    });
    let pipeline = fixture.pipeline().operator(operator.clone());
    let plan = pipeline.plan().await.expect("a plan");
    let error = apply(&pipeline, &plan).await.expect_err("a lost lease");
    assert_eq!(error.kind(), ErrorKind::Locked);
    let writes: Vec<String> = fixture
        .sandbox
        .writes()
        .iter()
        .map(ToString::to_string)
        .filter(|write| write.starts_with("PUT"))
        .collect();
    assert_eq!(writes, [""; 0], "changes after the lease was lost");
    let (serial, _) = operator
        .taken
        .lock()
        .expect("a lock")
        .take()
        .expect("a manual step");
    let state = fixture.store.load().await.expect("a store");
    assert_eq!(
        state.map(|state| state.serial),
        Some(serial),
        "the state of the other run is kept"
    );
}

/// An operator during whose work another process takes over the lease of the run.
struct TakeOver {
    store: StateStore,
    clock: rest_core::ManualClock,
    operator: Arc<dyn Operator>,
    /// The serial that the other process has saved, and its lock.
    taken: Mutex<Option<(u64, StateLock)>>,
}

impl Operator for TakeOver {
    fn ask<'a>(
        &'a self,
        manual_step: &'a ManualStep,
    ) -> BoxFuture<'a, Result<Answers, OperatorError>> {
        Box::pin(async move {
            self.clock.advance(Duration::from_mins(10));
            let lock = self
                .store
                .lock(Arc::new(self.clock.clone()))
                .await
                .expect("the lease has ended");
            let mut state = self
                .store
                .load()
                .await
                .expect("a store")
                .expect("the first save");
            lock.save(&mut state).await.expect("a save");
            *self.taken.lock().expect("a lock") = Some((state.serial, lock));
            self.operator.ask(manual_step).await
        })
    }
}

#[tokio::test]
#[expect(clippy::disallowed_methods, reason = "a test may block its thread")]
async fn a_state_that_cannot_be_saved_stops_a_run_before_its_first_change() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut fixture = Fixture::new(SEED).await;
    fixture.store = StateStore::folder(folder.path()).expect("a store");
    let pipeline = fixture.pipeline();
    let plan = pipeline.plan().await.expect("a plan");
    // A folder in place of a file cannot be opened by any user, unlike a file without permissions.
    std::fs::create_dir(folder.path().join("lock")).expect("a folder");
    let error = apply(&pipeline, &plan).await.expect_err("no lock");
    assert_eq!(error.kind(), ErrorKind::State);
    assert!(error.help().expect("help").contains("nothing was changed"));
    assert_eq!(fixture.sandbox.writes().len(), 0);
}

#[tokio::test]
async fn a_lock_without_a_state_that_can_be_saved_stops_a_run_before_its_first_change() {
    let mut fixture = Fixture::new(SEED).await;
    let store = Counting {
        read_only: Some("state.json"),
        ..Counting::default()
    };
    fixture.store = StateStore::on(Arc::new(store), Path::default());
    let pipeline = fixture.pipeline();
    let plan = pipeline.plan().await.expect("a plan");
    let error = apply(&pipeline, &plan).await.expect_err("no state");
    assert_eq!(error.to_string(), "state.json could not be saved");
    assert_eq!(error.kind(), ErrorKind::State);
    assert_eq!(fixture.sandbox.writes().len(), 0);
}

#[tokio::test]
async fn a_plan_is_applied_only_once() {
    let fixture = Fixture::new(SEED).await;
    let pipeline = fixture.pipeline();
    let plan = pipeline.plan().await.expect("a plan");
    apply(&pipeline, &plan).await.expect("a run");
    let error = apply(&pipeline, &plan).await.expect_err("an old plan");
    assert_eq!(error.kind(), ErrorKind::StalePlan);
}

/// The number of trials in which two runs work on one org at the same time.
const TRIALS: usize = 200;

#[tokio::test]
async fn two_runs_on_different_states_never_make_a_second_app_silently() {
    let blueprint = format!("[okta]\napp_label = \"AWS\"\n{SEED}");
    let mut doubled = 0;
    for trial in 0..TRIALS {
        let fixture =
            Fixture::with_sandbox(sandbox::Sandbox::builder().company(company()), &blueprint).await;
        let run = || async {
            let pipeline = Pipeline::new(CatalogApp::new(
                &fixture.okta,
                &fixture.aws,
                &fixture.blueprint,
            ));
            let plan = pipeline.plan().await?;
            apply(&pipeline, &plan).await
        };
        let (left, right) = tokio::join!(run(), run());
        let apps = fixture.sandbox.app_count("amazon_aws_sso");
        if apps == 2 {
            doubled += 1;
            let errors: Vec<String> = [left, right]
                .into_iter()
                .filter_map(Result::err)
                .map(|error| error.to_string())
                .collect();
            assert!(!errors.is_empty(), "trial {trial}: two apps, no error");
            for error in errors {
                assert!(
                    error.starts_with("Okta has 2 apps amazon_aws_sso with the label `AWS`: 0oa"),
                    "{error}"
                );
            }
        } else {
            assert_eq!(apps, 1, "trial {trial}");
        }
    }
    assert!(
        doubled > 0,
        "no trial made two apps, so this test shows nothing"
    );
}

/// Makes a number of independent changes; each change is polled this often.
struct Waits {
    changes: usize,
    polls: usize,
    polled: AtomicUsize,
}

impl Step for Waits {
    fn id(&self) -> StepId {
        StepId::new("waits")
    }

    fn title(&self) -> String {
        "Waits".to_owned()
    }

    fn plan<'a>(&'a self, _: &'a Context) -> BoxFuture<'a, Result<Planned>> {
        let changes = (0..self.changes).map(|index| {
            let subject = Subject::custom(self.id(), index.to_string());
            Change::new(Action::Create, subject)
        });
        Box::pin(std::future::ready(Ok(Planned::changes(changes.collect()))))
    }

    fn apply<'a>(&'a self, _: &'a Change, cx: &'a Context) -> BoxFuture<'a, Result<Applied>> {
        Box::pin(async move {
            let polled = self.polled.fetch_add(1, Ordering::SeqCst) + 1;
            cx.remember(&self.id(), &polled)?;
            Ok(if polled.is_multiple_of(self.polls) {
                Applied::Done
            } else {
                Applied::waiting("the test")
            })
        })
    }
}

#[tokio::test]
async fn a_thousand_polls_read_no_side_file_back() {
    let fixture = Fixture::new(SEED).await;
    let store = Arc::new(Counting::default());
    let step = Waits {
        changes: 1,
        polls: 1000,
        polled: AtomicUsize::new(0),
    };
    let policy = okta_aws_sso::WaitPolicy {
        stall_timeout: Duration::from_hours(24),
        ..okta_aws_sso::WaitPolicy::default()
    };
    let pipeline = Pipeline::new(step)
        .store(StateStore::on(store.clone(), Path::default()))
        .clock(Arc::new(fixture.clock.clone()))
        .wait_policy(policy);
    let plan = pipeline.plan().await.expect("a plan");
    let (files, states) = (store.reads("directory.json"), store.reads("state.json"));
    apply(&pipeline, &plan).await.expect("a run");
    assert_eq!(
        store.reads("directory.json") - files,
        1,
        "once at the start"
    );
    // A save reads the state to compare its serial.
    let saves = store.writes("state.json");
    assert_eq!(store.reads("state.json") - states, saves + 1);
}

#[tokio::test]
async fn a_thousand_assignments_need_few_writes_of_the_state() {
    let company = sandbox::Company::small(3, 101);
    let accounts: Vec<String> = company
        .accounts
        .iter()
        .skip(1)
        .take(100)
        .map(|account| format!("\"{}\"", account.name))
        .collect();
    let mut blueprint =
        String::from("[provisioning]\nassign_groups = [\"aws-users\"]\n[sign_in]\nskip = true\n");
    for set in 0..10 {
        let _infallible = writeln!(
            blueprint,
            "[permission_sets.Set{set}]\nmanaged_policies = [\"arn:aws:iam::aws:policy/ReadOnlyAccess\"]"
        );
    }
    for set in 0..10 {
        let _infallible = writeln!(
            blueprint,
            "[[access]]\nuser = \"ada.lovelace@example.com\"\naccounts = [{}]\npermission_set = \"Set{set}\"",
            accounts.join(", ")
        );
    }
    let mut fixture = Fixture::with_sandbox(
        sandbox::Sandbox::builder().company(company).page_size(None),
        &blueprint,
    )
    .await;
    let store = Arc::new(Counting::default());
    fixture.store = StateStore::on(store.clone(), Path::default());
    let (plan, _) = fixture.run().await.expect("a run");
    let assignments = plan
        .step(&StepId::new("account-assignments"))
        .expect("the step");
    assert_eq!(assignments.changes.len(), 1000);
    let writes = store.writes("state.json");
    assert!((1..=30).contains(&writes), "{writes} writes of the state");
}
