//! The values of dashboards' variables, from any data source.

use serde_json::{Value, json};

use super::Grafana;
use super::ds_query::{GrafanaAnswer, GrafanaQuery, GrafanaRange, refusal_words};
use super::resolution::ResolvedDataSource;
use crate::backend::kit::http::Body;
use crate::backend::kit::lenient::{LenientList, LenientPairs, LenientTexts, wire};
use crate::backend::panels::variables::{
    VariableSearch, metric_name, name_selector, plain_values, sample_text, values_of,
};
use crate::model::ask::{Answer, Answered, Reply, Weight};
use crate::model::dashboard::variable::{VariableQuery, VariableValues};
use crate::model::frame::{DataFrame, FieldValues, FrameField};
use crate::model::labels::{Labels, Text};
use crate::model::series::TimeGrid;
use crate::model::source::{ErrorKind, SourceError};

wire! {
    struct NameList<'a> {
        #[serde(borrow)]
        data: LenientTexts<'a>,
    }

    struct SeriesLabels<'a> {
        #[serde(borrow)]
        data: LenientList<LenientPairs<'a>>,
    }
}

/// The plug-ins whose variables are queries in SQL.
const SQL: [&str; 7] = [
    "mysql",
    "postgres",
    "grafana-postgresql-datasource",
    "mssql",
    "grafana-bigquery-datasource",
    "grafana-clickhouse-datasource",
    "grafana-athena-datasource",
];

impl Grafana {
    /// Answers the question for the values of a variable.
    pub(super) async fn variable_values(
        &self,
        wanted: &VariableQuery,
        window: TimeGrid,
        past: Option<jiff::Timestamp>,
    ) -> Answered {
        let bad = |message: String| self.http.error(ErrorKind::BadQuery { message });
        let data_source = self.resolved(&wanted.data_source).await.map_err(bad)?;
        let range = GrafanaRange::of(window, past, self.clock.now());
        let query = range.variables().replace(&wanted.query);
        let values = if data_source.is_prometheus() {
            self.of_prometheus(&data_source, &query, range).await?
        } else if data_source.is_of("loki") {
            self.of_loki(&data_source, &query, range).await?
        } else {
            self.of_others(data_source, &query, range).await?
        };
        Ok(Reply::free(Answer::VariableValues(values)))
    }

