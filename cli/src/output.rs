//! Output of the programs: a progress bar on a terminal, plain lines in a pipe, or JSON.

use std::{
    io::{self, IsTerminal as _, Write as _},
    sync::{Arc, Mutex},
    time::Duration,
};

use futures::future::BoxFuture;
use indicatif::{ProgressBar, ProgressStyle};
use okta_aws_sso::{
    Access, AccessReport, Cause, CheckOutcome, Document, Drift, Event, EventKind, Operator,
    Outcome, Plan, ReadPart, Report, Severity, Verification,
    operator::{Answers, ManualStep, OperatorError},
    rights,
};
use url::Url;

use crate::{Failure, Status, access_report, drift, plan_view, terminal};

/// Prints the plan, the progress, the result and errors.
#[derive(Clone)]
pub(crate) struct Output {
    json: bool,
    full: bool,
    bar: Arc<Mutex<Option<ProgressBar>>>,
}

impl Output {
    pub(crate) fn new(json: bool, full: bool) -> Self {
        Self {
            json,
            full,
            bar: Arc::default(),
        }
    }

    /// Prints a line of text, above the progress bar if a progress bar is shown.
    fn line(&self, text: &str) {
        match &*self
            .bar
            .lock()
            .expect("no code panics while it holds the progress bar")
        {
            // A progress bar is shown on a terminal only, which understands colors unless NO_COLOR is set.
            Some(bar) => bar.println(terminal::fitted(text)),
            None => terminal::print(text),
        }
    }

    /// Prints one line of JSON.
    pub(crate) fn document(document: &Document<'_>) {
        let _closed = writeln!(io::stdout(), "{document}");
    }

    /// Prints the error of a program, and returns the exit status.
    pub(crate) fn end(&self, result: Result<Status, Failure>) -> Status {
        result.unwrap_or_else(|failure| {
            self.failure(&failure);
            Status::Failed
        })
    }

    pub(crate) fn plan(&self, plan: &Plan) {
        self.clear_bar();
        if self.json {
            Self::document(&Document::Plan(plan));
        } else if plan.is_empty() && plan.problems().next().is_none() {
            self.line("No changes");
            for note in plan.steps.iter().flat_map(|step| &step.notes) {
                self.line(&format!("  ! {note}"));
            }
        } else {
            self.line(&plan_view::text(plan, self.full));
        }
    }

    /// Prints the differences between the services and the blueprint.
    pub(crate) fn drift(&self, drift: &Drift, severity: Severity) {
        if self.json {
            Self::document(&Document::drift(drift));
        } else {
            drift::print(drift, severity);
        }
    }

    /// Shows the scopes that a service app needs in Okta for the plan, and those that the run can use.
    pub(crate) fn scopes(&self, plan: &Plan) {
        self.clear_bar();
        if !self.json {
            let scopes: Vec<&str> = rights::required_scopes(plan).into_iter().collect();
            self.line(&format!("scopes: {}", scopes.join(" ")));
            let optional = rights::optional_scopes(plan);
            let optional: Vec<String> = optional
                .iter()
                .map(|optional| format!("{} ({})", optional.scope, optional.purpose))
                .collect();
            if !optional.is_empty() {
                self.line(&format!("optional scopes: {}", optional.join(", ")));
            }
        }
    }

    /// Starts to show the progress of applying.
    pub(crate) fn start(&self, plan: &Plan) {
        let changes = plan.changes().count();
        if self.start_bar(changes).is_none() && !self.json {
            self.line("");
        }
    }

    /// Shows a progress bar on a terminal. Without a number of changes, it has a message only.
    fn start_bar(&self, changes: usize) -> Option<ProgressBar> {
        if self.json || !io::stderr().is_terminal() {
            return None;
        }
        let template = match changes {
            0 => "{spinner} {wide_msg}",
            _ => "{spinner} [{bar:30}] {pos}/{len} {wide_msg}",
        };
        let style = ProgressStyle::with_template(template).expect("a valid template");
        let bar = ProgressBar::new(changes as u64).with_style(style.progress_chars("=> "));
        bar.enable_steady_tick(Duration::from_millis(120));
        let mut shown = self
            .bar
            .lock()
            .expect("no code panics while it holds the progress bar");
        *shown = Some(bar.clone());
        Some(bar)
    }

