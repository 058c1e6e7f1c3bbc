//! Charts of alerts.

use super::*;

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
        let stretch = stretch(at(seconds), minutes(10), 120);
        let Answer::Series(matrix) =
            ask(&**source, &Query::Series { series: SeriesKey::over(query, stretch.window), stretch }.now())
        else {
            panic!()
        };
        let [line] = matrix.lines.as_slice() else { panic!("{name}: {} lines", matrix.lines.len()) };
        let model = DemoWorld::new(7);
        let demo_rule = model.rules_of(Region::Eu).find(|r| *r.shown.name == *name).unwrap();
        let begins = alert.starts_at.as_second() - i64::try_from(rule.hold.as_secs()).unwrap();
        for (i, value) in line.values.iter().enumerate() {
            let beyond = demo_rule.holds(*value);
            assert_eq!(beyond, matrix.span.at(i).as_second() >= begins, "{name} at {}", matrix.span.at(i));
        }
    }
}
