//! Compares the number of SCIM requests with other tools. The sandbox counts the requests of this sync; the requests of the
//! other tools are computed with formulas from their code.

use std::sync::Arc;

use okta_aws_sso::{
    Error, StateStore,
    sync::{DirectorySync, ReadMode},
};
use rest_core::ManualClock;
use sandbox::{Clock, Sandbox};

use crate::test_directory::{Size, start_target};

const SIZES: [Size; 3] = [
    Size {
        users: 200,
        groups: 200,
        members: 10,
    },
    Size {
        users: 1_000,
        groups: 100,
        members: 50,
    },
    Size {
        users: 10_000,
        groups: 1_000,
        members: 100,
    },
];

/// The requests of one tool for each kind of run.
struct Row {
    tool: &'static str,
    /// The first run.
    first: String,
    /// A run without changes.
    unchanged: String,
    /// A run without changes that reads all users and groups.
    verify: String,
    /// A run without changes that also reads all memberships.
    full: String,
    /// A run in which a new user joins three groups.
    joins: String,
}

pub(crate) async fn run(large: bool) -> Result<(), Error> {
    println!(
        "SCIM requests for N users, G groups and M memberships (m per group). A new user joins k = 3 groups."
    );
    println!(
        "okta-aws-sso: counted by the sandbox. Others: formulas from their code (ssosync 21bd7da, idp-scim-sync a375c40)."
    );
    println!("IDS: requests to AWS's Identity Store API. idp-scim-sync trusts its own state.");
    for size in SIZES {
        if size.users > 1_000 && !large {
            println!(
                "\n(for 10,000 users, 1,000 groups and 100,000 memberships, pass --large and build with --release)"
            );
            continue;
        }
        let memberships = size.groups * size.members;
        println!(
            "\nN = {}, G = {}, M = {memberships}",
            size.users, size.groups
        );
        println!(
            "  {:16} {:>10} {:>22} {:>16} {:>14} {:>14}",
            "", "first run", "nothing changed", "with --verify", "with --full", "user joins 3"
        );
        for row in [
            ssosync(size),
            idp_scim_sync(size),
            count_requests(size).await?,
        ] {
            println!(
                "  {:16} {:>10} {:>22} {:>16} {:>14} {:>14}",
                row.tool, row.first, row.unchanged, row.verify, row.full, row.joins
            );
        }
    }
    Ok(())
}

/// Returns the requests of ssosync, which has no cached state.
///
/// First run: N + G + 3M. Run without changes: N SCIM requests, and 1 + ⌈G/100⌉ + ⌈N/100⌉ + Σ max(1, ⌈m/100⌉) IDS requests.
/// New user who joins k groups: N + 1 + 2k.
fn ssosync(size: Size) -> Row {
    let Size {
        users,
        groups,
        members,
    } = size;
    let ids =
        1 + groups.div_ceil(100) + users.div_ceil(100) + groups * members.div_ceil(100).max(1);
    Row {
        tool: "ssosync",
        first: (users + groups + 3 * groups * members).to_string(),
        unchanged: format!("{users} + {ids} IDS"),
        verify: "-".to_owned(),
        full: format!("{users} + {ids} IDS"),
        joins: format!("{} + IDS", users + 1 + 2 * 3),
    }
}

/// Returns the requests of idp-scim-sync.
///
/// First run: 2 + G + 2N + Σ ⌈m/100⌉. Run without changes: 0 with its state, 2 + N without. New user who joins k groups:
/// 1 + k.
fn idp_scim_sync(size: Size) -> Row {
    let Size {
        users,
        groups,
        members,
    } = size;
    Row {
        tool: "idp-scim-sync",
        first: (2 + groups + 2 * users + groups * members.div_ceil(100)).to_string(),
        unchanged: "0".to_owned(),
        verify: "-".to_owned(),
        full: (2 + users).to_string(),
        joins: (1 + 3).to_string(),
    }
}

/// Counts the requests of this crate's sync on a sandbox.
async fn count_requests(size: Size) -> Result<Row, Error> {
    // The clock does not really sleep, because only requests are counted. `--measure` measures the rate.
    let start = jiff::Timestamp::UNIX_EPOCH;
    let clock = Arc::new(ManualClock::new(std::time::SystemTime::UNIX_EPOCH));
    let builder = Sandbox::builder().clock(Clock::Manual(start));
    let (sandbox, scim) = start_target(builder, Some(clock.clone()), |client| client).await?;
    let store = StateStore::memory();
    let all = size.directory();
    let count = || {
        let requests = sandbox.requests().len();
        sandbox.clear_requests();
        requests
    };
    let sync = DirectorySync::new(all.clone(), &scim)
        .store(store.clone())
        .clock(clock.clone());
    let run = async |sync: &DirectorySync| {
        let prepared = sync.prepare().await?;
        sync.apply(prepared).await?.complete()
    };
    run(&sync).await?;
    let first = count();
    run(&sync).await?;
    let unchanged = count();
    let sync = sync.mode(ReadMode::Verify);
    run(&sync).await?;
    let verify = count();
    let sync = sync.mode(ReadMode::Full);
    run(&sync).await?;
    let full = count();
    let mut joined = Size {
        users: size.users + 1,
        ..size
    }
    .directory();
    joined.groups = all.groups;
    let newcomer = joined.users[size.users].id.clone();
    for group in joined.groups.iter_mut().take(3) {
        group.members.insert(newcomer.clone());
    }
    let sync = DirectorySync::new(joined, &scim).store(store).clock(clock);
    run(&sync).await?;
    Ok(Row {
        tool: "okta-aws-sso",
        first: first.to_string(),
        unchanged: unchanged.to_string(),
        verify: verify.to_string(),
        full: full.to_string(),
        joins: count().to_string(),
    })
}