    /// Removes the progress bar.
    fn clear_bar(&self) {
        let bar = self
            .bar
            .lock()
            .expect("no code panics while it holds the progress bar")
            .take();
        if let Some(bar) = bar {
            bar.finish_and_clear();
        }
    }

    /// Returns a function that shows each event.
    pub(crate) fn on_event(&self) -> impl Fn(&Event) + Send + Sync + use<> {
        let output = self.clone();
        move |event| output.event(event)
    }

    /// Shows an event. The pipeline calls this function before it goes on, so events and questions are in order.
    pub(crate) fn event(&self, event: &Event) {
        if self.json {
            Self::document(&Document::event(event));
            return;
        }
        let bar = self
            .bar
            .lock()
            .expect("no code panics while it holds the progress bar")
            .clone();
        match &event.kind {
            EventKind::ChangeStarted { change, .. } => {
                if let Some(bar) = bar {
                    bar.set_message(change.to_string());
                }
            }
            EventKind::ChangeWaiting { waiting, .. } => {
                let missing = match waiting.missing.as_slice() {
                    [] => String::new(),
                    [first] => format!(": {first}"),
                    [first, rest @ ..] => format!(": {first} and {} more", rest.len()),
                };
                let text = format!("waiting for {}{missing}", waiting.on);
                self.waiting(bar, text);
            }
            EventKind::RateLimited {
                origin,
                limit,
                until,
            } => self.waiting(
                bar,
                format!("waiting until {until:.0} for the rate limit {limit} of {origin}"),
            ),
            EventKind::ReadForecast {
                service,
                calls,
                duration,
            } if *duration > MIN_FORECAST => self.waiting(
                bar,
                format!(
                    "reading the access from AWS: {} to {service}, about {} min",
                    count(*calls, "call"),
                    duration.as_secs().div_ceil(60)
                ),
            ),
            EventKind::ReadProgress { part, done, total } => {
                let part = match part {
                    ReadPart::PermissionSets => "permission sets",
                    _ => "assignments",
                };
                // A pipe gets no line for each half second.
                if let Some(bar) = bar.or_else(|| self.start_bar(0)) {
                    bar.set_message(format!("reading {part}: {done} of {total}"));
                }
            }
            EventKind::ChangeFinished { result } => {
                let change = format!("{} {}", result.action.verb(), result.subject);
                self.line(&match &result.outcome {
                    Outcome::Done => format!("  ok {change}"),
                    Outcome::AlreadyDone => format!("  ok {change}: already done"),
                    Outcome::Skipped {
                        because: Cause::Subject(subject),
                    } => format!("  -- {change}: not started, because of {subject}"),
                    Outcome::Skipped {
                        because: Cause::Step(step),
                    } => {
                        format!("  -- {change}: not started, because step {step} cannot be planned")
                    }
                    Outcome::Skipped {
                        because: Cause::Guard,
                    } => format!("  -- {change}: withheld by the guard"),
                    Outcome::Skipped { .. } => format!("  -- {change}: not started"),
                    outcome => match outcome.problem() {
                        Some(problem) => {
                            let text = problem.explain().replace('\n', "\n     ");
                            format!("  NO {change}\n     {text}")
                        }
                        None => format!("  -- {change}: cannot be verified"),
                    },
                });
                if let Some(bar) = bar {
                    bar.inc(1);
                }
            }
            _ => {}
        }
    }

    fn waiting(&self, bar: Option<ProgressBar>, text: String) {
        match bar {
            Some(bar) => bar.set_message(text),
            None => self.line(&format!("  .. {text}")),
        }
    }

