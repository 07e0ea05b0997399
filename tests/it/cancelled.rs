//! Tests of dropped futures: a run that is dropped at any point frees the lock, and the next run ends as if it had not been.

use std::{
    future::poll_fn,
    io::{self, Write},
    pin::pin,
    process::Stdio,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::Poll,
    time::Duration,
};

use futures::future::BoxFuture;
use okta_aws_sso::{
    Applied, Context, Operator, Pipeline, Planned, Result, StateStore, Step,
    operator::{Answers, ManualStep, ManualStepKind, OperatorError, TerminalOperator},
    plan::{Action, Change, StepId, Subject},
};
use tokio::{process::Command, sync::Notify};

use crate::{
    contract::blueprint,
    end_state::{assert_end_state, end_state},
    fixture::{Fixture, apply},
};

/// Polls a future until it ends or `stop` returns true for the number of polls, and drops it.
async fn drop_when<T>(
    future: impl Future<Output = T>,
    mut stop: impl FnMut(usize) -> bool,
) -> Option<T> {
    let mut future = pin!(future);
    let mut polls = 0;
    poll_fn(|cx| {
        if let Poll::Ready(output) = future.as_mut().poll(cx) {
            return Poll::Ready(Some(output));
        }
        polls += 1;
        if stop(polls) {
            Poll::Ready(None)
        } else {
            Poll::Pending
        }
    })
    .await
}

/// A fixture and a pipeline whose run is dropped.
struct Cancelled {
    fixture: Fixture,
    pipeline: Pipeline,
    /// The folder of the state, if it is not in memory.
    _folder: Option<tempfile::TempDir>,
}

impl Cancelled {
    /// Creates a fixture. The state is in a folder or in memory.
    async fn new(is_direct: bool, in_folder: bool) -> Self {
        let mut fixture = Fixture::new(&blueprint(is_direct)).await;
        let folder = in_folder.then(|| tempfile::tempdir().expect("a folder"));
        if let Some(folder) = &folder {
            fixture.store = StateStore::folder(folder.path()).expect("a store");
        }
        Self {
            pipeline: fixture.pipeline(),
            fixture,
            _folder: folder,
        }
    }

    /// Applies a plan and drops the run when `stop` returns true. Returns whether the run was dropped.
    async fn apply(&self, stop: impl FnMut(usize) -> bool) -> bool {
        let plan = self.pipeline.plan().await.expect("a plan");
        let applied = drop_when(self.pipeline.apply(&plan), stop).await;
        let lock = self
            .fixture
            .store
            .lock(Arc::new(self.fixture.clock.clone()));
        let lock = lock.await.expect("a free lock");
        lock.release().await.expect("a release");
        applied.is_none()
    }

    /// Runs again with the same pipeline object or with a new one, and checks the end state.
    async fn check_next(&self, with_same: bool, end_state: &str) {
        let new = self.fixture.pipeline();
        let pipeline = if with_same { &self.pipeline } else { &new };
        let plan = pipeline.plan().await.expect("a plan");
        apply(pipeline, &plan).await.expect("a run");
        let found = pipeline.verify().await.expect("a verification");
        assert!(found.passed(), "{found:?}");
        assert_end_state(&self.fixture.sandbox, end_state, "the next run");
    }
}

/// Runs without a disturbance. Returns the end state, the number of polls and the number of writes.
async fn undisturbed(is_direct: bool) -> (String, usize, usize) {
    let run = Cancelled::new(is_direct, false).await;
    let mut number = 0;
    let stop = |polls| {
        number = polls;
        false
    };
    assert!(!run.apply(stop).await);
    let writes = run.fixture.sandbox.writes().len();
    (end_state(&run.fixture.sandbox), number, writes)
}

async fn drop_at_each_write(is_direct: bool) {
    let (end_state, _, writes) = undisturbed(is_direct).await;
    for number in 1..=writes {
        let (in_folder, with_same) = (number % 2 == 0, number % 4 < 2);
        let run = Cancelled::new(is_direct, in_folder).await;
        // The service has carried out the write, and the run has not read the response.
        let is_dropped = run.apply(|_| run.fixture.sandbox.writes().len() >= number);
        assert!(is_dropped.await, "write {number}");
        run.check_next(with_same, &end_state).await;
    }
}

async fn drop_at_polls(is_direct: bool) {
    let (end_state, polls, _) = undisturbed(is_direct).await;
    for (index, number) in (1..=polls).step_by(EVERY).enumerate() {
        let (in_folder, with_same) = (index % 2 == 0, index % 4 < 2);
        let run = Cancelled::new(is_direct, in_folder).await;
        run.apply(|polls| polls >= number).await;
        run.check_next(with_same, &end_state).await;
    }
}

/// The distance of the polls after which a run is dropped. A run has about 600 polls, and each test of one takes about 0.5 s.
/// The number is a prime, so that the polls are at different places of the requests.
const EVERY: usize = 31;

/// Drops a run after 1 poll, the next one after 6 polls, and so on, until one run ends.
async fn drop_again_and_again(is_direct: bool) {
    let (end_state, ..) = undisturbed(is_direct).await;
    let run = Cancelled::new(is_direct, true).await;
    let mut allowed = 1;
    while run.apply(|polls| polls >= allowed).await {
        allowed += 5;
    }
    run.check_next(true, &end_state).await;
}

async fn drop_plans(is_direct: bool) {
    let (end_state, ..) = undisturbed(is_direct).await;
    let run = Cancelled::new(is_direct, false).await;
    let mut allowed = 1;
    let plan = |allowed| drop_when(run.pipeline.plan(), move |polls| polls >= allowed);
    while plan(allowed).await.is_none() {
        allowed += 1;
    }
    assert_eq!(run.fixture.sandbox.writes().len(), 0);
    run.check_next(true, &end_state).await;
}

