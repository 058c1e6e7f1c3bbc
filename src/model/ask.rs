//! The questions that can be put to a source, and the answers: where `app` and `backend` meet.

use std::sync::Arc;

use jiff::Timestamp;

use super::alert::AlertBoard;
use super::fingerprint::Fingerprint;
use super::firing::FiringBoard;
use super::incident::{IncidentBoard, IncidentDetail, StepBoard};
use super::labels::{Labels, Text};
use super::oncall::OnCallBoard;
use super::rule::RuleBoard;
use super::runbook::{Search, Wanted};
use super::series::{Matrix, Span};
use super::service::{Detail, ServiceBoard, Trends};
use super::silence::Silence;
use super::slo::SloBoard;
use super::source::{Offer, SourceError, SourceId};
use super::warning::Warning;

/// A stretch of history that is wanted, and the part of it that is asked for now.
///
/// `tail` is the end of `window` on the same grid; the first time it is the whole of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Stretch {
    /// All that is wanted on the screen.
    pub window: Span,
    /// What is to be fetched.
    pub tail: Span,
}

/// One question.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Ask {
    /// Who are you, what do you offer, are you well? Cheap; also the heartbeat.
    Probe,
    /// The golden signals and targets of all services, now or at a moment.
    Services {
        /// `None`: now.
        at: Option<Timestamp>,
    },
    /// Short histories of all services.
    Trends(Stretch),
    /// The golden signals of one service over time.
    Detail {
        /// The service's name.
        service: Text,
        /// Over which time.
        stretch: Stretch,
    },
    /// All alerts.
    Alerts,
    /// Alerting rules with the alerts that they hold pending or firing.
    Rules,
    /// All silences that are not over.
    Silences,
    /// All SLOs, now or at a moment.
    Slos {
        /// `None`: now.
        at: Option<Timestamp>,
    },
    /// Incidents that are open or were lately.
    Incidents,
    /// One incident: what happened to it, what was written, its alerts.
    Incident {
        /// Its id.
        id: Text,
    },
    /// What happened to all incidents.
    Steps {
        /// From when on.
        since: Timestamp,
    },
    /// Who is on call now and over the next days.
    OnCall,
    /// A PromQL expression over time.
    Series {
        /// The expression.
        query: Text,
        /// Over which time.
        stretch: Stretch,
    },
    /// When the alert with these labels fired; without labels, when all alerts did.
    Firings {
        /// Which alert.
        fingerprint: Fingerprint,
        /// All its labels.
        labels: Labels,
        /// From when on.
        from: Timestamp,
        /// Until when.
        until: Timestamp,
    },
    /// What to do about an alert, as its team wrote it down.
    Runbook(Arc<Wanted>),
}

/// The kinds of [`Ask`], for saying what a source can answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum AskKind {
    /// [`Ask::Probe`]
    Probe,
    /// [`Ask::Services`]
    Services,
    /// [`Ask::Trends`]
    Trends,
    /// [`Ask::Detail`]
    Detail,
    /// [`Ask::Alerts`]
    Alerts,
    /// [`Ask::Rules`]
    Rules,
    /// [`Ask::Silences`]
    Silences,
    /// [`Ask::Slos`]
    Slos,
    /// [`Ask::Incidents`]
    Incidents,
    /// [`Ask::Incident`]
    Incident,
    /// [`Ask::Steps`]
    Steps,
    /// [`Ask::OnCall`]
    OnCall,
    /// [`Ask::Series`]
    Series,
    /// [`Ask::Firings`]
    Firings,
    /// [`Ask::Runbook`]
    Runbook,
}

impl AskKind {
    /// Every kind.
    pub const ALL: [Self; 15] = [
        Self::Probe,
        Self::Services,
        Self::Trends,
        Self::Detail,
        Self::Alerts,
        Self::Rules,
        Self::Silences,
        Self::Slos,
        Self::Incidents,
        Self::Incident,
        Self::Steps,
        Self::OnCall,
        Self::Series,
        Self::Firings,
        Self::Runbook,
    ];

    /// Those that are asked whatever is on the screen, for counts and states of sources depend on them.
    pub const BOARDS: &[Self] = &[
        Self::Probe,
        Self::Services,
        Self::Alerts,
        Self::Rules,
        Self::Silences,
        Self::Slos,
        Self::Incidents,
        Self::OnCall,
    ];

