//! Long runs: memory and open files must not grow. A minute each; `BURNWATCH_TEST_MINUTES=10` makes them longer.

use std::time::Duration;

use tempfile::TempDir;
use tokio::time::{Instant, sleep};

use crate::fault::Fault;
use crate::harness::Terminal;
use crate::lane::{FaultySource, TerminalRun};
use crate::proc::Footprint;
use crate::proxy::Proxy;
use crate::real::real;
use crate::skip::skip;

/// The allowed growth in KiB over the maximum of the first half: the history of the last hours grows a little.
const SLACK: u64 = 6 * 1024;
const SECOND: Duration = Duration::from_secs(1);

/// The length of a run.
fn length() -> Duration {
    let minutes = std::env::var("BURNWATCH_TEST_MINUTES").ok().and_then(|text| text.parse().ok());
    Duration::from_secs(60 * minutes.unwrap_or(1))
}

/// Memory and open files, one entry per second.
struct Course(Vec<Footprint>);

impl Course {
    fn line(&self, what: &str) -> String {
        let (Some(first), Some(last)) = (self.0.get(10), self.0.last()) else {
            return format!("{what}: nothing");
        };
        let most = self.0.iter().map(|held| held.memory).max().unwrap_or_default();
        format!(
            "{what}: {} s; after 10 s {} MiB, {} threads, {} files; most {} MiB; in the end {} MiB, {} threads, {} files",
            self.0.len(),
            first.memory / 1024,
            first.threads,
            first.files,
            most / 1024,
            last.memory / 1024,
            last.threads,
            last.files
        )
    }

    /// The maximum of the first half (without the beginning) and of the last quarter.
    fn halves(&self, of: fn(&Footprint) -> u64) -> (u64, u64) {
        let most = |part: &[Footprint]| part.iter().map(of).max().unwrap_or_default();
        let length = self.0.len();
        (most(&self.0[length / 6..length / 2]), most(&self.0[length * 3 / 4..]))
    }

    fn assert_flat(&self, what: &str) {
        let line = self.line(what);
        println!("{line}");
        let (before, after) = self.halves(|held| held.memory);
        assert!(after <= before + SLACK, "{line}: memory grew from {before} to {after} KiB");
        let (before, after) = self.halves(|held| held.threads);
        assert!(after <= before + 2, "{line}: from {before} to {after} threads");
        let (before, after) = self.halves(|held| held.files);
        assert!(after <= before + 6, "{line}: from {before} to {after} files");
    }
}

#[tokio::test]
async fn an_hour_of_the_demo_world_needs_no_more_than_its_first_minutes() {
    let home = TempDir::new().expect("a folder can be made");
    let path = home.path().to_str().expect("a folder for tests has a plain name");
    let env = [("HOME", path), ("XDG_STATE_HOME", path), ("TZ", "UTC"), ("USER", "ana")];
    let args = ["demo", "--speed", "60"];
    let mut terminal = Terminal::start(env!("CARGO_BIN_EXE_burnwatch"), &args, &env, (160, 45));
    terminal.wait_for("Services");
    if Footprint::of(terminal.pid).is_none() {
        return skip("the system does not tell what a process holds");
    }
    let mut course = Course(Vec::new());
    let begun = Instant::now();
    while begun.elapsed() < length() {
        // opens another screen every ten seconds
        let screen = course.0.len() / 10 % 9 + 1;
        terminal.send(&screen.to_string());
        sleep(SECOND).await;
        course.0.extend(Footprint::of(terminal.pid));
    }
    terminal.send("1");
    terminal.wait_for("Services");
    course.assert_flat("the demo world at 60 times the speed");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_that_comes_and_goes_for_long_leaves_nothing_behind() {
    let Some(prom) = real("BURNWATCH_TEST_PROMETHEUS") else { return };
    let Some(am) = real("BURNWATCH_TEST_ALERTMANAGER") else { return };
    let (addresses, _pager) = crate::addresses(&prom, &am);
    let (who, proxy) = (FaultySource::Prometheus, Proxy::start(&prom, None).await);
    let mut lane = TerminalRun::start(who, &addresses.with(who, &proxy.url), None).await;
    lane.well(40 * SECOND).await.expect("all is well at first");
    proxy.fault.send(Fault::Flaps).expect("the proxy runs");
    let mut course = Course(Vec::new());
    let begun = Instant::now();
    while begun.elapsed() < length() {
        lane.kept(false).await.expect("keys work, and what was known is in sight");
        sleep(SECOND).await;
        course.0.extend(lane.footprint());
    }
    proxy.fault.send(Fault::None).expect("the proxy runs");
    lane.well(Fault::Flaps.back()).await.expect("it is back");
    if course.0.is_empty() {
        return skip("the system does not tell what a process holds");
    }
    course.assert_flat("a source that is there for one second in four");
}
