//! Panels and variables of dashboards, directly and through Grafana's proxy.

use super::*;
use crate::backend::Source;
use crate::backend::kit::double::ReceivedRequest;
use crate::model::ask::{Answer, Moment, Query, Reply};
use crate::model::dashboard::variable::VariableQuery;
use crate::model::dashboard::{DataSourceRef, PanelQuery, PanelSubquery};
use crate::model::frame::FieldValues;
use crate::model::series::TimeGrid;

const PROXY: &str = "/api/datasources/proxy/uid/loki";

fn server(asked: &ReceivedRequest) -> CannedResponse {
    let path = asked.path.strip_prefix(PROXY).unwrap_or(&asked.path);
    let success =
        |data: &Value| CannedResponse::json(&json!({"status": "success", "data": data}).to_string());
    let at = |second: i64| ((i128::from(NOW) + i128::from(second)) * 1_000_000_000).to_string();
    match path.trim_start_matches("/loki/api/v1/") {
        "labels" => success(&json!(["app", "level"])),
        "label/app/values" => success(&json!([asked.parameter("query"), "cart"])),
        "query" => success(
            &json!({"resultType": "vector", "result": [{"metric": {"app": "shop"}, "value": [NOW, "2.5"]}]}),
        ),
        "query_range" if asked.parameter("query").starts_with("sum") => {
            success(&json!({"resultType": "matrix", "result": [
                {"metric": {"level": "error"}, "values": [[NOW - 120, "1"], [NOW - 60, asked.parameter("step").trim_end_matches('s')]]},
            ]}))
        }
        "query_range" if asked.parameter("query") == "{app=\"shop\"}" => {
            success(&json!({"resultType": "streams", "result": [
                {"stream": {"app": "shop"}, "values": [[at(-1), "second"], [at(-2), "first"]]},
            ]}))
        }
        _ => CannedResponse::new(400, "text/plain", "parse error at line 1, col 5: syntax error"),
    }
}

fn window() -> TimeGrid {
    TimeGrid::stepped(at(0), Duration::from_secs(3600), Duration::from_secs(60))
}

async fn answer(loki: &Loki, query: Query) -> Reply {
    loki.answer(&query.at(Moment::Now), None).await.unwrap()
}

/// What a panel and a variable show, in words.
async fn shown(loki: &Loki) -> Vec<String> {
    let queries = [
        json!({"expr": "sum by (level) (count_over_time({app=\"shop\"}[$__auto]))", "legendFormat": "{{level}}", "resolution": 2}),
        json!({"expr": "sum(count_over_time({app=\"shop\"}[5m]))", "instant": true}),
        json!({"expr": "{app=\"shop\"}", "maxLines": 10}),
        json!({"expr": "{app"}),
    ];
    let subquery = |(at, json): (usize, &Value)| PanelSubquery {
        ref_id: ["A", "B", "C", "D"][at].into(),
        data_source: DataSourceRef::default(),
        json: json.to_string().into(),
    };
    let wanted = Arc::new(PanelQuery::over(queries.iter().enumerate().map(subquery).collect(), window()));
    let reply = answer(loki, Query::PanelData { wanted, window: window() }).await;
    let Answer::PanelData(panel) = reply.answer else { panic!() };
    let mut words: Vec<String> = Vec::new();
    for frame in &panel.frames {
        let FieldValues::Numbers(values) = &frame.fields[1].values else { panic!("{frame:?}") };
        words.push(format!(
            "{} {} {values:?}",
            frame.ref_id,
            frame.fields[1].display_name.as_deref().unwrap()
        ));
    }
    words.extend(panel.lines.iter().map(|line| line.text().into_owned()));
    words.extend(panel.failures.iter().map(|failure| format!("{}: {}", failure.ref_id, failure.message)));
    for query in
        ["label_names()", "label_values({a=\"b\"}, app)", r#"{"label":"app","stream":"{c=\"d\"}","type":1}"#]
    {
        let wanted = Arc::new(VariableQuery { data_source: DataSourceRef::default(), query: query.into() });
        let reply = answer(loki, Query::VariableValues { wanted, window: window() }).await;
        let Answer::VariableValues(values) = reply.answer else { panic!() };
        words.push(values.values.iter().map(|(text, _)| &**text).collect::<Vec<_>>().join(","));
    }
    words
}

#[tokio::test]
async fn panels_have_numbers_lines_and_failures_and_the_proxy_changes_nothing() {
    let double = Double::start(server).await;
    let direct = shown(&loki(&double)).await;
    assert_eq!(
        direct,
        [
            "A error [Some(1.0), Some(120.0)]",
            "B {app=\"shop\"} [Some(2.5)]",
            "first",
            "second",
            "D: parse error at line 1, col 5: syntax error",
            "app,level",
            "{a=\"b\"},cart",
            "{c=\"d\"},cart",
        ]
    );
    let mut source = double.source("loki");
    source.url = format!("{}{PROXY}", source.url);
    let settings = Configuration::default();
    let deps = crate::backend::SourceDeps::new(&settings, Clock::fixed(at(0)));
    let proxied = Loki::new(&SourceId::new("loki"), &source, deps).unwrap();
    assert_eq!(shown(&proxied).await, direct);
}
