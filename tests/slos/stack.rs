//! Tests with a shared Prometheus stack that has a month of history in its long-term series.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

use burnwatch::testing::model::slo::Slo;
use tempfile::TempDir;

use crate::definitions::{events, slo};
use crate::shared::shared;
use crate::{LOOKBACKS, MINUTE, assert_agrees, now, snapshot, source};

/// The running stack; stopped when it is dropped.
struct Stack {
    scripts: PathBuf,
    folder: TempDir,
}

impl Drop for Stack {
    fn drop(&mut self) {
        Command::new(self.scripts.join("down"))
            .arg("--dir")
            .arg(self.folder.path())
            .stdout(Stdio::null())
            .status()
            .ok();
    }
}

impl Stack {
    fn up(shared: &Path) -> (Self, String) {
        let stack = Self { scripts: shared.join("stack"), folder: TempDir::new().unwrap() };
        let up = Command::new(stack.scripts.join("up"))
            .args([
                "--services",
                "12",
                "--backfill",
                "30",
                "--ports",
                "free",
                "--without",
                "victoria,node,blackbox",
            ])
            .arg("--dir")
            .arg(stack.folder.path())
            .output()
            .unwrap();
        assert!(up.status.success(), "{}", String::from_utf8_lossy(&up.stderr));
        let env = std::fs::read_to_string(stack.folder.path().join("env")).unwrap();
        let url = env.lines().find_map(|line| line.split_once("PROMETHEUS_URL=")).unwrap().1;
        let url = url.trim_matches(['"', '\'']).to_owned();
        (stack, url)
    }
}

#[tokio::test]
async fn the_stacks_long_term_series_give_the_budgets_that_it_works_out_itself() {
    let Some(shared) = shared() else { return };
    if !shared.join("stack/up").exists() {
        return;
    }
    let (_stack, url) = Stack::up(&shared);
    let services = ["checkout", "payments", "cart"];
    let definition = |service: &str| {
        let sum = |what: &str| {
            format!(
                "sum(sum_over_time(service:http_{what}:rate5m{{service=\"{service}\"}}[{{{{.window}}}}]))"
            )
        };
        slo(service, events(&sum("errors"), &sum("requests")))
    };
    let slos: Vec<Arc<Slo>> = services.iter().map(|service| Arc::new(definition(service))).collect();
    // the newest samples may still be missing
    let snapshot = snapshot(&source(&url, &slos), Some(now() - MINUTE)).await;
    for service in services {
        // there is one sample every five minutes, so the shortest lookback may have none
        assert_agrees(&url, &snapshot, service, &LOOKBACKS[1..], &|lookback: &str| {
            let sum = |what: &str| {
                format!("sum_over_time(service:http_{what}:rate5m{{service=\"{service}\"}}[{lookback}])")
            };
            format!("sum({}) / sum({})", sum("errors"), sum("requests"))
        });
    }
}
