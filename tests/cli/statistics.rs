//! `burnwatch stats` as scripts use it.

use super::*;

#[test]
fn statistics_leave_out_what_is_not_known() {
    let home = Home::new();
    let output =
        home.run(&["--demo", "--at", "3", "--seed", "7", "--utc", "stats", "--by", "all", "-o", "json"]);
    let reported: Value = serde_json::from_str(&out(&output)).unwrap();
    let all = &reported["stats"][0];
    assert!(all["incidents"].as_u64().unwrap() > all["open"].as_u64().unwrap());
    assert!(all["not_acknowledged"].as_u64().unwrap() >= 1, "the page of the story waits: {all}");
    assert!(all["mtta_seconds"].as_f64().unwrap() > 0.0);
    let count = |key: &str| all[key].as_u64().unwrap();
    let known = count("incidents") - count("not_measured");
    assert!(known >= 5 && count("not_measured") >= 1, "a full disk has no first bad minute: {all}");
    let [median, p90] = ["mttd_median_seconds", "mttd_p90_seconds"].map(|key| all[key].as_f64().unwrap());
    assert!(0.0 < median && median <= p90 && p90 < 600.0, "{all}");
    assert!(all["not_measured_because"][0].as_str().unwrap().contains(": "), "{all}");
}

#[test]
#[expect(clippy::disallowed_methods, reason = "the program runs by the real clock")]
fn statistics_of_deployments_need_no_paging_system() {
    let home = Home::new();
    let ago = |minutes: i64| {
        jiff::Timestamp::now().checked_sub(jiff::SignedDuration::from_mins(minutes)).unwrap().to_string()
    };
    let line = |minutes: i64, kind: &str, to: &str, more: &str| {
        format!(r#"{{"time":"{}","kind":"{kind}","service":"cart","to":"{to}"{more}}}"#, ago(minutes))
    };
    let changes = [
        line(3000, "deploy", "1", &format!(r#","committed_at":"{}""#, ago(3060))),
        line(2000, "deploy", "2", ""),
        line(1970, "rollback", "1", ""),
        line(1000, "deploy", "3", r#","state":"failed""#),
    ];
    home.file("changes.jsonl", &(changes.join("\n") + "\n"));
    let config = "[sources.ci]\nkind = \"file\"\npath = \"changes.jsonl\"\n";
    let config = home.file("config.toml", config);
    let output = home.run(&["--config", &config, "stats", "-o", "json"]);
    assert_eq!(output.status.code(), Some(0), "{}{}", complaint(&output), out(&output));
    let reported: Value = serde_json::from_str(&out(&output)).unwrap();
    let [all, cart] = [&reported["deployments"][0], &reported["deployments"][1]];
    assert_eq!((&all["service"], &cart["service"]), (&"all services".into(), &"cart".into()));
    for (key, value) in [
        ("deployments", 3),
        ("failed", 2),
        ("rolled_back", 1),
        ("not_deployed", 1),
        ("not_restored", 1),
        ("commit_unknown", 2),
    ] {
        assert_eq!(cart[key].as_u64(), Some(value), "{key}: {cart}");
    }
    let about = |key: &str, value: f64| {
        let found = cart[key].as_f64().unwrap();
        assert!((found - value).abs() < 2.0, "{key}: {found}");
    };
    about("restore_seconds", 1800.0);
    about("mttp_seconds", 3600.0);
    let table = out(&home.run(&["--config", &config, "stats"]));
    assert!(table.contains("66.7%") && table.contains("No incident was triggered"), "{table}");
}