    async fn of_prometheus(
        &self,
        data_source: &ResolvedDataSource,
        query: &str,
        range: GrafanaRange,
    ) -> Result<VariableValues, SourceError> {
        let (start, end) = (range.from.as_second().to_string(), range.to.as_second().to_string());
        let asked = |selector: &Option<String>| {
            let mut asked = vec![("start", start.clone()), ("end", end.clone())];
            asked.extend(selector.clone().map(|selector| ("match[]", selector)));
            asked
        };
        match VariableSearch::read(query) {
            VariableSearch::Nothing => Ok(VariableValues::default()),
            VariableSearch::LabelNames { metric } => {
                let selector = metric.map(|metric| name_selector(&metric));
                self.names(data_source, "api/v1/labels", &asked(&selector)).await.map(plain_values)
            }
            VariableSearch::LabelValues { label, selector } => {
                let path = format!("api/v1/label/{}/values", crate::backend::kit::http::segment(&label));
                self.names(data_source, &path, &asked(&selector)).await.map(plain_values)
            }
            VariableSearch::MetricNames { pattern } => {
                let pattern = regex::Regex::new(&pattern).map_err(|error| {
                    let message = format!("metrics({pattern}): {error}");
                    self.http.error(ErrorKind::BadQuery { message })
                })?;
                let all = self.names(data_source, "api/v1/label/__name__/values", &asked(&None)).await?;
                Ok(plain_values(all.into_iter().filter(|name| pattern.is_match(name))))
            }
            VariableSearch::Series { selector } => {
                let body = self.behind(data_source, "api/v1/series", &asked(&Some(selector))).await?;
                let series = body.json::<SeriesLabels<'_>>()?;
                let labels = |pairs: &LenientPairs<'_>| -> Labels {
                    pairs.0.iter().map(|(name, value)| (&*name.0, &*value.0)).collect()
                };
                Ok(plain_values(series.data.all.iter().map(|pairs| metric_name(&labels(pairs)).into())))
            }
            VariableSearch::QueryResult { expression } => {
                let json =
                    json!({"expr": expression, "instant": true, "range": false, "format": "time_series"});
                let answer = self.one(data_source.clone(), json, range).await?;
                Ok(plain_values(answer.frames.iter().flat_map(samples)))
            }
        }
    }

    async fn of_loki(
        &self,
        data_source: &ResolvedDataSource,
        query: &str,
        range: GrafanaRange,
    ) -> Result<VariableValues, SourceError> {
        let nanos = |at: jiff::Timestamp| at.as_nanosecond().max(0).to_string();
        let (path, selector) = match VariableSearch::read(query) {
            VariableSearch::Nothing => return Ok(VariableValues::default()),
            VariableSearch::LabelNames { .. } => ("labels".to_owned(), None),
            VariableSearch::LabelValues { label, selector } => {
                (format!("label/{}/values", crate::backend::kit::http::segment(&label)), selector)
            }
            VariableSearch::MetricNames { .. }
            | VariableSearch::QueryResult { .. }
            | VariableSearch::Series { .. } => {
                let message = format!(
                    "{query}: Loki has label_names(), label_values(label) and label_values(selector, label)"
                );
                return Err(self.http.error(ErrorKind::BadQuery { message }));
            }
        };
        let mut asked = vec![("start", nanos(range.from)), ("end", nanos(range.to))];
        asked.extend(selector.map(|selector| ("query", selector)));
        self.names(data_source, &format!("loki/api/v1/{path}"), &asked).await.map(plain_values)
    }

    /// Variables of other data sources: a query whose frames have the values.
    async fn of_others(
        &self,
        data_source: ResolvedDataSource,
        query: &str,
        range: GrafanaRange,
    ) -> Result<VariableValues, SourceError> {
        let kind = data_source.kind.as_deref().unwrap_or_default();
        let object = serde_json::from_str::<Value>(query).ok().filter(Value::is_object);
        let json = match (object, kind) {
            (Some(object), _) if object.get("rawSql").is_some() || object.get("queryType").is_some() => {
                object
            }
            (_, kind) if SQL.contains(&kind) => json!({"rawSql": query, "format": "table"}),
            (_, "influxdb") => json!({"query": query, "rawQuery": true, "resultFormat": "table"}),
            (Some(object), _) => object,
            (None, _) => {
                let message = format!(
                    "the values of variables of the data source {} ({kind}) are only asked for in Grafana's page; choose the value by its text",
                    data_source.name
                );
                return Err(self.http.error(ErrorKind::NotOffered { what: message }));
            }
        };
        let answer = self.one(data_source, json, range).await?;
        Ok(values_of(answer.frames.iter().flat_map(pairs)))
    }

    /// The answer to one query.
    async fn one(
        &self,
        data_source: ResolvedDataSource,
        json: Value,
        range: GrafanaRange,
    ) -> Result<GrafanaAnswer, SourceError> {
        let query = GrafanaQuery { ref_id: "A".into(), data_source, json, is_hidden: false };
        let mut answers = self.asked(&[query], range).await?;
        let answer = answers.pop().unwrap_or_default();
        match answer.failure {
            Some(message) => Err(self.http.error(ErrorKind::BadQuery { message })),
            None => Ok(answer),
        }
    }

    async fn names(
        &self,
        data_source: &ResolvedDataSource,
        path: &str,
        query: &[(&str, String)],
    ) -> Result<Vec<Text>, SourceError> {
        let body = self.behind(data_source, path, query).await?;
        let list = body.json::<NameList<'_>>()?;
        Ok(list.data.0.iter().map(|name| Text::from(&*name.0)).collect())
    }

    /// The answer of a path of a data source's own API: through the proxy, or as a resource of its plug-in where there is no proxy.
    async fn behind(
        &self,
        data_source: &ResolvedDataSource,
        path: &str,
        query: &[(&str, String)],
    ) -> Result<Body, SourceError> {
        let uid = crate::backend::kit::http::segment(&data_source.uid);
        let query: Vec<(&str, &str)> = query.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let proxied =
            self.get(Weight::Page, &format!("api/datasources/proxy/uid/{uid}/{path}"), &query).await;
        let refused = match proxied {
            Err(error)
                if matches!(
                    error.kind,
                    ErrorKind::Forbidden { .. } | ErrorKind::Refused { status: 404 | 405, .. }
                ) =>
            {
                error
            }
            answer => return answer,
        };
        // the plug-in for Loki has the paths without the prefix
        let own = path.strip_prefix("loki/api/v1/").unwrap_or(path);
        let resource = format!("api/datasources/uid/{uid}/resources/{own}");
        self.get(Weight::Page, &resource, &query).await.map_err(|_refused_too| {
            let message = refusal_words(&refused.kind, &data_source.name);
            self.http.error(ErrorKind::BadQuery { message })
        })
    }
}

