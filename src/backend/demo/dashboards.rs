//! The dashboards of the demo: embedded files that stand for those of the shop's Grafana. Their panels ask the demo's Prometheus
//! servers and Loki.

use std::future::ready;
use std::sync::{Arc, LazyLock};

use crate::backend::dashboards::read;
use crate::backend::handlers::{Handler, answer_by};
use crate::backend::kit::probe::probe_report;
use crate::backend::{Answering, Source};
use crate::model::action::WriteSupport;
use crate::model::ask::{Answer, Ask, AskKind, Reply};
use crate::model::dashboard::{Dashboard, DashboardList};
use crate::model::query_language::QueryLanguage;
use crate::model::source::{ErrorKind, Kind, SourceError, SourceId};
use crate::model::source_info::SourceInfo;

/// The dashboards, in the order of the list.
static DASHBOARDS: LazyLock<Vec<Arc<Dashboard>>> = LazyLock::new(|| {
    let files = [
        include_str!("../../../assets/demo/dashboards/golden.json"),
        include_str!("../../../assets/demo/dashboards/shop.json"),
    ];
    files
        .iter()
        .map(|file| Arc::new(read::dashboard(file).expect("an embedded dashboard is valid")))
        .collect()
});

/// The source of the dashboards.
pub(super) struct DemoDashboards {
    info: SourceInfo,
}

const HANDLERS: &[Handler<DemoDashboards>] = &[
    Handler::Probe(|_, _| Box::pin(ready(Ok(probe())))),
    Handler::Dashboards(|_, _| Box::pin(ready(Ok(list())))),
    Handler::Dashboard(|source, _, uid| Box::pin(ready(source.dashboard(uid)))),
];

impl DemoDashboards {
    pub(super) fn new() -> Self {
        let info = SourceInfo {
            id: SourceId::new("dashboards"),
            kind: Kind::new("dashboards"),
            address: "the shop's dashboards".into(),
            tenant: None,
            is_exposed: false,
            answers: vec![AskKind::Probe, AskKind::Dashboards, AskKind::Dashboard],
            writes: WriteSupport::NONE,
            language: QueryLanguage::default(),
        };
        Self { info }
    }

    fn dashboard(&self, uid: &str) -> Result<Reply, SourceError> {
        let found = DASHBOARDS.iter().find(|dashboard| *dashboard.entry.uid == *uid);
        let missing = || ErrorKind::BadQuery { message: format!("there is no dashboard {uid}") };
        let found = found.ok_or_else(|| SourceError::new(self.info.id.clone(), missing()))?;
        Ok(Reply::free(Answer::Dashboard(Arc::clone(found))))
    }
}

fn probe() -> Reply {
    let mut report = probe_report("Dashboards", "");
    report.fact("dashboards", DASHBOARDS.len().to_string());
    Reply::free(Answer::Probe(report))
}

fn list() -> Reply {
    let entries = DASHBOARDS.iter().map(|dashboard| Arc::new(dashboard.entry.clone())).collect();
    Reply::free(Answer::Dashboards(DashboardList { entries, notes: Vec::new() }))
}

impl Source for DemoDashboards {
    fn info(&self) -> &SourceInfo {
        &self.info
    }

    fn answer<'a>(&'a self, ask: &'a Ask, known: Option<u64>) -> Answering<'a> {
        answer_by(self, HANDLERS, ask, known)
    }
}
