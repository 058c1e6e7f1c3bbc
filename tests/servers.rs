//! Checks that the servers of `tests/run` have the data that the other tests need.
#![cfg(test)]

#[path = "support/real.rs"]
mod real;
#[path = "support/skip.rs"]
mod skip;

use std::io::{Read, Write};
use std::net::TcpStream;

use real::real;

/// The whole answer to a GET request, without burnwatch's HTTP client.
fn get(address: &str, path: &str) -> String {
    let host = address.strip_prefix("http://").expect("tests/run gives plain addresses");
    let mut stream = TcpStream::connect(host).expect("the server listens");
    write!(stream, "GET {path} HTTP/1.0\r\nHost: {host}\r\n\r\n").expect("the server takes a request");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("the server answers in UTF-8");
    answer
}

#[test]
fn the_alertmanager_has_alerts_that_are_active_silenced_and_inhibited() {
    let Some(address) = real("BURNWATCH_TEST_ALERTMANAGER") else { return };
    let alerts = get(&address, "/api/v2/alerts");
    for name in ["Watchdog", "AlwaysFiring", "AlwaysSilenced", "AlwaysInhibited", "TargetDown", "OddText"] {
        assert!(alerts.contains(&format!("\"alertname\":\"{name}\"")), "{name} is not in {alerts}");
    }
    assert!(!alerts.contains("AlwaysPending"), "a pending alert is not sent");
    assert!(alerts.contains("\"silencedBy\":[\""), "nothing is silenced in {alerts}");
    assert!(alerts.contains("\"inhibitedBy\":[\""), "nothing is inhibited in {alerts}");
}

#[test]
fn the_prometheus_has_targets_up_and_down_and_a_pending_alert() {
    let Some(address) = real("BURNWATCH_TEST_PROMETHEUS") else { return };
    let targets = get(&address, "/api/v1/targets");
    assert!(targets.contains("\"health\":\"up\"") && targets.contains("\"health\":\"down\""), "{targets}");
    let rules = get(&address, "/api/v1/rules");
    assert!(rules.contains("job:up:sum") && rules.contains("\"state\":\"pending\""), "{rules}");
}
