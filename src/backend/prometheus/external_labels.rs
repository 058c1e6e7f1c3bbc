//! The changes that a Prometheus makes to the labels of alerts before it sends them to Alertmanager. With them, the alerts of
//! both get the same fingerprint.
//!
//! Read from the configuration that the server returns, which always has the same YAML layout; unknown parts are ignored.

use regex::{Regex, RegexBuilder};

use super::wire::Reader;
use crate::model::labels::{Labels, Text};

/// The maximum size of a compiled regular expression, in bytes.
const LARGEST: usize = 256 * 1024;

/// The changes to an alert's labels on sending.
#[derive(Debug, Clone, Default)]
pub(super) struct ExternalLabels {
    /// Labels that are added if an alert does not have them (`external_labels`).
    added: Vec<(Text, Text)>,
    /// Label names that are dropped (`alert_relabel_configs` with `labeldrop`).
    dropped: Vec<Regex>,
}

impl ExternalLabels {
    /// Reads the configuration.
    pub(super) fn read(yaml: &str, reader: &Reader) -> Self {
        let labels = section(yaml, "global:", "  external_labels:");
        let added = labels
            .filter_map(|line| line.strip_prefix("    ")?.split_once(": "))
            .filter_map(|(name, value)| Some((reader.text(&plain(name)?), reader.text(&plain(value)?))))
            .collect();
        let mut dropped = Vec::new();
        let mut regex = None;
        for line in section(yaml, "alerting:", "  alert_relabel_configs:") {
            if line.starts_with("  - ") {
                regex = None;
            }
            match line.trim_start_matches([' ', '-']).split_once(": ") {
                Some(("regex", pattern)) => {
                    regex = plain(pattern).and_then(|pattern| {
                        RegexBuilder::new(&format!("^(?:{pattern})$")).size_limit(LARGEST).build().ok()
                    });
                }
                Some(("action", "labeldrop")) => dropped.extend(regex.take()),
                _ => {}
            }
        }
        Self { added, dropped }
    }

    pub(super) fn added(&self) -> Labels {
        Labels::new(self.added.clone())
    }

    /// The labels as Alertmanager receives them.
    pub(super) fn apply(&self, labels: &Labels) -> Labels {
        if self.added.is_empty() && self.dropped.is_empty() {
            return labels.clone();
        }
        let own = labels.iter().map(|(name, value)| (name.clone(), value.clone()));
        // the last value of a repeated name counts, which is the alert's own
        let all = Labels::new(self.added.iter().cloned().chain(own).collect());
        all.without(|name| self.dropped.iter().any(|pattern| pattern.is_match(name)))
    }
}

/// The lines below `key` in the section `top`, up to the next line with the indentation of `key`.
fn section<'a>(yaml: &'a str, top: &'a str, key: &'a str) -> impl Iterator<Item = &'a str> {
    let inside = yaml.lines().skip_while(move |line| *line != top).skip(1);
    let inside = inside.take_while(|line| line.starts_with(' '));
    let below = inside.skip_while(move |line| *line != key).skip(1);
    below.take_while(|line| line.starts_with("   ") || line.starts_with("  -"))
}

/// A YAML scalar on one line, unquoted; `None` if it cannot be read.
fn plain(value: &str) -> Option<String> {
    if value.starts_with('"') {
        return serde_json::from_str(value).ok();
    }
    match value.strip_prefix('\'') {
        Some(quoted) => Some(quoted.strip_suffix('\'')?.replace("''", "'")),
        None => Some(value.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const YAML: &str = "global:\n  scrape_interval: 15s\n  external_labels:\n    cluster: eu-1\n    number: \"1\"\n    \
                        replica: a\n    team: added\n  rule_query_offset: 0s\nalerting:\n  alert_relabel_configs:\n  \
                        - separator: ;\n    regex: other\n    replacement: $1\n    action: replace\n  - separator: ;\n    \
                        regex: replica|prom_.*\n    replacement: $1\n    action: labeldrop\n  alertmanagers:\n  \
                        - relabel_configs:\n    - regex: cluster\n      action: labeldrop\nrule_files:\n- a.yml\n";

    #[test]
    fn external_labels_are_added_and_dropped_ones_go() {
        let sent = ExternalLabels::read(YAML, &Reader::default());
        let own = Labels::from_iter([("alertname", "Burn"), ("team", "own"), ("prom_x", "1")]);
        let arrived = [("alertname", "Burn"), ("cluster", "eu-1"), ("number", "1"), ("team", "own")]
            .into_iter()
            .collect();
        assert_eq!(sent.apply(&own), arrived);
    }

    #[test]
    fn a_configuration_without_them_changes_nothing() {
        let own = Labels::from_iter([("alertname", "Burn")]);
        for yaml in [
            "",
            "global:\n  scrape_interval: 15s\n",
            "global: {}\nalerting: {}",
            "external_labels:\n    a: b",
        ] {
            assert_eq!(ExternalLabels::read(yaml, &Reader::default()).apply(&own), own, "{yaml}");
        }
    }
}
