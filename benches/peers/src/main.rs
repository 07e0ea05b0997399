//! Serves many Okta users from the sandbox, and lists them with `okta-client`.
//!
//! ```sh
//! okta-client-peers serve USERS BYTES     # prints the URL and the token, and serves until the input ends
//! okta-client-peers list URL TOKEN        # prints CPU nanoseconds, peak memory in KiB, users and a checksum
//! okta-client-peers collect URL TOKEN     # the same, but with all users in memory at the end
//! ```

use std::{error::Error, io::Read, time::Duration};

use cpu_time::ProcessTime;
use okta_client::{Client, ListUsers, Secret, User};
use sandbox::{Company, Person, Sandbox};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        ["serve", users, bytes] => serve(users.parse()?, bytes.parse()?).await,
        ["list", url, token] => list(url, token, false).await,
        ["collect", url, token] => list(url, token, true).await,
        _ => Err("usage: serve USERS BYTES | list URL TOKEN | collect URL TOKEN".into()),
    }
}

async fn serve(users: usize, bytes: usize) -> Result<(), Box<dyn Error>> {
    let mut company = Company::empty();
    company.people = (0..users).map(|number| person(number, bytes)).collect();
    let sandbox = Sandbox::builder()
        .company(company)
        .page_size(None)
        .start()
        .await?;
    println!("{} {}", sandbox.okta_url(), sandbox.okta_token());
    tokio::task::spawn_blocking(|| std::io::stdin().read_to_end(&mut Vec::new())).await??;
    Ok(())
}

/// Returns a user with a document of about `bytes` bytes.
fn person(number: usize, bytes: usize) -> Person {
    let login = format!("person-{number:06}@example.com");
    let mut person = Person::new(&login, "Ada", &format!("Lovelace {number}"))
        .with_display_name(&format!("Ada Lovelace {number}"));
    person.department = Some("Research and Development".to_owned());
    person.title = Some("Principal Engineer".to_owned());
    // The document has about 660 bytes without attributes of the company.
    let mut missing = bytes.saturating_sub(660);
    for index in 0.. {
        let name = format!("companyAttribute{index:02}");
        let size = name.len() + 6;
        if missing < size {
            break;
        }
        let value = "value ".repeat(8);
        let value = value[..value.len().min(missing - size)].to_owned();
        missing -= size + value.len();
        person.attributes.push((name, value));
    }
    person
}

async fn list(url: &str, token: &str, keep: bool) -> Result<(), Box<dyn Error>> {
    let okta = Client::builder(url, Secret::new(token)).build()?;
    // The first call opens the connection, as in the other programs.
    okta.users().me().await?;
    let start = ProcessTime::now();
    let mut users = okta.users().list(ListUsers::default());
    let mut kept: Vec<User> = Vec::new();
    let (mut count, mut letters) = (0, 0);
    while let Some(user) = users.try_next().await? {
        count += 1;
        letters += user.profile.login.len();
        if keep {
            kept.push(user);
        }
    }
    print_result(start.elapsed(), count, letters);
    Ok(())
}

fn print_result(cpu: Duration, count: usize, letters: usize) {
    println!("{} {} {count} {letters}", cpu.as_nanos(), peak_memory());
}

/// Returns the peak memory of this process in KiB, as Linux reports it.
fn peak_memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    peak.and_then(|peak| peak.split_whitespace().next()?.parse().ok())
        .unwrap_or_default()
}
