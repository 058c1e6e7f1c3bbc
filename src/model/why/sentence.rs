//! The sentences of causes.

use jiff::Timestamp;

use super::{LabelFinding, Symptom, WhySignal};
use crate::model::change::Change;
use crate::model::duration;
use crate::model::health::{latency, percent};
use crate::model::labels::Labels;
use crate::model::remote::age;
use crate::model::value::Value;

/// A share in whole per cent, as it is read aloud.
pub fn share(ratio: f64) -> String {
    let value = ratio * 100.0;
    match value {
        v if v > 0.0 && v < 1.0 => "<1%".into(),
        v if v > 99.0 && v < 99.95 => "99%".into(),
        v => format!("{v:.0}%"),
    }
}

/// `region=eu-west-1 and route=/cart`; values with spaces are quoted.
pub fn named(labels: &Labels) -> String {
    let value = |value: &str| {
        if value.is_empty() || value.contains(char::is_whitespace) {
            format!("{value:?}")
        } else {
            value.to_owned()
        }
    };
    let all: Vec<String> = labels.iter().map(|(name, text)| format!("{name}={}", value(text))).collect();
    all.join(" and ")
}

/// A level of a signal, with its unit if that is known.
pub fn level(symptom: &Symptom, value: f64) -> String {
    match symptom.signal {
        WhySignal::Errors | WhySignal::Latency => percent(value),
        WhySignal::Traffic => Value::Rate(value).shown(Timestamp::UNIX_EPOCH),
        WhySignal::Targets | WhySignal::Saturation => amount(&symptom.measured_by, value),
    }
}

/// A value of a metric, with the unit that its name ends with.
pub fn amount(metric: &str, value: f64) -> String {
    if is_ratio(metric) {
        return percent(value);
    }
    if metric.ends_with("_bytes") {
        let units = ["B", "KiB", "MiB", "GiB", "TiB"];
        let (mut left, mut unit) = (value, 0);
        while left.abs() >= 1024.0 && unit + 1 < units.len() {
            left /= 1024.0;
            unit += 1;
        }
        return format!("{} {}", plain(left), units.get(unit).copied().unwrap_or_default());
    }
    if metric.ends_with("_seconds") {
        return latency(value);
    }
    plain(value)
}

fn plain(value: f64) -> String {
    if (value - value.round()).abs() < 0.005 && value.abs() < 1e9 {
        return format!("{value:.0}");
    }
    Value::Number(value).shown(Timestamp::UNIX_EPOCH)
}

/// Whether a metric is a ratio from 0 to 1 by its name.
pub fn is_ratio(metric: &str) -> bool {
    ["_ratio", "_utilization", "_utilisation"].iter().any(|end| metric.ends_with(end))
}

/// The signal in words: "23.1% of requests fail (0.05% before)".
pub fn headline(symptom: &Symptom) -> String {
    let was =
        symptom.before.map(|before| format!(" ({} before)", level(symptom, before))).unwrap_or_default();
    let now = level(symptom, symptom.after);
    match symptom.signal {
        WhySignal::Errors => format!("{now} of requests fail{was}"),
        WhySignal::Latency => {
            let bound = symptom
                .bound
                .map_or_else(|| "slow".to_owned(), |bound| format!("slower than {}", latency(bound)));
            format!("{now} of requests are {bound}{was}")
        }
        WhySignal::Traffic => format!("{now} requests{was}"),
        WhySignal::Targets => format!(
            "{} of targets are up{}",
            percent(symptom.after),
            symptom.before.map(|before| format!(" ({} before)", percent(before))).unwrap_or_default()
        ),
        WhySignal::Saturation => {
            format!("{} is {now}{was}", symptom.resource.as_deref().unwrap_or(&symptom.measured_by))
        }
    }
}

/// "94% of the failed requests come from version=2.0.0-rc1, which serves 12% of the traffic".
pub fn of_label(symptom: &Symptom, finding: &LabelFinding) -> String {
    let who = named(&finding.labels);
    let part = share(finding.explained);
    let traffic = share(finding.traffic);
    let new = if finding.is_new { " and is new" } else { "" };
    match symptom.signal {
        WhySignal::Errors => {
            format!(
                "{part} of the failed requests come from {who}, which serves {traffic} of the traffic{new}"
            )
        }
        WhySignal::Latency => {
            let bound = symptom.bound.map_or_else(String::new, |bound| format!(" than {}", latency(bound)));
            format!(
                "{part} of the requests slower{bound} come from {who}, which serves {traffic} of the traffic{new}"
            )
        }
        WhySignal::Traffic if symptom.before.is_some_and(|before| before > symptom.after) => {
            let before = share(finding.traffic_before);
            format!("{part} of the missing requests are missing at {who}, which had {before} of the traffic")
        }
        WhySignal::Traffic => {
            let before = share(finding.traffic_before);
            format!("{part} of the additional requests come to {who}, which had {before} of the traffic")
        }
        WhySignal::Targets | WhySignal::Saturation => {
            let what = symptom.resource.as_deref().unwrap_or(&symptom.measured_by);
            format!("{part} of the change of {what} is at {who}")
        }
    }
}

/// "deployed 35s before", "flag changed 12s after".
pub fn of_change(change: &Change, onset: Timestamp) -> String {
    let title = if change.title.is_empty() { change.kind.word() } else { &*change.title };
    let about = if change.is_about { "about " } else { "" };
    if change.at <= onset {
        let time = duration::short(age(change.at, onset));
        return format!("{}: {title}, {about}{time} before", change.kind.word());
    }
    let time = duration::short(age(onset, change.at));
    format!("{}: {title}, {about}{time} after", change.kind.word())
}
