//! The runbooks of the demo: embedded files that represent the runbooks of the shop's teams.

use std::future::ready;

use crate::backend::handlers::{Handler, answer_by};
use crate::backend::kit::cost::Cost;
use crate::backend::runbooks::{info, reply};
use crate::backend::{Answering, Source};
use crate::model::ask::Ask;
use crate::model::runbook::{Runbook, RunbookQuery, RunbookSearch, TriedLocation};
use crate::model::source_info::SourceInfo;

/// The ends of alert names and their runbooks; the first match counts.
const RUNBOOK_FILES: [(&str, &str); 5] = [
    ("ErrorBudgetBurn", include_str!("../../../assets/demo/runbooks/error-budget-burn.md")),
    ("LatencyHigh", include_str!("../../../assets/demo/runbooks/latency-high.md")),
    ("HighErrorRatio", include_str!("../../../assets/demo/runbooks/high-error-ratio.md")),
    ("TargetDown", include_str!("../../../assets/demo/runbooks/target-down.md")),
    ("QueueFillingUp", include_str!("../../../assets/demo/runbooks/queue-filling-up.md")),
];

/// The runbook source of the demo.
pub(super) struct DemoRunbooks {
    info: SourceInfo,
}

impl DemoRunbooks {
    pub(super) fn new() -> Self {
        Self { info: info() }
    }
}

impl Source for DemoRunbooks {
    fn info(&self) -> &SourceInfo {
        &self.info
    }

    fn answer<'a>(&'a self, ask: &'a Ask, known: Option<u64>) -> Answering<'a> {
        answer_by(self, HANDLERS, ask, known)
    }
}

const HANDLERS: &[Handler<DemoRunbooks>] = &[Handler::Runbook(|_, put, wanted| {
    Box::pin(ready(Ok(reply(search(wanted), put.known, Cost::default()))))
})];

/// The runbook whose name the alert's name ends with.
fn search(wanted: &RunbookQuery) -> RunbookSearch {
    let place = wanted.url.clone().unwrap_or_else(|| "the shop's runbooks".into());
    let found = RUNBOOK_FILES.iter().find(|(name, _)| wanted.name.ends_with(name));
    match found {
        Some((_, text)) => {
            let runbook = Runbook { from: place, text: (*text).into(), warnings: Vec::new() };
            RunbookSearch { found: Some(runbook), tried: Vec::new() }
        }
        None => RunbookSearch {
            found: None,
            tried: vec![TriedLocation { place, why: "404: nobody wrote one yet".into() }],
        },
    }
}
