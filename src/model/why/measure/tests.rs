use proptest::prelude::*;

use super::*;

/// A cell: its labels as `name=value ...`, then requests and failed requests in the good and in the bad time.
fn cell(labels: &str, good: (f64, f64), bad: (f64, f64)) -> WhyCell {
    let tally = |(all, failed): (f64, f64)| Tally { all, failed };
    let labels = labels.split_whitespace().filter_map(|pair| pair.split_once('='));
    WhyCell { labels: labels.collect(), good: tally(good), bad: tally(bad) }
}

/// Requests of three regions, two versions and three routes with a usual failure ratio of 0.1 %; `bad` gives the ratio of the bad
/// time. The bad time has a tenth of the requests.
fn service(bad: impl Fn(&str, &str, &str) -> f64) -> Vec<WhyCell> {
    let mut cells = Vec::new();
    for (region, part) in [("eu", 0.5), ("us", 0.3), ("ap", 0.2)] {
        for (version, share) in [("1.0", 0.88), ("2.0", 0.12)] {
            for (route, weight) in [("/", 0.6), ("/cart", 0.3), ("/pay", 0.1)] {
                let requests = 100_000.0 * part * share * weight;
                let labels = format!("region={region} version={version} route={route}");
                let now = requests / 10.0;
                cells.push(cell(
                    &labels,
                    (requests, requests * 0.001),
                    (now, now * bad(region, version, route)),
                ));
            }
        }
    }
    cells
}

/// The labels of the findings, in their order.
fn found(cells: &[WhyCell], difference: Difference) -> Vec<String> {
    let name = |finding: LabelFinding| {
        let pairs = finding.labels.iter().map(|(name, value)| format!("{name}={value}"));
        pairs.collect::<Vec<_>>().join(" ")
    };
    rank(cells, difference).into_iter().map(name).collect()
}

#[test]
fn the_worked_example_of_the_documentation() {
    // a canary with 12 % of the traffic fails in half of its requests
    let cells = service(|_, version, _| if version == "2.0" { 0.5 } else { 0.001 });
    let findings = rank(&cells, Difference::Failed);
    assert_eq!(findings.len(), 1, "{findings:?}");
    let first = &findings[0];
    assert_eq!(first.labels, Labels::from_iter([("version", "2.0")]));
    assert!((first.explained - 1.0).abs() < 0.005 && (first.traffic - 0.12).abs() < 1e-9, "{first:?}");
    // 600 of 10,000 requests are failed ones of 2.0; of the 9,400 others, 600 are requests of 2.0: J = 1 - 600 / 9400
    assert!((first.score - (1.0 - 600.0 / 9400.0)).abs() < 0.005, "{first:?}");
}

#[test]
fn nothing_stands_out_if_failures_are_spread_as_the_traffic_is() {
    assert_eq!(found(&service(|_, _, _| 0.2), Difference::Failed), [""; 0]);
    // and if nothing fails more than before
    assert_eq!(found(&service(|_, _, _| 0.001), Difference::Failed), [""; 0]);
    assert_eq!(found(&service(|_, _, _| 0.0), Difference::Failed), [""; 0]);
    assert_eq!(found(&[], Difference::Failed), [""; 0]);
}

#[test]
fn two_labels_together_are_named_if_each_alone_has_requests_without_failures() {
    let cells = service(|region, _, route| if region == "us" && route == "/pay" { 0.4 } else { 0.001 });
    assert_eq!(found(&cells, Difference::Failed)[0], "region=us route=/pay");
    // within one of them the other one explains the rest
    let within: Vec<WhyCell> = cells.into_iter().filter(|cell| cell.labels.value("region") == "us").collect();
    assert_eq!(found(&within, Difference::Failed), ["route=/pay"]);
}

#[test]
fn a_route_that_always_fails_is_expected_to_fail() {
    let always = |cells: Vec<WhyCell>| -> Vec<WhyCell> {
        let fails = |mut cell: WhyCell| {
            if cell.labels.value("route") == "/pay" {
                (cell.good.failed, cell.bad.failed) = (cell.good.all, cell.bad.all);
            }
            cell
        };
        cells.into_iter().map(fails).collect()
    };
    let cells = always(service(|region, _, _| if region == "ap" { 0.3 } else { 0.001 }));
    assert_eq!(found(&cells, Difference::Failed), ["region=ap"]);
    assert_eq!(found(&always(service(|_, _, _| 0.001)), Difference::Failed), [""; 0]);
}

#[test]
fn values_that_select_the_same_requests_are_one_finding_named_by_the_label_with_fewer_values() {
    let pods = |mut cells: Vec<WhyCell>| {
        for cell in &mut cells {
            let pod = format!("pod-{}", cell.labels.value("region"));
            let zone = if cell.labels.value("region") == "us" { "u" } else { "v" };
            cell.labels = cell.labels.with_strs([("pod", pod.as_str()), ("zone", zone)]);
        }
        cells
    };
    let cells = pods(service(|region, _, _| if region == "us" { 0.3 } else { 0.001 }));
    let findings = rank(&cells, Difference::Failed);
    assert_eq!(findings[0].labels, Labels::from_iter([("zone", "u")]));
    let same = [Labels::from_iter([("pod", "pod-us")]), Labels::from_iter([("region", "us")])];
    assert_eq!(findings[0].equivalent, same);
    assert_eq!(findings.len(), 1);
}

