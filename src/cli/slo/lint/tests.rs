use std::path::Path;

use crate::config::definitions::{DEFAULT_PERIOD, parse};

use super::*;

fn said(toml: &str) -> Vec<String> {
    let read = parse(Path::new("a.toml"), &format!("[[slo]]\nname = \"a\"\n{toml}\n"), DEFAULT_PERIOD);
    assert_eq!(read.findings, []);
    let found = read.slos.iter().flat_map(lint);
    found.map(|finding| format!("{}: {finding}", finding.level.word())).collect()
}

#[test]
fn conditions_that_never_hold_and_short_windows_are_said() {
    let pairs = "pairs = [{ severity = \"ticket\", long = \"3d\", short = \"6h\", share = \"10%\" }]";
    assert_eq!(
        said(&format!("objective = 90\nup = \"up\"\nwindow = \"2d\"\n{pairs}")),
        [
            "warning: a.toml:1: `a`: ticket 3d/6h at 0.0667x alerts below a burn rate of 1x, that is, also while the objective is met",
            "warning: a.toml:1: `a`: ticket 3d/6h at 0.0667x has a longer lookback than the SLO's window, 2d"
        ]
    );
    for window in ["90m", "6h", "1d", "2d", "7d", "14d", "28d", "{ calendar = \"1 week\", zone = \"UTC\" }"] {
        let window = if window.starts_with('{') { window.to_owned() } else { format!("\"{window}\"") };
        assert_eq!(said(&format!("objective = 99\nup = \"up\"\nwindow = {window}")), [""; 0], "{window}");
    }
    assert_eq!(
        said("objective = 90\nup = \"up\""),
        [
            "warning: a.toml:1: `a`: page 1h/5m at 14.4x can never fire: with an objective of 90 % the burn rate is 10 at most"
        ]
    );
    assert_eq!(
        said("objective = 99\nup = \"up\"\npairs = []"),
        ["warning: a.toml:1: `a`: it has no burn-rate conditions, so it never alerts"]
    );
}

#[test]
fn queries_without_a_sum_are_said_and_ratios_hide_how_many_events_there_are() {
    assert_eq!(
        said("objective = 99\nbad = 'rate(a[$window])'\ntotal = 'sum(rate(b[$window]))'"),
        ["warning: a.toml:1: `a`: the query of bad events may return several series; put sum() around it"]
    );
    assert_eq!(
        said("objective = 99\nerror_ratio = 'sum(rate(a[$window])) / sum(rate(b[$window]))'"),
        [
            "note: a.toml:1: `a`: the number of events is unknown: with fewer than 7 in 5m a single failure triggers page 1h/5m at 14.4x"
        ]
    );
}
