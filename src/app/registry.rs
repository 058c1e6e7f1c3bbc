//! The one table of screens. Places, tabs, number keys, commands, storage and dispatch are made from it.
//!
//! - `tabs`: screens of line 2. Number keys stay what they are as more screens come.
//!   `place  module::Type  number title short command help`
//! - `lists`: screens that stand for themselves, with the tab that they belong to, if any.
//!   `place  module::Type  title (tab)`
//! - `about`: screens about one thing; their types implement `About`, too.
//!   `place(subject)  module::Type`

/// Hands the table of screens to another macro.
macro_rules! screens {
    ($with:ident) => {
        $with! {
            tabs {
                Overview overview::Overview '1' "Overview" "Over" "overview" "What is wrong, at a glance";
                Services services::Services '2' "Services" "Svc" "services" "All services with their golden signals";
                Slos slos::Slos '3' "SLOs" "SLO" "slos" "All SLOs: budgets and burn rates";
                Alerts alerts::Alerts '4' "Alerts" "Alerts" "alerts" "All alerts";
                Incidents incidents::Incidents '5' "Incidents" "Inc" "incidents" "All incidents: status, urgency, who was paged and who has them";
                OnCall oncall::OnCall '6' "On-call" "Call" "on-call" "Who is on call now, next, and over the week";
                Timeline timeline::Timeline '7' "Timeline" "Time" "timeline"
                    "Everything that happened, the newest first; from an alert or incident at its moment";
                Sources sources::Sources '9' "Sources" "Src" "sources" "The systems that are asked, and how they are";
            }
            lists {
                Silences silences::Silences "Silences" (Alerts);
                Messages messages::MessageLog "Messages" ();
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
                /// Something written for others to read.
                Report(Document) document::OpenDocument;
                /// The runbook of an alert or of what else has one.
                Runbook(Arc<RunbookQuery>) runbook::OpenRunbook;
            }
        }
    };
}

pub(in crate::app) use screens;
