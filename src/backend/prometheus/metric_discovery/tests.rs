use super::entries::bounds;
use super::*;

fn sample(labels: &[(&str, &str)]) -> Sample {
    Sample { labels: labels.iter().copied().collect(), value: 1.0 }
}

fn names(list: &[&str]) -> Vec<String> {
    list.iter().map(|name| (*name).to_owned()).collect()
}

#[test]
fn each_series_goes_by_the_first_label_that_it_has() {
    let samples = [
        sample(&[("service", "cart"), ("job", "k8s")]),
        sample(&[("job", "batch")]),
        sample(&[("service", "mail"), ("job", "k8s")]),
        sample(&[("other", "x")]),
    ];
    let selector_groups = selector_groups_of(&samples, &names(&["service", "app", "job"]));
    let found: Vec<_> = selector_groups
        .iter()
        .map(|selector_group| {
            (selector_group.label.as_str(), selector_group.selector.as_str(), selector_group.services.len())
        })
        .collect();
    assert_eq!(found, [("service", "service!=\"\"", 2), ("job", "service=\"\",job!=\"\"", 1)]);
    assert_eq!(selector_groups[1].only("a\"b"), "service=\"\",job!=\"\",job=\"a\\\"b\"");
}

#[test]
fn an_entry_that_says_nothing_new_is_not_asked() {
    let latency = |histogram: &str| {
        let text = format!("name = \"x\"\nabout = \"\"\n[[latency]]\nhistogram = \"{histogram}\"");
        Pack::parse(&text).unwrap().entries().remove(0)
    };
    let found = |services: &[&str]| DiscoveredEntry {
        selector_groups: vec![SelectorGroup {
            label: "service".into(),
            by: "service".into(),
            selector: "service!=\"\"".into(),
            services: services.iter().map(|service| Text::from(*service)).collect(),
        }],
        ..DiscoveredEntry::new(latency("a"), false)
    };
    let mut discovery = MetricDiscovery::default();
    for found in [found(&["a", "b"]), found(&["b"]), found(&["b", "c"]), found(&[])] {
        discovery.add(found);
    }
    assert_eq!(discovery.entries.len(), 2);
}

#[test]
fn rates_are_taken_over_four_scrapes_within_reason() {
    for (interval, lookback) in [(Some(2), 60), (Some(30), 120), (Some(300), 600), (None, 300)] {
        assert_eq!(usual_lookback(interval.map(Duration::from_secs), None), Duration::from_secs(lookback));
    }
}

#[test]
fn what_is_scraped_most_slowly_has_a_rate_too() {
    for (usual, slowest, lookback) in [(5, 5, 60), (5, 60, 150), (15, 300, 600), (60, 30, 240)] {
        let [usual, slowest, lookback] = [usual, slowest, lookback].map(Duration::from_secs);
        assert_eq!(usual_lookback(Some(usual), Some(slowest)), lookback);
    }
}

#[test]
fn apdex_takes_the_nearest_bounds_in_every_spelling() {
    let found = bounds(&["0.1", "0.3", "1", "1.0", "2.5", "+Inf"], 0.25).unwrap();
    assert_eq!((found.satisfied, found.tolerated), (0.3, 1.0));
    assert_eq!(found.pattern, r"0\\.3|1|1\\.0|\\+Inf");
    assert_eq!(bounds(&["5", "10", "+Inf"], 0.25), None);
    assert_eq!(bounds(&[], 0.25), None);
    assert_eq!(bounds(&["x", "NaN", "0", "-1"], 0.25), None);
}