#[test]
fn a_value_that_serves_most_requests_is_named_if_all_failures_are_its_own() {
    // nine of ten requests do not come from `/pay`, and only they fail: J is 0.1
    let confined = |part: &'static str| {
        let mut cells = service(move |region, _, _| if region == part { 0.05 } else { 0.001 });
        for cell in &mut cells {
            let factor = if cell.labels.value("region") == "eu" { 9.0 } else { 1.0 };
            for tally in [&mut cell.good, &mut cell.bad] {
                (tally.all, tally.failed) = (tally.all * factor, tally.failed * factor);
            }
        }
        rank(&cells, Difference::Failed)
    };
    let findings = confined("eu");
    assert_eq!(findings[0].labels, Labels::from_iter([("region", "eu")]));
    assert!((findings[0].score - CONFINED).abs() < 0.02 && findings[0].traffic > 0.89, "{findings:?}");
    // if the failures are spread as the traffic is, it has the same share of them and is not named
    assert_eq!(found(&service(|_, _, _| 0.05), Difference::Failed), [""; 0]);
}

#[test]
fn a_rollout_to_everywhere_that_fails_at_one_place_is_named_with_the_place() {
    let mut cells = Vec::new();
    for (region, ratio) in [("eu", 0.0), ("us", 0.4), ("ap", 0.0)] {
        let of = |version: &str| format!("region={region} version={version}");
        cells.push(cell(&of("1.0"), (50_000.0, 20.0), (0.0, 0.0)));
        cells.push(cell(&of("2.0"), (0.0, 0.0), (5_000.0, 5_000.0 * ratio)));
    }
    let findings = rank(&cells, Difference::Failed);
    assert_eq!(findings[0].labels, Labels::from_iter([("region", "us")]));
    assert_eq!(findings[0].equivalent, [Labels::from_iter([("region", "us"), ("version", "2.0")])]);
}

#[test]
fn pods_that_were_replaced_do_not_tell_where_more_requests_come_from() {
    let cells: Vec<WhyCell> = ["eu", "us"]
        .into_iter()
        .flat_map(|region| {
            let of = |pod: &str| format!("region={region} pod={region}-{pod}");
            [cell(&of("old"), (1_000.0, 0.0), (0.0, 0.0)), cell(&of("new"), (0.0, 0.0), (3_000.0, 0.0))]
        })
        .collect();
    assert_eq!(found(&cells, Difference::Risen), [""; 0]);
    // more requests at one of them are still found
    let mut cells = cells;
    cells[1].bad.all = 20_000.0;
    assert_eq!(found(&cells, Difference::Risen)[0], "region=eu");
}

#[test]
fn two_causes_at_once_are_both_named() {
    let cells = service(|region, _, route| match (region, route) {
        ("ap", _) => 0.4,
        ("eu", "/pay") => 0.5,
        _ => 0.001,
    });
    let names = found(&cells, Difference::Failed);
    assert_eq!(names[0], "region=ap");
    assert!(
        names.iter().skip(1).any(|name| name == "region=eu route=/pay" || name == "route=/pay"),
        "{names:?}"
    );
}

#[test]
fn two_dozen_failures_that_all_have_one_value_are_enough() {
    let cells = |failed: f64| {
        vec![
            cell("method=GET", (60_000.0, 3.0), (600.0, failed)),
            cell("method=POST", (40_000.0, 2.0), (400.0, 0.0)),
        ]
    };
    assert_eq!(found(&cells(25.0), Difference::Failed), ["method=GET"]);
    assert_eq!(found(&cells(8.0), Difference::Failed), [""; 0]);
}

#[test]
fn few_requests_are_not_blamed() {
    // one of four requests of a small route failed, and the other failures are spread
    let mut cells = service(|_, _, _| 0.05);
    cells.push(cell("region=eu version=1.0 route=/rare", (40.0, 0.0), (4.0, 1.0)));
    assert_eq!(found(&cells, Difference::Failed), [""; 0]);
}

#[test]
fn a_version_that_replaced_another_one_is_named_although_all_requests_have_it() {
    let mut cells = Vec::new();
    for (region, part) in [("eu", 0.6), ("us", 0.4)] {
        let (before, now) = (50_000.0 * part, 5_000.0 * part);
        cells.push(cell(&format!("region={region} version=1"), (before, before * 0.001), (0.0, 0.0)));
        cells.push(cell(&format!("region={region} version=2"), (0.0, 0.0), (now, now * 0.1)));
    }
    let findings = rank(&cells, Difference::Failed);
    assert_eq!(findings[0].labels, Labels::from_iter([("version", "2")]));
    assert!(findings[0].is_new && findings[0].traffic_before == 0.0, "{findings:?}");
    // but a region that has all failures explains more than the version that all regions have
    for cell in &mut cells {
        if cell.labels.value("region") == "eu" {
            cell.bad.failed = cell.bad.all * 0.001;
        }
    }
    assert_eq!(found(&cells, Difference::Failed)[0], "region=us");
}

