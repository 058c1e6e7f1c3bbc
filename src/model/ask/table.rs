//! The table of questions: one row for each.

/// Passes the table of questions to another macro.
///
/// The format of a row; the parts in brackets are optional:
/// ```text
/// /// Documentation.
/// Kind [{ [key: Type]; [parameter: Type, ...] }] => place: AnswerType {
///     title: "as it is called on the screen",
///     asked: Always | OnScreen,
///     refresh: Refresh::...,
///     weight: Vital | Slos | Services | Page | Chart,
///     time: Now | Since | Moment | Range,
///     joins: replace | extend(arguments),
///     merges: Nothing | AsIs | Alerts | Services | Slos | Incidents | IncidentLinks | Changes | Capacity
/// }
/// ```
/// - `key` is the subject of the question; without a key there is one question per source. Parameters select the part
///   of the answer that is fetched; they do not distinguish stored answers.
/// - `place` is the field that stores the answer: `cache.place()` reads it, as a map if there is a key.
/// - `asked`: on every screen, or only while a screen needs it. A question asked on every screen has neither key nor parameters.
/// - `refresh`: how often it is asked if its answers are cheap; see [`Refresh`](super::terms::Refresh).
/// - `weight`: the priority where a source allows few requests; see [`Weight`](super::terms::Weight).
/// - `time`: how it depends on the displayed time range; see [`TimeUse`](super::terms::TimeUse).
/// - `joins`: a newer answer replaces the older one, or extends it with `older.extend(newer, arguments)`.
/// - `merges`: the parts of the merged state that an answer updates; see [`Merges`](super::terms::Merges).
///
/// For example, to add a question about quotas:
/// ```text
/// /// How much of each quota is used.
/// Quotas => quotas: QuotaSnapshot {
///     title: "quotas", asked: Always, refresh: Refresh::Every(Duration::from_secs(30)), weight: Vital, time: Now,
///     joins: replace, merges: Nothing
/// }
/// ```
/// and in the source that can answer it, in its `HANDLERS`:
/// ```text
/// Handler::Quotas(|source, put| Box::pin(source.quotas(put.known))),
/// ```
/// Nothing else is needed: sources without a handler do not support it, and `state.world.cache(&source)?.quotas()` reads the
/// answer.
macro_rules! asks {
    ($generate:ident) => {
        $generate! {
            /// Version, features and health of the source. Cheap; also used as the heartbeat.
            Probe => probe: ProbeReport {
                title: "status", asked: Always, refresh: Refresh::AtLeastEvery(HEARTBEAT), weight: Vital, time: Now,
                joins: replace, merges: Nothing
            }
            /// The golden signals and scrape targets of all services.
            Services => services: ServiceSnapshot {
                title: "services", asked: Always, refresh: Refresh::AsConfigured, weight: Services, time: Moment,
                joins: replace, merges: Services
            }
            /// Short histories of all services.
            Trends {
                ;
                /// The time range.
                time_range: QueryRange
            } => trends: ServiceTrends {
                title: "trends", asked: OnScreen, refresh: Refresh::Every(Duration::from_secs(15)), weight: Chart,
                time: Range, joins: extend(time_range.window), merges: Nothing
            }
            /// The golden signals of one service over time.
            Detail {
                /// The service's name.
                service: Text;
                /// The time range.
                time_range: QueryRange
            } => details: ServiceDetail {
                title: "service detail", asked: OnScreen, refresh: Refresh::EachPoint(time_range.window.step()), weight: Page,
                time: Range, joins: extend(time_range.window), merges: Nothing
            }
            /// All alerts.
            Alerts => alerts: AlertSnapshot {
                title: "alerts", asked: Always, refresh: Refresh::AsConfigured, weight: Vital, time: Now,
                joins: replace, merges: Alerts
            }
            /// Alerting rules with their pending and firing alerts.
            Rules => rules: RuleSnapshot {
                title: "rules", asked: Always, refresh: Refresh::AtMostEvery(FREQUENT_INTERVAL), weight: Vital, time: Now,
                joins: replace, merges: Alerts
            }
            /// All pending and active silences.
            Silences => silences: Vec<Arc<Silence>> {
                title: "silences", asked: Always, refresh: Refresh::Every(FREQUENT_INTERVAL), weight: Vital, time: Now,
                joins: replace, merges: AsIs
            }
            /// All SLOs.
            Slos => slos: SloSnapshot {
                title: "SLOs", asked: Always, refresh: Refresh::Every(Duration::from_secs(30)), weight: Slos, time: Moment,
                joins: replace, merges: Slos
            }
            /// Open and recently resolved incidents.
            Incidents => incidents: IncidentSnapshot {
                title: "incidents", asked: Always, refresh: Refresh::Every(FREQUENT_INTERVAL), weight: Vital, time: Now,
                joins: replace, merges: Incidents
            }
            /// The log, notes and alerts of one incident.
            Incident {
                /// Its id.
                id: Text;
            } => incident_details: IncidentDetail {
                title: "incident details", asked: OnScreen, refresh: Refresh::Every(Duration::from_secs(300)), weight: Page,
                time: Now, joins: replace, merges: IncidentLinks
            }
            /// The log entries of all incidents.
            Steps {
                ;
                /// The start of the time range.
                since: Timestamp
            } => steps: IncidentLog {
                title: "incident log", asked: OnScreen, refresh: Refresh::Every(Duration::from_secs(60)),
                weight: Page, time: Since, joins: extend(), merges: Nothing
            }
            /// Who is on call now and over the next days.
            OnCall => on_call: OnCallSnapshot {
                title: "on-call", asked: Always, refresh: Refresh::Every(Duration::from_secs(60)), weight: Vital, time: Now,
                joins: replace, merges: AsIs
            }
            /// A PromQL expression over time.
            Series {
                /// The expression and its time grid.
                series: SeriesKey;
                /// The time range.
                time_range: QueryRange
            } => series: Matrix {
                title: "charts", asked: OnScreen, refresh: Refresh::EachPoint(time_range.window.step()), weight: Chart,
                time: Range, joins: extend(time_range.window), merges: Nothing
            }
            /// When the alert with these labels fired; with empty labels, when all alerts fired. Asked rarely: the query is
            /// expensive, and the current state comes with the alerts.
            Firings {
                /// The alert; for all alerts, a value derived from the time range.
                fingerprint: Fingerprint;
                /// All its labels.
                labels: Labels,
                /// The start of the time range.
                from: Timestamp,
                /// The end of the time range.
                until: Timestamp
            } => firings: FiringSnapshot {
                title: "firing history", asked: OnScreen,
                refresh: Refresh::Every(Duration::from_secs(if labels.is_empty() { 60 } else { 300 })),
                weight: Chart, time: Since, joins: replace, merges: Nothing
            }
            /// The runbook of an alert.
            Runbook {
                /// The alert and its runbook location.
                wanted: Arc<RunbookQuery>;
            } => runbooks: RunbookSearch {
                title: "runbooks", asked: OnScreen, refresh: Refresh::Every(Duration::from_secs(300)), weight: Page,
                time: Now, joins: replace, merges: Nothing
            }
            /// What changed: deployments, restarts, configuration, feature flags.
            Changes {
                ;
                /// The start of the time range.
                since: Timestamp
            } => changes: ChangeSnapshot {
                title: "changes", asked: OnScreen, refresh: Refresh::Every(Duration::from_secs(30)), weight: Page,
                time: Since, joins: extend(), merges: Changes
            }
            /// The log lines of a service, an alert or a query, page by page.
            LogLines {
                /// The lines that are asked for.
                wanted: Arc<LogQuery>;
                /// The part of them.
                page: LogPage
            } => log_lines: LogLines {
                title: "log lines", asked: OnScreen, refresh: Refresh::Every(FOLLOW_INTERVAL), weight: Page, time: Range,
                joins: extend(page), merges: Nothing
            }
            /// The number of log lines over time, by severity.
            LogCounts {
                /// The lines that are counted.
                wanted: Arc<LogQuery>;
                /// The bars.
                window: TimeGrid
            } => log_counts: LogHistogram {
                title: "log histogram", asked: OnScreen, refresh: Refresh::EachPoint(window.step()), weight: Chart,
                time: Range, joins: replace, merges: Nothing
            }
            /// The patterns of the log lines after a moment, compared with those before it.
            LogPatterns {
                /// The lines that are compared.
                wanted: Arc<LogQuery>;
                /// The times that are compared.
                split: LogSplit
            } => log_patterns: LogComparison {
                title: "log patterns", asked: OnScreen, refresh: Refresh::Every(Duration::from_secs(30)), weight: Page,
                time: Range, joins: replace, merges: Nothing
            }
            /// Why a service is unhealthy: the label values that explain it, dependencies, resources.
            Why {
                /// The service, the time and the filters.
                wanted: Arc<WhyQuery>;
            } => analyses: WhyAnalysis {
                title: "why", asked: OnScreen, refresh: Refresh::Every(Duration::from_secs(60)), weight: Page,
                time: Moment, joins: replace, merges: AsIs
            }
            /// When the signals of services became bad before incidents.
            Onsets {
                /// The services and times.
                wanted: Arc<[OnsetQuery]>;
            } => onsets: OnsetSnapshot {
                title: "first bad minutes", asked: OnScreen, refresh: Refresh::Every(Duration::from_secs(300)),
                weight: Chart, time: Now, joins: replace, merges: Nothing
            }
            /// One trace. Asked again, because the last spans of a trace often arrive late.
            Trace {
                /// Its id.
                id: TraceId;
            } => traces: TraceSearch {
                title: "trace", asked: OnScreen, refresh: Refresh::Every(Duration::from_secs(30)), weight: Page, time: Now,
                joins: replace, merges: AsIs
            }
            /// The slowest and the failed traces of a service.
            Traces {
                /// The service's name.
                service: Text;
                /// The start of the time range.
                from: Timestamp,
                /// The end of the time range.
                until: Timestamp
            } => service_traces: TraceSnapshot {
                title: "traces", asked: OnScreen, refresh: Refresh::Every(Duration::from_secs(60)), weight: Page, time: Since,
                joins: replace, merges: AsIs
            }
            /// The resources that are full or over within the time in which services are warned, without their history.
            Filling => filling: CapacitySnapshot {
                title: "forecasts", asked: Always, refresh: Refresh::Every(Duration::from_secs(60)),
                weight: Page, time: Now, joins: replace, merges: Services
            }
            /// All resources with a limit and all deadlines, with their history and forecast.
            Capacity => capacity: CapacitySnapshot {
                title: "capacity", asked: OnScreen, refresh: Refresh::Every(Duration::from_secs(300)), weight: Page,
                time: Now, joins: replace, merges: Capacity
            }
            /// An expression that a user wrote, with its whole result.
            Evaluation {
                /// The expression, and the range if there is one.
                evaluation: EvaluationKey;
                /// The grid of the range; none for the moment of the question.
                window: Option<TimeGrid>
            } => evaluations: Arc<EvaluatedQuery> {
                title: "query", asked: OnScreen, refresh: Refresh::EachPoint(evaluation.step()), weight: Page, time: Range, joins: replace,
                merges: Nothing
            }
            /// All metrics with their types and help texts.
            Metrics => metrics: Arc<MetricCatalog> {
                title: "metric names", asked: OnScreen, refresh: Refresh::Every(Duration::from_secs(300)), weight: Page,
                time: Now, joins: replace, merges: Nothing
            }
            /// Names or values of labels, for completion.
            Labels {
                /// Which ones.
                wanted: LabelSearch;
            } => label_lists: Arc<LabelList> {
                title: "labels", asked: OnScreen, refresh: Refresh::Every(Duration::from_secs(300)), weight: Page,
                time: Now, joins: replace, merges: Nothing
            }
            /// The exemplars of the series in an expression.
            Exemplars {
                /// The expression and its time grid.
                series: SeriesKey;
                /// The grid of the range.
                window: TimeGrid
            } => exemplars: Arc<[Exemplar]> {
                title: "exemplars", asked: OnScreen, refresh: Refresh::Every(Duration::from_secs(60)), weight: Chart,
                time: Range, joins: replace, merges: Nothing
            }
            /// The data sources that the source itself knows, such as those of Grafana.
            DataSources => data_sources: Vec<DataSource> {
                title: "data sources", asked: OnScreen, refresh: Refresh::Every(Duration::from_secs(300)), weight: Page,
                time: Now, joins: replace, merges: Nothing
            }
            /// All dashboards, without their content.
            Dashboards => dashboards: DashboardList {
                title: "dashboards", asked: OnScreen, refresh: Refresh::Every(Duration::from_secs(60)), weight: Page,
                time: Now, joins: replace, merges: AsIs
            }
            /// One dashboard with its panels.
            Dashboard {
                /// Its uid.
                uid: Text;
            } => dashboard_definitions: Arc<Dashboard> {
                title: "dashboard", asked: OnScreen, refresh: Refresh::Every(Duration::from_secs(300)), weight: Page,
                time: Now, joins: replace, merges: Nothing
            }
            /// The values of a variable of a dashboard.
            VariableValues {
                /// The variable's query.
                wanted: Arc<VariableQuery>;
                /// The time range of the dashboard.
                window: TimeGrid
            } => variable_values: VariableValues {
                title: "variable values", asked: OnScreen, refresh: Refresh::Every(Duration::from_secs(300)), weight: Page,
                time: Range, joins: replace, merges: Nothing
            }
            /// The data of a panel of a dashboard.
            PanelData {
                /// Its queries.
                wanted: Arc<PanelQuery>;
                /// The grid of the range.
                window: TimeGrid
            } => panel_data: Arc<PanelFrames> {
                title: "panels", asked: OnScreen, refresh: Refresh::EachPoint(wanted.step), weight: Chart, time: Range,
                joins: replace, merges: Nothing
            }
        }
    };
}
pub(crate) use asks;
