//! Metric packs: files that say which metrics are a service's requests, failures, latency and saturation.
//!
//! A pack contains PromQL expressions with placeholders, which burnwatch fills in and the server evaluates. The format is
//! described in `config/packs/README.md`.

use std::time::Duration;

use serde::Deserialize;

use crate::model::duration;

macro_rules! built_in {
    ($($name:literal)*) => {
        [$(($name, include_str!(concat!("../../config/packs/", $name, ".toml")))),*]
    };
}

/// The built-in packs with their text. Packs with metrics that the service itself counts come first.
const BUILT_IN: [(&str, &str); 29] = built_in! {
    "http" "grpc" "envoy" "traefik" "nginx" "haproxy" "haproxy-process" "nginx-status" "apache" "postgres" "mysql" "redis"
    "memcached" "rabbitmq" "kafka" "mongodb" "elasticsearch" "coredns" "etcd" "cert-manager" "generic" "kubernetes" "jvm"
    "process" "node" "blackbox" "kubernetes-quota" "x509" "changes"
};

/// One pack.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pack {
    /// The name, as in `services.packs` of the configuration.
    pub name: String,
    /// The purpose, in one sentence.
    pub about: String,
    /// Labels that name the service in this pack's metrics; they replace `services.labels`.
    #[serde(default)]
    pub(super) service_labels: Vec<String>,
    /// Whether the pack only adds saturation to services that other packs find, and finds no services itself.
    #[serde(default)]
    pub(super) only_known: bool,
    #[serde(default)]
    pub(super) requests: Vec<Requests>,
    #[serde(default)]
    pub(super) latency: Vec<LatencySignal>,
    #[serde(default)]
    pub(super) saturation: Vec<Saturation>,
    /// `up` metrics of servers that are only visible through an exporter.
    #[serde(default)]
    pub(super) up: Vec<Up>,
    /// Custom signals with their own texts.
    #[serde(default)]
    pub(super) signal: Vec<OwnSignal>,
    /// The metrics in which changes can be seen.
    #[serde(default)]
    pub(in crate::backend) change: Vec<ChangeEntry>,
    /// Resources with a limit, and deadlines.
    #[serde(default)]
    pub(super) capacity: Vec<CapacityEntry>,
    /// Whether the services are found through a proxy: the labels, targets and alerts of the proxy's scrape target then
    /// belong to these services.
    #[serde(default)]
    pub(super) proxy: bool,
}

/// A request counter, and how to recognise failed requests.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Requests {
    /// The counter; must exist.
    pub(super) metric: String,
    /// Labels that may contain the result of a request, for example the status code.
    #[serde(default)]
    pub(super) code: Vec<String>,
    /// A regular expression for the results that are failures.
    #[serde(default = "server_errors")]
    pub(super) failed_codes: String,
    /// Additional matchers for the selector.
    #[serde(default)]
    pub(super) matchers: String,
    /// Additional metrics that must exist for this entry.
    #[serde(default)]
    pub(super) needs: Vec<String>,
    /// Requests per second, if that is not simply the rate of the counter; may have no value for a service with the counter.
    pub(super) all: Option<String>,
    /// Failures per second, if no label marks them.
    pub(super) failed: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LatencySignal {
    /// The metric name without `_bucket`.
    pub(super) histogram: String,
    #[serde(default)]
    pub(super) unit: BucketUnit,
    /// Whether the histogram is native, and so has no `_bucket` series.
    #[serde(default)]
    pub(super) native: bool,
    /// Additional matchers for the selector.
    #[serde(default)]
    pub(super) matchers: String,
}

/// The unit of a histogram's bucket bounds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
pub(super) enum BucketUnit {
    #[default]
    #[serde(rename = "s")]
    Seconds,
    #[serde(rename = "ms")]
    Milliseconds,
}

impl BucketUnit {
    /// The length of one unit in seconds.
    pub(super) const fn seconds(self) -> f64 {
        match self {
            Self::Seconds => 1.0,
            Self::Milliseconds => 0.001,
        }
    }
}