#[test]
fn a_label_with_one_value_and_a_service_without_a_past_explain_what_can_be_explained() {
    let mut cells = service(|region, _, _| if region == "us" { 0.3 } else { 0.001 });
    for cell in &mut cells {
        cell.labels = cell.labels.with_strs([("job", "api")]);
        // the service did not exist before: no expectation but that nothing fails
        cell.good = Tally::default();
    }
    assert_eq!(found(&cells, Difference::Failed), ["region=us"]);
    assert_eq!(labels_of(&cells), ["region".into(), "route".into(), "version".into()] as [Text; 3]);
}

#[test]
fn more_and_fewer_requests_are_explained_by_where_they_come_or_are_missing() {
    let rates = |change: &dyn Fn(&str, &str) -> f64| -> Vec<WhyCell> {
        let cells = service(|_, _, _| 0.0).into_iter();
        cells
            .map(|mut cell| {
                cell.good = cell.bad;
                cell.bad.all *= change(cell.labels.value("region"), cell.labels.value("route"));
                cell
            })
            .collect()
    };
    let more = rates(&|region, _| if region == "us" { 3.0 } else { 1.02 });
    assert_eq!(found(&more, Difference::Risen)[0], "region=us");
    let fewer = rates(&|_, route| if route == "/cart" { 0.1 } else { 1.0 });
    assert_eq!(found(&fewer, Difference::Fallen), ["route=/cart"]);
    let all = rates(&|_, _| 3.0);
    assert_eq!(found(&all, Difference::Risen), [""; 0]);
}

#[test]
fn a_level_that_rose_at_one_place_is_found_there() {
    let level =
        |region: &str, good: f64, bad: f64| cell(&format!("region={region}"), (good, 0.0), (bad, 0.0));
    let one = [level("eu", 0.4, 0.41), level("us", 0.45, 0.98), level("ap", 0.42, 0.42)];
    assert_eq!(found(&one, Difference::Higher), ["region=us"]);
    let all = [level("eu", 0.4, 0.97), level("us", 0.4, 0.97), level("ap", 0.4, 0.97)];
    assert_eq!(found(&all, Difference::Higher), [""; 0]);
    let free = [level("eu", 90.0, 2.0), level("us", 80.0, 79.0)];
    assert_eq!(found(&free, Difference::Lower), ["region=eu"]);
}

fn any_cells() -> impl Strategy<Value = Vec<WhyCell>> {
    let side = (0.0..5000.0_f64, 0.0..1.0_f64).prop_map(|(all, ratio)| (all, all * ratio));
    let one = ("[ab]", "[xyz]", "[0-4]", side.clone(), side);
    let cells = proptest::collection::vec(one, 0..25);
    cells.prop_map(|all| {
        let cell = |(a, b, c, good, bad): (String, String, String, _, _)| {
            cell(&format!("a={a} b={b} c={c}"), good, bad)
        };
        all.into_iter().map(cell).collect()
    })
}

const ALL: [Difference; 5] =
    [Difference::Failed, Difference::Risen, Difference::Fallen, Difference::Higher, Difference::Lower];

proptest! {
    #[test]
    fn shares_are_shares_and_the_order_is_that_of_the_scores_up_to_what_is_explained(cells in any_cells()) {
        for difference in ALL {
            for finding in rank(&cells, difference) {
                for share in [finding.explained, finding.traffic, finding.traffic_before, finding.score] {
                    prop_assert!((0.0..=1.0).contains(&share), "{finding:?}");
                }
                prop_assert!(matches!(finding.labels.len(), 1 | 2));
                prop_assert!(!finding.equivalent.contains(&finding.labels));
            }
        }
    }

    #[test]
    fn the_order_of_the_cells_makes_no_difference(cells in any_cells()) {
        let mut reversed = cells.clone();
        reversed.reverse();
        for difference in ALL {
            let names = |cells: &[WhyCell]| rank(cells, difference).into_iter().map(|one| one.labels).collect::<Vec<_>>();
            prop_assert_eq!(names(&cells), names(&reversed));
        }
    }

    #[test]
    fn a_label_that_all_requests_share_is_never_blamed_beside_its_own_past(cells in any_cells()) {
        let with: Vec<WhyCell> = cells
            .iter()
            .map(|cell| WhyCell { labels: cell.labels.with_strs([("job", "one")]), ..cell.clone() })
            .collect();
        for finding in rank(&with, Difference::Failed) {
            // without a good time even a value that all share is new
            prop_assert!(finding.labels.get("job").is_none() || finding.is_new, "{finding:?}");
        }
    }
}
