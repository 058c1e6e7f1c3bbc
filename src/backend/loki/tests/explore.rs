//! Queries that a user writes, by recorded answers.

use super::*;
use crate::model::evaluation::{
    EvaluatedQuery, EvaluationKey, LabelList, LabelSearch, QueryResult, SampleValue,
};
use crate::model::query_language::QueryLanguage;

fn window() -> TimeGrid {
    let end = Timestamp::from_second(1_795_230_228).unwrap();
    TimeGrid::stepped(end, Duration::from_secs(600), Duration::from_secs(60))
}

async fn evaluate(
    source: &Loki,
    query: &str,
    window: Option<TimeGrid>,
) -> Result<(Arc<EvaluatedQuery>, Vec<Warning>), SourceError> {
    let evaluation = EvaluationKey::new(query.into(), window);
    let reply = ask(source, Query::Evaluation { evaluation, window }).await?;
    let Answer::Evaluation(evaluation) = reply.answer else { panic!("{:?}", reply.answer) };
    Ok((evaluation, reply.warnings))
}

async fn labels(source: &Loki, wanted: LabelSearch) -> Arc<LabelList> {
    let reply = ask(source, Query::Labels { wanted }).await.unwrap();
    let Answer::Labels(list) = reply.answer else { panic!("{:?}", reply.answer) };
    list
}

#[tokio::test]
async fn numbers_over_a_range_and_at_one_moment_are_series() {
    let body = json!({"status": "success", "data": {"resultType": "matrix", "result": [
        {"metric": {"pod": "b"}, "values": [[1_795_230_180, "2.5"], [1_795_230_120, "+Inf"], [1, "9"]]},
        {"metric": {"pod": "a"}, "values": [[1_795_230_180, "odd"]]},
    ]}});
    let double =
        Double::start(move |_| CannedResponse::new(200, "application/json", &body.to_string())).await;
    let query = "sum by (pod) (rate({app=\"x\"}[1m]))";
    let (evaluation, warnings) = evaluate(&loki(&double), query, Some(window())).await.unwrap();
    let QueryResult::Matrix { matrix, .. } = &evaluation.result else { panic!("{:?}", evaluation.result) };
    let last = |pod: &str| *matrix.line(&Labels::from_iter([("pod", pod)])).unwrap().values.last().unwrap();
    assert!((last("b") - 2.5).abs() < f64::EPSILON);
    assert!(last("a").is_nan());
    assert_eq!(warnings.len(), 1, "a value that is no number is said: {warnings:?}");
    let asked = double.asked();
    let sent = asked.last().unwrap();
    assert!(sent.path.ends_with("/query_range"), "{}", sent.path);
    assert_eq!((sent.parameter("query"), sent.parameter("step")), (query, "60s"));
    assert_eq!(sent.parameter("end"), format!("{}000000000", window().end().as_second()));
    let Some(exchange) = exchange("query-vector") else { return };
    let double = always(exchange).await;
    let (evaluation, _) = evaluate(&loki(&double), query, None).await.unwrap();
    let QueryResult::Vector(all) = &evaluation.result else { panic!("{:?}", evaluation.result) };
    let levels: Vec<_> = all.iter().map(|one| (one.labels.value("level"), one.value.clone())).collect();
    assert_eq!(levels[0], ("error", SampleValue::Number(0.1)));
    assert_eq!(levels.len(), 3);
    assert!(double.asked().last().unwrap().path.ends_with("/query"));
    assert!(evaluation.raw.contains("\"vector\""));
}

#[tokio::test]
async fn lines_are_the_newest_of_the_range_or_of_the_hour_before_a_moment() {
    let Some(exchange) = exchange("query_range-categorize-labels") else { return };
    let double = always(exchange).await;
    let source = loki_at(&double, window().end());
    for window in [Some(window()), None] {
        let (evaluation, _) = evaluate(&source, "{app=\"checkout-api\"} | json", window).await.unwrap();
        let lines = evaluation.result.lines().expect("lines");
        assert!(!lines.is_empty() && lines.is_sorted_by_key(|line| line.at));
    }
    let asked = double.asked();
    let spans: Vec<_> = asked
        .iter()
        .map(|sent| {
            let number = |name| sent.parameter(name).parse::<i64>().unwrap() / 1_000_000_000;
            (
                sent.path.ends_with("/query_range"),
                number("end") - number("start"),
                sent.parameter("direction"),
            )
        })
        .collect();
    assert_eq!(spans, [(true, 600, "backward"), (true, 3600, "backward")]);
}

#[tokio::test]
async fn an_error_of_the_server_has_its_place() {
    let Some(exchange) = exchange("error-parse") else { return };
    let double = always(exchange).await;
    let query = "{app=\"checkout-api\"";
    let error = evaluate(&loki(&double), query, Some(window())).await.unwrap_err();
    let ErrorKind::BadQuery { message } = &error.kind else { panic!("{error}") };
    let place = QueryLanguage::LogQl.server_remark(query, message);
    assert_eq!(place, Some((1, 20, "syntax error: unexpected $end, expecting } or ,")));
    // numbers where lines are expected, and the other way round
    let body = json!({"data": {"resultType": "streams", "result": []}}).to_string();
    let double = Double::start(move |_| CannedResponse::new(200, "application/json", &body)).await;
    let error = evaluate(&loki(&double), "rate(x[1m])", Some(window())).await.unwrap_err();
    assert!(error.to_string().contains("gives lines, not numbers"), "{error}");
}

#[tokio::test]
async fn labels_have_values_and_the_number_of_them() {
    let (Some(names), Some(values), Some(series)) =
        (exchange("labels"), exchange("label-values"), exchange("series"))
    else {
        return;
    };
    let double = Double::start(move |asked| {
        let of = |exchange: &Value| canned(exchange);
        match asked.path.rsplit('/').next() {
            Some("labels") => of(&names),
            Some("values") => of(&values),
            _ => of(&series),
        }
    })
    .await;
    let source = loki(&double);
    let names = labels(&source, LabelSearch::names(Some("{env=\"prod\"}".into()))).await;
    assert_eq!(names.all.len(), 5);
    let values = labels(&source, LabelSearch::values("app".into(), None)).await;
    assert_eq!(
        values.all.iter().map(|value| &**value).collect::<Vec<_>>(),
        ["checkout-api", "search", "twins"]
    );
    let counted = labels(&source, LabelSearch::counts("{env=\"prod\"}".into())).await;
    let count = |name: &str| counted.counts.get(name).copied();
    assert_eq!(
        (count("env"), count("app"), count("pod"), count("nosuch")),
        (Some(1), Some(3), Some(2), None)
    );
    assert_eq!(labels(&source, LabelSearch::values("a.b/../x".into(), None)).await.all.len(), 0);
    let asked = double.asked();
    assert_eq!(asked.len(), 3, "what is no label name is not asked for");
    assert_eq!(asked[0].parameter("query"), "{env=\"prod\"}");
    assert_eq!(asked[2].parameter("match[]"), "{env=\"prod\"}");
}
