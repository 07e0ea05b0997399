//! The runner: cases, their verdicts, and the table of counts.

use std::{
    collections::BTreeMap,
    sync::{
        Mutex,
        mpsc::{RecvTimeoutError, channel},
    },
    thread,
    time::Duration,
};

use futures::future::BoxFuture;
use rest_core::{Clock as _, SystemClock};
use sandbox::Sandbox;

use crate::end_state::{differences, end_state};

/// The end of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    Complete,
    Failed,
    Killed,
}

/// The number of runs without faults after which the end state must be right.
pub(crate) const RERUNS: usize = 2;

/// The result of one case.
#[derive(Debug, Default)]
pub(crate) struct Verdict {
    /// The end of the run with the fault, and the text of its error.
    pub(crate) first: Option<(End, String)>,
    /// The number of runs without faults after which the end state was right.
    pub(crate) right_after: Option<usize>,
    /// Whether the official clients have read the end state.
    pub(crate) official: bool,
    /// The broken rules.
    pub(crate) wrong: Vec<String>,
}

impl Verdict {
    /// Takes the end of a run without faults. Returns whether the end state is right. After the last run, it must be.
    pub(crate) fn end_rerun(
        &mut self,
        rerun: usize,
        (end, shown): (End, String),
        sandbox: &Sandbox,
        expected: &str,
    ) -> bool {
        let found = end_state(sandbox);
        let is_right = end == End::Complete && found == expected;
        if is_right {
            self.right_after = Some(rerun);
        } else if rerun == RERUNS {
            let last = format!("{shown}\n{}", differences(expected, &found));
            self.wrong.push(format!("the end state is wrong: {last}"));
        }
        is_right
    }

    pub(crate) fn check_secrets(&mut self, text: &str) {
        for secret in [
            Sandbox::OKTA_TOKEN,
            Sandbox::AWS_SECRET_ACCESS_KEY,
            Sandbox::SCIM_TOKEN_MARK,
        ] {
            if text.contains(secret) {
                self.wrong.push(format!("a secret is shown: {text}"));
            }
        }
    }
}

/// One case. Its name repeats it: `--only NAME`.
pub(crate) struct Case {
    pub(crate) name: String,
    kind: String,
    run: BoxFuture<'static, Verdict>,
}

impl Case {
    pub(crate) fn new(
        name: String,
        kind: &str,
        run: impl Future<Output = Verdict> + Send + 'static,
    ) -> Self {
        Self {
            name,
            kind: kind.to_owned(),
            run: Box::pin(run),
        }
    }
}

/// The counts of one kind.
#[derive(Debug, Default)]
struct Counts {
    cases: usize,
    complete: usize,
    failed: usize,
    right_after_second: usize,
    right_after_third: usize,
    wrong: usize,
    official: usize,
}

/// Runs two queues of cases, [`JOBS`] cases of each at a time, and prints the counts. Returns whether all are right.
///
/// No case starts after `limit`.
pub(crate) fn run_all(queues: [Vec<Case>; 2], limit: Option<Duration>, repeat: &str) -> bool {
    let total = queues.iter().map(Vec::len).sum();
    let campaign = Campaign {
        total,
        start: SystemClock.elapsed(),
        limit,
        repeat,
        counts: Mutex::default(),
    };
    let queues = queues.map(|cases| Mutex::new(cases.into_iter()));
    thread::scope(|scope| {
        for queue in queues.iter().flat_map(|queue| [queue; JOBS]) {
            scope.spawn(|| {
                loop {
                    // The lock ends with this statement.
                    let next = queue.lock().expect("no panic").next();
                    match next {
                        Some(case) if !campaign.is_late() => campaign.run(case),
                        _ => return,
                    }
                }
            });
        }
    });
    campaign.print()
}

struct Campaign<'a> {
    total: usize,
    start: Duration,
    limit: Option<Duration>,
    repeat: &'a str,
    counts: Mutex<BTreeMap<String, Counts>>,
}

