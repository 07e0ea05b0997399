//! Measures the CPU time of planning and creating assignments, and counts the writes of the state.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use cpu_time::ThreadTime;
use futures::stream::BoxStream;
use okta_aws_sso::{
    Blueprint, Report, StateStore,
    deps::object_store::{
        CopyOptions, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore,
        PutMultipartOptions, PutOptions, PutPayload, PutResult, Result, memory::InMemory,
        path::Path,
    },
    steps,
};
use sandbox::{OperationDurations, Sandbox};
use serde::Serialize;
use tokio::runtime::Handle;

use crate::{
    measure::{Failure, ROUND_TRIP, pipeline, set_up, start},
    organization::Size,
};

/// Plans and creates 10,000 assignments, and other numbers for comparison.
#[derive(Serialize)]
pub(crate) struct Apply {
    #[serde(flatten)]
    pub(crate) measured: Measured,
    pub(crate) other_sizes: Vec<Measured>,
    /// The CPU time for each assignment of the largest number against the smallest one.
    pub(crate) cpu_ratio: f64,
}

/// One plan and its run.
#[derive(Serialize)]
pub(crate) struct Measured {
    pub(crate) assignments: usize,
    /// The CPU time of the clients' thread, without the sandbox.
    pub(crate) cpu_seconds: f64,
    pub(crate) cpu_microseconds_per_assignment: f64,
    pub(crate) state_writes: usize,
    pub(crate) ledger_writes: usize,
}

/// Measures the numbers of assignments up to `most`, at least the smallest one.
pub(crate) async fn measure(most: usize, server: &Handle) -> Result<Apply, Failure> {
    let sizes = [
        Size::new(101, 10, 50, 10),
        Size::new(1_001, 10, 50, 10),
        Size::new(1_001, 50, 500, 10),
    ];
    let mut all = Vec::new();
    for (index, size) in sizes.into_iter().enumerate() {
        if index == 0 || size.rows().sum::<usize>() <= most {
            all.push(one(size, server).await?);
        }
    }
    let each = |measured: &Measured| measured.cpu_microseconds_per_assignment;
    let cpu_ratio = all.last().map_or(0.0, each) / all.first().map_or(1.0, each);
    let measured = all.remove(usize::from(all.len() > 1));
    Ok(Apply {
        measured,
        other_sizes: all,
        cpu_ratio: rounded(cpu_ratio),
    })
}

async fn one(size: Size, server: &Handle) -> Result<Measured, Failure> {
    let builder = Sandbox::builder().company(size.company_without_access());
    let (sandbox, clients) = start(builder, false, server).await?;
    let blueprint = Blueprint::from_toml(&size.blueprint())?;
    let writes = Arc::new(Counting::default());
    let store = StateStore::on(writes.clone(), Path::default());
    set_up(size, &sandbox, &clients, &blueprint, &store).await?;
    let steps = steps::default_steps(&blueprint, &clients.okta, &clients.aws);
    let pipeline = pipeline(steps, &sandbox, &clients, &blueprint, &store)?;
    sandbox.set_operation_durations(OperationDurations::by_number(|_| Duration::from_secs(10)));
    if let Some(clock) = &clients.manual {
        clock.set_round_trip(ROUND_TRIP);
    }
    writes.clear();
    clients.take_sandbox_time();
    let begin = ThreadTime::now();
    let plan = pipeline.plan().await?;
    pipeline.apply(&plan).await.and_then(Report::complete)?;
    // The clock moves the sandbox's time on this thread.
    let cpu = begin.elapsed().saturating_sub(clients.take_sandbox_time());
    let assignments: usize = size.rows().sum();
    if sandbox.assignments().len() != assignments {
        return Err("not all assignments exist".into());
    }
    let seconds = cpu.as_secs_f64();
    #[expect(clippy::cast_precision_loss, reason = "the number is small")]
    let microseconds = seconds * 1e6 / assignments as f64;
    eprintln!("{assignments} assignments: {seconds:.1} s");
    Ok(Measured {
        assignments,
        cpu_seconds: rounded(seconds),
        cpu_microseconds_per_assignment: rounded(microseconds),
        state_writes: writes.count(|name| name == "state.json"),
        ledger_writes: writes.count(|name| name.starts_with("ledger/")),
    })
}

fn rounded(number: f64) -> f64 {
    (number * 1000.0).round() / 1000.0
}

/// A store in memory that counts the writes of each object.
#[derive(Debug, Default)]
struct Counting {
    store: InMemory,
    writes: Mutex<Vec<String>>,
}

impl Counting {
    fn count(&self, counts: impl Fn(&str) -> bool) -> usize {
        let writes = self.writes();
        writes.iter().filter(|name| counts(name)).count()
    }

    fn clear(&self) {
        self.writes().clear();
    }

    fn writes(&self) -> MutexGuard<'_, Vec<String>> {
        self.writes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Display for Counting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Counting")
    }
}

#[async_trait::async_trait]
impl ObjectStore for Counting {
    async fn put_opts(
        &self,
        location: &Path,
        payload: PutPayload,
        options: PutOptions,
    ) -> Result<PutResult> {
        self.writes().push(location.to_string());
        self.store.put_opts(location, payload, options).await
    }

    async fn put_multipart_opts(
        &self,
        location: &Path,
        options: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        self.store.put_multipart_opts(location, options).await
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        self.store.get_opts(location, options).await
    }

    fn delete_stream(
        &self,
        locations: BoxStream<'static, Result<Path>>,
    ) -> BoxStream<'static, Result<Path>> {
        self.store.delete_stream(locations)
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        self.store.list(prefix)
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.store.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.store.copy_opts(from, to, options).await
    }
}
