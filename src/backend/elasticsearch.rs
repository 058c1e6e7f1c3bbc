//! Elasticsearch and `OpenSearch`: log lines, their number over time, and what is new in them.

mod fields;
mod kind;
mod request;
#[cfg(test)]
mod tests;
mod wire;

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::SourceDeps;
use super::handlers::{Handler, kinds, reads};
use super::kit::http::Body;
use super::kit::probe::probe_report;
use super::logs::labels::{FoundLabels, LabelCandidate, identities};
use super::logs::{self, LogServer, LogSpan, LogStore, LogStoreState};
use crate::config::settings::SourceSettings;
use crate::model::ask::{Answer, Answered, AskKind, Reply, Weight};
use crate::model::labels::{Labels, Text};
use crate::model::log::{
    LARGEST_PAGE, LogDirection, LogHistogram, LogPage, LogQuery, LogSeverity, MAX_LINES, ReadLines,
};
use crate::model::series::TimeGrid;
use crate::model::source::{ErrorKind, SourceError, SourceId};
use crate::model::warning::{Warning, note};
use fields::FieldIndex;
pub(super) use kind::SPEC;
use kind::Settings;
use request::{DOC, SearchFrame, part_key};
use wire::{LineShape, SearchAnswer};

/// How long the fields of the indices are used before they are asked for again.
const FIELDS_KEPT: SignedDuration = SignedDuration::from_mins(10);
/// The same copies of the shards answer all searches, so that the order of lines does not change between pages.
const SAME_COPIES: (&str, &str) = ("preference", "burnwatch");

/// What every server answers.
const ANSWERS: &[AskKind] = &kinds::<_, { HANDLERS.len() }>(HANDLERS);

const HANDLERS: &[Handler<Elasticsearch>] = &logs::handlers();

/// Some indices of one cluster.
pub(super) struct Elasticsearch {
    server: LogServer,
    settings: Settings,
    /// How long the server may search, in milliseconds.
    timeout: u64,
    /// The most lines that the server gives in one answer.
    most: AtomicU32,
    fields: Mutex<Option<(Timestamp, Arc<FieldIndex>)>>,
}

reads!(Elasticsearch, server);

impl Elasticsearch {
    /// Checks the address; sends nothing.
    ///
    /// # Errors
    /// [`ErrorKind::Unreachable`] if the address is invalid.
    pub(super) fn new(
        id: &SourceId,
        source: &SourceSettings,
        deps: SourceDeps<'_>,
    ) -> Result<Self, SourceError> {
        Ok(Self {
            server: LogServer::new(id, source, deps)?,
            settings: super::own(id, source)?,
            timeout: u64::try_from(logs::server_limit(deps).as_millis()).unwrap_or(u64::MAX),
            most: AtomicU32::new(LARGEST_PAGE),
            fields: Mutex::default(),
        })
    }

    /// A path below the indices.
    fn path(&self, path: &str) -> String {
        format!("{}/{path}", self.settings.index.trim())
    }

    fn explain_error(&self, error: SourceError) -> SourceError {
        self.server.http.explain_absence("Elasticsearch API", error)
    }

    /// The fields that are of interest, as the indices have them now or had them a few minutes ago.
    async fn fields(&self) -> Result<Arc<FieldIndex>, SourceError> {
        let now = self.server.state.clock.now();
        if let Some((since, known)) = self.kept_fields()
            && now.duration_since(since) < FIELDS_KEPT
            && !known.indices.is_empty()
        {
            return Ok(known);
        }
        let Settings { labels, level_fields, message_fields, time_field, tiebreaker, .. } = &self.settings;
        let names = labels.values().flatten().chain(level_fields).chain(message_fields);
        let names = names.chain([time_field, tiebreaker]).filter(|name| *name != DOC);
        let mut index = FieldIndex::default();
        for list in fields::requests(names.map(String::as_str)) {
            let asked = [("fields", list.as_str())];
            let body = self.server.get(Weight::Page, &self.path("_field_caps"), &asked, &[]).await;
            let body = body.map_err(|error| self.explain_error(error))?;
            let read = body.json::<wire::FieldCaps<'_>>()?;
            if !read.fields.is_object() {
                let reason = "an answer without fields where _field_caps is expected".to_owned();
                return Err(self.server.http.error(ErrorKind::Garbled { reason }));
            }
            index.indices.extend(read.indices.0.into_iter().map(|name| name.0.into_owned()));
            index.add(&read.fields);
        }
        let index = Arc::new(index);
        *self.fields.lock().unwrap_or_else(PoisonError::into_inner) = Some((now, Arc::clone(&index)));
        Ok(index)
    }

