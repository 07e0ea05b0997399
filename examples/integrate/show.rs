//! What the user of the example sees: bars on a terminal, plain lines in a pipe, or JSON.

use std::{
    io::{self, IsTerminal as _, Write as _},
    sync::{Arc, Mutex},
    time::Duration,
};

use comfy_table::{ContentArrangement, Table, presets};
use futures::{StreamExt as _, future::BoxFuture, stream::BoxStream};
use indicatif::{ProgressBar, ProgressStyle};
use okta_aws_sso::{
    AccessReport, CheckOutcome, Event, Operator, Plan, Report, Verification,
    operator::{Answers, ManualStep, OperatorError},
};
use serde_json::json;
use url::Url;

use crate::args::Failure;

/// What the user sees.
#[derive(Clone)]
pub(crate) struct Screen {
    json: bool,
    bar: Arc<Mutex<Option<ProgressBar>>>,
}

impl Screen {
    pub(crate) fn new(json: bool) -> Self {
        Self {
            json,
            bar: Arc::default(),
        }
    }

    /// A line of text, above the bar if there is one.
    fn line(&self, text: &str) {
        match &*self.bar.lock().expect("nobody panics while drawing") {
            Some(bar) => bar.println(text),
            None => print(text),
        }
    }

    fn document(value: &serde_json::Value) {
        print(&value.to_string());
    }

    pub(crate) fn plan(&self, plan: &Plan) {
        if self.json {
            Self::document(&json!({"plan": plan}));
        } else if plan.is_empty() {
            self.line("No changes");
            for note in plan.steps.iter().flat_map(|step| &step.notes) {
                self.line(&format!("  ! {note}"));
            }
        } else {
            self.line(plan.to_string().trim_end());
        }
    }

    /// Asks whether to go on, unless that was said before.
    pub(crate) fn confirmed(yes: bool) -> Result<bool, Failure> {
        if yes {
            return Ok(true);
        }
        if !io::stdin().is_terminal() {
            return Err(Failure::input(
                "nobody is at the terminal to say yes to the plan",
                "say --yes, or --plan-only to look at it",
            ));
        }
        let _closed = write!(io::stderr(), "\nApply this plan? Only `yes` is taken: ");
        let mut line = String::new();
        io::stdin()
            .read_line(&mut line)
            .map_err(|error| Failure::input(error.to_string(), "say --yes"))?;
        Ok(line.trim() == "yes")
    }

    /// Shows what happens until it has happened.
    pub(crate) async fn events(self, mut events: BoxStream<'static, Event>, changes: usize) {
        if !self.json && io::stderr().is_terminal() {
            let style = ProgressStyle::with_template("{spinner} [{bar:30}] {pos}/{len} {wide_msg}")
                .expect("a template that is right");
            let bar = ProgressBar::new(changes as u64).with_style(style.progress_chars("=> "));
            bar.enable_steady_tick(Duration::from_millis(120));
            *self.bar.lock().expect("nobody panics while drawing") = Some(bar);
        } else if !self.json {
            self.line("");
        }
        while let Some(event) = events.next().await {
            self.event(&event);
        }
    }

    fn event(&self, event: &Event) {
        if self.json {
            Self::document(&json!(event));
            return;
        }
        let bar = self
            .bar
            .lock()
            .expect("nobody panics while drawing")
            .clone();
        match event {
            Event::ChangeStarted { change, .. } => {
                if let Some(bar) = bar {
                    bar.set_message(format!("{} {}", change.action.verb(), change.target));
                }
            }
            Event::ChangeWaiting { waiting, .. } => {
                let missing = match waiting.missing.as_slice() {
                    [] => String::new(),
                    [one] => format!(": {one}"),
                    [one, rest @ ..] => format!(": {one} and {} more", rest.len()),
                };
                let text = format!("waiting for {}{missing}", waiting.on);
                match bar {
                    Some(bar) => bar.set_message(text),
                    None => self.line(&format!("  .. {text}")),
                }
            }
            Event::ChangeDone { change, .. } => {
                self.line(&format!("  ok {} {}", change.action.verb(), change.target));
                if let Some(bar) = bar {
                    bar.inc(1);
                }
            }
            Event::AlreadyDone { target, .. } => {
                self.line(&format!("  ok {target}: true already"));
                if let Some(bar) = bar {
                    bar.inc(1);
                }
            }
            _ => {}
        }
    }