    pub(crate) fn applied(&self, report: &Report) {
        self.clear_bar();
        if self.json {
            Self::document(&Document::Report(report));
            return;
        }
        let mut text = format!("\nApplied {}", count(report.done(), "change"));
        let problems = report.all_problems().count();
        for (number, noun) in [
            (problems, "problem"),
            (report.skipped(), "change not started"),
        ] {
            if number > 0 {
                text = format!("{text}, {}", count(number, noun));
            }
        }
        self.line(&format!("{text}."));
        for (step, change) in &report.unplanned {
            self.line(&format!("  ! not planned, and not made: {change} ({step})"));
        }
        for problem in &report.problems {
            let text = problem.explain().replace('\n', "\n    ");
            self.line(&format!("  x {text}"));
        }
    }

    /// Prints the checks.
    pub(crate) fn verification(&self, verification: &Verification) {
        self.clear_bar();
        if self.json {
            Self::document(&Document::verification(verification));
            return;
        }
        self.line("\nVerified:");
        for check in &verification.checks {
            let mark = match check.outcome {
                CheckOutcome::Verified => "ok",
                CheckOutcome::Failed => "NO",
                CheckOutcome::Unverifiable => "--",
            };
            self.line(&format!("  {mark} {}", check.what));
        }
    }

    /// Prints the roles of the users, and the URL of the access portal.
    pub(crate) fn access(&self, report: &AccessReport, portal: Option<&Url>) {
        if self.json {
            let access = Access {
                portal_url: portal,
                report,
            };
            let _closed = access.write_json(io::stdout().lock());
            return;
        }
        let mut text = Vec::new();
        let _infallible = access_report::write_text(report, terminal::width(), &mut text);
        self.line(&format!("\n{}", String::from_utf8_lossy(&text).trim_end()));
        if let Some(portal) = portal {
            self.line(&format!("\nSign in at {portal}"));
        }
    }

    pub(crate) fn failure(&self, failure: &Failure) {
        if let Some(bar) = self
            .bar
            .lock()
            .expect("no code panics while it holds the progress bar")
            .take()
        {
            bar.abandon();
        }
        if self.json {
            Self::document(&Document::problem(&failure.problem()));
        }
        terminal::note(&failure.explain());
    }

    /// Wraps `operator` so that manual steps and the progress bar do not disturb each other.
    pub(crate) fn operator(
        &self,
        operator: Arc<dyn Operator>,
        on_sandbox: bool,
    ) -> OperatorWithOutput {
        OperatorWithOutput {
            operator,
            output: self.clone(),
            on_sandbox,
        }
    }
}

/// An operator that shares the terminal with the output.
///
/// On a sandbox, the output shows the manual steps. On real tenants, the inner operator shows them, and the progress bar
/// pauses until the operator has answered.
pub(crate) struct OperatorWithOutput {
    operator: Arc<dyn Operator>,
    output: Output,
    on_sandbox: bool,
}

impl Operator for OperatorWithOutput {
    fn ask<'a>(
        &'a self,
        manual_step: &'a ManualStep,
    ) -> BoxFuture<'a, Result<Answers, OperatorError>> {
        if self.on_sandbox && !self.output.json {
            self.output.line(&format!(
                "\n  @  {}",
                manual_step.to_string().trim_end().replace('\n', "\n     ")
            ));
            self.output
                .line("     (done automatically in the sandbox's console)\n");
        }
        Box::pin(async move {
            let bar = self
                .output
                .bar
                .lock()
                .expect("no code panics while it holds the progress bar")
                .clone();
            match bar {
                // A ticking progress bar would overwrite the operator's input.
                Some(bar) if !self.on_sandbox => {
                    bar.disable_steady_tick();
                    let answers = self.operator.ask(manual_step).await;
                    bar.enable_steady_tick(Duration::from_millis(120));
                    answers
                }
                _ => self.operator.ask(manual_step).await,
            }
        })
    }

    fn may_ask_again(&self) -> bool {
        self.operator.may_ask_again()
    }
}

/// A forecast of less time is not shown.
const MIN_FORECAST: Duration = Duration::from_mins(1);

/// Returns a number with a noun, such as `1 change` or `2 changes`.
fn count(number: usize, noun: &str) -> String {
    let s = if number == 1 { "" } else { "s" };
    format!("{number} {noun}{s}")
}
