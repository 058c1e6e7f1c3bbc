//! Queries that a user writes: results of all types, limits, metrics, labels, exemplars.

use super::*;
use crate::model::evaluation::{
    EvaluatedQuery, EvaluationKey, Exemplar, LabelList, LabelSearch, MAX_LABELS, MAX_VECTOR, QueryResult,
    SampleValue,
};
use crate::model::metric::{MetricCatalog, MetricType};

/// A server with metrics of each kind; `api/v1/query` and `query_range` answer by the expression.
fn server(asked: &crate::backend::kit::double::ReceivedRequest) -> CannedResponse {
    let path = asked.path.trim_start_matches('/');
    match path {
        "api/v1/label/__name__/values" => success(&json!(["up", "h_bucket", "service.requests\u{1b}[31m"])),
        "api/v1/metadata" => success(&json!({
            "up": [{ "type": "gauge", "help": "Whether it is up.", "unit": "" }],
            "h": [{ "type": "histogram", "help": "Time.", "unit": "" }],
            "odd": "no list",
        })),
        "api/v1/labels" => success(&json!(["job", "__name__", "zone"])),
        "api/v1/series" => success(&json!([
            { "__name__": "up", "zone": "a", "job": "api" }, { "__name__": "up", "zone": "b", "job": "api" },
        ])),
        "api/v1/query_exemplars" => success(&json!([{
            "seriesLabels": { "__name__": "h_bucket", "job": "api" },
            "exemplars": [
                { "labels": { "trace_id": "abc" }, "value": "0.5", "timestamp": 1_772_366_390.5 },
                { "labels": { "traceID": "def" }, "value": "1.5", "timestamp": 1_772_366_395.5 },
                { "labels": {}, "value": "x", "timestamp": 1 },
            ],
        }])),
        "api/v1/query" | "api/v1/query_range" => evaluated(asked),
        _ if path.starts_with("api/v1/label/") => {
            success(&json!((0..=MAX_LABELS).map(|i| format!("v{i:05}")).collect::<Vec<_>>()))
        }
        _ => shop(asked),
    }
}

fn evaluated(asked: &crate::backend::kit::double::ReceivedRequest) -> CannedResponse {
    let histogram = json!({ "count": "4", "sum": "10", "buckets": [[0, "1", "2", "3"], [0, "2", "4", "1"]] });
    match asked.parameter("query") {
        counted if counted.starts_with("count(") => {
            let series = if counted.contains("huge") { "2001" } else { "2" };
            success(&json!({ "resultType": "vector", "result": [{ "metric": {}, "value": [1, series] }] }))
        }
        "scalar" => success(&json!({ "resultType": "scalar", "result": [1, "NaN"] })),
        "text" => success(&json!({ "resultType": "string", "result": [1, "\u{1b}[2Jhello"] })),
        "many" => {
            let one = |i: usize| json!({ "metric": { "i": i.to_string() }, "value": [1, "1"] });
            let all: Vec<_> = (0..=MAX_VECTOR).map(one).collect();
            success(&json!({ "resultType": "vector", "result": all }))
        }
        "vector" => success(&json!({ "resultType": "vector", "result": [
            { "metric": { "b": "2" }, "value": [1_772_366_400.25, "+Inf"] },
            { "metric": { "a": "1" }, "histogram": [1_772_366_400, histogram] },
            { "metric": { "lost": "1" }, "value": "x" },
        ] })),
        "stored" => success(&json!({ "resultType": "matrix", "result": [
            { "metric": { "a": "1" }, "values": [[1.5, "2"], [2.5, "3"]] },
        ] })),
        "range" => {
            let start: f64 = asked.parameter("start").parse().unwrap();
            success(&json!({ "resultType": "matrix", "result": [
                { "metric": { "b": "1" }, "values": [[start, "1"], [start + 60.0, "+Inf"]] },
                { "metric": { "a": "1" }, "histograms": [[start, histogram]] },
            ] }))
        }
        "wrong(" => CannedResponse::new(
            400,
            "application/json",
            r#"{"status":"error","errorType":"bad_data","error":"invalid parameter \"query\": 1:7: parse error: unclosed left parenthesis"}"#,
        ),
        _ => shop(asked),
    }
}

async fn evaluate(source: &Prometheus, query: &str, window: Option<TimeGrid>) -> Result<Reply, SourceError> {
    let evaluation = EvaluationKey::new(query.into(), window);
    source.answer(&Query::Evaluation { evaluation, window }.now(), None).await
}

async fn result(
    source: &Prometheus,
    query: &str,
    window: Option<TimeGrid>,
) -> (Arc<EvaluatedQuery>, Vec<Warning>) {
    let reply = evaluate(source, query, window).await.unwrap();
    let Answer::Evaluation(evaluation) = reply.answer else { panic!("an evaluation") };
    (evaluation, reply.warnings)
}

