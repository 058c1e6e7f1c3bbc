//! Queries that a user writes for any data source: an object with the query as its plug-in takes it, and the data source's name or
//! uid as `datasource`; a list of such objects for several, and for server-side expressions.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::Grafana;
use super::ds_query::{GrafanaAnswer, GrafanaQuery, GrafanaRange};
use crate::model::ask::{Answer, Answered, Reply};
use crate::model::dashboard::DataSourceRef;
use crate::model::evaluation::{
    EvaluatedQuery, EvaluationKey, MAX_MATRIX, MAX_VECTOR, QueryResult, SampleValue, VectorSample,
};
use crate::model::frame::{DataFrame, FieldValues, FrameField};
use crate::model::labels::{Labels, Text};
use crate::model::log::LogLine;
use crate::model::series::{Matrix, Series, TimeGrid};
use crate::model::source::ErrorKind;
use crate::model::warning::Warning;

/// How far back a query at one moment looks: data sources need a range.
const AT_ONCE: Duration = Duration::from_secs(3600);
/// The step of such a query.
const AT_ONCE_STEP: Duration = Duration::from_secs(60);
/// The most queries of one text.
const MOST: usize = 26;

impl Grafana {
    /// Evaluates a query over a grid, or at one moment: then the newest value of each series of the hour before it.
    pub(super) async fn evaluation(
        &self,
        key: &EvaluationKey,
        window: Option<TimeGrid>,
        at: Option<Timestamp>,
    ) -> Answered {
        let bad = |message: String| self.http.error(ErrorKind::BadQuery { message });
        let now = self.clock.now();
        let window_of = |window| GrafanaRange::of(window, at, now);
        let range = window.map_or_else(
            || window_of(TimeGrid::stepped(at.unwrap_or(now), AT_ONCE, AT_ONCE_STEP)),
            window_of,
        );
        let mut queries = Vec::new();
        for (ref_id, data_source, json) in read(&key.query).map_err(bad)? {
            let data_source = self.resolved(&data_source).await.map_err(bad)?;
            let is_hidden = json.get("hide").and_then(Value::as_bool).unwrap_or(false);
            queries.push(GrafanaQuery { ref_id, data_source, json, is_hidden });
        }
        let answers = self.asked(&queries, range).await?;
        let mut warnings = Vec::new();
        let (mut frames, mut lines) = (Vec::new(), Vec::new());
        let mut has_answer = false;
        let mut first_failure = None;
        for (query, answer) in queries.iter().zip(answers) {
            let GrafanaAnswer { frames: own, lines: own_lines, failure, is_cut } = answer;
            if let Some(message) = failure {
                warnings.push(Warning::missing(format!("query {}: {message}", query.ref_id)));
                first_failure.get_or_insert(message);
                continue;
            }
            has_answer = true;
            if is_cut {
                warnings.push(Warning::notice(format!("query {} has more data than are read", query.ref_id)));
            }
            if !query.is_hidden {
                frames.extend(own);
                lines.extend(own_lines);
            }
        }
        if let Some(message) = first_failure.filter(|_| !has_answer) {
            return Err(bad(message));
        }
        let notices = frames.iter().flat_map(|frame: &DataFrame| frame.notices.iter());
        warnings.extend(notices.map(|notice| Warning::notice(notice.to_string())));
        let raw = raw(&frames, &lines);
        let (result, is_cut) = result(&frames, lines, window);
        if is_cut {
            return Err(self.http.error(ErrorKind::Unfit {
                reason: "the result has more series than can be shown; group by fewer labels or columns"
                    .to_owned(),
            }));
        }
        let evaluation = EvaluatedQuery::new(result, raw.as_bytes());
        Ok(Reply { warnings, ..Reply::free(Answer::Evaluation(Arc::new(evaluation))) })
    }
}

