use std::time::Duration;

use proptest::prelude::*;

use crate::model::fixtures;
use crate::model::labels::Labels;
use crate::model::promql::Comparison;
use crate::model::slo::query::measure;
use crate::model::slo::{
    AlertMetadata, BudgetingMethod, BurnCondition, BurnSeverity, DefinitionOrigin, EventSide, Family,
    Objective, RecordedSeries, Selector, SloAlerting, Template, Window, pyrra, standard,
};

use super::*;

fn template(text: &str) -> Template {
    Template::parse(text).unwrap()
}

fn selector(text: &str) -> Selector {
    Selector::parse(text).unwrap()
}

fn events(side: EventSide, part: &str, total: &str) -> Sli {
    Sli::Events { side, part: template(part), total: template(total) }
}

fn slo(sli: Sli) -> Slo {
    Slo {
        name: "orders".into(),
        service: Some("shop".into()),
        description: "Orders are taken".into(),
        labels: Labels::from_iter([("team", "shop")]),
        sli: Some(sli),
        alerting: SloAlerting {
            page: Some(AlertMetadata::default()),
            ticket: Some(AlertMetadata::default()),
            ..SloAlerting::default()
        },
        ..fixtures::slo("shop-orders")
    }
}

fn fields(written: &WrittenDocument) -> Vec<&str> {
    written.omissions.iter().map(|omissions| omissions.field).collect()
}

fn read(written: &WrittenDocument, target: Target) -> Slo {
    let file = if target == Target::Own { "x.toml" } else { "x.yaml" };
    let read = parse(Path::new(file), &written.text, DEFAULT_PERIOD);
    assert_eq!(read.findings, [], "{}", written.text);
    read.slos.into_iter().next().unwrap_or_else(|| panic!("{}", written.text))
}

