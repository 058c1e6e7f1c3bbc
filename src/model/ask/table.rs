//! The table of questions: all that is known of each stands in its row.

/// Hands the table of questions to another macro.
///
/// A row, with the parts in brackets left out where a question has none:
/// ```text
/// /// Documentation.
/// Kind [{ [key: Type]; [parameter: Type, ...] }] => place: AnswerType {
///     title: "as it is called on the screen",
///     asked: Always | OnScreen,
///     refresh: Refresh::...,
///     weight: Vital | Slos | Services | Page | Chart,
///     time: Now | Since | Moment | Range,
///     joins: replace | extend(arguments),
///     merges: Nothing | AsIs | Alerts | Services | Slos | Incidents | IncidentLinks
/// }
/// ```
/// - `key` is what the question is about; of a question without a key there is one for each source. Parameters say which part
///   of the answer is asked for, and do not tell answers apart.
/// - `place` is where the answer is kept: `held.place()` reads it, by key where there is one.
/// - `asked`: on every screen, or only while a screen wants it. What is asked on every screen has neither key nor parameters.
/// - `refresh`: how often it is asked while its answers are cheap; see [`Refresh`](super::terms::Refresh).
/// - `weight`: what goes first where a source has little room; see [`Weight`](super::terms::Weight).
/// - `time`: what the time range of the screen changes in it; see [`TimeUse`](super::terms::TimeUse).
/// - `joins`: a newer answer replaces the older one, or extends it by `older.extend(newer, arguments)`.
/// - `merges`: what of the world is worked out anew after an answer; see [`Merges`](super::terms::Merges).
///
/// To add the question who deployed what lately:
/// ```text
/// /// What was deployed lately.
/// Changes => changes: ChangeBoard {
///     title: "changes", asked: Always, refresh: Refresh::Every(Duration::from_secs(30)), weight: Vital, time: Now,
///     joins: replace, merges: Nothing
/// }
/// ```
/// and in the source that knows it, among its `HANDLERS`:
/// ```text
/// Handler::Changes(|source, put| Box::pin(source.changes(put.known))),
/// ```
/// Nothing else: sources without a handler do not offer it, and `state.world.held(&source)?.changes()` reads the answer.
macro_rules! asks {
    ($generate:ident) => {
        $generate! {
            /// Who are you, what do you offer, are you well? Cheap; also the heartbeat.
            Probe => probe: ProbeReport {
                title: "status", asked: Always, refresh: Refresh::AtLeastEvery(HEARTBEAT), weight: Vital, time: Now,
                joins: replace, merges: Nothing
            }
            /// The golden signals and targets of all services.
            Services => services: ServiceBoard {
                title: "services", asked: Always, refresh: Refresh::AsConfigured, weight: Services, time: Moment,
                joins: replace, merges: Services
            }
            /// Short histories of all services.
            Trends {
                ;
                /// Over which time.
                stretch: QueryRange
            } => trends: ServiceTrends {
                title: "trends", asked: OnScreen, refresh: Refresh::Every(Duration::from_secs(15)), weight: Chart,
                time: Range, joins: extend(stretch.window), merges: Nothing
            }
            /// The golden signals of one service over time.
            Detail {
                /// The service's name.
                service: Text;
                /// Over which time.
                stretch: QueryRange
            } => details: ServiceDetail {
                title: "service detail", asked: OnScreen, refresh: Refresh::EachPoint(stretch.window.step()), weight: Page,
                time: Range, joins: extend(stretch.window), merges: Nothing
            }
            /// All alerts.
            Alerts => alerts: AlertBoard {
                title: "alerts", asked: Always, refresh: Refresh::AsConfigured, weight: Vital, time: Now,
                joins: replace, merges: Alerts
            }
            /// Alerting rules with the alerts that they hold pending or firing.
            Rules => rules: RuleBoard {
                title: "rules", asked: Always, refresh: Refresh::AtMostEvery(FREQUENT_INTERVAL), weight: Vital, time: Now,
                joins: replace, merges: Alerts
            }
            /// All silences that are not over.
            Silences => silences: Vec<Arc<Silence>> {
                title: "silences", asked: Always, refresh: Refresh::Every(FREQUENT_INTERVAL), weight: Vital, time: Now,
                joins: replace, merges: AsIs
            }
            /// All SLOs.
            Slos => slos: SloBoard {
                title: "SLOs", asked: Always, refresh: Refresh::Every(Duration::from_secs(30)), weight: Slos, time: Moment,
                joins: replace, merges: Slos
            }
            /// Incidents that are open or were lately.
            Incidents => incidents: IncidentBoard {
                title: "incidents", asked: Always, refresh: Refresh::Every(FREQUENT_INTERVAL), weight: Vital, time: Now,
                joins: replace, merges: Incidents
            }
            /// One incident: what happened to it, what was written, its alerts.
            Incident {
                /// Its id.
                id: Text;
            } => incident_details: IncidentDetail {
                title: "one incident", asked: OnScreen, refresh: Refresh::Every(Duration::from_secs(300)), weight: Page,
                time: Now, joins: replace, merges: IncidentLinks
            }
            /// What happened to all incidents.
            Steps {
                ;
                /// From when on.
                since: Timestamp
            } => steps: IncidentLog {
                title: "what happened to incidents", asked: OnScreen, refresh: Refresh::Every(Duration::from_secs(60)),
                weight: Page, time: Since, joins: extend(), merges: Nothing
            }
            /// Who is on call now and over the next days.
            OnCall => on_call: OnCallBoard {
                title: "on-call", asked: Always, refresh: Refresh::Every(Duration::from_secs(60)), weight: Vital, time: Now,
                joins: replace, merges: AsIs
            }
            /// A PromQL expression over time.
            Series {
                /// Which expression, on what grid.
                series: SeriesKey;
                /// Over which time.
                stretch: QueryRange
            } => series: Matrix {
                title: "charts", asked: OnScreen, refresh: Refresh::EachPoint(stretch.window.step()), weight: Chart,
                time: Range, joins: extend(stretch.window), merges: Nothing
            }
            /// When the alert with these labels fired; without labels, when all alerts did. The past of one alert is long, and its
            /// present is told otherwise: that is asked seldom.
            Firings {
                /// Which alert; of all alerts, over how long.
                fingerprint: Fingerprint;
                /// All its labels.
                labels: Labels,
                /// From when on.
                from: Timestamp,
                /// Until when.
                until: Timestamp
            } => firings: FiringBoard {
                title: "earlier firings", asked: OnScreen,
                refresh: Refresh::Every(Duration::from_secs(if labels.is_empty() { 60 } else { 300 })),
                weight: Chart, time: Since, joins: replace, merges: Nothing
            }
            /// What to do about an alert, as its team wrote it down.
            Runbook {
                /// Which one.
                wanted: Arc<RunbookQuery>;
            } => runbooks: RunbookSearch {
                title: "runbooks", asked: OnScreen, refresh: Refresh::Every(Duration::from_secs(300)), weight: Page,
                time: Now, joins: replace, merges: Nothing
            }
        }
    };
}
pub(crate) use asks;