/// The utilisation of a resource, from 0 to 1.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Saturation {
    /// The resource: `cpu`.
    pub(super) resource: String,
    /// All must exist; the labels of the first one identify the service. A regular expression stands for every metric that it
    /// matches, and the metric name is then the resource.
    pub(super) metrics: Vec<String>,
    /// The utilisation, 0 to 1.
    expr: String,
    /// Labels that identify the host and the part of it, kept in addition to the service's labels: `instance`, `mountpoint`.
    #[serde(default)]
    pub(super) labels: Vec<String>,
    /// Only this many parts with the highest utilisation per service; `None`: all parts.
    most: Option<u32>,
}

/// The placeholders of expressions, written with `$`.
const PLACEHOLDERS: [&str; 5] = ["by", "selector", "lookback", "seconds", "metric"];

fn server_errors() -> String {
    "5..".into()
}

/// The reason why a text is not a valid pack.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct PackError(String);

impl Pack {
    /// Parses a pack and checks its names and placeholders.
    ///
    /// # Errors
    /// [`PackError`] with the reason; the PromQL of the expressions is not checked.
    pub fn parse(text: &str) -> Result<Self, PackError> {
        let pack: Self =
            toml::from_str(text).map_err(|error| PackError(format!("not a valid pack: {error}")))?;
        let bad_name = |word: &str| {
            PackError(format!("pack {:?}: {word:?} is not a valid metric or label name", pack.name))
        };
        let entries = pack.entries();
        if entries.is_empty() && pack.change.is_empty() && pack.capacity.is_empty() {
            return Err(PackError(format!("pack {:?} has no signal", pack.name)));
        }
        for entry in &entries {
            let (names, exprs) = entry.parts();
            if let Some(word) = pack.service_labels.iter().chain(names).find(|word| !is_name(word)) {
                return Err(bad_name(word));
            }
            let metrics = entry.metrics();
            if metrics.is_empty() {
                return Err(bad_name(entry.name()));
            }
            if let Some(pattern) = metrics.iter().find(|metric| regex::Regex::new(metric).is_err()) {
                return Err(bad_name(pattern));
            }
            exprs.into_iter().try_for_each(|expr| pack.check(expr))?;
        }
        for entry in &pack.change {
            if let Some(failure) = entry.failure() {
                return Err(PackError(format!("pack {:?}: {failure}", pack.name)));
            }
            if let Some(word) = entry.label_names().chain(&entry.reason).find(|word| !is_name(word)) {
                return Err(bad_name(word));
            }
            if let Some(pattern) = entry.metrics.iter().find(|metric| regex::Regex::new(metric).is_err()) {
                return Err(bad_name(pattern));
            }
        }
        for entry in &pack.capacity {
            let names = entry.labels.iter().chain(&entry.service_labels).chain(&entry.metrics);
            if let Some(word) = names.into_iter().find(|word| !is_name(word)) {
                return Err(bad_name(word));
            }
            if entry.metrics.is_empty() {
                return Err(bad_name(&entry.resource));
            }
            if let Some(problem) = entry.problem() {
                let words = format!("pack {:?}: the capacity {:?} {problem}", pack.name, entry.resource);
                return Err(PackError(words));
            }
            entry.exprs().try_for_each(|expr| pack.check(expr))?;
        }
        Ok(pack)
    }

    /// All entries, in the order of [`PackEntry`].
    pub(super) fn entries(&self) -> Vec<PackEntry> {
        let entries = self.requests.iter().cloned().map(PackEntry::Requests);
        let entries = entries.chain(self.latency.iter().cloned().map(PackEntry::Latency));
        let entries = entries.chain(self.saturation.iter().cloned().map(PackEntry::Saturation));
        let entries = entries.chain(self.up.iter().cloned().map(PackEntry::Up));
        entries.chain(self.signal.iter().cloned().map(PackEntry::Named)).collect()
    }

