//! The SLO definitions of the demo world.

use std::sync::Arc;
use std::time::Duration;

use crate::model::labels::{Labels, Text};
use crate::model::slo::{
    AlertMetadata, BudgetingMethod, DefinitionOrigin, EventSide, Family, Objective, RecordedSeries, Selector,
    Sli, Slo, SloAlerting, Window, standard,
};

use super::fixtures::{Fixtures, SloFixture, SloObjective};

const DAY: u64 = 86_400;
pub(super) const WINDOW: Duration = Duration::from_secs(30 * DAY);
/// The lookbacks of the recording rules.
pub(super) const LOOKBACKS: [u64; 7] = [300, 1800, 3600, 2 * 3600, 6 * 3600, DAY, 3 * DAY];
/// One SLO of a service, with its query.
#[derive(Debug, Clone)]
pub(super) struct DemoSlo {
    pub(super) slo: Arc<Slo>,
    pub(super) bad_event: SloObjective,
}

/// All SLOs of the fixtures, sorted by id.
pub(super) fn demo_slos(book: &Fixtures) -> Vec<DemoSlo> {
    let each = book.slos.iter().flat_map(|promise| promise.services.iter().map(move |name| (promise, name)));
    let mut all: Vec<DemoSlo> = each.map(|(promise, name)| demo_slo(book, promise, name)).collect();
    all.sort_by(|a, b| a.slo.id.cmp(&b.slo.id));
    all
}

fn demo_slo(book: &Fixtures, promise: &SloFixture, service: &str) -> DemoSlo {
    const EMBEDDED_IS_VALID: &str = "the embedded promises are read by the tests";
    let id: Text = format!("{service}-{}", promise.name).into();
    let objective = Objective::percent(&promise.objective).expect(EMBEDDED_IS_VALID);
    let described =
        promise.description.replace("%objective%", &promise.objective).replace("%service%", service);
    let selector = |text: String| Selector::parse(&text).expect(EMBEDDED_IS_VALID);
    let quoted = crate::model::promql::quoted(service);
    let sli = match promise.measure {
        SloObjective::Errors => Sli::Counters {
            side: EventSide::Bad,
            part: selector(format!(r#"http_requests_total{{service={quoted}, code=~"5.."}}"#)),
            total: selector(format!("http_requests_total{{service={quoted}}}")),
        },
        SloObjective::Slower(seconds) => Sli::Latency {
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
        SloObjective::Errors => "ErrorBudgetBurn",
        SloObjective::Slower(_) => "LatencyHigh",
    };
    let slo = Slo {
        name: promise.name.as_str().into(),
        service: Some(service.into()),
        description: described.into(),
        objective,
        window: Window::Rolling(WINDOW),
        budgeting: BudgetingMethod::Occurrences,
        sli: Some(sli),
        grouping: Vec::new(),
        pairs: standard(WINDOW),
        alerting: SloAlerting {
            name: Some(format!("{}{alerts}", super::rules::capitalised(service)).into()),
            page: Some(AlertMetadata::default()),
            ticket: Some(AlertMetadata::default()),
            ..SloAlerting::default()
        },
        recorded: Some(RecordedSeries {
            family: Family::Sloth,
            id: id.clone(),
            labels: labels.clone(),
            metric: "".into(),
            lookbacks: LOOKBACKS.map(Duration::from_secs).to_vec(),
            plugins: Vec::new(),
        }),
        labels,
        origin: DefinitionOrigin::Series,
        id,
    };
    DemoSlo { slo: Arc::new(slo), bad_event: promise.measure }
}

impl DemoSlo {
    pub(super) fn service(&self) -> &str {
        self.slo.service.as_deref().unwrap_or_default()
    }
}