#[test]
fn what_a_form_can_say_needs_no_remark() {
    let counters = Sli::Counters {
        side: EventSide::Bad,
        part: selector(r#"a_total{code=~"5.."}"#),
        total: selector("a_total"),
    };
    let own = write(&[slo(counters.clone())], Target::Own);
    assert_eq!(own.omissions, []);
    assert_eq!(
        own.text,
        "[[slo]]\nname = \"orders\"\nservice = \"shop\"\ndescription = \"Orders are taken\"\nobjective = 99.9\n\
         labels = { team = \"shop\" }\nbad = 'a_total{code=~\"5..\"}'\ntotal = \"a_total\"\n"
    );
    let mut named =
        slo(events(EventSide::Bad, "sum(rate(a{b=\"c: d\"}[{{.window}}]))", "sum(rate(a[{{.window}}]))"));
    named.alerting.name = Some("yes".into());
    named.alerting.ticket = None;
    let sloth = write(&[named], Target::Sloth);
    assert_eq!(sloth.omissions, []);
    assert_eq!(
        sloth.text,
        "version: prometheus/v1\nservice: shop\nslos:\n  - name: orders\n    objective: 99.9\n    \
         description: Orders are taken\n    labels:\n      team: shop\n    sli:\n      events:\n        \
         error_query: 'sum(rate(a{b=\"c: d\"}[{{.window}}]))'\n        total_query: 'sum(rate(a[{{.window}}]))'\n    \
         alerting:\n      name: 'yes'\n      ticket_alert:\n        disable: true\n"
    );
    let mut pyrras = slo(counters.clone());
    pyrras.name = pyrras.id.clone();
    pyrras.service = None;
    pyrras.pairs = pyrra(pyrras.window.nominal()).to_vec();
    assert_eq!(write(&[pyrras], Target::Pyrra).omissions, []);
    let mut openslo = slo(counters);
    openslo.name = openslo.id.clone();
    for pair in &mut openslo.pairs {
        pair.short = pair.long;
    }
    assert_eq!(write(&[openslo], Target::OpenSlo).omissions, []);
}

#[test]
fn good_events_become_bad_ones_for_sloth_also_where_nothing_is_good() {
    let good = slo(events(EventSide::Good, "rate(a[{{.window}}])", "rate(b[{{.window}}])"));
    let written = read(&write(&[good], Target::Sloth), Target::Sloth);
    let (part, total) = (
        "(rate(b[{{.window}}])) - ((rate(a[{{.window}}])) or 0 * (rate(b[{{.window}}])))",
        "rate(b[{{.window}}])",
    );
    assert_eq!(written.sli, Some(events(EventSide::Bad, part, total)));
}

#[test]
fn queries_that_are_rates_of_counters_become_counters_for_pyrra() {
    let bad =
        slo(events(EventSide::Bad, "sum(rate(a{x=\"1\"}[{{.window}}]))", "sum(rate(a[{{ .window }}]))"));
    let again = read(&write(std::slice::from_ref(&bad), Target::Pyrra), Target::Pyrra);
    let hour = Duration::from_secs(3600);
    let spaceless = |slo: &Slo| measure(slo, hour).unwrap().error_ratio().replace(' ', "");
    assert_eq!(spaceless(&again), spaceless(&bad));
    let fast = "sum(rate(h_bucket{le=\"0.5\"}[{{.window}}]))";
    let latency = slo(events(EventSide::Good, fast, "sum(rate(h_count[{{.window}}]))"));
    let again = read(&write(&[latency], Target::Pyrra), Target::Pyrra);
    assert!(matches!(again.sli, Some(Sli::Latency { .. })));
    let good = slo(events(EventSide::Good, "sum(rate(a[{{.window}}]))", "sum(rate(b[{{.window}}]))"));
    let refused = write(&[good], Target::Pyrra);
    assert!(
        refused.text.starts_with("# not included: shop-orders: sli: Pyrra has no indicator for"),
        "{}",
        refused.text
    );
    assert_eq!(fields(&refused), ["sli"]);
}

#[test]
fn what_is_lost_is_named_and_stands_in_the_document() {
    let mut odd = slo(Sli::Threshold { value: template("max(lag)"), passes: Comparison::Equal, bound: 0.5 });
    odd.id = "another".into();
    odd.grouping = vec!["region".into()];
    odd.budgeting = BudgetingMethod::Timeslices { slice: Duration::from_secs(60), least: 0.95 };
    odd.alerting.on_absence = true;
    odd.recorded = Some(RecordedSeries {
        family: Family::Grafana,
        id: "uuid".into(),
        labels: Labels::default(),
        metric: Text::default(),
        lookbacks: Vec::new(),
        plugins: Vec::new(),
    });
    let sloth = write(std::slice::from_ref(&odd), Target::Sloth);
    assert_eq!(fields(&sloth), ["id", "budgeting", "by", "alert", "alert", "recorded"]);
    for omissions in &sloth.omissions {
        assert!(sloth.text.contains(&format!("  # not included: {omissions}\n")), "{}", sloth.text);
    }
    assert_eq!(fields(&write(std::slice::from_ref(&odd), Target::Own)), Vec::<&str>::new());
    let rules = write(&[odd.clone(), Slo { sli: None, ..odd }], Target::Rules);
    assert_eq!(fields(&rules), ["sli"]);
}

#[test]
fn names_of_groups_of_rules_are_unique_and_labels_are_those_that_a_prometheus_takes() {
    let mut odd = slo(events(EventSide::Bad, "sum(rate(a[{{.window}}]))", "sum(rate(b[{{.window}}]))"));
    odd.labels = Labels::from_iter([("fine", "{{"), ("not-fine", "x"), ("__name__", "y")]);
    odd.alerting.annotations =
        Labels::from_iter([("open", "{{ $labels.job"), ("closed", "{{ $labels.job }}")]);
    let written = write(&[odd.clone(), odd], Target::Rules);
    let names: Vec<&str> = written.text.lines().filter(|line| line.starts_with("  - name: ")).collect();
    assert_eq!(names.len(), 6);
    assert!(names.contains(&"  - name: sloth-slo-alerts-shop-orders-2"), "{names:?}");
    assert_eq!(fields(&written).len(), 6, "{:?}", written.omissions);
    assert!(written.text.contains("fine: '{{'") && written.text.contains("closed: '{{ $labels.job }}'"));
}

fn words() -> impl Strategy<Value = Text> {
    let odd = ["no", "a: b", "99", "-", "#", "''", "\"", "\\", "{{", "x\ty", "$window", "é", "日本"];
    prop_oneof![
        "[a-z][a-z0-9-]{0,12}",
        "\\PC{1,12}",
        prop::sample::select(odd.to_vec()).prop_map(str::to_owned)
    ]
    .prop_map(|text| Text::from(crate::model::text::clean(text.trim()).trim()))
    .prop_filter("a name is not empty", |text| !text.is_empty())
}

fn label_sets() -> impl Strategy<Value = Labels> {
    prop::collection::vec((words(), words()), 0..3).prop_map(Labels::new)
}

fn selectors() -> impl Strategy<Value = Selector> {
    let metric = prop::sample::select(vec!["a", "a_total", "h_bucket", "h_count", "up"]);
    (metric, prop::option::of(words())).prop_map(|(metric, value)| match value {
        Some(value) => selector(metric).with("job", crate::model::matcher::Operator::Equal, &value),
        None => selector(metric),
    })
}

fn queries() -> impl Strategy<Value = Template> {
    let known = prop::sample::select(vec![
        "sum(rate(a[{{.window}}]))",
        "a",
        "sum(\n  rate(a[{{ .window }}])\n)",
        "up # it's \"fine\"",
        "x[$window]",
        "'''",
    ]);
    prop_oneof![known.prop_map(str::to_owned), "\\PC{1,30}"].prop_filter_map("no query", |text| {
        let is_seen = *crate::model::text::clean(&text.replace('\n', " ")) == text.replace('\n', " ");
        is_seen.then(|| Template::parse(&text).ok()).flatten()
    })
}

fn slis() -> impl Strategy<Value = Sli> {
    let side = || prop::sample::select(vec![EventSide::Good, EventSide::Bad]);
    let bounds = || prop_oneof![1e-6..1e6_f64, (1..100_u32).prop_map(f64::from)];
    let passes = prop::sample::select(vec![Comparison::Above, Comparison::AtMost, Comparison::NotEqual]);
    prop_oneof![
        (side(), queries(), queries()).prop_map(|(side, part, total)| Sli::Events { side, part, total }),
        queries().prop_map(|error| Sli::Ratio { error }),
        (side(), selectors(), selectors()).prop_map(|(side, part, total)| Sli::Counters {
            side,
            part,
            total
        }),
        (selectors(), selectors(), words()).prop_map(|(fast, total, le)| Sli::Latency {
            fast: fast.with("le", crate::model::matcher::Operator::Equal, &le),
            total
        }),
        (selectors(), bounds())
            .prop_map(|(histogram, threshold)| Sli::NativeLatency { histogram, threshold }),
        selectors().prop_map(|metric| Sli::Gauge { metric }),
        (selectors(), selectors(), words(), prop::option::of(words())).prop_map(
            |(bucket, total, satisfied, tolerated)| Sli::Apdex { bucket, satisfied, tolerated, total }
        ),
        (queries(), passes, bounds()).prop_map(|(value, passes, bound)| Sli::Threshold {
            value,
            passes,
            bound
        }),
    ]
}

prop_compose! {
    fn slos()(
        (id, name, service, description) in (words(), words(), prop::option::of(words()), words()),
        (labels, objective, days) in (label_sets(), 1..999_999_999_u32, 1..60_u64),
        sli in prop::option::of(slis()),
        (grouping, slice, least) in (prop::collection::vec(words(), 0..2), 0..3_u8, 0.01..1.0_f64),
        pairs in prop::collection::vec((any::<bool>(), 1..5000_u64, 1..5000_u64, 0.1..100.0_f64, any::<bool>()), 0..4),
        (usual, alert, notices) in (any::<bool>(), label_sets(), prop::collection::vec(prop::option::of(label_sets()), 2)),
        (on_absence, alert_name, recorded) in (any::<bool>(), prop::option::of(words()), any::<bool>()),
    ) -> Slo {
        let pair = |(page, long, short, factor, at_least): (bool, u64, u64, f64, bool)| BurnCondition {
            severity: if page { BurnSeverity::Page } else { BurnSeverity::Ticket },
            long: Duration::from_secs(60 * long.max(short)),
            short: Duration::from_secs(60 * long.min(short)),
            factor,
            hold: Duration::from_secs(short),
            at_least,
        };
        let window = Duration::from_secs(days * 86_400);
        let notice = |at: usize| {
            notices[at].clone().map(|labels| AlertMetadata { labels, annotations: Labels::default() })
        };
        Slo {
            name,
            service,
            description: description.split_whitespace().collect::<Vec<_>>().join(" ").into(),
            labels,
            objective: Objective::from_ratio(f64::from(objective) / 1e9).unwrap(),
            window: Window::Rolling(window),
            budgeting: match slice {
                0 => BudgetingMethod::Occurrences,
                1 => BudgetingMethod::RatioTimeslices { slice: Duration::from_secs(60) },
                _ => BudgetingMethod::Timeslices { slice: Duration::from_secs(300), least },
            },
            sli,
            grouping,
            pairs: if usual { standard(window) } else { pairs.into_iter().map(pair).collect() },
            alerting: SloAlerting {
                name: alert_name,
                absent_name: None,
                labels: alert.clone(),
                annotations: alert,
                page: notice(0),
                ticket: notice(1),
                on_absence,
            },
            recorded: recorded.then(|| RecordedSeries {
                family: Family::Sloth,
                id: id.clone(),
                labels: Labels::default(),
                metric: Text::default(),
                lookbacks: Vec::new(),
                plugins: Vec::new(),
            }),
            id,
            origin: DefinitionOrigin::Series,
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, ..ProptestConfig::default() })]

    #[test]
    fn nothing_is_lost_without_a_word_and_several_read_as_each_alone(mut all in prop::collection::vec(slos(), 1..4)) {
        for (at, slo) in all.iter_mut().enumerate() {
            slo.id = format!("{}{at}", slo.id).into();
        }
        for target in Target::ALL.into_iter().filter(|target| *target != Target::Rules) {
            let written = write(&all, target);
            let file = if target == Target::Own { "x.toml" } else { "x.yaml" };
            let again = parse(Path::new(file), &written.text, DEFAULT_PERIOD);
            for slo in &all {
                let omissions = |field: &str| {
                    written.omissions.iter().any(|omissions| omissions.slo == slo.id && omissions.field == field)
                };
                if omissions("sli") || omissions("id") {
                    continue;
                }
                let Some(read) = again.slos.iter().find(|read| read.id == slo.id) else {
                    prop_assert!(false, "{target:?} lost {}: {:?}\n{}", slo.id, again.findings, written.text);
                    continue;
                };
                for field in FieldComparison::FIELDS.iter().filter(|field| field.name != "sli") {
                    prop_assert!(
                        field.holds(slo, read) || omissions(field.name),
                        "{target:?} {} of {slo:?}\n{read:?}\n{}", field.name, written.text
                    );
                }
                prop_assert_eq!(read.sli.is_some(), slo.sli.is_some());
            }
        }
        let rules = write(&all, Target::Rules);
        prop_assert!(super::super::from_yaml::documents(&rules.text).1.is_empty(), "{}", rules.text);
    }
}

/// If `promtool` is installed, it must accept the generated rules.
#[test]
fn odd_definitions_never_spoil_a_file_of_rules() {
    use proptest::strategy::ValueTree;
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let all = prop::collection::vec(slos(), 200).new_tree(&mut runner).unwrap().current();
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("rules.yaml");
    let Ok(version) = std::process::Command::new("promtool").arg("--version").output() else { return };
    // quoted label names require Prometheus 3
    let is_old = String::from_utf8_lossy(&version.stdout).contains("version 2.");
    let is_taken =
        |slo: &Slo| !is_old || slo.grouping.iter().all(|label| crate::model::promql::is_plain_name(label));
    let all: Vec<Slo> = all.into_iter().filter(is_taken).collect();
    std::fs::write(&file, write(&all, Target::Rules).text).unwrap();
    let promtool =
        std::process::Command::new("promtool").args(["check", "rules", "--lint-fatal"]).arg(&file).output();
    let Ok(reported) = promtool else { return };
    assert!(reported.status.success(), "{}", String::from_utf8_lossy(&reported.stderr));
}
