//! Errors of a blueprint: message, position in the text, and help.

use std::{fmt, ops::Range, sync::Arc};

use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};
use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use super::{
    text,
    validate::{At, Problem},
};
use crate::plan::count;

/// An error in the text of a blueprint.
///
/// [`Display`](fmt::Display) writes the message. [`ParseBlueprintError::render`] also shows the position in the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseBlueprintError {
    message: String,
    span: Option<Range<usize>>,
    help: Option<String>,
    /// The file with the error, if the blueprint was read from a file.
    file: Option<Arc<NamedText>>,
    others: Vec<Self>,
}

/// A text with the name of its file, if it has one.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct NamedText {
    pub(super) name: Option<Arc<str>>,
    pub(super) text: String,
}

impl ParseBlueprintError {
    /// Returns the other errors in the same text.
    #[must_use]
    pub fn others(&self) -> &[Self] {
        &self.others
    }

    /// Returns the byte range of the wrong value, if it is known.
    #[must_use]
    pub fn span(&self) -> Option<Range<usize>> {
        self.span.clone()
    }

    /// Returns the correction that the message suggests, if it is known.
    #[must_use]
    pub fn help(&self) -> Option<&str> {
        self.help.as_deref()
    }

    /// Returns the messages of all errors with their positions in the text and the help, for a terminal without colors.
    #[must_use]
    pub fn render(&self, origin: &str, text: &str) -> String {
        let errors = std::iter::once(self).chain(&self.others);
        let rendered: Vec<String> = errors.map(|error| error.render_one(origin, text)).collect();
        rendered.join("\n")
    }

    /// Returns the messages of all errors as [`render`](Self::render) does, for a blueprint that was read from a file.
    #[must_use]
    pub fn explain(&self) -> String {
        self.render("blueprint", "")
    }

    /// Shows the error in its own file, or else in the given text.
    fn render_one(&self, origin: &str, text: &str) -> String {
        let file = self.file.as_deref();
        let (origin, text) = match file.and_then(|file| Some((file.name.as_deref()?, &file.text))) {
            Some((name, text)) => (name, text.as_str()),
            None => (origin, text),
        };
        let mut group = Level::ERROR
            .primary_title(self.message.as_str())
            .elements(Vec::<Snippet<'_, annotate_snippets::Annotation<'_>>>::new());
        if let Some(span) = self.span.as_ref().filter(|span| span.end <= text.len()) {
            group = group.element(
                Snippet::source(text)
                    .path(origin)
                    .annotation(AnnotationKind::Primary.span(span.clone())),
            );
        }
        if let Some(help) = &self.help {
            group = group.element(Level::HELP.message(help.as_str()));
        }
        Renderer::plain().render(&[group])
    }

    /// Fails if a text is larger than a blueprint can be.
    pub(super) fn check_size(text: &str, max: usize) -> Result<(), Self> {
        if text.len() <= max {
            return Ok(());
        }
        Err(Self {
            message: format!(
                "the blueprint has {} bytes, and at most {max} are accepted",
                text.len()
            ),
            span: None,
            help: Some("check that the file is a blueprint".to_owned()),
            file: None,
            others: Vec::new(),
        })
    }

    pub(super) fn toml(text: &str, error: &toml::de::Error) -> Self {
        let message = error.message();
        Self {
            help: suggestion(message),
            message: message.to_owned(),
            span: error.span().map(|span| clamp_to_characters(text, span)),
            file: None,
            others: Vec::new(),
        }
    }

    pub(super) fn json(text: &str, error: &serde_json::Error) -> Self {
        let full = error.to_string();
        let message = full
            .rsplit_once(" at line ")
            .map_or(full.as_str(), |(message, _)| message);
        let before: usize = text
            .split_inclusive('\n')
            .take(error.line().saturating_sub(1))
            .map(str::len)
            .sum();
        let at = (before + error.column()).min(text.len());
        Self {
            help: suggestion(message),
            message: message.to_owned(),
            span: Some(clamp_to_characters(text, at.saturating_sub(1)..at)),
            file: None,
            others: Vec::new(),
        }
    }

    /// Returns the error for a file that cannot be read.
    pub(super) fn file(message: String, help: &str) -> Self {
        Self {
            message,
            span: None,
            help: Some(help.to_owned()),
            file: None,
            others: Vec::new(),
        }
    }

    /// Returns the error for a violated rule.
    pub(super) fn of_problem(
        problem: &Problem,
        span: Option<Range<usize>>,
        file: &Arc<NamedText>,
    ) -> Self {
        Self {
            message: problem.message.clone(),
            span,
            help: Some(problem.help.clone()),
            file: Some(Arc::clone(file)),
            others: Vec::new(),
        }
    }

    /// Sets the file with the error.
    pub(super) fn of(mut self, file: &Arc<NamedText>) -> Self {
        self.file = Some(Arc::clone(file));
        self
    }

