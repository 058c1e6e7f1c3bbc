//! Fills in annotation templates as Prometheus does, as far as the demo's rules use them.

use jiff::Timestamp;
use url::Url;

use crate::model::health::{latency, percent};
use crate::model::labels::{Labels, Text};

use super::fixtures::Deploy;

/// All annotations with their `{{ }}` templates filled in.
pub(super) fn filled(annotations: &Labels, labels: &Labels, value: f64) -> Labels {
    Labels::new(
        annotations.iter().map(|(name, text)| (name.clone(), fill(text, labels, value).into())).collect(),
    )
}

/// Adds the recent deployment as an annotation; `when` converts a time of the chapter.
pub(super) fn with_change(annotations: &Labels, deploy: &Deploy, when: impl Fn(f64) -> Timestamp) -> Labels {
    let text = format!("{} {} was rolled out at {:.0}", deploy.service, deploy.version, when(deploy.at.0));
    annotations.with_strs([("recent_change", text)])
}

/// The graph page of an expression.
pub(super) fn graph(source: &str, expr: &str) -> Option<Text> {
    let parameters = [("g0.expr", expr), ("g0.tab", "0")];
    let page = Url::parse_with_params(&format!("https://{source}.shop.example/graph"), parameters).ok()?;
    Some(page.as_str().into())
}

/// Fills in one template; supports `$labels.name`, `$value` and the formats of the demo's rules.
fn fill(template: &str, labels: &Labels, value: f64) -> String {
    let mut parts = template.split("{{");
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (inside, rest) = part.split_once("}}").unwrap_or((part, ""));
        let (what, how) = inside.split_once('|').unwrap_or((inside, ""));
        match what.trim().strip_prefix("$labels.") {
            Some(name) => out.push_str(labels.value(name)),
            None => out.push_str(&match how.trim() {
                "humanizePercentage" => percent(value),
                "humanizeDuration" => latency(value),
                _ => short(value),
            }),
        }
        out.push_str(rest);
    }
    out
}

/// A number with up to one decimal; with `k` from a thousand on.
fn short(value: f64) -> String {
    match value.abs() {
        size if size >= 1000.0 => format!("{:.1}k", value / 1000.0),
        size if size >= 100.0 => format!("{value:.0}"),
        _ => format!("{value:.1}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_and_values_are_filled_in() {
        let labels = Labels::from_iter([("service", "cart")]);
        let text = "{{ $labels.service }}: {{ $value | humanizePercentage }} in {{ $labels.none }}";
        assert_eq!(fill(text, &labels, 0.123), "cart: 12.3% in ");
        assert_eq!(fill("{{ $value | humanize }} to go", &labels, 61_300.0), "61.3k to go");
        assert_eq!(fill("plain", &labels, 1.0), "plain");
    }
}
