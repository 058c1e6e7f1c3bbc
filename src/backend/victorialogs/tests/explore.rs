//! Queries that a user writes, by recorded answers.

use std::time::Duration;

use super::*;
use crate::model::evaluation::{EvaluatedQuery, EvaluationKey, LabelList, LabelSearch, QueryResult};
use crate::model::query_language::QueryLanguage;
use crate::model::source::ErrorKind;

fn window() -> TimeGrid {
    TimeGrid::stepped(at("2026-11-29T15:00:00Z"), Duration::from_secs(3600), Duration::from_secs(1200))
}

async fn evaluate(
    source: &VictoriaLogs,
    query: &str,
    window: Option<TimeGrid>,
) -> Result<Arc<EvaluatedQuery>, SourceError> {
    let evaluation = EvaluationKey::new(query.into(), window);
    let reply = source.answer(&Query::Evaluation { evaluation, window }.now(), None).await?;
    let Answer::Evaluation(evaluation) = reply.answer else { panic!("{:?}", reply.answer) };
    Ok(evaluation)
}

#[tokio::test]
async fn stats_are_numbers_and_everything_else_lines() {
    let names = ["stats_query_range", "stats_query", "query", "query-stats"];
    let Some([range, moment, lines, rows]) = names
        .map(exchange)
        .into_iter()
        .collect::<Option<Vec<_>>>()
        .map(|all| <[Value; 4]>::try_from(all).unwrap())
    else {
        return;
    };
    // the hour that was recorded
    let points = range["body"]["data"]["result"][0]["values"].as_array().unwrap();
    let seconds: Vec<i64> = points.iter().map(|point| point[0].as_i64().unwrap()).collect();
    let between = |a: i64, b: i64| Duration::from_secs(b.abs_diff(a));
    let (first, last) = (seconds[0], seconds[seconds.len() - 1]);
    let end = Timestamp::from_second(last).unwrap();
    let recorded = TimeGrid::stepped(end, between(first, last), between(first, seconds[1]));
    let double = Double::start(move |asked: &ReceivedRequest| {
        match (asked.path.rsplit('/').next(), asked.parameter("query").contains("uniq")) {
            (Some("stats_query_range"), _) => canned(&range),
            (Some("stats_query"), _) => canned(&moment),
            (_, true) => canned(&rows),
            _ => canned(&lines),
        }
    })
    .await;
    let source = source(&double, &[]);
    let stats = "* | stats by (level) count() n";
    let evaluation = evaluate(&source, stats, Some(recorded)).await.unwrap();
    let QueryResult::Matrix { matrix, .. } = &evaluation.result else { panic!("{:?}", evaluation.result) };
    let errors = matrix.line(&Labels::from_iter([("__name__", "n"), ("level", "error")])).unwrap();
    assert!(errors.values.contains(&85.0), "{:?}", errors.values);
    let evaluation = evaluate(&source, stats, None).await.unwrap();
    let QueryResult::Vector(all) = &evaluation.result else { panic!("{:?}", evaluation.result) };
    assert_eq!(all.len(), 3);
    let evaluation = evaluate(&source, "error", Some(window())).await.unwrap();
    assert!(!evaluation.result.lines().expect("lines").is_empty());
    // rows that are no log lines are shown by their fields
    let evaluation = evaluate(&source, "* | uniq by (level)", Some(window())).await.unwrap();
    let rows = evaluation.result.lines().expect("rows");
    assert_eq!(rows[0].text(), "service=payments  level=error  lines=86  p95=2252");
    let asked = double.asked();
    assert_eq!(asked[0].parameter("step"), "1200s");
    assert!(asked.iter().all(|sent| !sent.parameter("timeout").is_empty()), "each has a time-out");
}

#[tokio::test]
async fn an_error_of_the_server_has_its_place() {
    let Some(exchange) = exchange("error-parse") else { return };
    let double = Double::start(move |_| canned(&exchange)).await;
    let query = "_time:5m error |";
    let error = evaluate(&source(&double, &[]), query, Some(window())).await.unwrap_err();
    let ErrorKind::BadQuery { message } = &error.kind else { panic!("{error}") };
    assert_eq!(QueryLanguage::LogsQl.server_remark(query, message), Some((1, 17, "unexpected pipe \"\"")));
}

#[tokio::test]
async fn fields_have_values_and_the_number_of_them() {
    let (Some(names), Some(values), Some(facets)) =
        (exchange("field_names"), exchange("field_values"), exchange("facets"))
    else {
        return;
    };
    let double = Double::start(move |asked: &ReceivedRequest| match asked.path.rsplit('/').next() {
        Some("field_names") => canned(&names),
        Some("field_values") => canned(&values),
        _ => canned(&facets),
    })
    .await;
    let source = source(&double, &[]);
    let labels = async |wanted: LabelSearch| -> Arc<LabelList> {
        match source.answer(&Query::Labels { wanted }.now(), None).await.unwrap().answer {
            Answer::Labels(list) => list,
            other => panic!("{other:?}"),
        }
    };
    let names = labels(LabelSearch::names(None)).await;
    let names: Vec<&str> = names.all.iter().map(|name| &**name).collect();
    assert_eq!(names, ["_msg", "duration_ms", "level", "pod", "region", "service", "trace_id"]);
    let values = labels(LabelSearch::values("level".into(), None)).await;
    assert_eq!(values.all.len(), 3);
    let counted = labels(LabelSearch::counts("error".into())).await;
    assert!(counted.counts.values().all(|count| *count >= 1), "{:?}", counted.counts);
    assert!(counted.counts.contains_key("_msg") && !counted.counts.contains_key("_stream"));
    assert_eq!(double.asked()[2].parameter("query"), "error");
}
