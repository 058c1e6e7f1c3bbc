//! The items that tests, benches and fuzz targets use. An item that is neither listed here nor reachable from
//! [`run`](crate::run) is dead code, and the compiler warns about it. This is not a public API.

pub mod app {
    pub use crate::app::{render, update};
    pub mod event_log {
        pub use crate::app::event_log::LogEventKind;
    }
    pub mod commands {
        pub use crate::app::commands::{Command, KeyMap, Scope};
    }
    pub mod event {
        pub use crate::app::event::{Arrival, Effect, Event, MouseAction, Plan, TerminalLink};
    }
    pub mod filter {
        pub use crate::app::filter::{Filter, Haystack};
    }
    pub mod key {
        pub use crate::app::key::Key;
    }
    pub mod list {
        pub use crate::app::list::Grouping;
    }
    pub mod look {
        pub use crate::app::display_settings::{Charset, Colours, DisplaySettings};
    }
    pub mod markdown {
        pub use crate::app::markdown::page;
    }
    pub mod menu {
        pub use crate::app::menu::MenuChoice;
    }
    pub mod place {
        pub use crate::app::place::{Document, Place, Tab};
    }
    pub mod range {
        pub use crate::app::range::{Range, time_range};
    }
    pub mod screens {
        pub mod alert {
            pub use crate::app::screens::alert::INCIDENT;
        }
        pub mod alerts {
            pub use crate::app::screens::alerts::Row;
        }
        pub mod incident {
            pub use crate::app::screens::incident::ALERTS;
        }
        pub mod incidents {
            pub use crate::app::screens::incidents::Row;
        }
        pub mod overview {
            pub use crate::app::screens::overview::{INCIDENTS, SLOS};
        }
        pub mod service {
            pub use crate::app::screens::service::{INCIDENTS, PARTS, SLOS};
        }
        pub mod slo {
            pub use crate::app::screens::slo::{ALERTS, GROUPS, QUERIES};
        }
        pub mod slos {
            pub use crate::app::screens::slos::Row;
        }
    }
    pub mod selection {
        pub use crate::app::selection::Selection;
    }
    pub mod shared {
        pub use crate::app::shared::Shared;
    }
    pub mod state {
        pub use crate::app::state::{Mode, State};
    }
    pub mod theme {
        pub use crate::app::theme::{Role, Theme};
    }
    pub mod themes {
        pub use crate::app::themes::{all, built_in};
    }
    pub mod widgets {
        pub mod text {
            pub use crate::app::widgets::text::{fit, pad, put, width, wrap};
        }
    }
}
pub mod backend {
    pub use crate::backend::{
        Answering, Clock, KINDS, LocalServer, Received, Receiving, Source, SourceDeps, Transport, connect,
        kind, runbooks,
    };
    pub mod demo {
        pub use crate::backend::demo::{origin, sources};
    }
    pub mod packs {
        pub use crate::backend::packs::{Pack, chosen};
    }
}
pub mod config {
    pub use crate::config::{KnownNames, sample, schema};
    pub mod definitions {
        pub use crate::config::definitions::{
            DEFAULT_PERIOD, Definitions, Finding, FindingLevel, load, parse,
        };
        pub mod write {
            pub use crate::config::definitions::write::{Target, WrittenDocument, write};
        }
    }
    pub mod load {
        pub use crate::config::load::parse;
    }
    pub mod settings {
        pub use crate::config::settings::{
            ConfigDuration, LimitSettings, RunbookSettings, ServiceSettings, Settings, SourceSettings,
        };
    }
    pub mod theme {
        pub use crate::config::theme::parse;
    }
}
pub mod model {
    pub mod action {
        pub use crate::model::action::{
            Action, ActionError, ActionProgress, ActionResult, ActionTarget, EntityRef, Operation,
            OperationKind, RequestPreview, SilenceDraft, Verification, WriteSupport,
        };
    }
    pub mod alert {
        pub use crate::model::alert::{Alert, AlertSnapshot, AlertState, Severity};
    }
    pub mod ask {
        pub use crate::model::ask::{
            Answer, Answered, Ask, AskKind, Moment, Query, QueryRange, Question, Reply, SeriesKey,
        };
    }
    pub mod assessment {
        pub use crate::model::assessment::{Case, assess};
    }
    pub mod duration {
        pub use crate::model::duration::{parse, short, text};
    }
    pub mod fingerprint {
        pub use crate::model::fingerprint::Fingerprint;
    }
    pub mod guard {
        pub use crate::model::guard::Guard;
    }
    pub mod health {
        pub use crate::model::health::{Health, Thresholds};
    }
    pub mod host {
        pub use crate::model::host::{Host, NamedSignal, Usage, order};
    }
    pub mod incident {
        pub use crate::model::incident::{
            AlertCounts, Attribution, Incident, IncidentAlert, IncidentDetail, IncidentEvent,
            IncidentSnapshot, IncidentStatus, Note, PagerRef, Pending, Person, Priority, SimilarIncident,
            Urgency,
        };
    }
    pub mod journal {
        pub use crate::model::journal::{ActionRecord, JournalEntry, records};
    }
    pub mod labels {
        pub use crate::model::labels::{Interner, Labels, Text};
    }
    pub mod matcher {
        pub use crate::model::matcher::{Matcher, Operator, list, lists, parse};
    }
    pub mod notify {
        pub use crate::model::notify::{Notification, QuietHours};
    }
    pub mod oncall {
        pub use crate::model::oncall::{
            EscalationLevel, EscalationPolicy, EscalationTarget, OnCallSnapshot, Shift,
        };
    }
    pub mod placeholder {
        pub use crate::model::placeholder::{TemplatePart, parts};
    }
    pub mod promql {
        pub use crate::model::promql::{
            QueryParseError, check, condition, constant, literal, narrowed, parse, quoted,
            returns_one_series, selectors,
        };
    }
    pub mod remote {
        pub use crate::model::remote::Remote;
    }
    pub mod rule {
        pub use crate::model::rule::RuleSnapshot;
    }
    pub mod runbook {
        pub use crate::model::runbook::{RunbookQuery, RunbookSearch};
    }
    pub mod series {
        pub use crate::model::series::{Matrix, Series, TimeGrid};
    }
    pub mod service {
        pub use crate::model::service::{
            DownTarget, ScrapeTargets, ServiceReading, ServiceSnapshot, Signals,
        };
    }
    pub mod silence {
        pub use crate::model::silence::{
            ProposalInput, Silence, SilenceProposal, SilenceState, left_out, propose, refusal,
        };
    }
    pub mod slo {
        pub use crate::model::slo::{
            BudgetingMethod, BurnSeverity, Calendar, CalendarUnit, DataExtent, DefinitionOrigin, Evaluation,
            EventSide, Family, Form, GroupReading, GroupStatus, InvalidRatio, MeasuredRatio, Objective,
            RecordedSeries, Selector, Sli, Slo, SloAlerting, SloReading, SloSnapshot, SloState, SloStatus,
            Template, Window, standard,
        };
        pub mod query {
            pub use crate::model::slo::query::measure;
        }
        pub mod rules {
            pub use crate::model::slo::rules::{RuleGroup, RuleOutput, generate};
        }
    }
    pub mod source {
        pub use crate::model::source::{ErrorKind, Kind, ProbeReport, SourceError, SourceId};
    }
    pub mod source_info {
        pub use crate::model::source_info::SourceInfo;
    }
    pub mod text {
        pub use crate::model::text::{LIMIT, clean, clean_document, clean_lines, clean_output, is_harmless};
    }
}
pub mod runtime {
    #[cfg(fuzzing)]
    pub use crate::runtime::written;
    pub use crate::runtime::{App, Capability, GatedSources, Program, run};
    pub mod notice {
        pub use crate::runtime::notice::Notices;
    }
    pub mod headless {
        pub use crate::runtime::headless::gather;
    }
}
