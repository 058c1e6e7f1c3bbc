//! The table of screens. Places, tabs, number keys, commands, storage and dispatch are generated from it.
//!
//! - `tabs`: screens with a tab in line 2. A number key never changes when screens are added.
//!   `place  module::Type  number title short command help`
//! - `lists`: other lists, with the tab that they belong to, if any.
//!   `place  module::Type  title (tab)`
//! - `about`: screens about one subject; their types implement [`SubjectScreen`](super::screen::SubjectScreen).
//!   `place(subject)  module::Type`

/// Passes the table of screens to another macro.
macro_rules! screens {
    ($with:ident) => {
        $with! {
            tabs {
                Overview overview::Overview '1' "Overview" "Over" "overview" "Services, incidents, SLOs and alerts, worst first";
                Services services::Services '2' "Services" "Svc" "services" "All services with their golden signals";
                Slos slos::Slos '3' "SLOs" "SLO" "slos" "All SLOs with error budgets and burn rates";
                Alerts alerts::Alerts '4' "Alerts" "Alerts" "alerts" "Firing and pending alerts";
                Incidents incidents::Incidents '5' "Incidents" "Inc" "incidents" "Incidents with status, urgency and assignees";
                OnCall oncall::OnCall '6' "On-call" "Call" "on-call" "Who is on call now, next and in the coming week";
                Timeline timeline::Timeline '7' "Timeline" "Time" "timeline"
                    "All events, newest first; from an alert or incident at the time when it began";
                Explore explore::Explore '8' "Explore" "Expl" "explore" "Queries of your own: completion, hints, chart, table";
                Sources sources::Sources '9' "Sources" "Src" "sources" "The configured sources: state, errors and traffic";
            }
            lists {
                Silences silences::Silences "Silences" (Alerts);
                Messages messages::MessageLog "Messages" ();
                Capacity capacity::CapacityList "Capacity" ();
                Dashboards dashboards::DashboardScreen "Dashboards" ();
            }
            about {
                /// One service.
                Service(Text) service::OpenService;
                /// One SLO of one source.
                Slo(SloKey) slo::OpenSlo;
                /// One alert.
                Alert(Fingerprint) alert::OpenAlert;
                /// One incident of one source.
                Incident(IncidentKey) incident::OpenIncident;
                /// One escalation policy of one source.
                Policy(PolicyKey) policy::OpenPolicy;
                /// A generated report.
                Report(Document) document::OpenDocument;
                /// The runbook of an alert, incident, SLO or service.
                Runbook(Arc<RunbookQuery>) runbook::OpenRunbook;
                /// The logs of a service, an alert or a query.
                Logs(Arc<LogSubject>) logs::OpenLogs;
                /// Why a service is unhealthy.
                Why(WhyTarget) why::OpenWhy;
                /// One trace.
                Trace(TraceId) trace::OpenTrace;
                /// The slowest and the failed traces of a service.
                Traces(Text) traces::OpenTraces;
                /// One resource with a limit.
                Resource(CapacityKey) resource::OpenResource;
                /// One dashboard, or a panel of it.
                Dashboard(Arc<DashboardTarget>) dashboard::OpenDashboard;
            }
        }
    };
}

pub(in crate::app) use screens;