/// The samples of a frame as `query_result()` writes them.
fn samples(frame: &DataFrame) -> Vec<Text> {
    let times = frame.fields.iter().find_map(|field| match &field.values {
        FieldValues::Times(times) => Some(times),
        FieldValues::Numbers(_) | FieldValues::Texts(_) | FieldValues::Bools(_) => None,
    });
    let of_field = |field: &FrameField| -> Vec<Text> {
        let FieldValues::Numbers(values) = &field.values else { return Vec::new() };
        let text = |(row, value): (usize, &Option<f64>)| {
            let at = times.and_then(|times| *times.get(row)?)?;
            Some(sample_text(&field.labels, &number_text((*value)?), at).into())
        };
        values.iter().enumerate().filter_map(text).collect()
    };
    frame.fields.iter().flat_map(of_field).collect()
}

/// A number as Prometheus writes it.
fn number_text(number: f64) -> String {
    if number.is_infinite() {
        if number > 0.0 { "+Inf" } else { "-Inf" }.to_owned()
    } else {
        number.to_string()
    }
}

/// Text and value of each row: the columns `text` and `value` (`__text` and `__value` of SQL), else all columns of text.
fn pairs(frame: &DataFrame) -> Vec<(Text, Text)> {
    let named = |names: [&str; 2]| frame.fields.iter().find(|field| names.contains(&&*field.name));
    let cell = |field: &FrameField, row: usize| Text::from(field.values.cell(row).plain());
    let (text, value) = (named(["__text", "text"]), named(["__value", "value"]));
    let is_kept = |(text, value): &(Text, Text)| !text.is_empty() || !value.is_empty();
    if let Some(first) = text.or(value) {
        let value = value.unwrap_or(first);
        return (0..frame.rows()).map(|row| (cell(first, row), cell(value, row))).filter(is_kept).collect();
    }
    let is_text = |field: &&FrameField| matches!(field.values, FieldValues::Texts(_));
    let mut columns: Vec<&FrameField> = frame.fields.iter().filter(is_text).collect();
    if columns.is_empty() {
        columns =
            frame.fields.iter().filter(|field| !matches!(field.values, FieldValues::Times(_))).collect();
    }
    let rows = |field: &&FrameField| {
        let field: FrameField = (*field).clone();
        (0..field.values.count()).map(move |row| Text::from(field.values.cell(row).plain()))
    };
    let all = columns.iter().flat_map(rows).filter(|text| !text.is_empty());
    all.map(|text| (text.clone(), text)).collect()
}