/// An operator who does not answer one of the questions, and answers the others.
struct Hesitant {
    operator: Arc<dyn Operator>,
    asked: Arc<AtomicUsize>,
    unanswered: usize,
}

impl Operator for Hesitant {
    fn ask<'a>(
        &'a self,
        manual_step: &'a ManualStep,
    ) -> BoxFuture<'a, Result<Answers, OperatorError>> {
        if self.asked.fetch_add(1, Ordering::Relaxed) == self.unanswered {
            return Box::pin(std::future::pending());
        }
        self.operator.ask(manual_step)
    }
}

async fn drop_at_each_question(is_direct: bool) {
    let (end_state, ..) = undisturbed(is_direct).await;
    for unanswered in 0.. {
        let mut run = Cancelled::new(is_direct, unanswered % 2 == 0).await;
        let asked = Arc::new(AtomicUsize::new(0));
        run.pipeline = run.fixture.pipeline().operator(Hesitant {
            operator: run.fixture.operator.clone(),
            asked: asked.clone(),
            unanswered,
        });
        let stop = |_| asked.load(Ordering::Relaxed) > unanswered;
        let is_dropped = run.apply(stop).await;
        run.check_next(is_dropped && unanswered % 4 < 2, &end_state)
            .await;
        if !is_dropped {
            assert!(unanswered > 5, "{unanswered} questions");
            break;
        }
    }
}

#[tokio::test]
async fn a_run_that_is_dropped_at_any_write_frees_the_lock_and_the_next_run_ends_right() {
    drop_at_each_write(false).await;
}

#[tokio::test]
async fn a_direct_run_that_is_dropped_at_any_write_frees_the_lock_and_the_next_run_ends_right() {
    drop_at_each_write(true).await;
}

#[tokio::test]
async fn a_run_that_is_dropped_after_any_poll_frees_the_lock_and_the_next_run_ends_right() {
    drop_at_polls(false).await;
}

#[tokio::test]
async fn a_direct_run_that_is_dropped_after_any_poll_frees_the_lock_and_the_next_run_ends_right() {
    drop_at_polls(true).await;
}

#[tokio::test]
async fn runs_that_are_dropped_again_and_again_end_right() {
    drop_again_and_again(false).await;
    drop_again_and_again(true).await;
}

#[tokio::test]
async fn a_plan_that_is_dropped_after_any_poll_changes_nothing() {
    Box::pin(drop_plans(false)).await;
    Box::pin(drop_plans(true)).await;
}

#[tokio::test]
async fn a_run_that_is_dropped_at_any_question_frees_the_lock_and_the_next_run_ends_right() {
    drop_at_each_question(false).await;
    drop_at_each_question(true).await;
}

/// A step that waits for the operator.
struct AskOperator;

impl Step for AskOperator {
    fn id(&self) -> StepId {
        StepId::new("ask-operator")
    }

    fn title(&self) -> String {
        "A question".to_owned()
    }

    fn plan<'a>(&'a self, _: &'a Context) -> BoxFuture<'a, Result<Planned>> {
        let subject = Subject::custom(self.id(), "question");
        let planned = Planned::one(Change::new(Action::ManualStep, subject));
        Box::pin(std::future::ready(Ok(planned)))
    }

    fn apply<'a>(&'a self, _: &'a Change, cx: &'a Context) -> BoxFuture<'a, Result<Applied>> {
        let kind = ManualStepKind::Custom("question");
        let manual_step = ManualStep::new(kind, "Answer", "a desk");
        Box::pin(cx.manual_step(manual_step, async |_| Ok(Applied::Done)))
    }
}

/// A screen that tells when the operator is asked.
struct Screen(Arc<Notify>);

impl Write for Screen {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if bytes.starts_with(b"Press Enter") {
            self.0.notify_one();
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The test runs itself as a child, which is the program with the deadline.
#[tokio::test]
async fn a_deadline_ends_a_program_that_waits_for_its_operator() {
    const CHILD: &str = "OKTA_AWS_SSO_TEST_CHILD";
    if std::env::var_os(CHILD).is_some() {
        let asked = Arc::new(Notify::new());
        #[expect(
            clippy::disallowed_methods,
            reason = "the operator reads in a thread of its own"
        )]
        let keyboard = io::BufReader::new(io::stdin());
        let operator = TerminalOperator::new(keyboard, Screen(asked.clone()), "unused");
        let pipeline = Pipeline::new(AskOperator).operator(operator);
        let plan = pipeline.plan().await.expect("a plan");
        let mut run = Box::pin(pipeline.apply(&plan));
        tokio::select! {
            report = &mut run => panic!("not asked: {report:?}"),
            () = asked.notified() => {}
        }
        let ended = tokio::time::timeout(Duration::from_millis(1), run).await;
        ended.expect_err("an elapsed deadline");
        return;
    }
    let mut child = Command::new(std::env::current_exe().expect("a program"))
        .args([
            "--exact",
            "cancelled::a_deadline_ends_a_program_that_waits_for_its_operator",
        ])
        .env(CHILD, "1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .expect("a child");
    // The keyboard stays open, and no line arrives.
    let _keyboard = child.stdin.take();
    let ended = tokio::time::timeout(Duration::from_mins(1), child.wait_with_output()).await;
    let output = ended
        .expect("the program ends by itself")
        .expect("an output");
    let shown = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && shown.contains("1 passed"),
        "{shown}"
    );
}