#[tokio::test]
async fn a_result_keeps_its_type_its_histograms_and_its_json() {
    let double = Double::start(server).await;
    let source = source(&double);
    let QueryResult::Scalar(value) = result(&source, "scalar", None).await.0.result else {
        panic!("a scalar")
    };
    assert!(value.is_nan());
    let (text, _) = result(&source, "text", None).await;
    assert!(matches!(&text.result, QueryResult::Text(text) if &**text == "\u{1b}[2Jhello"));
    assert!(text.raw.contains("\"resultType\""), "{}", text.raw);

    let (vector, warnings) = result(&source, "vector", None).await;
    let QueryResult::Vector(samples) = &vector.result else { panic!("a vector") };
    // in the order of the server
    assert_eq!((samples[0].labels.value("b"), &samples[0].value), ("2", &SampleValue::Number(f64::INFINITY)));
    assert_eq!(samples[0].at.map(jiff::Timestamp::as_millisecond), Some(1_772_366_400_250));
    let SampleValue::Histogram(histogram) = &samples[1].value else { panic!("a histogram") };
    assert_eq!((histogram.mean(), &histogram.buckets[1]), (Some(2.5), &(2.0, 4.0, 1.0)));
    assert_eq!(warnings.len(), 1, "an unreadable series is no missing series without a word: {warnings:?}");

    let (stored, _) = result(&source, "stored", None).await;
    let QueryResult::Samples(samples) = &stored.result else { panic!("stored samples") };
    assert_eq!(samples[0].points, [(1.5, 2.0), (2.5, 3.0)]);

    let (range, _) = result(&source, "range", Some(time_range().window)).await;
    let QueryResult::Matrix { matrix, histograms } = &range.result else { panic!("a matrix") };
    assert_eq!((matrix.lines.len(), histograms.len(), range.result.series()), (1, 1, 2));
    assert!(matrix.lines[0].values[1].is_infinite() && matrix.lines[0].values[2].is_nan());
}

#[tokio::test]
async fn the_server_is_told_the_limit_and_more_is_refused_with_advice() {
    let double = Double::start(server).await;
    let source = source(&double);
    let error = evaluate(&source, "many", None).await.unwrap_err();
    let ErrorKind::Unfit { reason } = &error.kind else { panic!("{error}") };
    assert!(reason.contains("count(many)") && reason.contains("topk"), "{reason}");
    let asked = double.asked().into_iter().rev().find(|asked| asked.parameter("query") == "many").unwrap();
    assert_eq!(asked.parameter("limit"), (MAX_VECTOR + 1).to_string());
    let error = evaluate(&source, "wrong(", None).await.unwrap_err();
    assert!(error.to_string().contains("1:7: parse error"), "{error}");
}

#[tokio::test]
async fn metrics_have_types_and_help_and_their_names_alone_are_enough() {
    let double = Double::start(server).await;
    let metrics = |reply: Reply| match reply.answer {
        Answer::Metrics(catalog) => (catalog, reply.warnings),
        other => panic!("{other:?}"),
    };
    let (catalog, warnings): (Arc<MetricCatalog>, _) =
        metrics(ask(&source(&double), Query::Metrics.now()).await);
    assert_eq!(warnings, []);
    let kinds: Vec<_> =
        catalog.all().iter().map(|metric| (&*metric.name, metric.kind, &*metric.help)).collect();
    assert_eq!(
        kinds,
        [
            ("h_bucket", MetricType::Counter, "Time."),
            ("service.requests\u{1b}[31m", MetricType::Unknown, ""),
            ("up", MetricType::Gauge, "Whether it is up."),
        ]
    );
    let double = Double::start(|asked| {
        if asked.path.ends_with("/metadata") {
            CannedResponse::new(404, "text/plain", "no")
        } else {
            server(asked)
        }
    })
    .await;
    let (catalog, warnings) = metrics(ask(&source(&double), Query::Metrics.now()).await);
    assert_eq!((catalog.all().len(), warnings.len()), (3, 1));
    assert!(!warnings[0].is_missing_data(), "{warnings:?}");
}

#[tokio::test]
async fn labels_are_those_of_the_selector_and_bounded() {
    let double = Double::start(server).await;
    let source = source(&double);
    let search = async |selector: Option<&str>, name: Option<&str>| -> Arc<LabelList> {
        let wanted =
            LabelSearch { selector: selector.map(Into::into), name: name.map(Into::into), is_counted: false };
        match ask(&source, Query::Labels { wanted }.now()).await.answer {
            Answer::Labels(list) => list,
            other => panic!("{other:?}"),
        }
    };
    let names = search(Some("up{a=\"b\"}"), None).await;
    assert_eq!(names.all.iter().map(|name| &**name).collect::<Vec<_>>(), ["__name__", "job", "zone"]);
    let values = search(None, Some("service.name")).await;
    assert_eq!((values.all.len(), values.is_cut), (MAX_LABELS, true));
    // the number of values of each label; of too many series the names alone
    let counted = async |selector: &str| -> Arc<LabelList> {
        match ask(&source, Query::Labels { wanted: LabelSearch::counts(selector.into()) }.now()).await.answer
        {
            Answer::Labels(list) => list,
            other => panic!("{other:?}"),
        }
    };
    let list = counted("up").await;
    let counts: Vec<_> = list.counts.iter().map(|(name, count)| (&**name, *count)).collect();
    assert_eq!(counts, [("__name__", 1), ("job", 1), ("zone", 2)]);
    let list = counted("huge").await;
    assert_eq!((list.counts.len(), list.all.len()), (0, 3));
    let requests = double.asked();
    let of = |path: &str| requests.iter().find(|asked| asked.path.ends_with(path)).expect("was asked");
    assert_eq!(of("/labels").parameter("match[]"), "up{a=\"b\"}");
    assert_eq!(of("/label/U__service_2e_name/values").parameter("limit"), (MAX_LABELS + 1).to_string());
}

#[tokio::test]
async fn exemplars_are_the_newest_first_with_their_traces() {
    let double = Double::start(server).await;
    let window = time_range().window;
    let series = crate::model::ask::SeriesKey::over("h".into(), window);
    let reply = ask(&source(&double), Query::Exemplars { series, window }.now()).await;
    let Answer::Exemplars(all) = reply.answer else { panic!("exemplars") };
    let traces: Vec<_> =
        all.iter().map(|exemplar| (exemplar.value, exemplar.trace().map(|id| &**id))).collect();
    assert_eq!(traces, [(1.5, Some("def")), (0.5, Some("abc"))]);
    let first: &Exemplar = &all[0];
    assert_eq!(first.series.value("job"), "api");
}
