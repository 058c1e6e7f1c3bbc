//! A promise as a team wrote it down, in a file or in recording rules.

use std::path::PathBuf;
use std::time::Duration;

use super::super::labels::{Labels, Text};
use super::super::promql::Comparison;
use super::super::rule::BrokenRule;
use super::burn_condition::{BurnCondition, Severity};
use super::objective::Objective;
use super::recorded::RecordedSeries;
use super::selector::Selector;
use super::template::Template;
use super::window::Window;
use crate::model::words::words;

/// One service level objective.
///
/// Source of the words: "Implementing SLOs" in the SRE workbook; OpenSLO v1.
#[derive(Debug, Clone, PartialEq)]
pub struct Slo {
    /// What nothing else is called in the same set of files or the same server: `checkout-availability`.
    pub id: Text,
    pub name: Text,
    /// Whose promise it is, if that is said.
    pub service: Option<Text>,
    /// What is promised, in a sentence; may be empty.
    pub description: Text,
    pub labels: Labels,
    pub objective: Objective,
    pub window: Window,
    pub budgeting: BudgetingMethod,
    /// How it is measured; `None` if only its recorded series are known.
    pub sli: Option<Sli>,
    /// Labels that split it: a promise to each of their values.
    pub grouping: Vec<Text>,
    /// When its burn is too fast, the most severe first.
    pub pairs: Vec<BurnCondition>,
    pub alerting: SloAlerting,
    /// The series that recording rules keep for it: found at a source, or where the tool of its file would put them.
    pub recorded: Option<RecordedSeries>,
    pub origin: DefinitionOrigin,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub enum BudgetingMethod {
    /// Each bad event.
    Occurrences,
    /// Each slice of time in which fewer than `least` of the events were good.
    Timeslices {
        slice: Duration,
        /// The share of good events that makes a slice good, 0 to 1.
        least: f64,
    },
    /// The mean of the error ratios of all slices of time.
    RatioTimeslices { slice: Duration },
}

/// Which events a query counts, beside the one that counts all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EventSide {
    Bad,
    Good,
}

/// How good and bad are told apart.
#[derive(Debug, Clone, PartialEq)]
pub enum Sli {
    /// Two queries over the lookback, each the number or the rate of events.
    Events { side: EventSide, part: Template, total: Template },
    /// A query that says the error ratio itself.
    Ratio {
        /// Bad / all over the lookback, 0 to 1.
        error: Template,
    },
    /// Two counters.
    Counters { side: EventSide, part: Selector, total: Selector },
    /// A classic histogram with a bucket at the threshold: `fast` has one `le`.
    Latency {
        /// The bucket of what is fast enough.
        fast: Selector,
        total: Selector,
    },
    /// A native histogram.
    NativeLatency {
        histogram: Selector,
        /// Up to this it is fast enough, in the histogram's unit.
        threshold: f64,
    },
    /// A gauge that is 1 while all is well and 0 otherwise: `up`, `probe_success`.
    Gauge { metric: Selector },
    /// Apdex of a classic histogram: satisfied / all, with half of what is tolerated.
    Apdex {
        /// The buckets, without `le`.
        bucket: Selector,
        /// `le` of what satisfies.
        satisfied: Text,
        /// `le` of what is tolerated; none: only what satisfies counts.
        tolerated: Option<Text>,
        total: Selector,
    },
    /// The share of time in which a value passes.
    Threshold {
        /// The value now, without a lookback.
        value: Template,
        passes: Comparison,
        bound: f64,
    },
}

impl Sli {
    /// The queries in it that are more than selectors.
    pub fn templates(&self) -> impl Iterator<Item = &Template> {
        let (one, other) = match self {
            Self::Events { part, total, .. } => (Some(part), Some(total)),
            Self::Ratio { error: query } | Self::Threshold { value: query, .. } => (Some(query), None),
            Self::Counters { .. }
            | Self::Latency { .. }
            | Self::NativeLatency { .. }
            | Self::Gauge { .. }
            | Self::Apdex { .. } => (None, None),
        };
        one.into_iter().chain(other)
    }
}

/// How the alerts of an SLO are called, kept for writing it out again and for knowing them when they fire.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct SloAlerting {
    /// The alert's name, if the team chose one.
    pub name: Option<Text>,
    /// The name of the alert that tells that its series are gone.
    pub absent_name: Option<Text>,
    pub labels: Labels,
    pub annotations: Labels,
    /// Those that wake someone; none: switched off.
    pub page: Option<AlertMetadata>,
    /// Those that wait for the morning; none: switched off.
    pub ticket: Option<AlertMetadata>,
    /// Whether to alert when its series are gone.
    pub on_absence: bool,
}

#[derive(Debug, Clone, PartialEq, Default)]
pub struct AlertMetadata {
    pub labels: Labels,
    pub annotations: Labels,
}

impl SloAlerting {
    /// All alerts, with nothing said of them.
    pub fn all() -> Self {
        Self {
            page: Some(AlertMetadata::default()),
            ticket: Some(AlertMetadata::default()),
            ..Self::default()
        }
    }

    /// What alerts of this severity carry, if they are wanted.
    pub fn notice(&self, severity: Severity) -> Option<&AlertMetadata> {
        match severity {
            Severity::Page => self.page.as_ref(),
            Severity::Ticket => self.ticket.as_ref(),
        }
    }
}

words! {
    #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
    pub enum Form: name {
        Own = "burnwatch",
        /// `version: prometheus/v1`, or the Kubernetes form of the same.
        Sloth = "sloth",
        /// `openslo/v1` and `openslo/v1alpha`.
        OpenSlo = "openslo",
        /// `pyrra.dev/v1alpha1`.
        Pyrra = "pyrra",
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DefinitionOrigin {
    File {
        path: PathBuf,
        /// Its first line there, from 1.
        line: usize,
        form: Form,
    },
    /// In the series of a source.
    Series,
}

impl Slo {
    /// Labels of alerts that say of which SLO they are.
    pub const IDENTITY_LABELS: [&'static str; 3] = ["sloth_id", "slo", "grafana_slo_uuid"];

    /// Values of [`Slo::IDENTITY_LABELS`] that are this SLO's.
    pub fn identity_labels(&self) -> impl Iterator<Item = (&str, &str)> {
        let recorded = self.recorded.as_ref().map(|recorded| (recorded.family.identity(), &*recorded.id));
        recorded.into_iter().chain([("slo", &*self.id)])
    }

    /// Whether a rule makes its alerts or its series.
    pub fn depends_on_rule(&self, rule: &BrokenRule) -> bool {
        let labels = rule.alert_labels();
        let is_its = |(name, id): (&str, &str)| labels.get(name).is_some_and(|value| **value == *id);
        if rule.records { self.identity_labels().any(is_its) } else { self.is_about(&labels) }
    }

    /// Whether an alert with these labels tells of this SLO: by its recorded identity if both have one, else by the name of its
    /// alerts with the same service, or all labels that it gives them.
    pub fn is_about(&self, alert: &Labels) -> bool {
        if let Some(recorded) = &self.recorded
            && let Some(id) = alert.get(recorded.family.identity())
        {
            return *id == recorded.id;
        }
        if let Some(id) = alert.get("slo") {
            return *id == self.id;
        }
        let name = alert.get("alertname");
        let is_named = [&self.alerting.name, &self.alerting.absent_name]
            .into_iter()
            .any(|own| own.is_some() && own.as_ref() == name);
        let same_service = match (&self.service, alert.get("service")) {
            (Some(mine), Some(theirs)) => mine == theirs,
            _ => true,
        };
        is_named && same_service && self.alerting.labels.is_within(alert)
    }
}