    /// The word for it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Probe => "status",
            Self::Services => "services",
            Self::Trends => "trends",
            Self::Detail => "service detail",
            Self::Alerts => "alerts",
            Self::Rules => "rules",
            Self::Silences => "silences",
            Self::Slos => "SLOs",
            Self::Incidents => "incidents",
            Self::Incident => "one incident",
            Self::Steps => "what happened to incidents",
            Self::OnCall => "on-call",
            Self::Series => "charts",
            Self::Firings => "earlier firings",
            Self::Runbook => "runbooks",
        }
    }
}

impl AskKind {
    /// Whether its questions are each about one thing: a service, an expression, an alert, an incident. Of the others there is one
    /// for each source.
    pub const fn is_about_one(self) -> bool {
        match self {
            Self::Detail | Self::Incident | Self::Series | Self::Firings | Self::Runbook => true,
            Self::Probe
            | Self::Services
            | Self::Trends
            | Self::Alerts
            | Self::Rules
            | Self::Silences
            | Self::Slos
            | Self::Incidents
            | Self::Steps
            | Self::OnCall => false,
        }
    }
}

impl Ask {
    /// Which kind of question it is.
    pub const fn kind(&self) -> AskKind {
        match self {
            Self::Probe => AskKind::Probe,
            Self::Services { .. } => AskKind::Services,
            Self::Trends(_) => AskKind::Trends,
            Self::Detail { .. } => AskKind::Detail,
            Self::Alerts => AskKind::Alerts,
            Self::Rules => AskKind::Rules,
            Self::Silences => AskKind::Silences,
            Self::Slos { .. } => AskKind::Slos,
            Self::Incidents => AskKind::Incidents,
            Self::Incident { .. } => AskKind::Incident,
            Self::Steps { .. } => AskKind::Steps,
            Self::OnCall => AskKind::OnCall,
            Self::Series { .. } => AskKind::Series,
            Self::Firings { .. } => AskKind::Firings,
            Self::Runbook(_) => AskKind::Runbook,
        }
    }
}

/// A question to one source, in one context.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Question {
    /// Counts up with each change of context, so that late answers of the old one are told apart.
    pub context: u64,
    /// Whom to ask.
    pub source: SourceId,
    /// What.
    pub ask: Ask,
    /// The digest of the answer that is already known; the source may then say [`Answer::Unchanged`].
    pub known: Option<u64>,
}

/// An answer in the model's words.
#[derive(Debug, Clone)]
pub enum Answer {
    /// The same as the one with the digest that was `known`.
    Unchanged,
    /// To [`Ask::Probe`].
    Probe(Offer),
    /// To [`Ask::Services`].
    Services(ServiceBoard),
    /// To [`Ask::Trends`], over its tail.
    Trends(Trends),
    /// To [`Ask::Detail`], over its tail.
    Detail(Detail),
    /// To [`Ask::Alerts`].
    Alerts(AlertBoard),
    /// To [`Ask::Rules`].
    Rules(RuleBoard),
    /// To [`Ask::Silences`].
    Silences(Vec<Arc<Silence>>),
    /// To [`Ask::Slos`].
    Slos(SloBoard),
    /// To [`Ask::Incidents`].
    Incidents(IncidentBoard),
    /// To [`Ask::Incident`].
    Incident(IncidentDetail),
    /// To [`Ask::Steps`].
    Steps(StepBoard),
    /// To [`Ask::OnCall`].
    OnCall(OnCallBoard),
    /// To [`Ask::Series`], over its tail.
    Series(Matrix),
    /// To [`Ask::Firings`].
    Firings(FiringBoard),
    /// To [`Ask::Runbook`].
    Runbook(Search),
}

/// An answer with what it cost.
#[derive(Debug, Clone)]
pub struct Reply {
    /// What was answered.
    pub answer: Answer,
    /// What is missing in it, and what else was said beside it; each once.
    pub warnings: Vec<Warning>,
    /// Recognises the same answer next time, where the source can tell.
    pub digest: Option<u64>,
    /// Bytes received over the wire.
    pub bytes_in: u64,
    /// Requests made.
    pub requests: u32,
}

impl Reply {
    /// An answer that cost nothing, as the demo world's do.
    pub fn free(answer: Answer) -> Self {
        Self { answer, warnings: Vec::new(), digest: None, bytes_in: 0, requests: 0 }
    }
}

/// What comes back for a [`Question`].
pub type Answered = Result<Reply, SourceError>;
