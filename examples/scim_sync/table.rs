//! Requests, counted by the sandbox, beside what other tools need by their own code.

use std::sync::Arc;

use okta_aws_sso::{
    Error, StateStore,
    sync::{DirectorySync, ReadMode},
};
use rest_core::ManualClock;
use sandbox::{Clock, Sandbox};

use crate::{
    args::Args,
    company::{Size, target},
};

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

/// What one of us needs for each kind of run.
struct Row {
    tool: &'static str,
    first: String,
    unchanged: String,
    verify: String,
    full: String,
    joins: String,
}

pub(crate) async fn run(args: &Args) -> Result<(), Error> {
    println!(
        "SCIM requests. N users, G groups, M memberships; m of a group. One new user joins k = 3 groups."
    );
    println!(
        "ours: counted by the sandbox. The others: the formulas of their code (ssosync 21bd7da, idp-scim-sync a375c40),"
    );
    println!("which read AWS's Identity Store API as well (IDS) or believe their state.");
    for size in SIZES {
        if size.users > 1_000 && !args.large {
            println!("\n(10,000 / 1,000 / 100,000: say --large, and build with --release)");
            continue;
        }
        let memberships = size.groups * size.members;
        println!(
            "\nN = {}, G = {}, M = {memberships}",
            size.users, size.groups
        );
        println!(
            "  {:16} {:>10} {:>22} {:>16} {:>14} {:>14}",
            "", "first run", "nothing changed", "users, groups", "all read", "one joins 3"
        );
        for row in [ssosync(size), idp_scim_sync(size), ours(size).await?] {
            println!(
                "  {:16} {:>10} {:>22} {:>16} {:>14} {:>14}",
                row.tool, row.first, row.unchanged, row.verify, row.full, row.joins
            );
        }
    }
    Ok(())
}

/// "N + G + 3M" for the first run; "N SCIM + 1 + ⌈G/100⌉ + ⌈N/100⌉ + Σ max(1, ⌈m/100⌉) IDS" for one without changes;
/// "N + 1 + 2k" for a user who joins k groups. It has no state.
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

/// "2 + G + 2N + Σ ⌈m/100⌉" for the first run; nothing with state and "2 + N" without for one without changes; "1 + k".
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

async fn ours(size: Size) -> Result<Row, Error> {
    // A clock that does not sleep: the pace is what `--measure` is about.
    let start = jiff::Timestamp::UNIX_EPOCH;
    let clock = Arc::new(ManualClock::new(std::time::SystemTime::UNIX_EPOCH));
    let builder = Sandbox::builder().clock(Clock::Manual(start));
    let (sandbox, scim) = target(builder, Some(clock.clone()), |client| client).await?;
    let store = StateStore::memory();
    let all = size.directory();
    let count = || {
        let requests = sandbox.requests().len();
        sandbox.forget_requests();
        requests
    };
    let sync = DirectorySync::new(all.clone(), &scim)
        .store(store.clone())
        .clock(clock.clone());
    let run = async |sync: &DirectorySync| {
        let plan = sync.plan().await?;
        sync.apply(&plan).await?.complete()
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
        tool: "ours",
        first: first.to_string(),
        unchanged: unchanged.to_string(),
        verify: verify.to_string(),
        full: full.to_string(),
        joins: count().to_string(),
    })
}