    fn kept_fields(&self) -> Option<(Timestamp, Arc<FieldIndex>)> {
        self.fields.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The fields as they are known; none before [`LogStore::prepare`].
    fn known_fields(&self) -> Arc<FieldIndex> {
        self.kept_fields().map(|(_, fields)| fields).unwrap_or_default()
    }

    fn frame(&self, fields: &FieldIndex) -> SearchFrame<'_> {
        let time = self.settings.time_field.as_str();
        SearchFrame { time, is_nanos: fields.is_nanos(time), timeout: self.timeout }
    }

    async fn search(&self, weight: Weight, search: &Value) -> Result<Body, SourceError> {
        let body = self.server.post(weight, &self.path("_search"), &[SAME_COPIES], search).await;
        body.map_err(|error| self.explain_error(error))
    }

    /// The answer to a search.
    fn answer_of<'b>(&self, body: &'b Body) -> Result<SearchAnswer<'b>, SourceError> {
        let answer = body.json::<SearchAnswer<'_>>()?;
        if answer.hits.0.is_none() {
            let reason = "an answer without hits where the answer to a search is expected".to_owned();
            return Err(self.server.http.error(ErrorKind::Garbled { reason }));
        }
        Ok(answer)
    }

    fn shape(&self) -> LineShape<'_> {
        LineShape {
            time: &self.settings.time_field,
            messages: &self.settings.message_fields,
            levels: &self.settings.level_fields,
            labels: self.settings.labels.values().flatten().map(String::as_str).collect(),
        }
    }

    /// The fields with the severity by which lines can be counted.
    fn countable_levels(&self, fields: &FieldIndex) -> Vec<String> {
        let mut levels: Vec<String> = Vec::new();
        for level in self.settings.level_fields.iter().filter_map(|name| fields.countable(name)) {
            if !levels.contains(&level) {
                levels.push(level);
            }
        }
        levels
    }

    /// The labels of some lines with this label, also of lines that have the other labels in the map.
    async fn samples(
        &self,
        labels: &Labels,
        identity: &LabelCandidate,
        fields: &FieldIndex,
        span: LogSpan,
    ) -> Result<Vec<Labels>, SourceError> {
        let map = &self.settings.labels;
        let names = |of: &Text| map.get(&**of).into_iter().flatten().filter(|name| fields.has(name));
        let others = labels.iter().filter(|(of, _)| ***of != *identity.of);
        let narrower: Vec<String> =
            others.flat_map(|(of, value)| names(of).map(|name| fields.is(name, value))).collect();
        let query = fields.is(&identity.name, &identity.value);
        let body = self.search(Weight::Page, &self.frame(fields).samples(&query, &narrower, span)).await?;
        let answer = self.answer_of(&body)?;
        let newest = answer.hits.0.iter().flat_map(|hits| &hits.hits.all).map(|hit| &hit.source);
        let of_each = (0..narrower.len())
            .filter_map(|at| answer.aggregations.get(part_key(at)))
            .flat_map(|part| wire::items(part, &["newest", "hits", "hits"]))
            .filter_map(|hit| hit.get("_source"));
        let labels = |source: &Value| {
            let all: Labels = wire::flattened(source).into_iter().collect();
            // an index may have a value that its documents do not repeat
            all.with([(identity.name.as_str(), identity.value.clone())])
        };
        Ok(newest.chain(of_each).map(labels).collect())
    }
}

