//! The definition of an SLO, read from a file or from the series of recording rules.

use std::path::PathBuf;
use std::time::Duration;

use super::super::labels::{Labels, Text};
use super::super::promql::Comparison;
use super::super::rule::BrokenRule;
use super::burn_condition::{BurnCondition, BurnSeverity};
use super::objective::Objective;
use super::recorded::RecordedSeries;
use super::selector::Selector;
use super::template::Template;
use super::window::Window;
use crate::model::words::words;

/// One service level objective.
///
/// Source of the terms: "Implementing SLOs" in the SRE workbook; OpenSLO v1.
#[derive(Debug, Clone, PartialEq)]
pub struct Slo {
    /// Unique within its set of files or its server: `checkout-availability`.
    pub id: Text,
    pub name: Text,
    /// The service that the SLO belongs to, if one is given.
    pub service: Option<Text>,
    /// The description by its team; may be empty.
    pub description: Text,
    /// Labels such as team and tier.
    pub labels: Labels,
    /// The share of events that must be good.
    pub objective: Objective,
    /// The time over which the objective applies.
    pub window: Window,
    /// What counts against the error budget.
    pub budgeting: BudgetingMethod,
    /// How good and bad events are measured; `None` if only the recorded series are known.
    pub sli: Option<Sli>,
    /// Labels that split the SLO: the objective applies to each combination of their values.
    pub grouping: Vec<Text>,
    /// The burn-rate conditions of its alerts, the most severe first.
    pub pairs: Vec<BurnCondition>,
    /// Names, labels and annotations of its alerts.
    pub alerting: SloAlerting,
    /// The series that recording rules keep for it: found at a source, or expected from the tool whose format the file has.
    pub recorded: Option<RecordedSeries>,
    /// Where the definition was read.
    pub origin: DefinitionOrigin,
}

/// What counts against the error budget.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum BudgetingMethod {
    /// Each bad event.
    Occurrences,
    /// Each time slice in which less than `least` of the events were good.
    Timeslices {
        /// The length of a time slice.
        slice: Duration,
        /// The share of good events that makes a time slice good, 0 to 1.
        least: f64,
    },
    /// The mean of the error ratios of all time slices.
    RatioTimeslices { slice: Duration },
}

/// Which events the first query counts; the second query counts all events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EventSide {
    Bad,
    Good,
}

/// Service level indicator: how the shares of good and bad events are measured.
#[derive(Debug, Clone, PartialEq)]
pub enum Sli {
    /// Two queries over the lookback, each the number or the rate of events.
    Events {
        side: EventSide,
        part: Template,
        total: Template,
    },
    /// A query for the error ratio.
    Ratio {
        /// Bad / all over the lookback, 0 to 1.
        error: Template,
    },
    Counters {
        side: EventSide,
        part: Selector,
        total: Selector,
    },
    /// A classic histogram with a bucket at the threshold: `fast` has one `le`.
    Latency {
        /// The bucket that counts the fast enough observations.
        fast: Selector,
        total: Selector,
    },
    /// A native histogram with a threshold.
    NativeLatency {
        histogram: Selector,
        /// Observations up to this value are good, in the unit of the histogram.
        threshold: f64,
    },
    /// A gauge that is 1 while all is well and 0 otherwise: `up`, `probe_success`.
    Gauge {
        metric: Selector,
    },
    /// Apdex of a classic histogram: satisfied / all, with half of what is tolerated.
    Apdex {
        /// The bucket series, without a matcher for `le`.
        bucket: Selector,
        /// `le` of the satisfied observations.
        satisfied: Text,
        /// `le` of the tolerated observations; `None`: only satisfied ones count.
        tolerated: Option<Text>,
        total: Selector,
    },
    /// The share of time in which a value fulfils a comparison.
    Threshold {
        /// A query for the current value, without a lookback.
        value: Template,
        /// The comparison of the value with `bound` that means success.
        passes: Comparison,
        /// The number that the value is compared with.
        bound: f64,
    },
}