    fn check(&self, expr: &str) -> Result<(), PackError> {
        let wrong =
            |problem: String| PackError(format!("pack {:?}: the expression {expr:?} {problem}", self.name));
        let words: Vec<_> = pieces(expr).1.map(|(word, _)| word).collect();
        if let Some(word) = words.iter().find(|word| !PLACEHOLDERS.contains(word)) {
            return Err(wrong(format!("has the unknown placeholder ${word}")));
        }
        match ["by", "selector"].into_iter().find(|needed| !words.contains(needed)) {
            Some(missing) => Err(wrong(format!("lacks the placeholder ${missing}"))),
            None => Ok(()),
        }
    }
}

/// The user's packs (`own`) followed by the built-in ones; a user's pack replaces the built-in pack of the same name. If
/// `wanted` is not empty, only packs with these names.
pub fn chosen(own: &[Pack], wanted: &[String]) -> Vec<Pack> {
    let others = BUILT_IN
        .iter()
        .filter(|(name, _)| own.iter().all(|pack| pack.name != *name))
        // a test parses all of them
        .filter_map(|(_, text)| Pack::parse(text).ok());
    let all = own.iter().cloned().chain(others);
    all.filter(|pack| wanted.is_empty() || wanted.contains(&pack.name)).collect()
}

/// The labels by which proxy packs name services.
pub fn labels_of_proxies(packs: &[Pack]) -> impl Iterator<Item = &String> {
    packs.iter().filter(|pack| pack.proxy).flat_map(|pack| &pack.service_labels)
}

/// Whether a word is a metric or label name that needs no quotes in PromQL.
pub(super) fn is_name(word: &str) -> bool {
    !word.is_empty()
        && !word.starts_with(|c: char| c.is_ascii_digit())
        && word.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == ':')
}

/// The values for the placeholders of an expression.
#[derive(Debug, Clone, Copy)]
pub(super) struct QueryFill<'a> {
    /// The labels to group by.
    pub(super) by: &'a str,
    /// Matchers that select the series; at least one.
    pub(super) selector: &'a str,
    pub(super) lookback: Duration,
}

impl Requests {
    /// An expression for requests per second.
    pub(super) fn all(&self, fill: QueryFill<'_>) -> String {
        match &self.all {
            Some(own) => substitute(own, fill, &self.metric),
            None => self.rate(fill, ""),
        }
    }

    /// An expression for failures per second. `codes` are those labels of `code` that exist; `None` if failures cannot be
    /// recognised.
    pub(super) fn failed(&self, fill: QueryFill<'_>, codes: &[String]) -> Option<String> {
        if let Some(own) = &self.failed {
            return Some(substitute(own, fill, &self.metric));
        }
        // each series is counted by the first of these labels that it has
        let parts = codes.iter().enumerate().map(|(at, code)| {
            let absent = codes.iter().take(at).map(|earlier| format!(",{earlier}=\"\"")).collect::<Vec<_>>();
            self.rate(fill, &format!(",{code}=~\"{}\"{}", self.failed_codes, absent.concat()))
        });
        let parts: Vec<String> = parts.collect();
        (!parts.is_empty()).then(|| parts.join(" or "))
    }

    fn rate(&self, fill: QueryFill<'_>, more: &str) -> String {
        substitute(&rate(&format!("{}{more}", comma(&self.matchers))), fill, &self.metric)
    }
}

impl LatencySignal {
    pub(super) fn metric(&self) -> String {
        if self.native { self.histogram.clone() } else { format!("{}_bucket", self.histogram) }
    }

    /// An expression for a quantile of the latency, in the unit of the histogram.
    pub(super) fn quantile(&self, fill: QueryFill<'_>, quantile: f64) -> String {
        let le = if self.native { "" } else { "le" };
        let by = [le, fill.by].into_iter().filter(|label| !label.is_empty()).collect::<Vec<_>>().join(", ");
        format!("histogram_quantile({quantile}, {})", self.buckets(QueryFill { by: &by, ..fill }, ""))
    }