    /// Joins errors into one, or returns `None` if there are none.
    pub(super) fn all(errors: impl IntoIterator<Item = Self>) -> Option<Self> {
        let mut errors = errors.into_iter();
        let mut first = errors.next()?;
        first.others = errors.collect();
        Some(first)
    }
}

impl fmt::Display for ParseBlueprintError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        match self.others.len() {
            0 => Ok(()),
            others => write!(f, " (and {})", count(others, "other error")),
        }
    }
}

impl std::error::Error for ParseBlueprintError {}

/// Returns the known name that is most similar to the unknown name in serde's message.
fn suggestion(message: &str) -> Option<String> {
    let mut quoted = message.split('`').skip(1).step_by(2);
    let unknown = message
        .starts_with("unknown field")
        .then(|| quoted.next())??;
    text::suggestion(unknown, quoted)
}

/// Returns the byte range of the innermost value on the path that exists in the document.
pub(super) fn locate(document: &Spanned<DeTable<'_>>, at: &[At]) -> Range<usize> {
    let mut span = document.span();
    let mut table = Some(document.get_ref());
    let mut array = None;
    for part in at {
        let next: Option<&Spanned<DeValue<'_>>> = match part {
            At::Key(key) => table.and_then(|table| table.get(key.as_str())),
            At::Index(index) => array.and_then(|array: &toml::de::DeArray<'_>| array.get(*index)),
        };
        let Some(next) = next else { break };
        span = next.span();
        (table, array) = match next.get_ref() {
            DeValue::Table(table) => (Some(table), None),
            DeValue::Array(array) => (None, Some(array)),
            _ => (None, None),
        };
    }
    span
}

/// Returns the span limited to the text and moved to character boundaries.
fn clamp_to_characters(text: &str, span: Range<usize>) -> Range<usize> {
    let floor = |at: usize| {
        (0..=at.min(text.len()))
            .rev()
            .find(|at| text.is_char_boundary(*at))
            .unwrap_or(0)
    };
    floor(span.start)..floor(span.end)
}

#[cfg(test)]
mod tests {
    use crate::Blueprint;

    #[track_caller]
    fn rendered(text: &str) -> String {
        let error = Blueprint::from_toml(text).expect_err("a problem");
        error.render("blueprint.toml", text)
    }

    #[test]
    fn an_unknown_key_is_shown_with_the_most_similar_known_key() {
        insta::assert_snapshot!(rendered(
            "[[access]]\nusr = \"ada\"\naccount = \"Sandbox\"\npermission_set = \"Billing\"\n"
        ));
    }

    #[test]
    fn a_group_that_is_both_assigned_and_pushed_is_rejected() {
        insta::assert_snapshot!(rendered(
            "[provisioning]\nassign_groups = [\"everyone\", \"ops\"]\n\n[[access]]\ngroup = \"ops\"\naccount = \"1\"\npermission_set = \"Billing\"\n"
        ));
    }

    #[test]
    fn errors_in_selectors_of_users_and_groups_show_their_positions() {
        insta::assert_snapshot!(rendered(
            "[provisioning]\nassign_groups = { except = [\"ops\"] }\nassign_users = { search = \"\" }\n"
        ));
        insta::assert_snapshot!(rendered(
            "[provisioning]\npush_groups = { prefix = \"aws-\" }\n"
        ));
    }

    #[test]
    fn an_undescribed_permission_set_with_an_unknown_name_is_rejected() {
        insta::assert_snapshot!(rendered(
            "[[access]]\nuser = \"ada\"\naccount = \"Sandbox\"\npermission_set = \"Deploy\"\n"
        ));
    }

    #[test]
    fn an_error_in_a_filter_shows_its_position() {
        insta::assert_snapshot!(rendered(
            "[[access]]\ngroups = { a = \"Billing\" }\naccounts = { all = true, except = { tags = { team = \"web\" } } }\n"
        ));
    }

    #[test]
    fn the_first_wrong_round_of_an_entry_is_shown_once() {
        insta::assert_snapshot!(rendered(
            "lists = { set = [\"Billing\", \"Deploy\", \"Other\"] }\n[[access]]\nfor = \"set\"\ngroups = { \"{set}\" = \"{set}\" }\naccounts = { all = true }\n"
        ));
    }

    #[test]
    fn a_json_error_shows_its_position() {
        let text = "{\n  \"access\": [],\n  \"octa\": {}\n}";
        let error = Blueprint::from_json(text).expect_err("a problem");
        insta::assert_snapshot!(error.render("blueprint.json", text));
    }