    pub(crate) fn applied(&self, report: &Report) {
        if let Some(bar) = self.bar.lock().expect("nobody panics while drawing").take() {
            bar.finish_and_clear();
        }
        if self.json {
            Self::document(
                &json!({"applied": report.applied, "already_done": report.already_done}),
            );
        } else {
            self.line(&format!("\nApplied {} changes.", report.applied));
        }
    }

    pub(crate) fn access(
        &self,
        portal: Option<&Url>,
        verification: &Verification,
        report: &AccessReport,
    ) {
        if self.json {
            Self::document(
                &json!({"portal_url": portal, "checks": verification.checks, "access": report}),
            );
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
        let mut table = Table::new();
        table
            .load_style(presets::UTF8_FULL_CONDENSED)
            .set_content_arrangement(ContentArrangement::Dynamic)
            .set_header(["User", "Account", "Role", "Through"]);
        // A terminal that is too narrow to break lines in, or does not know its width, gets them whole.
        if table.width().is_some_and(|width| width < 60) {
            table.set_content_arrangement(ContentArrangement::Disabled);
        }
        for row in &report.rows {
            table.add_row([
                &row.user,
                &format!("{} ({})", row.account, row.account_id),
                &row.role,
                &row.through,
            ]);
        }
        self.line(&format!("\n{table}"));
        for orphan in &report.orphans {
            self.line(&format!("  ! an assignment to nobody: {orphan}"));
        }
        if let Some(portal) = portal {
            self.line(&format!("\nSign in at {portal}"));
        }
    }

    pub(crate) fn failure(&self, failure: &Failure) {
        if let Some(bar) = self.bar.lock().expect("nobody panics while drawing").take() {
            bar.abandon();
        }
        let text = match failure {
            Failure::Stopped(error) => format!("error: {}", error.explain()),
            Failure::Blueprint(rendered) => rendered.clone(),
            Failure::Input { what, help } => format!("error: {what}\n  to do:  {help}"),
            Failure::Unproved => format!("error: {failure}"),
        };
        if self.json {
            Self::document(&json!({"error": text}));
        }
        let _closed = writeln!(io::stderr(), "{text}");
    }

    /// A person whose hand-offs are shown.
    pub(crate) fn watched(&self, person: Arc<dyn Operator>, rehearsal: bool) -> Watched {
        Watched {
            person,
            screen: self.clone(),
            rehearsal,
        }
    }
}

/// A person whose hand-offs are shown.
pub(crate) struct Watched {
    person: Arc<dyn Operator>,
    screen: Screen,
    rehearsal: bool,
}

impl Operator for Watched {
    fn ask<'a>(
        &'a self,
        manual_step: &'a ManualStep,
    ) -> BoxFuture<'a, Result<Answers, OperatorError>> {
        if self.rehearsal && !self.screen.json {
            self.screen.line(&format!(
                "\n  @  {}",
                manual_step.to_string().trim_end().replace('\n', "\n     ")
            ));
            self.screen.line("     (done at the sandbox's console)\n");
        }
        Box::pin(async move {
            let bar = self
                .screen
                .bar
                .lock()
                .expect("nobody panics while drawing")
                .clone();
            match bar {
                // A bar that ticks would draw over what a person types.
                Some(bar) if !self.rehearsal => {
                    bar.disable_steady_tick();
                    let answers = self.person.ask(manual_step).await;
                    bar.enable_steady_tick(Duration::from_millis(120));
                    answers
                }
                _ => self.person.ask(manual_step).await,
            }
        })
    }

    fn may_ask_again(&self) -> bool {
        self.person.may_ask_again()
    }
}

fn print(text: &str) {
    // Who reads may stop reading; that is no reason to fail.
    let _closed = writeln!(io::stdout(), "{text}");
}
