use super::*;

const FILL: QueryFill<'static> =
    QueryFill { by: "service", selector: "service!=\"\"", lookback: Duration::from_secs(90) };

fn wrong(text: &str) -> String {
    Pack::parse(text).unwrap_err().to_string()
}

#[test]
fn every_built_in_pack_is_read_and_all_its_expressions_are_promql() {
    let check = |query: String| {
        promql_parser::parser::parse(&query).unwrap_or_else(|error| panic!("{query}: {error}"));
        assert!(!query.contains('$'), "{query}");
    };
    for (name, text) in BUILT_IN {
        let pack = Pack::parse(text).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(pack.name, name);
        for requests in &pack.requests {
            check(requests.all(FILL));
            requests.failed(FILL, &requests.code).map(check);
        }
        for latency in &pack.latency {
            check(latency.quantile(FILL, 0.95));
            check(latency.buckets(FILL, "1|1\\\\.0"));
        }
        for saturation in &pack.saturation {
            check(saturation.expr(FILL));
            check(saturation.highest_usage(FILL));
        }
        pack.up.iter().for_each(|up| check(up.expr(FILL)));
        pack.signal.iter().for_each(|signal| check(signal.expr(FILL)));
        for capacity in &pack.capacity {
            let queries = capacity.queries(FILL).unwrap();
            queries.candidates(Duration::from_secs(345_600), Duration::from_secs(1_209_600)).map(check);
            match queries {
                CapacityQueries::Usage { used, limit } => {
                    check(used);
                    limit.map(check);
                }
                CapacityQueries::Deadline(ends) => check(ends),
            }
        }
    }
}

#[test]
fn placeholders_are_filled_in() {
    let http = chosen(&[], &["http".into()]).remove(0);
    let requests = &http.requests[0];
    assert_eq!(requests.all(FILL), "sum by (service) (rate(http_requests_total{service!=\"\"}[1m30s]))");
    assert_eq!(
        requests.failed(FILL, &["code".into(), "status".into()]).unwrap(),
        "sum by (service) (rate(http_requests_total{service!=\"\",code=~\"5..\"}[1m30s])) or \
         sum by (service) (rate(http_requests_total{service!=\"\",status=~\"5..\",code=\"\"}[1m30s]))"
    );
    assert_eq!(requests.failed(FILL, &[]), None);
    assert_eq!(
        http.latency[0].quantile(FILL, 0.95),
        "histogram_quantile(0.95, sum by (le, service) (rate(http_request_duration_seconds_bucket{service!=\"\"}[1m30s])))"
    );
}

#[test]
fn a_dollar_in_a_services_own_name_stays() {
    let http = chosen(&[], &["http".into()]).remove(0);
    let query = http.requests[0].all(QueryFill { selector: "service=\"a$by$x\"", ..FILL });
    assert!(query.contains("service=\"a$by$x\""), "{query}");
}

#[test]
fn own_packs_come_first_and_replace_those_of_their_name() {
    let own = Pack::parse("name = \"redis\"\nabout = \"ours\"\n[[latency]]\nhistogram = \"x\"").unwrap();
    let all = chosen(std::slice::from_ref(&own), &[]);
    assert_eq!((all.len(), &all[0]), (BUILT_IN.len(), &own));
    let some = chosen(&[own], &["node".into(), "redis".into(), "nothing".into()]);
    assert_eq!(some.iter().map(|pack| pack.name.as_str()).collect::<Vec<_>>(), ["redis", "node"]);
}

#[test]
fn a_wrong_pack_says_what_is_wrong() {
    let head = "name = \"shop\"\nabout = \"\"\n";
    assert!(wrong("nonsense").starts_with("not a valid pack"));
    assert!(wrong(&format!("{head}extra = 1")).contains("extra"));
    assert_eq!(wrong(head), "pack \"shop\" has no signal");
    assert_eq!(
        wrong(&format!("{head}[[latency]]\nhistogram = \"a{{}}\"")),
        "pack \"shop\": \"a{}\" is not a valid metric or label name"
    );
    let saturation = |expr: &str| {
        wrong(&format!("{head}[[saturation]]\nresource = \"r\"\nmetrics = [\"m\"]\nexpr = '{expr}'"))
    };
    assert!(saturation("max by ($by) (m{$selector}[$window])").contains("unknown placeholder $window"));
    assert!(saturation("max(m{$selector})").contains("lacks the placeholder $by"));
    let capacity =
        |more: &str| wrong(&format!("{head}[[capacity]]\nresource = \"disk\"\nmetrics = [\"m\"]\n{more}"));
    let used = "used = 'max by ($by) (m{$selector})'\n";
    assert_eq!(capacity(""), "pack \"shop\": the capacity \"disk\" needs `used` or `ends`");
    assert!(capacity(&format!("{used}ends = 'max by ($by) (m{{$selector}})'")).contains("has both"));
    assert!(capacity("ends = 'max by ($by) (m{$selector})'\nlimit = '1'").contains("but no `used`"));
    assert!(capacity(&format!("{used}limit = 'max(m{{$selector}})'")).contains("lacks the placeholder $by"));
    assert!(capacity(&format!("{used}unit = 'litres'")).contains("unknown variant"));
    assert!(capacity(&format!("{used}labels = ['a b']")).contains("not a valid metric or label name"));
}
