//! The items that tests, benches and fuzz targets use. An item that is neither listed here nor reachable from
//! [`run`](crate::run) is dead code, and the compiler warns about it. This is not a public API.

/// Declares public modules with the names of the crate's modules, which re-export the listed items: `use ITEM, ...;` those of
/// the module itself, `NAME: ITEM, ...;` those of a module in it, and `NAME { ... }` a module with modules of its own.
macro_rules! reexport {
    ([$($path:tt)*]) => {};
    ([$($path:tt)*] use $($item:ident),+; $($rest:tt)*) => {
        pub use $($path)*::{$($item),+};
        reexport! { [$($path)*] $($rest)* }
    };
    ([$($path:tt)*] $name:ident: $($item:ident),+; $($rest:tt)*) => {
        pub mod $name {
            pub use $($path)*::$name::{$($item),+};
        }
        reexport! { [$($path)*] $($rest)* }
    };
    ([$($path:tt)*] $name:ident { $($inner:tt)* } $($rest:tt)*) => {
        pub mod $name {
            reexport! { [$($path)*::$name] $($inner)* }
        }
        reexport! { [$($path)*] $($rest)* }
    };
}

reexport! { [crate]
    app {
        use render, update;
        commands: Command, KeyMap, Scope;
        display_settings: Charset, ChartSymbols, Colours, DisplaySettings;
        event: Arrival, Effect, Event, MouseAction, Plan, TerminalLink;
        event_log: LogEventKind;
        filter: Filter, Haystack;
        identity: ReviewSubject;
        key: Key;
        list: Grouping;
        log_subject: LogSubject;
        markdown: page;
        menu: MenuChoice;
        place: Document, Place, Tab;
        range: Range, time_range;
        screens {
            alert: INCIDENT;
            alerts: Row;
            incident: ALERTS, CockpitPanel;
            incidents: Row;
            overview: INCIDENTS, SLOS;
            service: INCIDENTS, PARTS, SLOS;
            slo: ALERTS, GROUPS, QUERIES;
            slos: Row;
        }
        selection: Selection;
        shared: Shared;
        state: Mode, State;
        theme: Role, Theme;
        themes: all, built_in;
        widgets {
            text: fit, pad, put, width, wrap;
        }
    }
    backend {
        use Answering, Clock, KINDS, LocalServer, Received, Receiving, Source, SourceDeps, Transport,
            connect, kind, runbooks;
        dashboards {
            read: DashboardError, dashboard;
        }
        demo: origin, sources;
        packs: Pack, chosen;
    }
    config {
        use KnownNames, sample, schema;
        definitions {
            use DEFAULT_PERIOD, Definitions, Finding, FindingLevel, load, parse;
            write: Target, WrittenDocument, write;
        }
        load: parse;
        settings: ConfigDuration, LimitSettings, RunbookSettings, ServiceSettings, Settings, SourceSettings;
        theme: parse;
    }
    model {
        action: Action, ActionError, ActionProgress, ActionResult, ActionTarget, EntityRef, Operation,
            OperationKind, RequestPreview, SilenceDraft, Verification, WriteSupport;
        alert: Alert, AlertSnapshot, AlertState, Severity;
        ask: Answer, Answered, Ask, AskKind, Moment, Query, QueryRange, Question, Reply, SeriesKey;
        assessment: Case, assess;
        capacity: CapacityKey, CapacityReading, CapacitySnapshot, CapacityUnit, CapacityUse, LOOKBACKS,
            Outlook, UsageLine, forecast, lookback_grid;
        change: Change, ChangeKind, ChangeSnapshot;
        dashboard {
            use Dashboard, DashboardEntry, DashboardList, DashboardSection, DataSourceRef, PanelQuery;
            field: FieldOptions;
            interpolation: Interpolation;
            panel: GridPlace, LegendOptions, Panel, PanelKind, PanelQueryDefinition, PanelRepeat;
            transform: transform;
            variable: Variable, VariableKind, VariableSort, VariableValues, VariableVisibility;
        }
        duration: parse, short, text;
        evaluation: EvaluatedQuery, EvaluationKey, LabelSearch, QueryResult, SampleValue;
        fingerprint: Fingerprint;
        frame: DataFrame, FieldValues, FrameField, PanelFrames, QueryFailure;
        fixtures: alert, group, incident, pager_ref, person, reading, slo, source, span;
        guard: Guard;
        health: Health, Thresholds;
        host: Host, NamedSignal, Usage, order;
        incident: AlertCounts, Attribution, Incident, IncidentAlert, IncidentDetail, IncidentEvent,
            IncidentSnapshot, IncidentStatus, Note, PagerRef, Pending, Person, Priority, SimilarIncident,
            Urgency;
        journal: ActionRecord, JournalEntry, records;
        labels: Interner, Labels, Text;
        log: Comparer, LogHistogram, LogLine, LogLines, LogQuery, LogSplit, ReadLines, SampledLines;
        matcher: Matcher, Operator, list, lists, parse;
        metric: MetricCatalog, MetricType;
        notify: Notification, QuietHours;
        oncall: EscalationLevel, EscalationPolicy, EscalationTarget, OnCallSnapshot, Shift;
        placeholder: TemplatePart, parts;
        promql {
            use QueryParseError, check, condition, constant, dimension, literal, narrowed, only, parse, quoted,
                returns_one_series, selectors, split_by;
            complete: Expected, at_cursor, main_selector;
            lint: LintContext, QueryLint, lint;
        }
        remote: Remote;
        rule: RuleSnapshot;
        runbook: RunbookQuery, RunbookSearch;
        saved_query: QueryStore, StoreChange, StoreEdit;
        series: Matrix, Series, TimeGrid;
        service: DownTarget, ScrapeTargets, ServiceDetail, ServiceReading, ServiceSnapshot, Signals;
        signal: UnknownSignals;
        silence: ProposalInput, Silence, SilenceProposal, SilenceState, left_out, propose, refusal;
        slo {
            use BudgetingMethod, BurnSeverity, Calendar, CalendarUnit, DataExtent, DefinitionOrigin,
                Evaluation, EventSide, Family, Form, GroupReading, GroupStatus, InvalidRatio, MeasuredRatio,
                Objective, RecordedSeries, Selector, Sli, Slo, SloAlerting, SloReading, SloSnapshot,
                SloState, SloStatus, Template, TimeRange, Window, standard;
            query: measure;
            rules: RuleGroup, RuleOutput, generate;
        }
        source: ErrorKind, Kind, ProbeReport, SourceError, SourceId;
        source_info: SourceInfo;
        text: LIMIT, clean, clean_document, clean_lines, clean_output, is_harmless;
        why: DependencyMeasure, DependencyState, LabelFinding, OtherService, Symptom, WhyAnalysis, WhyQuery, WhySignal;
        trace: Span, SpanEvent, SpanKind, SpanStatus, Trace, TraceId, TraceSearch, TraceSnapshot,
            TraceSummary;
    }
}

pub mod runtime {
    #[cfg(fuzzing)]
    pub use crate::runtime::written;
    reexport! { [crate::runtime]
        use App, Capability, Executor, GatedSources, Program, run;
        headless: gather;
        notice: Notices;
    }
}
