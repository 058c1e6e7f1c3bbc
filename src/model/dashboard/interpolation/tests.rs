use std::time::Duration;

use jiff::tz::TimeZone;
use proptest::prelude::*;

use super::built_in::{BuiltInTime, promql_duration, rounded_interval};
use super::depends::{dependencies, order};
use super::*;
use crate::model::dashboard::DataSourceRef;
use crate::model::dashboard::variable::{VariableKind, VariableSort, VariableVisibility};

fn state(name: &str, values: &[&str], is_multi: bool) -> VariableState {
    let chosen = values.iter().map(|value| (Text::from(value.to_uppercase()), Text::from(*value))).collect();
    VariableState { name: name.into(), chosen, is_multi, ..VariableState::default() }
}

fn built_ins() -> BuiltIns {
    BuiltIns {
        dashboard_title: "API".into(),
        dashboard_uid: "u1".into(),
        zone: TimeZone::UTC,
        time: Some(BuiltInTime {
            from: "2026-01-01T00:00:00Z".parse().unwrap(),
            to: "2026-01-01T06:00:00Z".parse().unwrap(),
            step: Duration::from_secs(30),
            scrape_interval: Duration::from_secs(15),
        }),
    }
}

fn with(states: Vec<VariableState>) -> Interpolation {
    Interpolation::new(states, Some(built_ins()))
}

#[test]
fn variables_are_found_in_every_way_of_writing_them() {
    let values = with(vec![state("test", &["oogle"], false), state("x", &["1"], false)]);
    for (text, expected) in [
        ("this.[[test]].filters", "this.oogle.filters"),
        ("this.$test.filters", "this.oogle.filters"),
        ("${test}ing", "oogleing"),
        ("$testing ${unknown} $ {test} [[nope]]", "$testing ${unknown} $ {test} [[nope]]"),
        ("[[test:pipe]] ${test:raw}", "oogle oogle"),
        ("$x$x${x}", "111"),
        ("$$x", "$1"),
        ("${test:nonexistentformat}", "oogle"),
        ("", ""),
        ("$ü ${ü}", "$ü ${ü}"),
    ] {
        assert_eq!(values.replace(text, VariableFormat::Glob), expected, "{text}");
    }
}

#[test]
fn values_are_written_in_all_formats() {
    // expectations of Grafana's tests of templateSrv and formatRegistry
    let many = |values: &[&str]| state("build", values, true);
    for (format, values, expected) in [
        ("glob", vec!["test", "test2"], "{test,test2}"),
        ("glob", vec!["test"], "test"),
        ("lucene", vec!["test", "test2"], "(\"test\" OR \"test2\")"),
        ("lucene", vec!["value/4"], "(\"value\\/4\")"),
        ("lucene", vec![], "__empty__"),
        ("regex", vec!["test.", "test2"], "(test\\.|test2)"),
        ("regex", vec!["a.b"], "a\\.b"),
        ("pipe", vec!["test", "test2"], "test|test2"),
        ("distributed", vec!["test", "test2"], "test,build=test2"),
        ("csv", vec!["test", "test2"], "test,test2"),
        ("json", vec!["test\"x", "test2"], "[\"test\\\"x\",\"test2\"]"),
        ("percentencode", vec!["foo()bar BAZ", "test2"], "%7Bfoo%28%29bar%20BAZ%2Ctest2%7D"),
        ("singlequote", vec!["te'st", "test2"], "'te\\'st','test2'"),
        ("doublequote", vec!["te\"st", "test2"], "\"te\\\"st\",\"test2\""),
        ("sqlstring", vec!["te'st", "test2"], "'te''st','test2'"),
        ("html", vec!["<script>a</script>"], "&lt;script&gt;a&lt;&#47;script&gt;"),
        ("queryparam", vec!["a b", "c"], "var-build=a%20b&var-build=c"),
        ("text", vec!["a", "b"], "A + B"),
        ("raw", vec!["a", "b"], "a,b"),
        ("date", vec!["1594671549254"], "2020-07-13T20:19:09.254Z"),
        ("date:seconds", vec!["1594671549254"], "1594671549"),
        ("date:YYYY-MM-DD HH:mm", vec!["1594671549254"], "2020-07-13 20:19"),
    ] {
        let text = format!("${{build:{format}}}");
        assert_eq!(
            with(vec![many(&values)]).replace(&text, VariableFormat::Glob),
            expected,
            "{format} {values:?}"
        );
    }
}

