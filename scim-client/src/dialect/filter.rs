//! The filters that a server supports.

use scim_types::filter::{AttributePath, Filter, Operator};

/// Filters that a server supports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FilterRules {
    /// All filters.
    Any,
    /// Comparisons by `eq`, joined by `and`. Each inner list is a supported set of attributes, in any
    /// order.
    Only(&'static [&'static [&'static str]]),
}

impl FilterRules {
    /// Returns whether the server supports a filter.
    #[must_use]
    pub fn allow(&self, filter: &Filter) -> bool {
        let Self::Only(sets) = self else { return true };
        let Some(attributes) = compared_attributes(filter) else {
            return false;
        };
        sets.iter().any(|set| {
            set.len() == attributes.len()
                && set
                    .iter()
                    .all(|name| attributes.iter().any(|path| has_name(path, name)))
        })
    }

    /// Describes the supported filters for an error text.
    pub(crate) fn describe(&self) -> String {
        let Self::Only(sets) = self else {
            return "any filter".to_owned();
        };
        let sets: Vec<String> = sets.iter().map(|set| set.join(" and ")).collect();
        format!("`eq` on {}", sets.join(", or on "))
    }
}

/// Returns the attributes of a filter that uses only `eq` and `and`; `None` for other filters.
fn compared_attributes(filter: &Filter) -> Option<Vec<&AttributePath>> {
    match filter {
        Filter::Compare(comparison) => {
            (comparison.operator == Operator::Eq).then(|| vec![&comparison.attribute])
        }
        Filter::And(terms) => {
            let terms: Option<Vec<_>> = terms.iter().map(compared_attributes).collect();
            terms.map(|terms| terms.concat())
        }
        _ => None,
    }
}

fn has_name(path: &AttributePath, name: &str) -> bool {
    path.to_string().eq_ignore_ascii_case(name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Dialect;

    #[track_caller]
    fn check(filter: &str, users: bool, groups: bool) {
        let rules = Dialect::AwsIdentityCenter.rules();
        let filter = Filter::parse(filter).unwrap();
        let allowed = (
            rules.user_filters.allow(&filter),
            rules.group_filters.allow(&filter),
        );
        assert_eq!(allowed, (users, groups), "{filter}");
        assert!(Dialect::Generic.rules().user_filters.allow(&filter));
    }

    #[test]
    fn aws_supports_only_the_filters_of_its_guide() {
        check(r#"userName eq "a""#, true, false);
        check(r#"USERNAME eq "a""#, true, false);
        check(r#"displayName eq "a""#, false, true);
        check(r#"externalId eq "a""#, true, true);
        check(r#"groups.value eq "g""#, true, false);
        check(r#"members.value eq "u""#, false, true);
        check(r#"id eq "g" and members eq "u""#, false, true);
        check(r#"manager eq "m" and id eq "u""#, true, false);
        check(r#"manager eq "m""#, false, false);
        check(r#"userName eq "a" and externalId eq "b""#, false, false);
        check(r#"userName eq "a" and userName eq "b""#, false, false);
        check(r#"id eq "a" and id eq "b""#, false, false);
    }

    #[test]
    fn aws_supports_no_other_operators() {
        check(r#"userName sw "a""#, false, false);
        check("userName pr", false, false);
        check(r#"userName eq "a" or externalId eq "b""#, false, false);
        check(r#"not (userName eq "a")"#, false, false);
        check(r#"groups[value eq "g"]"#, false, false);
    }

    #[test]
    fn the_supported_filters_are_described() {
        assert_eq!(
            Dialect::AwsIdentityCenter.rules().user_filters.describe(),
            "`eq` on userName, or on externalId, or on groups.value, or on id, or on id and manager"
        );
    }
}
