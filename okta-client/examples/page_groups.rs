//! Pages through 10,000 groups with half of the rate limit, so that other programs with the same token can go on.
//! `cargo run -p okta-client --example page_groups` reads a sandbox with the rate limits of a Workforce Identity org.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "an example prints its result"
)]

use std::collections::BTreeMap;

use okta_client::{Client, Clock as _, Error, ListGroups, Secret, SystemClock};
use sandbox::{Company, OktaRateLimits, Sandbox, Team};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut company = Company::small(3, 2);
    let teams = (0..10_000).map(|number| Team::new(&format!("group {number:05}"), &[]));
    company.teams.extend(teams);
    let org = Sandbox::builder()
        .company(company)
        .rate_limits(OktaRateLimits::Workforce)
        .page_size(None)
        .start()
        .await?;

    let okta = Client::builder(&org.okta_url(), Secret::new(org.okta_token()))
        .rate_limit_share(0.5)
        .build()?;
    let begin = SystemClock.elapsed();
    match count_by_kind(&okta).await {
        Ok(kinds) => println!(
            "{kinds:?} in {:.1} s",
            SystemClock.elapsed().saturating_sub(begin).as_secs_f64()
        ),
        // The client has waited up to 15 min for the limit, and would have to wait longer.
        Err(error) if error.is_throttled() => {
            eprintln!("{error}: {}", error.help().unwrap_or_default());
        }
        Err(error) => return Err(error.into()),
    }
    Ok(())
}

/// Reads all groups, page by page, and keeps one page in memory.
async fn count_by_kind(okta: &Client) -> Result<BTreeMap<String, u32>, Error> {
    let mut kinds = BTreeMap::new();
    let mut groups = okta.groups().list(ListGroups::default());
    while let Some(group) = groups.try_next().await? {
        *kinds.entry(group.kind.to_string()).or_default() += 1;
    }
    Ok(kinds)
}