/// The largest size of an answer that the server names in its refusal of a larger one.
fn size_in(message: &str) -> Option<u32> {
    let (_, limit) = message.split_once("less than or equal to: [")?;
    limit.split_once(']')?.0.parse().ok().filter(|limit| *limit > 0)
}

impl LogStore for Elasticsearch {
    fn kept(&self) -> &LogStoreState {
        &self.server.state
    }

    async fn prepare(&self) -> Result<(), SourceError> {
        self.fields().await.map(drop)
    }

    async fn probe(&self) -> Answered {
        // a key may be allowed to search, and not to ask for the version
        let cluster = match self.server.get(Weight::Vital, "", &[], &[]).await {
            Ok(body) => Some(body),
            Err(error) if error.kind.is_source_wide() => return Err(error),
            Err(_) => None,
        };
        let fields = self.fields().await?;
        let info = cluster.as_ref().map(Body::json::<wire::ClusterInfo<'_>>).transpose()?.unwrap_or_default();
        let is_open = info.version.distribution.0.eq_ignore_ascii_case("opensearch");
        let flavour = if is_open { "OpenSearch" } else { "Elasticsearch" };
        let mut report = probe_report(flavour, &*info.version.number.0);
        report.fact("cluster", &*info.cluster_name.0);
        report.fact("indices", fields.indices.len().to_string());
        let levels = self.countable_levels(&fields);
        report.fact("severity in", levels.join(", "));
        self.server.report_clock(&mut report, cluster.as_ref().and_then(|body| body.date));
        let Settings { index, time_field, message_fields, .. } = &self.settings;
        if fields.indices.is_empty() {
            report.warn(format!("no index is called {index}: set index"));
        } else if !fields.has(time_field) {
            report.warn(format!("no index of {index} has the field {time_field}: set index or time_field"));
        } else {
            if !message_fields.iter().any(|name| fields.has(name)) {
                report.warn("no index has a field of message_fields: lines are shown by all their fields");
            }
            if levels.is_empty() {
                report.warn("lines cannot be counted by severity: no field of level_fields is a keyword");
            }
        }
        Ok(Reply::free(Answer::Probe(report)))
    }

    async fn find(&self, labels: &Labels, span: LogSpan) -> Result<FoundLabels, SourceError> {
        let fields = self.fields().await?;
        let candidates = identities(labels, &self.settings.labels, |name| fields.has(name));
        let nothing = || FoundLabels::nothing(&candidates, &fields.names());
        if candidates.is_empty() {
            return Ok(nothing());
        }
        let queries: Vec<String> = candidates.iter().map(|one| fields.is(&one.name, &one.value)).collect();
        let body = self.search(Weight::Page, &self.frame(&fields).matches(&queries, span)).await?;
        let answer = self.answer_of(&body)?;
        let lines = |at: usize| answer.aggregations.get(part_key(at)).map_or(0, wire::count);
        let identity = candidates.iter().enumerate().find(|(at, _)| lines(*at) > 0).map(|(_, one)| one);
        let Some(identity) = identity else { return Ok(nothing()) };
        let samples = self.samples(labels, identity, &fields, span).await?;
        let chosen = std::slice::from_ref(identity);
        Ok(FoundLabels::choose(labels, &self.settings.labels, chosen, &samples).unwrap_or_else(nothing))
    }

    fn query(&self, selectors: &[(String, Text)], wanted: &LogQuery) -> String {
        let fields = self.known_fields();
        let each = selectors.iter().map(|(name, value)| fields.is(name, value));
        let base = match &wanted.written {
            Some(written) if wanted.contains.is_some() => format!("({written})"),
            Some(written) => written.to_string(),
            None => each.collect::<Vec<_>>().join(" AND "),
        };
        match &wanted.contains {
            Some(text) => format!("{base} AND {}", fields.contains(&self.settings.message_fields, text)),
            None => base,
        }
    }

    async fn read(&self, query: &str, page: &LogPage) -> Result<ReadLines, SourceError> {
        let frame = self.frame(&*self.fields().await?);
        let order = (page.direction, self.settings.tiebreaker.as_str());
        let span = (page.from, page.until);
        let mut read = ReadLines::default();
        let mut after: Option<Value> = None;
        loop {
            let size = page.limit.min(self.most.load(Ordering::Relaxed));
            let body =
                self.search(Weight::Page, &frame.lines(query, span, order, (size, after.as_ref()))).await;
            let body = match body {
                Ok(body) => body,
                Err(error) => match size_in(error.kind.said()).filter(|most| *most < size) {
                    Some(most) => {
                        self.most.store(most, Ordering::Relaxed);
                        continue;
                    }
                    None => return Err(error),
                },
            };
            let answer = self.answer_of(&body)?;
            let Some(hits) = answer.hits.0.as_ref().map(|hits| &hits.hits) else { break };
            let shape = self.shape();
            let lines = self.server.state.interned(|interner| {
                hits.all.iter().map(|hit| wire::line(interner, hit, &shape)).collect::<Vec<_>>()
            });
            let count = hits.all.len() + hits.lost;
            read.unreadable += hits.lost as u64 + lines.iter().filter(|line| line.is_none()).count() as u64;
            read.lines.extend(lines.into_iter().flatten());
            answer.missing().into_iter().for_each(|warning| note(&mut read.warnings, warning));
            let last = hits.all.last().map(|hit| hit.sort.clone()).filter(Value::is_array);
            let is_last = count < size as usize;
            let total = read.lines.len() + usize::try_from(read.unreadable).unwrap_or(usize::MAX);
            let is_enough = total >= page.limit as usize;
            // a page of lines of a single moment would have no border: it goes on to the next moment
            let is_one_moment =
                read.lines.first().map(|line| line.at) == read.lines.last().map(|line| line.at);
            let goes_on = !is_last && (!is_enough || is_one_moment) && total < MAX_LINES && last != after;
            if goes_on && last.is_some() {
                if is_enough && self.settings.tiebreaker == DOC && answer.shards.total.0 > 1 {
                    let words = "one moment has more lines than a page, in several shards: some may be missing. Set `tiebreaker`";
                    note(&mut read.warnings, Warning::missing(words));
                }
                after = last;
                continue;
            }
            read.is_cut = !is_last;
            break;
        }
        if page.direction == LogDirection::Backward {
            read.lines.reverse();
        }
        Ok(read)
    }

    async fn count(
        &self,
        query: &str,
        window: TimeGrid,
    ) -> Result<(LogHistogram, Vec<Warning>), SourceError> {
        let fields = self.fields().await?;
        let levels = self.countable_levels(&fields);
        let body = self.search(Weight::Chart, &self.frame(&fields).counts(query, window, &levels)).await?;
        let answer = self.answer_of(&body)?;
        let mut counts = LogHistogram::new(query.into(), window);
        for bar in wire::items(&answer.aggregations, &["bars", "buckets"]) {
            let key = bar.get("key").and_then(Value::as_f64);
            let Some(second) = key.map(|milliseconds| milliseconds / 1000.0) else { continue };
            let mut without = wire::count(bar);
            let values =
                (0..levels.len()).flat_map(|at| wire::items(bar, &[&part_key(at), "values", "buckets"]));
            for value in values {
                let lines = wire::count(value);
                let name =
                    value.get("key").map(|key| key.as_str().map_or_else(|| key.to_string(), str::to_owned));
                let severity = name.and_then(|name| LogSeverity::named(&name)).unwrap_or_default();
                counts.add(severity, second, lines);
                without = without.saturating_sub(lines);
            }
            if without > 0 {
                counts.add(LogSeverity::Unknown, second, without);
            }
        }
        Ok((counts, answer.missing().into_iter().collect()))
    }
}
