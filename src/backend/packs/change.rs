//! Entries of packs that say in which metrics changes of services can be seen.

use serde::{Deserialize, Deserializer};

use super::{comma, is_name};
use crate::model::change::ChangeKind;
use crate::model::promql::quoted;

/// How a change is seen in a metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(in crate::backend) enum ChangeSign {
    /// A label of the series has a new value, such as the version of a `build_info`.
    Label,
    /// The value of a gauge is another one.
    Value,
    /// The value of a gauge is the time of the last change, in seconds since 1970.
    Time,
    /// A counter increases with each change.
    Count,
    /// The `ReplicaSets` of kube-state-metrics.
    ReplicaSet,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::backend) struct ChangeEntry {
    #[serde(deserialize_with = "kind_of_word")]
    pub(in crate::backend) kind: ChangeKind,
    /// What can be seen, in the plural: `versions`.
    pub(in crate::backend) sees: String,
    pub(in crate::backend) how: ChangeSign,
    /// All must exist; the first one shows the changes, and can be a regular expression.
    pub(in crate::backend) metrics: Vec<String>,
    /// Additional matchers for the selector.
    #[serde(default)]
    pub(super) matchers: String,
    /// Labels that name the service; default: `services.labels`. `pod` stands for the workload in the pod's name.
    #[serde(default)]
    pub(in crate::backend) services: Vec<String>,
    /// Labels that hold the version or value, for `how = "label"`.
    #[serde(default)]
    pub(in crate::backend) value: Vec<String>,
    /// Labels that are kept: series with different values change separately.
    #[serde(default)]
    pub(in crate::backend) labels: Vec<String>,
    /// Labels that identify one of several instances, which are counted.
    #[serde(default)]
    pub(in crate::backend) instance: Vec<String>,
    /// Labels that name what changed, such as the flag.
    #[serde(default)]
    pub(in crate::backend) subject: Vec<String>,
    /// A metric with the label `reason` for each instance.
    pub(in crate::backend) reason: Option<String>,
    /// The title, with `{from}`, `{to}` and kept labels in braces.
    title: Option<String>,
    /// Whether the values mean nothing to people, and are not shown.
    #[serde(default)]
    pub(in crate::backend) hidden: bool,
    /// Whether changes without a known service are left out.
    #[serde(default)]
    pub(in crate::backend) only_known: bool,
    /// Whether the label begins with the name of the service: `checkout-config`.
    #[serde(default)]
    pub(in crate::backend) prefix: bool,
}

fn kind_of_word<'de, D: Deserializer<'de>>(deserializer: D) -> Result<ChangeKind, D::Error> {
    let word = String::deserialize(deserializer)?;
    ChangeKind::of_word(&word).ok_or_else(|| {
        let words: Vec<&str> = ChangeKind::ALL.iter().map(|kind| kind.word()).collect();
        serde::de::Error::custom(format!("`{word}` is not a kind of change: {}", words.join(", ")))
    })
}

impl ChangeEntry {
    /// The metric that shows the changes.
    pub(in crate::backend) fn first(&self) -> &str {
        self.metrics.first().map_or("", |metric| metric)
    }

    /// Whether it stands for any number of metrics.
    pub(in crate::backend) fn is_pattern(&self) -> bool {
        !is_name(self.first())
    }

    /// A selector of this metric, or of all metrics of the entry, with more matchers.
    pub(in crate::backend) fn selector(&self, metric: &str, more: &str) -> String {
        let own = comma(&self.matchers);
        let more = comma(more);
        if is_name(metric) && !self.matchers.contains("__name__") {
            let matchers = format!("{own}{more}");
            return format!("{metric}{{{}}}", matchers.trim_start_matches(','));
        }
        format!("{{__name__=~{}{own}{more}}}", quoted(metric))
    }

    /// The labels, in the order of their precedence, and the words to replace.
    pub(super) fn label_names(&self) -> impl Iterator<Item = &String> {
        let Self { services, value, labels, instance, subject, .. } = self;
        services.iter().chain(value).chain(labels).chain(instance).chain(subject)
    }

    /// Why the entry is not valid.
    pub(super) fn failure(&self) -> Option<String> {
        if self.metrics.is_empty() || self.sees.trim().is_empty() {
            return Some("a change needs `metrics` and `sees`".to_owned());
        }
        match self.how {
            ChangeSign::Label if self.value.is_empty() => {
                Some("`how = \"label\"` needs `value`, the labels that hold the value".to_owned())
            }
            ChangeSign::Count if self.is_pattern() => Some("`how = \"count\"` needs one metric".to_owned()),
            ChangeSign::Label
            | ChangeSign::Value
            | ChangeSign::Time
            | ChangeSign::Count
            | ChangeSign::ReplicaSet => None,
        }
    }

    /// The title of a change between these values.
    pub(in crate::backend) fn title<'l>(
        &self,
        from: Option<&str>,
        to: Option<&str>,
        label: impl Fn(&str) -> &'l str,
    ) -> Option<String> {
        let template = self.title.as_deref()?;
        let mut title = template.replace("{from}", from.unwrap_or("?")).replace("{to}", to.unwrap_or("?"));
        for name in self.labels.iter().chain(&self.subject) {
            title = title.replace(&format!("{{{name}}}"), label(name));
        }
        Some(title)
    }
}