#[test]
fn data_sources_have_their_own_default_formats() {
    // expectations of Grafana's tests of the Prometheus and Loki data sources
    for (plugin, is_multi, values, expected) in [
        ("prometheus", false, vec!["it's a.b"], "it\\'s a.b"),
        ("prometheus", true, vec!["a.b"], "a\\\\.b"),
        ("prometheus", true, vec!["a", "b+c"], "(a|b\\\\+c)"),
        ("prometheus", true, vec!["c:\\d"], "c:\\\\\\\\d"),
        ("loki", true, vec!["a", "b.c"], "a|b\\\\.c"),
        ("loki", false, vec!["a"], "a"),
        ("elasticsearch", false, vec!["a/b"], "a\\/b"),
        ("graphite", true, vec!["a", "b"], "{a,b}"),
        ("mysql", true, vec!["a'b", "c"], "'a''b','c'"),
    ] {
        let format = VariableFormat::of_plugin(plugin);
        let replaced = with(vec![state("v", &values, is_multi)]).replace("$v", format);
        assert_eq!(replaced, expected, "{plugin} {values:?}");
    }
}

#[test]
fn all_is_every_value_or_the_own_text_for_it() {
    let options: Vec<(Text, Text)> =
        ["a", "b.c"].iter().map(|value| ((*value).into(), (*value).into())).collect();
    let mut variable = query_variable("v", "label_values(x)");
    variable.is_multi = true;
    let all = VariableState::of(&variable, &["$__all".into()], &options);
    assert_eq!(with(vec![all.clone()]).replace("$v", VariableFormat::Prometheus), "(a|b\\\\.c)");
    assert_eq!(with(vec![all]).title("$v ${v:queryparam}"), "All var-v=All");
    variable.all_value = Some(".+$other".into());
    let custom = VariableState::of(&variable, &["$__all".into()], &options);
    let values = with(vec![custom, state("other", &["x"], false)]);
    assert_eq!(values.replace("$v", VariableFormat::Prometheus), ".+x");
    assert_eq!(values.replace("${v:percentencode}", VariableFormat::Glob), ".%2Bx");
    assert_eq!(values.replace("${v:text}", VariableFormat::Glob), "All");
}

#[test]
fn an_all_value_that_holds_itself_ends() {
    let circle = VariableState {
        name: "v".into(),
        is_all: true,
        all_value: Some("$v$v".into()),
        ..VariableState::default()
    };
    assert!(with(vec![circle]).replace("$v", VariableFormat::Raw).len() < 1000);
}

#[test]
fn built_in_variables_are_those_of_the_range_and_the_dashboard() {
    let values = with(vec![state("env", &["a"], false)]);
    for (text, expected) in [
        ("[$__interval] $__interval_ms", "[30s] 30000"),
        ("$__rate_interval", "1m"),
        ("$__range $__range_s ${__range_ms}", "21600s 21600 21600000"),
        ("$__from ${__to}", "1767225600000 1767247200000"),
        (
            "${__from:date:YYYY-MM} ${__to:date:seconds} ${__from:date}",
            "2026-01 1767247200 2026-01-01T00:00:00.000Z",
        ),
        ("${__dashboard} ${__dashboard.uid}", "API u1"),
        ("$timeFilter", "time >= 1767225600000ms and time <= 1767247200000ms"),
        ("${__url_time_range}&${__all_variables}", "from=1767225600000&to=1767247200000&var-env=a"),
        ("${__user.login}", "${__user.login}"),
    ] {
        assert_eq!(values.replace(text, VariableFormat::Glob), expected, "{text}");
    }
    let later = values.without_time();
    assert_eq!(later.replace("$env[$__interval] $__dashboard", VariableFormat::Glob), "a[$__interval] API");
}

#[test]
fn intervals_are_rounded_and_not_below_the_scrapes() {
    let rate = |step: u64, scrape: u64| {
        let time = BuiltInTime {
            step: Duration::from_secs(step),
            scrape_interval: Duration::from_secs(scrape),
            ..built_ins().time.unwrap()
        };
        promql_duration(time.rate_interval())
    };
    assert_eq!([rate(15, 15), rate(300, 15), rate(60, 30), rate(1, 60)], ["1m", "315s", "2m", "4m"]);
    let rounded = |range: u64, points: u32| {
        promql_duration(rounded_interval(Duration::from_secs(range), points, Duration::ZERO))
    };
    assert_eq!(
        [rounded(21600, 100), rounded(86400, 1000), rounded(3600, 30), rounded(7, 1000)],
        ["5m", "1m", "2m", "1ms"]
    );
    assert_eq!(
        rounded_interval(Duration::from_secs(10), 1000, Duration::from_secs(10)),
        Duration::from_secs(10)
    );
}

