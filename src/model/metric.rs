//! The metrics of a server: their names, types and help texts.

use std::time::Duration;

use super::labels::Text;
use super::words::words;

words! {
    /// The type of a metric, as its exporter declares it.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
    pub enum MetricType: word {
        Counter = "counter",
        Gauge = "gauge",
        Histogram = "histogram",
        GaugeHistogram = "gaugehistogram",
        Summary = "summary",
        Info = "info",
        StateSet = "stateset",
        /// Not declared, or declared differently by several exporters.
        Unknown = "unknown",
    }
}

/// One metric.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MetricInfo {
    pub name: Text,
    pub kind: MetricType,
    /// The help text of its exporter; may be empty.
    pub help: Text,
}

/// All metrics of a server, sorted by name, each once.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct MetricCatalog {
    metrics: Vec<MetricInfo>,
    /// The server's usual scrape interval, if it is known.
    pub scrape_interval: Option<Duration>,
}

/// The suffixes of series that belong to a histogram or a summary; all three are counters.
const COUNTER_PARTS: [&str; 3] = ["_bucket", "_count", "_sum"];

impl MetricCatalog {
    /// The names that have series, and the declared types and help texts. A declared metric without series is left out, a name
    /// that is only part of a declared metric (`x_bucket` of the histogram `x`) gets the help text of that.
    pub fn new(names: Vec<Text>, mut declared: Vec<MetricInfo>, scrape_interval: Option<Duration>) -> Self {
        declared.sort_by(|a, b| a.name.cmp(&b.name));
        let of = |name: &str| {
            let found = declared.binary_search_by(|metric| (*metric.name).cmp(name)).ok();
            found.and_then(|at| declared.get(at))
        };
        let metric = |name: Text| {
            let base =
                |suffix: &&str| name.strip_suffix(*suffix).and_then(of).filter(|base| base.has_parts());
            let (kind, help) = match (of(&name), COUNTER_PARTS.iter().find_map(base)) {
                (Some(own), _) => (own.kind, own.help.clone()),
                (None, Some(base)) => (MetricType::Counter, base.help.clone()),
                (None, None) => (MetricType::Unknown, Text::default()),
            };
            MetricInfo { name, kind, help }
        };
        let mut metrics: Vec<MetricInfo> = names.into_iter().map(metric).collect();
        metrics.sort_by(|a, b| a.name.cmp(&b.name));
        metrics.dedup_by(|a, b| a.name == b.name);
        Self { metrics, scrape_interval }
    }

    pub fn all(&self) -> &[MetricInfo] {
        &self.metrics
    }

    pub fn get(&self, name: &str) -> Option<&MetricInfo> {
        let at = self.metrics.binary_search_by(|metric| (*metric.name).cmp(name)).ok()?;
        self.metrics.get(at)
    }
}

impl MetricInfo {
    /// Whether its series have the suffixes `_count` and `_sum`.
    fn has_parts(&self) -> bool {
        matches!(self.kind, MetricType::Histogram | MetricType::Summary)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn declared(name: &str, kind: MetricType) -> MetricInfo {
        MetricInfo { name: name.into(), kind, help: format!("About {name}.").into() }
    }

    #[test]
    fn parts_of_a_histogram_are_counters_with_its_help() {
        let names = ["up", "h_bucket", "h_sum", "g_count", "h"].map(Text::from).to_vec();
        let types = vec![declared("h", MetricType::Histogram), declared("g", MetricType::Gauge)];
        let catalog = MetricCatalog::new(names, types, None);
        let kinds: Vec<_> = catalog.all().iter().map(|metric| (&*metric.name, metric.kind)).collect();
        assert_eq!(
            kinds,
            [
                ("g_count", MetricType::Unknown),
                ("h", MetricType::Histogram),
                ("h_bucket", MetricType::Counter),
                ("h_sum", MetricType::Counter),
                ("up", MetricType::Unknown),
            ]
        );
        assert_eq!(&*catalog.get("h_sum").unwrap().help, "About h.");
        assert!(catalog.get("missing").is_none());
    }
}
