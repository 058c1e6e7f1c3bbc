//! Metric packs: files that say which metrics are a service's requests, failures, latency and saturation.
//!
//! A pack contains PromQL expressions with placeholders, which burnwatch fills in and the server evaluates. The format is
//! described in `config/packs/README.md`.

use std::time::Duration;

use serde::Deserialize;

use crate::model::duration;

/// The built-in packs. Packs with metrics that the service itself counts come first.
const BUILT_IN: [(&str, &str); 26] = [
    ("http", include_str!("../../config/packs/http.toml")),
    ("grpc", include_str!("../../config/packs/grpc.toml")),
    ("envoy", include_str!("../../config/packs/envoy.toml")),
    ("traefik", include_str!("../../config/packs/traefik.toml")),
    ("nginx", include_str!("../../config/packs/nginx.toml")),
    ("haproxy", include_str!("../../config/packs/haproxy.toml")),
    ("haproxy-process", include_str!("../../config/packs/haproxy-process.toml")),
    ("nginx-status", include_str!("../../config/packs/nginx-status.toml")),
    ("apache", include_str!("../../config/packs/apache.toml")),
    ("postgres", include_str!("../../config/packs/postgres.toml")),
    ("mysql", include_str!("../../config/packs/mysql.toml")),
    ("redis", include_str!("../../config/packs/redis.toml")),
    ("memcached", include_str!("../../config/packs/memcached.toml")),
    ("rabbitmq", include_str!("../../config/packs/rabbitmq.toml")),
    ("kafka", include_str!("../../config/packs/kafka.toml")),
    ("mongodb", include_str!("../../config/packs/mongodb.toml")),
    ("elasticsearch", include_str!("../../config/packs/elasticsearch.toml")),
    ("coredns", include_str!("../../config/packs/coredns.toml")),
    ("etcd", include_str!("../../config/packs/etcd.toml")),
    ("cert-manager", include_str!("../../config/packs/cert-manager.toml")),
    ("generic", include_str!("../../config/packs/generic.toml")),
    ("kubernetes", include_str!("../../config/packs/kubernetes.toml")),
    ("jvm", include_str!("../../config/packs/jvm.toml")),
    ("process", include_str!("../../config/packs/process.toml")),
    ("node", include_str!("../../config/packs/node.toml")),
    ("blackbox", include_str!("../../config/packs/blackbox.toml")),
];

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
    only_known: bool,
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
    /// Requests per second, if that is not simply the rate of the counter.
    all: Option<String>,
    /// Failures per second, if no label marks them.
    failed: Option<String>,
}

/// A latency histogram.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LatencySignal {
    /// The metric name without `_bucket`.
    pub(super) histogram: String,
    /// The unit of the bucket bounds.
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
    /// Copied from the pack.
    #[serde(skip)]
    pub(super) only_known: bool,
}

/// The placeholders of expressions, written with `$`.
const PLACEHOLDERS: [&str; 5] = ["by", "selector", "lookback", "seconds", "metric"];

fn server_errors() -> String {
    "5..".into()
}

/// The reason why a text is not a valid pack.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PackError {
    /// The text is not TOML, or has unknown fields.
    #[error("not a valid pack: {0}")]
    Unreadable(String),
    /// The pack has no requests, latency, saturation, up or signal.
    #[error("pack {0:?} has no signal")]
    Empty(String),
    /// A word that is not a valid name of a metric or label.
    #[error("pack {pack:?}: {word:?} is not a valid metric or label name")]
    BadName {
        /// The pack.
        pack: String,
        /// The word.
        word: String,
    },
    /// An expression with an unknown placeholder, or without a required one.
    #[error("pack {pack:?}: the expression {expr:?} {problem}")]
    BadExpression {
        /// The pack.
        pack: String,
        /// The expression.
        expr: String,
        /// What is wrong with the expression.
        problem: String,
    },
}

