//! The promises of the demo world, as definitions of SLOs.

use std::sync::Arc;
use std::time::Duration;

use crate::model::labels::{Labels, Text};
use crate::model::slo::{
    Alerting, Budgeting, Family, Notice, Objective, Origin, Recorded, Selector, Side, Sli, Slo, Window,
    standard,
};

use super::book::{Book, Promise, Promised};

const DAY: u64 = 86_400;
pub(super) const WINDOW: Duration = Duration::from_secs(30 * DAY);
/// Over which lookbacks their rules record.
pub(super) const LOOKBACKS: [u64; 7] = [300, 1800, 3600, 2 * 3600, 6 * 3600, DAY, 3 * DAY];
/// A promise of one service, with what it is measured by.
#[derive(Debug, Clone)]
pub(super) struct Pledge {
    pub(super) slo: Arc<Slo>,
    pub(super) promised: Promised,
}

/// The promises of the book, in the order of their ids.
pub(super) fn pledges(book: &Book) -> Vec<Pledge> {
    let each = book.slos.iter().flat_map(|promise| promise.services.iter().map(move |name| (promise, name)));
    let mut all: Vec<Pledge> = each.map(|(promise, name)| pledge(book, promise, name)).collect();
    all.sort_by(|a, b| a.slo.id.cmp(&b.slo.id));
    all
}

fn pledge(book: &Book, promise: &Promise, service: &str) -> Pledge {
    const SOUND: &str = "the embedded promises are read by the tests";
    let id: Text = format!("{service}-{}", promise.name).into();
    let objective = Objective::percent(&promise.objective).expect(SOUND);
    let described =
        promise.description.replace("%objective%", &promise.objective).replace("%service%", service);
    let selector = |text: String| Selector::parse(&text).expect(SOUND);
    let quoted = crate::model::promql::quoted(service);
    let sli = match promise.measure {
        Promised::Errors => Sli::Counters {
            side: Side::Bad,
            part: selector(format!(r#"http_requests_total{{service={quoted}, code=~"5.."}}"#)),
            total: selector(format!("http_requests_total{{service={quoted}}}")),
        },
        Promised::Slower(seconds) => Sli::Latency {
            fast: selector(format!(
                r#"http_request_duration_seconds_bucket{{service={quoted}, le="{seconds}"}}"#
            )),
            total: selector(format!("http_request_duration_seconds_count{{service={quoted}}}")),
        },
    };
    let team = book.services.iter().find(|known| known.name == service);
    let labels = team.map(|known| Labels::from_iter([("team", &known.team), ("tier", &known.tier)]));
    let labels = labels.unwrap_or_default();
    let alerts = match promise.measure {
        Promised::Errors => "ErrorBudgetBurn",
        Promised::Slower(_) => "LatencyHigh",
    };
    let slo = Slo {
        name: promise.name.as_str().into(),
        service: Some(service.into()),
        description: described.into(),
        objective,
        window: Window::Rolling(WINDOW),
        budgeting: Budgeting::Occurrences,
        sli: Some(sli),
        grouping: Vec::new(),
        pairs: standard(WINDOW),
        alerting: Alerting {
            name: Some(format!("{}{alerts}", super::rules::capitalised(service)).into()),
            page: Some(Notice::default()),
            ticket: Some(Notice::default()),
            ..Alerting::default()
        },
        recorded: Some(Recorded {
            family: Family::Sloth,
            id: id.clone(),
            labels: labels.clone(),
            metric: "".into(),
            lookbacks: LOOKBACKS.map(Duration::from_secs).to_vec(),
            plugins: Vec::new(),
        }),
        labels,
        origin: Origin::Series,
        id,
    };
    Pledge { slo: Arc::new(slo), promised: promise.measure }
}

impl Pledge {
    pub(super) fn service(&self) -> &str {
        self.slo.service.as_deref().unwrap_or_default()
    }
}