    #[test]
    fn each_violated_rule_has_a_message() {
        for (text, message) in [
            (
                "[[access]]\npermission_set = \"Billing\"\naccount = \"1\"\n",
                "an access entry has neither `user` nor `group`",
            ),
            (
                "[[access]]\nuser = \"a\"\ngroup = \"b\"\naccount = \"1\"\npermission_set = \"Billing\"\n",
                "an access entry has both `user` and `group`",
            ),
            (
                "[[access]]\nuser = \"a\"\npermission_set = \"Billing\"\n",
                "an access entry has no account",
            ),
            (
                "[[access]]\nuser = \"a\"\naccounts = [\"1\", \"1\"]\npermission_set = \"Billing\"\n",
                "account `1` is listed twice",
            ),
            (
                "[okta]\ncustom_domain = \"https://login.example.com\"\n",
                "`https://login.example.com` is a URL, not a host",
            ),
            (
                "[okta]\ncustom_domain = \"example.com\"\n",
                "`example.com` is not a subdomain",
            ),
            (
                "[permission_sets.\"two words\"]\n",
                "`two words` is not a valid name of a permission set",
            ),
            (
                "[permission_sets.A]\nsession_duration = \"PT13H\"\n",
                "`PT13H` is not a session duration from 1 to 12 hours",
            ),
            (
                "[permission_sets.A]\nmanaged_policies = [\"arn:aws:iam::111122223333:policy/Own\"]\n",
                "`arn:aws:iam::111122223333:policy/Own` is not an AWS managed policy",
            ),
            (
                "[permission_sets.A]\ncustomer_managed_policies = [\"teams/Deploy\"]\n",
                "`teams/Deploy` is not the name of a customer managed policy",
            ),
            (
                "[permission_sets.A]\npermissions_boundary = { managed_policy = \"a b\" }\n",
                "`a b` is not an AWS managed policy",
            ),
            (
                "[permission_sets.A]\nrelay_state = \"\"\n",
                "the relay state does not have 1 to 240 letters, digits and characters of URLs, the limits of AWS",
            ),
            (
                "[permission_sets.A]\ntags = { \"aws:x\" = \"y\" }\n",
                "`aws:x` is not a valid tag",
            ),
            (
                "[permission_sets.A]\nexisting = true\nsession_duration = \"8h\"\n",
                "a permission set with `existing = true` is described",
            ),
            (
                "[permission_sets.A]\ninline_policy = \"[]\"\n",
                "the inline policy is not a JSON object",
            ),
        ] {
            check(text, message);
        }
    }

    #[track_caller]
    fn check(text: &str, message: &str) {
        let error = Blueprint::from_toml(text).expect_err(message);
        assert_eq!(error.to_string(), message);
    }

    #[test]
    fn each_violated_rule_of_an_entry_has_a_message() {
        for (text, message) in [
            (
                "[[access]]\nuser = \"a\"\naccount = \"1\"\n",
                "an access entry has no `permission_set`",
            ),
            (
                "[[access]]\nuser = \"a\"\ngroups = { b = \"Billing\" }\naccount = \"1\"\n",
                "an access entry has `users` or `groups` besides `user` or `group`",
            ),
            (
                "[[access]]\ngroups = { b = \"Billing\" }\npermission_set = \"Billing\"\naccount = \"1\"\n",
                "an access entry has `permission_set` besides `users` or `groups`, which name their own",
            ),
            (
                "[[access]]\ngroups = { b = \"Billing\" }\naccount = \"1\"\naccounts = { all = true }\n",
                "an access entry has `account` besides a filter of accounts",
            ),
            (
                "[[access]]\ngroups = { b = \"Billing\" }\naccounts = { all = true, ou = [\"A\"] }\n",
                "a filter has `all` besides `ou`, `tag` or `name`",
            ),
            (
                "[[access]]\ngroups = { b = \"Billing\" }\naccounts = { except = [\"A\"] }\n",
                "a filter has none of `all`, `ou`, `tag` and `name`",
            ),
            (
                "[[access]]\ngroups = { b = \"Billing\" }\naccounts = { all = true, except = { all = true, except = [\"A\"] } }\n",
                "`except` has an `except` of its own",
            ),
            (
                "[[access]]\ngroups = { b = \"Billing\" }\naccounts = { ou = [] }\n",
                "the value is empty: add a value, or remove the key",
            ),
            (
                "[[access]]\ngroups = { b = \"Deploy\" }\naccounts = { all = true }\n",
                "permission set `Deploy` is not described, and no AWS managed policy for a job function has this name",
            ),
            (
                "[[access]]\ngroup = \"a\"\naccount = \"1\"\npermission_set = \"Billing\"\nuntil = \"31.3.2027\"\n",
                "`31.3.2027` is not a date such as 2027-03-31",
            ),
            (
                "[[access]]\ngroup = \"a\"\naccount = \"1\"\npermission_set = \"Billing\"\nuntil = 2027-03-31T00:00:00Z\n",
                "`2027-03-31T00:00:00Z` is not a date such as 2027-03-31",
            ),
        ] {
            check(text, message);
        }
    }
}