/// The queries of a text, each with its id and data source.
fn read(text: &str) -> Result<Vec<(Text, DataSourceRef, Value)>, String> {
    const HELP: &str = "write the query as JSON with its data source: {\"datasource\": \"NAME\", ...}";
    let json: Value = serde_json::from_str(text).map_err(|error| format!("{error}; {HELP}"))?;
    let all = match json {
        Value::Array(all) => all,
        Value::Object(mut object) => match object.remove("queries") {
            Some(Value::Array(all)) => all,
            Some(_) | None => vec![Value::Object(object)],
        },
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => return Err(HELP.to_owned()),
    };
    if all.is_empty() || all.len() > MOST {
        return Err(format!("a text has 1 to {MOST} queries; {HELP}"));
    }
    let mut taken: Vec<Text> = Vec::new();
    let mut queries = Vec::new();
    for (json, letter) in all.into_iter().zip('A'..='Z') {
        let text = |value: Option<&Value>| value.and_then(Value::as_str).map(Text::from);
        let data_source = match json.get("datasource") {
            Some(Value::String(name)) => DataSourceRef { kind: None, uid: Some(name.as_str().into()) },
            Some(object @ Value::Object(_)) => {
                DataSourceRef { kind: text(object.get("type")), uid: text(object.get("uid")) }
            }
            Some(_) | None => return Err(format!("query {letter} names no data source; {HELP}")),
        };
        let ref_id = text(json.get("refId")).unwrap_or_else(|| letter.to_string().into());
        if taken.contains(&ref_id) {
            return Err(format!("two queries have the refId {ref_id}"));
        }
        taken.push(ref_id.clone());
        queries.push((ref_id, data_source, json));
    }
    Ok(queries)
}

/// The frames as JSON, for `--raw`: each as its columns.
fn raw(frames: &[DataFrame], lines: &[Arc<LogLine>]) -> String {
    let column = |field: &FrameField| {
        let values: Vec<Value> = field.values.cells().map(|cell| cell.plain().into()).collect();
        let labels: BTreeMap<&str, &str> =
            field.labels.iter().map(|(name, value)| (&**name, &**value)).collect();
        serde_json::json!({ "name": &*field.name, "labels": labels, "values": values })
    };
    let frame = |frame: &DataFrame| {
        let columns: Vec<Value> = frame.fields.iter().map(column).collect();
        serde_json::json!({ "refId": &*frame.ref_id, "fields": columns })
    };
    let lines: Vec<Value> = lines.iter().map(|line| line.text().into_owned().into()).collect();
    serde_json::json!({ "frames": frames.iter().map(frame).collect::<Vec<_>>(), "lines": lines }).to_string()
}

/// A result of the frames, and whether there are more series than a result can have.
fn result(
    frames: &[DataFrame],
    mut lines: Vec<Arc<LogLine>>,
    window: Option<TimeGrid>,
) -> (QueryResult, bool) {
    if !lines.is_empty() {
        lines.sort_by_key(|line| line.at);
        return (QueryResult::Lines { lines }, false);
    }
    let series: Vec<LabelledPoints> = frames.iter().flat_map(points_of).collect();
    let has_times = series.iter().any(|one| one.points.iter().any(|(at, _)| at.is_some()));
    if let Some(window) = window.filter(|_| has_times) {
        let is_cut = series.len() > MAX_MATRIX;
        let mut matrix = Matrix::empty(window);
        for one in series {
            let mut values = vec![f64::NAN; window.count()];
            for (at, value) in one.points {
                #[expect(clippy::cast_precision_loss, reason = "milliseconds are exact up to 2^53")]
                let cell =
                    at.and_then(|at| window.index(at as f64 / 1000.0)).and_then(|at| values.get_mut(at));
                if let Some(cell) = cell {
                    *cell = value;
                }
            }
            matrix.lines.push(Series { labels: one.labels, values });
        }
        matrix.lines.sort_by(|a, b| a.labels.cmp(&b.labels));
        (QueryResult::Matrix { matrix, histograms: Vec::new() }, is_cut)
    } else {
        let is_cut = series.len() > MAX_VECTOR;
        let sample = |one: LabelledPoints| {
            let (at, value) = one.points.into_iter().next_back()?;
            let at =
                at.and_then(|at| Timestamp::UNIX_EPOCH.checked_add(SignedDuration::from_millis(at)).ok());
            Some(VectorSample { labels: one.labels, value: SampleValue::Number(value), at })
        };
        (QueryResult::Vector(series.into_iter().filter_map(sample).collect()), is_cut)
    }
}

/// A series, whose points have times unless it is a row of a table.
pub(super) struct LabelledPoints {
    pub(super) labels: Labels,
    pub(super) points: Vec<(Option<i64>, f64)>,
}