#[test]
fn a_repeat_has_its_own_value() {
    let values = with(vec![state("pod", &["a", "b"], true)]);
    let scoped = values.with(VariableState::one("pod", "Pod B", "b"));
    assert_eq!(scoped.title("$pod"), "Pod B");
    assert_eq!(scoped.replace("$pod", VariableFormat::Prometheus), "b");
    assert_eq!(values.title("$pod"), "A + B");
}

#[test]
fn queries_stay_json_and_only_their_language_is_escaped() {
    let values =
        with(vec![state("job", &["a\"b.c", "d\\e"], true), state("ds", &["uid1"], false)]).without_time();
    let json = r#"{"expr":"up{job=~\"$job\"}[$__rate_interval]","legendFormat":"$job {{pod}}","datasource":{"type":"prometheus","uid":"${ds}"},"intervalMs":1000}"#;
    let query: serde_json::Value = serde_json::from_str(&values.query(json, "prometheus")).unwrap();
    assert_eq!(query["expr"], "up{job=~\"(a\\\"b\\\\.c|d\\\\\\\\e)\"}[$__rate_interval]");
    assert_eq!(query["legendFormat"], "{a\"b.c,d\\e} {{pod}}");
    assert_eq!((&query["datasource"]["uid"], &query["intervalMs"]), (&"uid1".into(), &1000.into()));
    let json = r#"{"dimensions":{"InstanceId":["$job","x"]}}"#;
    let query: serde_json::Value = serde_json::from_str(&values.query(json, "cloudwatch")).unwrap();
    assert_eq!(query["dimensions"]["InstanceId"], serde_json::json!(["a\"b.c", "d\\e", "x"]));
    let source = DataSourceRef { kind: Some("loki".into()), uid: Some("$ds".into()) };
    assert_eq!(values.data_source(&source).uid.as_deref(), Some("uid1"));
    assert_eq!(values.query("not json $ds", "loki"), "not json uid1");
}

fn query_variable(name: &str, query: &str) -> Variable {
    Variable {
        name: name.into(),
        label: None,
        kind: VariableKind::Query {
            data_source: DataSourceRef { kind: None, uid: Some("${ds}".into()) },
            query: query.into(),
            regex: None,
            sort: VariableSort::None,
            follows_time: false,
        },
        current: Vec::new(),
        is_multi: false,
        includes_all: false,
        all_value: None,
        visibility: VariableVisibility::Shown,
    }
}

#[test]
fn variables_wait_for_those_they_depend_on_and_circles_are_named() {
    let mut source = query_variable("ds", "");
    source.kind = VariableKind::DataSource { plugin: "prometheus".into(), regex: None };
    let variables = vec![
        query_variable("pod", "label_values(up{ns=\"$ns\", cluster=\"[[cluster]]\"}, pod)"),
        query_variable("ns", "label_values(up{cluster=\"${cluster:regex}\"}, ns)"),
        query_variable("cluster", "label_values(cluster)"),
        source,
        query_variable("a", "$b"),
        query_variable("b", "$c"),
        query_variable("c", "$a $pod"),
        query_variable("after", "$c"),
        query_variable("self", "$self"),
    ];
    let order = order(&variables);
    assert_eq!(order.levels, [vec![3], vec![2], vec![1], vec![0]]);
    assert_eq!(order.stuck, [4, 5, 6, 7, 8]);
    let cycles: Vec<Vec<&str>> =
        order.cycles.iter().map(|cycle| cycle.iter().map(|name| &**name).collect()).collect();
    assert_eq!(cycles, [vec!["a", "b", "c"], vec!["self"]]);
    assert_eq!(dependencies(&variables, 0), [1, 2, 3]);
}

proptest! {
    #[test]
    fn any_text_is_replaced_and_what_has_no_value_stays(text in "[$\\[\\]{}a-c:._ é]{0,40}") {
        prop_assert_eq!(Interpolation::default().replace(&text, VariableFormat::Glob), text.clone());
        with(vec![state("a", &["$a", "${b}"], true), state("b", &["[[a]]"], false)]).title(&text);
    }

    #[test]
    fn a_query_is_json_whatever_the_values_are(value in "\\PC{0,20}", plugin in "(prometheus|loki|elasticsearch|graphite|mysql)") {
        let values = with(vec![state("x", &[&value, "b"], true)]);
        let json = r#"{"expr":"a $x","query":"[[x]]","other":["${x:json}"]}"#;
        prop_assert!(serde_json::from_str::<serde_json::Value>(&values.query(json, &plugin)).is_ok());
    }
}
