//! Charts of alerts, and the queries of rules.

use super::*;

/// The left side of an alert's rule, restricted to the labels of the alert.
fn chart(rule: &crate::model::rule::Rule, alert: &Alert) -> String {
    let (left, _) = rule.expr.rsplit_once(|c| "<>=".contains(c)).unwrap_or((&rule.expr, ""));
    let left = left.trim_end_matches(['=', ' ']);
    let own = alert.labels.without(|name| name == "alertname" || rule.labels.get(name).is_some());
    let names: Vec<_> = own.iter().map(|(name, _)| &**name).collect();
    let vector = own.iter().fold("vector(1)".to_owned(), |inner, (name, value)| {
        format!("label_replace({inner}, {name:?}, {value:?}, \"\", \"\")")
    });
    format!("({left}) and on ({}) {vector}", names.join(", "))
}

#[test]
fn a_chart_of_an_alert_is_beyond_its_threshold_exactly_while_it_holds() {
    for (seconds, name, service) in [
        (150, "PaymentsErrorBudgetBurn", "payments"),
        (150, "CheckoutLatencyHigh", "checkout"),
        (150, "QueueFillingUp", "notifications"),
        (150, "TargetDown", "payments"),
        (10, "PersistentVolumeFillingUp", "postgres-orders"),
    ] {
        let world = world(7, seconds);
        let alert = named(&world, name, service).unwrap();
        let (id, rule) = world.rule_of(&alert.labels).unwrap();
        let sources = demo(7, seconds);
        let source = sources.iter().find(|source| source.info().id == *id).unwrap();
        let query = chart(rule, alert).into();
        let time_range = time_range(at(seconds), minutes(10), 120);
        let Answer::Series(matrix) = ask(
            &**source,
            &Query::Series { series: SeriesKey::over(query, time_range.window), time_range }.now(),
        ) else {
            panic!()
        };
        let [line] = matrix.lines.as_slice() else { panic!("{name}: {} lines", matrix.lines.len()) };
        let model = DemoWorld::new(7, DemoTimeline::new(start(), 1.0));
        let demo_rule = model.rules_of(Region::Eu).find(|r| *r.shown.name == *name).unwrap();
        let begins = alert.starts_at.as_second() - i64::try_from(rule.hold.as_secs()).unwrap();
        for (i, value) in line.values.iter().enumerate() {
            let beyond = demo_rule.holds(*value);
            assert_eq!(beyond, matrix.span.at(i).as_second() >= begins, "{name} at {}", matrix.span.at(i));
        }
    }
}

#[test]
fn every_rule_is_understood_however_its_expression_is_printed() {
    let time = DemoTimeline::new(start(), 1.0);
    let world = DemoWorld::new(7, time);
    for rule in &world.rules {
        let catalog = Catalog::of(&world, rule.region);
        let series = RegionSeries::new(&world, &catalog);
        let (left, _) = rule.shown.expr.rsplit_once(|c| "<>=".contains(c)).unwrap_or((&rule.shown.expr, ""));
        let read = promql_parser::parser::parse(left.trim_end_matches(['=', ' '])).unwrap();
        for query in [read.to_string(), read.prettify(), format!("({read})")] {
            let expr = promql_parser::parser::parse(&query).unwrap();
            for t in [10.0, 120.0] {
                let promql::Evaluated::Lines(lines) = instant(&series, &expr, time.second(t)).expect(&query)
                else {
                    panic!("{query}")
                };
                let all = world.series_of(rule);
                assert_eq!(lines.len(), all.len(), "{query}");
                for series in all {
                    let line = lines.iter().find(|line| line.labels == series.labels()).expect(&query);
                    let expected = rule.holds(world.value(series, t).unwrap());
                    assert_eq!(rule.holds(line.values[0].unwrap()), expected, "{query} at {t}");
                }
            }
        }
    }
}

#[test]
fn a_query_that_is_none_is_refused_and_of_a_metric_that_is_not_there_nothing_is_told() {
    let sources = demo(7, 60);
    let reported = |query: &str| {
        let time_range = time_range(at(60), minutes(5), 10);
        let ask =
            Query::Series { series: SeriesKey::over(query.into(), time_range.window), time_range }.now();
        answered(&*sources[0], &ask)
    };
    for query in ["sum(", "", "up > up by"] {
        let failure = reported(query).unwrap_err().kind;
        assert!(matches!(failure, ErrorKind::BadQuery { .. }), "{query}");
    }
    let Answer::Series(matrix) = reported("node_load1").unwrap().answer else { panic!() };
    assert!(matrix.lines.is_empty());
    let Err(error) = answered(&*sources[0], &Query::Alerts.now()) else { panic!() };
    assert!(matches!(error.kind, ErrorKind::NotOffered { .. }));
}