/// The series of a frame: a column of numbers is one for each combination of the columns of text beside it; without a column of
/// times each row is one.
pub(super) fn points_of(frame: &DataFrame) -> Vec<LabelledPoints> {
    let times = frame.fields.iter().find_map(|field| match &field.values {
        FieldValues::Times(times) => Some(times),
        FieldValues::Numbers(_) | FieldValues::Texts(_) | FieldValues::Bools(_) => None,
    });
    let texts: Vec<&FrameField> =
        frame.fields.iter().filter(|field| matches!(field.values, FieldValues::Texts(_))).collect();
    let numbers: Vec<(&FrameField, &Vec<Option<f64>>)> = frame
        .fields
        .iter()
        .filter_map(|field| match &field.values {
            FieldValues::Numbers(numbers) => Some((field, numbers)),
            FieldValues::Times(_) | FieldValues::Texts(_) | FieldValues::Bools(_) => None,
        })
        .collect();
    let has_several = numbers.len() > 1;
    let mut all = Vec::new();
    for (field, values) in numbers {
        let name = field.display_name.as_ref().or(frame.name.as_ref()).unwrap_or(&field.name);
        let is_named =
            has_several || (field.labels.is_empty() && texts.is_empty()) || field.display_name.is_some();
        let own = if is_named { field.labels.with([("field", name.clone())]) } else { field.labels.clone() };
        let mut groups: BTreeMap<Labels, Vec<(Option<i64>, f64)>> = BTreeMap::new();
        let mut rows = Vec::new();
        for (row, value) in values.iter().enumerate() {
            let Some(value) = *value else { continue };
            let beside = texts.iter().filter_map(|text| {
                let value = text.values.cell(row).plain();
                (!value.is_empty()).then(|| (text.name.clone(), Text::from(value)))
            });
            let labels = if texts.is_empty() { own.clone() } else { own.with(beside) };
            match times {
                Some(times) => {
                    groups.entry(labels).or_default().push((times.get(row).copied().flatten(), value));
                }
                None => rows.push(LabelledPoints { labels, points: vec![(None, value)] }),
            }
        }
        let series = |(labels, mut points): (Labels, Vec<(Option<i64>, f64)>)| {
            points.sort_by_key(|(at, _)| *at);
            LabelledPoints { labels, points }
        };
        all.extend(groups.into_iter().map(series));
        all.extend(rows);
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_one_query_or_a_list_of_them_each_with_its_data_source() {
        let ids = |text: &str| {
            let queries = read(text).unwrap();
            queries
                .iter()
                .map(|(id, source, _)| format!("{id}={}", source.uid.as_deref().unwrap_or("-")))
                .collect::<Vec<_>>()
        };
        assert_eq!(ids(r#"{"datasource": "Shop", "rawSql": "select 1"}"#), ["A=Shop"]);
        assert_eq!(
            ids(r#"[{"datasource": {"uid": "x"}}, {"datasource": {"type": "__expr__"}, "refId": "sum"}]"#),
            ["A=x", "sum=-"]
        );
        assert_eq!(ids(r#"{"queries": [{"datasource": "a"}]}"#), ["A=a"]);
        for (text, why) in [
            ("up", "expected value at line 1 column 1"),
            ("7", "write the query as JSON"),
            ("[]", "a text has 1 to 26 queries"),
            ("{}", "query A names no data source"),
            (r#"[{"datasource": "a", "refId": "B"}, {"datasource": "a"}]"#, "two queries have the refId B"),
        ] {
            let said = read(text).unwrap_err();
            assert!(said.starts_with(why), "{text}: {said}");
        }
    }

    #[test]
    fn rows_become_series_by_their_texts_and_their_columns() {
        let text = |name: &str, all: &[&str]| {
            FrameField::named(
                name,
                FieldValues::Texts(all.iter().map(|one| Some(Text::from(*one))).collect()),
            )
        };
        let number = |name: &str, all: &[f64]| {
            FrameField::named(name, FieldValues::Numbers(all.iter().copied().map(Some).collect()))
        };
        let times = FrameField::named("t", FieldValues::Times(vec![Some(2000), Some(1000), Some(1000)]));
        let frame = DataFrame {
            fields: vec![times, text("job", &["a", "a", "b"]), number("rate", &[2.0, 1.0, 3.0])],
            ..DataFrame::default()
        };
        let made: Vec<_> =
            points_of(&frame).into_iter().map(|one| (one.labels.to_string(), one.points)).collect();
        let expected = [
            (Labels::from_iter([("job", "a")]).to_string(), vec![(Some(1000), 1.0), (Some(2000), 2.0)]),
            (Labels::from_iter([("job", "b")]).to_string(), vec![(Some(1000), 3.0)]),
        ];
        assert_eq!(made, expected);
        let table = DataFrame { fields: frame.fields[1..].to_vec(), ..DataFrame::default() };
        assert_eq!(points_of(&table).len(), 3);
        let (result, _) = result(&[table], Vec::new(), None);
        assert!(matches!(result, QueryResult::Vector(all) if all.len() == 3));
    }
}