    /// An expression for requests per second in each bucket; only the buckets whose `le` matches the regular expression
    /// `bounds`, unless that is empty.
    pub(super) fn buckets(&self, fill: QueryFill<'_>, bounds: &str) -> String {
        let bounds = if bounds.is_empty() { String::new() } else { format!(",le=~\"{bounds}\"") };
        substitute(&rate(&format!("{}{bounds}", comma(&self.matchers))), fill, &self.metric())
    }
}

impl Saturation {
    /// An expression for the utilisation of each part of each service, 0 to 1.
    pub(super) fn expr(&self, fill: QueryFill<'_>) -> String {
        let of_all = if self.is_pattern() { Some("__name__") } else { None };
        let more = of_all.into_iter().chain(self.labels.iter().map(String::as_str));
        let expr = substitute_by(&self.expr, fill, more, self.first());
        match self.most {
            Some(most) => format!("topk by ({}) ({most}, {expr})", fill.by),
            None => expr,
        }
    }

    /// An expression for the highest utilisation of a service, for charts.
    pub(super) fn highest_usage(&self, fill: QueryFill<'_>) -> String {
        if self.is_pattern() {
            return format!("max by (__name__) ({})", self.expr(fill));
        }
        if self.labels.is_empty() {
            return self.expr(fill);
        }
        format!("max by ({}) ({})", fill.by, substitute_by(&self.expr, fill, &self.labels, self.first()))
    }

    fn first(&self) -> &str {
        self.metrics.first().map_or("", |metric| metric)
    }

    /// Whether the entry has a regular expression, and so stands for any number of metrics.
    pub(super) fn is_pattern(&self) -> bool {
        self.metrics.iter().any(|metric| !is_name(metric))
    }
}

/// The template of a rate, with additional matchers.
fn rate(matchers: &str) -> String {
    format!("sum by ($by) (rate($metric{{$selector{matchers}}}[$lookback]))")
}

fn comma(matchers: &str) -> String {
    if matchers.is_empty() { String::new() } else { format!(",{matchers}") }
}

/// Fills in the placeholders of a template whose result keeps more labels than the one that names the service.
fn substitute_by<'a>(
    template: &str,
    fill: QueryFill<'a>,
    more: impl IntoIterator<Item = &'a (impl AsRef<str> + ?Sized + 'a)>,
    metric: &str,
) -> String {
    let mut by = vec![fill.by];
    for label in more.into_iter().map(AsRef::as_ref) {
        if !by.contains(&label) {
            by.push(label);
        }
    }
    substitute(template, QueryFill { by: &by.join(", "), ..fill }, metric)
}

/// What stands before the first `$`, and the word after each with what follows it.
fn pieces(template: &str) -> (&str, impl Iterator<Item = (&str, &str)>) {
    let mut parts = template.split('$');
    let first = parts.next().unwrap_or_default();
    let word_end = |part: &str| part.find(|c: char| !c.is_ascii_lowercase()).unwrap_or(part.len());
    (first, parts.map(move |part| part.split_at(word_end(part))))
}

/// Fills in the placeholders of a template.
fn substitute(template: &str, fill: QueryFill<'_>, metric: &str) -> String {
    let (first, pieces) = pieces(template);
    pieces.fold(first.to_owned(), |out, (word, rest)| {
        let filled = match word {
            "by" => fill.by.to_owned(),
            "selector" => fill.selector.to_owned(),
            "lookback" => duration::text(fill.lookback),
            "seconds" => fill.lookback.as_secs_f64().to_string(),
            "metric" => metric.to_owned(),
            // not a placeholder: `$` in a regular expression, for example in a service name
            other => format!("${other}"),
        };
        out + &filled + rest
    })
}

mod capacity;
mod change;
mod entry;
mod signal;
pub(super) use capacity::{CapacityEntry, CapacityQueries};
pub(super) use change::{ChangeEntry, ChangeSign};
pub(super) use entry::PackEntry;
pub(super) use signal::{OwnSignal, Up};

#[cfg(test)]
mod tests;
