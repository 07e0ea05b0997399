//! The names that are most similar to a wrong name.

/// Returns the help `did you mean …?` if a known name is similar to the wrong one.
pub(super) fn suggestion<'a>(wrong: &str, known: impl Iterator<Item = &'a str>) -> Option<String> {
    let nearest = nearest(wrong, known);
    let nearest = nearest.first()?;
    Some(format!("did you mean `{nearest}`?"))
}

/// Returns the three known names that are most similar to a name, the most similar first.
pub(crate) fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut rated: Vec<(f64, &str)> = known
        .map(|known| (strsim::jaro_winkler(name, known), known))
        .filter(|(similarity, _)| *similarity > 0.8)
        .collect();
    rated.sort_by(|left, right| right.0.total_cmp(&left.0).then(left.1.cmp(right.1)));
    rated.dedup_by(|right, left| right.1 == left.1);
    rated.into_iter().map(|(_, name)| name).take(3).collect()
}
