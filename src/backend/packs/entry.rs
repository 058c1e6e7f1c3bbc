//! The entries of a pack: what they have in common.

use super::{LatencySignal, OwnSignal, Requests, Saturation, Up};
use crate::model::signal::Signal;

#[derive(Debug, Clone, PartialEq)]
pub(in crate::backend) enum PackEntry {
    Requests(Requests),
    Latency(LatencySignal),
    Saturation(Saturation),
    Up(Up),
    Named(OwnSignal),
}

impl PackEntry {
    /// The name in messages.
    pub(in crate::backend) fn name(&self) -> &str {
        match self {
            Self::Requests(Requests { metric: name, .. })
            | Self::Latency(LatencySignal { histogram: name, .. })
            | Self::Saturation(Saturation { resource: name, .. })
            | Self::Up(Up { metric: name, .. })
            | Self::Named(OwnSignal { name, .. }) => name,
        }
    }

    /// The signals that the entry provides; the last one needs more than the metrics.
    pub(in crate::backend) const fn signals(&self) -> &'static [Signal] {
        match self {
            Self::Requests(_) => &[Signal::Requests, Signal::Errors],
            Self::Latency(_) => &[Signal::Latency, Signal::Apdex],
            Self::Saturation(_) => &[Signal::Saturation],
            Self::Up(_) => &[Signal::Servers],
            Self::Named(_) => &[Signal::Named],
        }
    }

    /// The metrics that must exist, by name or regular expression; the labels of the first one identify the service.
    pub(in crate::backend) fn metrics(&self) -> Vec<String> {
        match self {
            Self::Requests(Requests { metric, needs, .. }) | Self::Up(Up { metric, needs, .. }) => {
                std::iter::once(metric).chain(needs).cloned().collect()
            }
            Self::Latency(latency) => vec![latency.metric()],
            Self::Saturation(Saturation { metrics, .. }) | Self::Named(OwnSignal { metrics, .. }) => {
                metrics.clone()
            }
        }
    }

    /// The labels that identify a host and the part of it; `None` if the entry has one value for each service.
    pub(in crate::backend) fn labels(&self) -> Option<&[String]> {
        match self {
            Self::Requests(_) | Self::Latency(_) => None,
            Self::Saturation(Saturation { labels, .. })
            | Self::Up(Up { labels, .. })
            | Self::Named(OwnSignal { labels, .. }) => Some(labels),
        }
    }

    /// The labels and metric names that must be plain names, and the expressions.
    pub(super) fn parts(&self) -> (Vec<&String>, Vec<&String>) {
        match self {
            Self::Requests(Requests { metric, code, needs, all, failed, .. }) => {
                (code.iter().chain([metric]).chain(needs).collect(), all.iter().chain(failed).collect())
            }
            Self::Latency(latency) => (vec![&latency.histogram], Vec::new()),
            Self::Saturation(saturation) => (saturation.labels.iter().collect(), vec![&saturation.expr]),
            Self::Up(Up { metric, needs, labels, expr, .. }) => {
                (labels.iter().chain([metric]).chain(needs).collect(), expr.iter().collect())
            }
            Self::Named(OwnSignal { metrics, labels, expr, .. }) => {
                (labels.iter().chain(metrics).collect(), vec![expr])
            }
        }
    }
}
