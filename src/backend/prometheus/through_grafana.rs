//! A server that is only reached through Grafana without its proxy: queries go to `/api/ds/query`, and their frames become the
//! answers of the Prometheus API again; every other path is a resource of the data source's plug-in.
//!
//! Native histograms do not survive: Grafana makes cells of them.

use std::borrow::Cow;

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::backend::frame_wire::{QueryResponse, QueryResults};
use crate::backend::kit::http::{Body, EvaluationRange, Http, segment};
use crate::model::ask::Weight;
use crate::model::frame::{DataFrame, FieldValues};
use crate::model::source::{ErrorKind, SourceError};

/// More points than any grid has, so that the step that is asked for is the one that counts.
const POINTS: u64 = 1_000_000;
/// The id of the only query of a request.
const REF_ID: &str = "A";

/// The path of the data source's own API.
pub(super) fn resource(uid: &str, path: &str) -> String {
    format!("api/datasources/uid/{}/resources/{path}", segment(uid))
}

/// A refusal of a path, as a server says that it does not have it.
pub(super) fn as_absent(error: SourceError) -> SourceError {
    if let ErrorKind::Forbidden { message } = error.kind {
        return SourceError { kind: ErrorKind::Refused { status: 404, message }, ..error };
    }
    error
}

/// Evaluates an expression.
///
/// # Errors
/// [`ErrorKind::BadQuery`] with the server's message; else as for any request.
pub(super) async fn evaluate(
    http: &Http,
    weight: Weight,
    uid: &str,
    expression: &str,
    evaluation: EvaluationRange,
    now: Timestamp,
) -> Result<Body, SourceError> {
    let (from, to, step) = match evaluation {
        EvaluationRange::Now => (now, now, 15),
        EvaluationRange::At(at) => (at, at, 15),
        EvaluationRange::Over(grid) => (grid.start(), grid.end(), grid.step().as_secs()),
    };
    let is_range = matches!(evaluation, EvaluationRange::Over(_));
    let asked = json!({
        "from": from.as_millisecond().to_string(),
        "to": to.as_millisecond().to_string(),
        "queries": [{
            "refId": REF_ID,
            "datasource": { "uid": uid },
            "expr": expression,
            "range": is_range,
            "instant": !is_range,
            "format": "time_series",
            // with a name of its own, a series keeps all its labels
            "legendFormat": "__auto",
            "interval": format!("{step}s"),
            "intervalMs": step.saturating_mul(1000),
            "maxDataPoints": POINTS,
            "utcOffsetSec": 0,
        }],
    });
    let mut body = http.post_grafana_query(weight, &[], &asked).await?;
    let results = body.json::<QueryResults<'_>>()?;
    let Some(found) = results.results.get(REF_ID) else {
        let reason = "Grafana gave no result for the query".to_owned();
        return Err(http.error(ErrorKind::Garbled { reason }));
    };
    if !found.error.0.is_empty() || found.status.0 >= 400 {
        let said = body.words(&found.error.0);
        let message = said.strip_prefix("bad_data: ").unwrap_or(&said).to_owned();
        return Err(http.error(ErrorKind::BadQuery { message }));
    }
    let answer = answer_of(found, is_range).to_string();
    drop(results);
    body.bytes = answer.into_bytes();
    Ok(body)
}

/// The frames of a query as the answer of the Prometheus API.
fn answer_of(found: &QueryResponse<'_>, is_range: bool) -> Value {
    let ref_id = REF_ID.into();
    let is_matrix = is_range || found.frames.all.iter().any(|frame| frame.result_type() == "matrix");
    let frames: Vec<DataFrame> = found.frames.all.iter().map(|frame| frame.read(&ref_id)).collect();
    let series: Vec<Value> = frames.iter().flat_map(|frame| series_of(frame, is_matrix)).collect();
    let mut warnings: Vec<String> =
        frames.iter().flat_map(|frame| frame.notices.iter().map(ToString::to_string)).collect();
    if frames.iter().any(|frame| frame.fields.iter().any(|field| &*field.name == "yMin")) {
        warnings.push("native histograms are missing: Grafana gives only their cells".to_owned());
    }
    let kind = if is_matrix { "matrix" } else { "vector" };
    json!({ "status": "success", "data": { "resultType": kind, "result": series }, "warnings": warnings })
}

fn series_of(frame: &DataFrame, is_matrix: bool) -> Vec<Value> {
    if frame.fields.iter().any(|field| &*field.name == "yMin") {
        return Vec::new();
    }
    let times = frame.fields.iter().find_map(|field| match &field.values {
        FieldValues::Times(times) => Some(times),
        FieldValues::Numbers(_) | FieldValues::Texts(_) | FieldValues::Bools(_) => None,
    });
    let Some(times) = times else { return Vec::new() };
    let mut all = Vec::new();
    for field in &frame.fields {
        let FieldValues::Numbers(numbers) = &field.values else { continue };
        let points = times.iter().zip(numbers).filter_map(|(at, number)| {
            #[expect(clippy::cast_precision_loss, reason = "milliseconds are exact up to 2^53")]
            let seconds = (*at)? as f64 / 1000.0;
            Some(json!([seconds, number_text((*number)?)]))
        });
        let points: Vec<Value> = points.collect();
        let metric: Map<String, Value> =
            field.labels.iter().map(|(name, value)| (name.to_string(), Value::from(&**value))).collect();
        if is_matrix {
            all.push(json!({ "metric": metric, "values": points }));
        } else if let Some(point) = points.into_iter().next_back() {
            all.push(json!({ "metric": metric, "value": point }));
        }
    }
    all
}

/// A number as the Prometheus API writes it.
fn number_text(number: f64) -> Cow<'static, str> {
    if number.is_nan() {
        "NaN".into()
    } else if number.is_infinite() {
        if number > 0.0 { "+Inf" } else { "-Inf" }.into()
    } else {
        number.to_string().into()
    }
}