impl Sli {
    /// The same SLI with its queries and its selectors replaced.
    #[must_use]
    pub fn map(
        mut self,
        query: impl Fn(&Template) -> Template,
        selector: impl Fn(&Selector) -> Selector,
    ) -> Self {
        let (queries, selectors) = match &mut self {
            Self::Events { part, total, .. } => (vec![part, total], vec![]),
            Self::Ratio { error: query } | Self::Threshold { value: query, .. } => (vec![query], vec![]),
            Self::Counters { part: one, total, .. }
            | Self::Latency { fast: one, total }
            | Self::Apdex { bucket: one, total, .. } => (vec![], vec![one, total]),
            Self::NativeLatency { histogram: one, .. } | Self::Gauge { metric: one } => (vec![], vec![one]),
        };
        for old in queries {
            *old = query(old);
        }
        for old in selectors {
            *old = selector(old);
        }
        self
    }
}

/// Names and labels of the alerts of an SLO, for writing rules and for recognising the alerts when they fire.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct SloAlerting {
    /// The alert's name, if the team chose one.
    pub name: Option<Text>,
    /// The name of the alert for missing series.
    pub absent_name: Option<Text>,
    pub labels: Labels,
    pub annotations: Labels,
    /// Alerts that page someone; `None`: disabled.
    pub page: Option<AlertMetadata>,
    /// Alerts that create a ticket; `None`: disabled.
    pub ticket: Option<AlertMetadata>,
    /// Whether to alert when the SLO's series are missing.
    pub on_absence: bool,
}

/// Labels and annotations of the alerts of one severity.
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

    /// Labels and annotations of the alerts of this severity; `None` if they are disabled.
    pub fn notice(&self, severity: BurnSeverity) -> Option<&AlertMetadata> {
        match severity {
            BurnSeverity::Page => self.page.as_ref(),
            BurnSeverity::Ticket => self.ticket.as_ref(),
        }
    }
}

words! {
    /// The file formats for SLO definitions.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
    pub enum Form: name {
        Own = "burnwatch",
        /// Sloth: `version: prometheus/v1`, or the Kubernetes resource.
        Sloth = "sloth",
        /// OpenSLO: `openslo/v1` and `openslo/v1alpha`.
        OpenSlo = "openslo",
        /// Pyrra: `pyrra.dev/v1alpha1`.
        Pyrra = "pyrra",
    }
}

/// Where an SLO definition was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DefinitionOrigin {
    File {
        path: PathBuf,
        /// The first line of the definition in the file, from 1.
        line: usize,
        form: Form,
    },
    /// In the series of a source.
    Series,
}

impl Slo {
    /// Alert labels that identify an SLO.
    pub const IDENTITY_LABELS: [&'static str; 3] = ["sloth_id", "slo", "grafana_slo_uuid"];

    /// The labels of [`Slo::IDENTITY_LABELS`] that identify this SLO, with their values.
    pub fn identity_labels(&self) -> impl Iterator<Item = (&str, &str)> {
        let recorded = self.recorded.as_ref().map(|recorded| (recorded.family.identity(), &*recorded.id));
        recorded.into_iter().chain([("slo", &*self.id)])
    }

    /// Whether this broken rule should record the SLO's series or raise its alerts.
    pub fn depends_on_rule(&self, rule: &BrokenRule) -> bool {
        let labels = rule.alert_labels();
        let is_its = |(name, id): (&str, &str)| labels.get(name).is_some_and(|value| **value == *id);
        if rule.records { self.identity_labels().any(is_its) } else { self.is_about(&labels) }
    }

    /// Whether an alert with these labels belongs to this SLO. An identity label decides if both have it; otherwise the alert
    /// needs a name that the SLO gives to its alerts, all labels that the SLO gives them, and the same service where both name
    /// one.
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