impl Pack {
    /// Parses a pack and checks its names and placeholders.
    ///
    /// # Errors
    /// [`PackError`] with the reason; the PromQL of the expressions is not checked.
    pub fn parse(text: &str) -> Result<Self, PackError> {
        let mut pack: Self =
            toml::from_str(text).map_err(|error| PackError::Unreadable(error.to_string()))?;
        let is_empty = pack.requests.is_empty() && pack.latency.is_empty() && pack.saturation.is_empty();
        if is_empty && pack.up.is_empty() && pack.signal.is_empty() {
            return Err(PackError::Empty(pack.name));
        }
        let labels = pack.service_labels.iter().chain(pack.requests.iter().flat_map(|r| &r.code));
        let labels = labels.chain(pack.saturation.iter().flat_map(|s| &s.labels));
        let labels = labels.chain(pack.up.iter().flat_map(|up| &up.labels));
        let labels = labels.chain(pack.signal.iter().flat_map(|signal| &signal.labels));
        let plain = pack.requests.iter().map(|r| &r.metric).chain(pack.latency.iter().map(|l| &l.histogram));
        let plain = plain.chain(pack.requests.iter().flat_map(|r| &r.needs));
        let plain = plain.chain(pack.up.iter().flat_map(|up| std::iter::once(&up.metric).chain(&up.needs)));
        let plain = plain.chain(pack.signal.iter().flat_map(|signal| &signal.metrics));
        if let Some(word) = labels.chain(plain).find(|word| !is_name(word)) {
            return Err(PackError::BadName { pack: pack.name.clone(), word: word.clone() });
        }
        for saturation in &mut pack.saturation {
            saturation.only_known = pack.only_known;
            let is_empty = saturation.metrics.is_empty();
            let bad = saturation.metrics.iter().find(|metric| regex::Regex::new(metric).is_err());
            if is_empty || bad.is_some() {
                let word = bad.cloned().unwrap_or_default();
                return Err(PackError::BadName { pack: pack.name.clone(), word });
            }
        }
        let only_known = pack.only_known;
        pack.up.iter_mut().for_each(|up| up.only_known = only_known);
        pack.signal.iter_mut().for_each(|signal| signal.only_known = only_known);
        if let Some(signal) = pack.signal.iter().find(|signal| signal.metrics.is_empty()) {
            return Err(PackError::BadName { pack: pack.name.clone(), word: signal.name.clone() });
        }
        let own = pack.requests.iter().flat_map(|r| [&r.all, &r.failed]).flatten();
        let own = own.chain(pack.saturation.iter().map(|s| &s.expr));
        let own = own.chain(pack.up.iter().filter_map(|up| up.expr.as_ref()));
        for expr in own.chain(pack.signal.iter().map(|signal| &signal.expr)) {
            pack.check(expr)?;
        }
        Ok(pack)
    }

    /// Checks the placeholders of an expression.
    fn check(&self, expr: &str) -> Result<(), PackError> {
        let wrong = |problem: String| PackError::BadExpression {
            pack: self.name.clone(),
            expr: expr.to_owned(),
            problem,
        };
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

impl Pack {
    /// Whether the pack finds no services itself.
    pub(super) const fn only_known(&self) -> bool {
        self.only_known
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
    /// The lookback of the rates.
    pub(super) lookback: Duration,
}

impl Requests {
    /// All metrics that must exist.
    pub(super) fn metrics(&self) -> impl Iterator<Item = &String> {
        std::iter::once(&self.metric).chain(&self.needs)
    }

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

    /// Whether the request rate is a custom expression, which may have no value for a service that has the counter.
    pub(super) fn has_rate_expression(&self) -> bool {
        self.all.is_some()
    }

    /// Whether failures can be recognised without a label.
    pub(super) fn has_failure_expression(&self) -> bool {
        self.failed.is_some()
    }

    fn rate(&self, fill: QueryFill<'_>, more: &str) -> String {
        substitute(&rate(&format!("{}{more}", comma(&self.matchers))), fill, &self.metric)
    }
}

impl LatencySignal {
    /// The metric that must exist.
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
        let by = grouping(fill.by, of_all.into_iter().chain(self.labels.iter().map(String::as_str)));
        let expr = substitute(&self.expr, QueryFill { by: &by, ..fill }, self.first());
        match self.most {
            Some(most) => format!("topk by ({}) ({most}, {expr})", fill.by),
            None => expr,
        }
    }

    /// An expression for the highest utilisation of a service, for charts.
    pub(super) fn fullest(&self, fill: QueryFill<'_>) -> String {
        if self.is_pattern() {
            return format!("max by (__name__) ({})", self.expr(fill));
        }
        if self.labels.is_empty() {
            return self.expr(fill);
        }
        let by = grouping(fill.by, self.labels.iter().map(String::as_str));
        let expr = substitute(&self.expr, QueryFill { by: &by, ..fill }, self.first());
        format!("max by ({}) ({expr})", fill.by)
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

/// The service label and more labels, without duplicates.
fn grouping<'a>(by: &'a str, more: impl Iterator<Item = &'a str>) -> String {
    let mut labels = vec![by];
    for label in more {
        if !labels.contains(&label) {
            labels.push(label);
        }
    }
    labels.join(", ")
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

mod signal;
pub(super) use signal::{OwnSignal, Up};

#[cfg(test)]
mod tests;