impl Campaign<'_> {
    fn elapsed(&self) -> Duration {
        SystemClock.elapsed().saturating_sub(self.start)
    }

    fn is_late(&self) -> bool {
        self.limit.is_some_and(|limit| self.elapsed() > limit)
    }

    fn run(&self, case: Case) {
        let (name, kind) = (case.name.clone(), case.kind.clone());
        let verdict = run_case(case);
        let mut counts = self.counts.lock().expect("no panic");
        counts.entry(kind).or_default().add(&verdict);
        if !verdict.wrong.is_empty() {
            println!("WRONG {name}");
            if let Some((end, shown)) = &verdict.first {
                println!("  the run with the fault: {end:?} {shown}");
            }
            for rule in &verdict.wrong {
                println!("  {rule}");
            }
            println!("  to repeat it: {} --only '{name}'", self.repeat);
        }
        let done: usize = counts.values().map(|counts| counts.cases).sum();
        if done.is_multiple_of(500) {
            println!(
                "{done} of {} cases after {:.1} min",
                self.total,
                self.minutes()
            );
        }
    }

    fn minutes(&self) -> f64 {
        self.elapsed().as_secs_f64() / 60.0
    }

    /// Prints the table of counts. Returns whether all cases are right.
    fn print(&self) -> bool {
        let counts = self.counts.lock().expect("no panic");
        let mut table = comfy_table::Table::new();
        table.load_style(comfy_table::presets::ASCII_MARKDOWN);
        table.set_header([
            "kind",
            "cases",
            "first run complete",
            "first run failed",
            "right after second run",
            "right after third run",
            "wrong",
            "read by official clients",
        ]);
        let mut all = Counts::default();
        for (kind, counts) in &*counts {
            table.add_row(counts.row(kind));
            all.cases += counts.cases;
            all.complete += counts.complete;
            all.failed += counts.failed;
            all.right_after_second += counts.right_after_second;
            all.right_after_third += counts.right_after_third;
            all.wrong += counts.wrong;
            all.official += counts.official;
        }
        table.add_row(all.row("all"));
        println!("{table}");
        println!(
            "{} of {} cases in {:.1} min",
            all.cases,
            self.total,
            self.minutes()
        );
        all.wrong == 0
    }
}

/// Runs a case in a thread and a runtime of its own. A case that panics or does not end is wrong.
fn run_case(case: Case) -> Verdict {
    let (sender, receiver) = channel();
    thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = { runtime }.enable_all().build().expect("a runtime");
        let verdict = runtime.block_on(case.run);
        // Sending fails if the case took too long.
        let _ = sender.send(verdict);
    });
    receiver
        .recv_timeout(WATCHDOG)
        .unwrap_or_else(|error| Verdict {
            wrong: vec![match error {
                RecvTimeoutError::Timeout => format!("the case did not end within {WATCHDOG:?}"),
                RecvTimeoutError::Disconnected => "the case panicked".to_owned(),
            }],
            ..Verdict::default()
        })
}

impl Counts {
    fn add(&mut self, verdict: &Verdict) {
        self.cases += 1;
        self.official += usize::from(verdict.official);
        match verdict.first {
            Some((End::Complete, _)) => self.complete += 1,
            Some((End::Failed, _)) => self.failed += 1,
            Some((End::Killed, _)) | None => {}
        }
        match (&verdict.wrong[..], verdict.right_after) {
            ([], Some(1)) => self.right_after_second += 1,
            ([], _) => self.right_after_third += 1,
            _ => self.wrong += 1,
        }
    }

    fn row(&self, kind: &str) -> [String; 8] {
        [
            kind.to_owned(),
            self.cases.to_string(),
            self.complete.to_string(),
            self.failed.to_string(),
            self.right_after_second.to_string(),
            self.right_after_third.to_string(),
            self.wrong.to_string(),
            self.official.to_string(),
        ]
    }
}

/// The number of cases at a time of each queue.
const JOBS: usize = 2;

/// The longest real time of a case.
const WATCHDOG: Duration = Duration::from_mins(2);
