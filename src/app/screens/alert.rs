//! The page of one alert: summary, the expression as a chart, history, related alerts, silences, rule.

use std::cmp::Reverse;

use crate::app::explore_choice::ChartQuery;
use crate::app::prelude::*;
use crate::app::subjects;
use crate::app::subjects::change;
use crate::app::zoomed_grid::ZoomedGrid;
use crate::model::promql::{self, Threshold, ThresholdCondition};
use crate::model::rule::Rule;

mod page;
mod view;

/// The panel of related alerts; panel 0 is the page.
pub const RELATED: usize = 1;
/// The panel of the alert's SLO; it is a single row.
pub const SLO: usize = 2;
/// The panel of the alert's incident; it is a single row.
pub const INCIDENT: usize = 3;
/// Most related alerts in the list.
const MAX_RELATED: usize = 50;

const POINTS: u16 = 240;

#[derive(Debug, Default)]
pub struct OpenAlert {
    pub(super) subject: Option<Fingerprint>,
    /// The alerts that have labels in common with it.
    pub related: List<Fingerprint>,
    scroll_position: ScrollPosition,
}

/// What the chart of an alert is drawn from.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct ChartSubject {
    /// The source that evaluates the rule.
    pub(super) source: SourceId,
    pub(super) rule: Arc<Rule>,
    /// The threshold comparison of the expression, if it has one.
    pub(super) condition: Option<ThresholdCondition>,
    /// The query of the chart: one side of the comparison, restricted to the labels of this alert.
    pub(super) query: Text,
    /// The query of the threshold, if the threshold is not a number.
    pub(super) bound_query: Option<Text>,
}

impl OpenAlert {
    /// The label of Enter.
    fn opens(&self) -> &'static str {
        match self.scroll_position.panel {
            SLO => "SLO",
            INCIDENT => "incident",
            RELATED => "alert",
            _ => "service",
        }
    }

    fn alert<'a>(&self, shared: &'a Shared) -> Option<&'a Arc<Alert>> {
        shared.world.alert(self.subject?)
    }

    /// The fingerprint of the related alert under the cursor, else of this alert.
    fn pointed(&self) -> Option<Fingerprint> {
        let related = self.related.current().filter(|_| self.scroll_position.panel == RELATED);
        related.copied().or(self.subject)
    }
}

/// The SLO of an SLO alert, if the SLO is known.
fn slo<'a>(shared: &'a Shared, alert: &Alert) -> Option<&'a SloStatus> {
    shared.world.slo_of(&alert.labels)
}

/// The chart subject of an alert; `None` until a source has listed the rule.
fn subject(shared: &Shared, alert: &Alert) -> Option<ChartSubject> {
    let (source, rule) = shared.world.rule_of(&alert.labels)?;
    let snapshot = shared.world.cache(source).and_then(|cache| cache.rules().value())?;
    // the alert as the rule's source shows it, without the external labels that Alertmanager sees
    let mine = |other: &&Arc<Alert>| {
        other.name() == alert.name() && other.labels.iter().all(|(n, v)| alert.labels.get(n) == Some(v))
    };
    let own = snapshot.alerts.iter().find(mine).map_or(&alert.labels, |alert| &alert.labels);
    let labels = promql::series_labels(own, &rule.labels).without(|name| snapshot.added.get(name).is_some());
    let narrowed = |query: &str, labels: &Labels| -> Text {
        promql::narrowed(query, labels.iter().map(|(name, value)| (&**name, &**value))).into()
    };
    let condition = promql::condition(&rule.expr);
    let query = narrowed(condition.as_ref().map_or(&*rule.expr, |condition| &condition.query), &labels);
    let bound_query = match condition.as_ref().map(|condition| &condition.bound) {
        Some(Threshold::Query(bound)) => Some(narrowed(bound, &Labels::default())),
        Some(Threshold::Constant(_)) | None => None,
    };
    Some(ChartSubject { source: source.clone(), rule: Arc::clone(rule), condition, query, bound_query })
}

impl SubjectScreen for OpenAlert {
    type Subject = Fingerprint;
    const TAB: Option<Tab> = Some(Tab::Alerts);

    fn title(fingerprint: &Fingerprint, shared: &Shared) -> String {
        let Some(alert) = shared.world.alert(*fingerprint) else {
            return "alert no longer listed".to_owned();
        };
        let service = shared.world.service_of(&alert.labels).map(|name| format!(" {name}"));
        format!("{}{}", alert.name(), service.unwrap_or_default())
    }
}

impl Screen for OpenAlert {
    offers! { self [Time, Charts, AnyAction, IncidentActions]:
        Open self.opens(), Silence, Acknowledge, Runbook, Act, CursorBack "values", WholeRange "zoom",
        NextPanel "related", Links, Range, Back
    }

    drawn_by_view!();

    /// The queries of the chart and of the firing history.
    fn wants(&self, shared: &Shared, now: Timestamp) -> Vec<Want> {
        let Some(alert) = self.alert(shared) else { return Vec::new() };
        let mut wants = change::wants(shared, now);
        let Some(subject) = subject(shared, alert) else { return wants };
        if shared.answering(AskKind::Series).any(|source| source.id == subject.source) {
            for query in std::iter::once(&subject.query).chain(&subject.bound_query) {
                let chart = want::chart(shared, query, POINTS, now);
                wants.push(want::series(shared, &subject.source, chart));
                let zoomed =
                    self.charted(shared, now).and_then(|time| ZoomedGrid::of(shared, time, POINTS, now));
                wants.extend(zoomed.map(|zoomed| zoomed.series_want(shared, &subject.source, query)));
            }
        }
        wants.extend(want::firings_of(shared, alert, now));
        wants
    }

    fn revision(&self, shared: &Shared) -> u64 {
        shared.world.alerts_revision()
    }

    /// The related alerts, those with the most labels in common first.
    fn reorder(&mut self, shared: &Shared, _is_typing: bool) {
        let world = &shared.world;
        let Some(alert) = self.alert(shared) else {
            self.related.set_rows(Vec::new());
            self.scroll_position.panel = 0;
            return;
        };
        let service = world.service_of(&alert.labels);
        let likeness = |other: &Alert| {
            let same_service = service.is_some() && world.service_of(&other.labels) == service;
            other.labels.shared_with(&alert.labels) + if same_service { 3 } else { 0 }
        };
        let others = world.alerts().iter().filter(|other| other.fingerprint != alert.fingerprint);
        let mut others: Vec<_> =
            others.map(|other| (likeness(other), other)).filter(|(likeness, _)| *likeness >= 2).collect();
        others.sort_by_key(|(likeness, other)| (Reverse(*likeness), subjects::alert::alert_rank(other)));
        let rows: Vec<Fingerprint> =
            others.into_iter().take(MAX_RELATED).map(|(_, other)| other.fingerprint).collect();
        self.related.set_rows(rows);
        self.leave_empty_panel();
    }

    fn to_top(&mut self) {
        self.related.to_top();
    }

    keeps_scroll_position!();

    lists_panels! {
        4;
        things { RELATED => related, }
        others {}
    }

    fn has_panel(&self, shared: &Shared, _body: Rect, panel: usize) -> bool {
        let alert = self.alert(shared);
        match panel {
            RELATED => !self.related.is_empty(),
            INCIDENT => alert.is_some_and(|alert| shared.world.incident_of(alert.fingerprint).is_some()),
            SLO => alert.is_some_and(|alert| slo(shared, alert).is_some()),
            _ => true,
        }
    }

    fn wheel_panel(&self) -> usize {
        0
    }

    fn grid(&self, _shared: &Shared, body: Rect) -> Grid {
        Grid::list(view::text_area(body))
    }

    fn page(&self, shared: &Shared, width: u16) -> Option<PageContent> {
        // the number of lines does not depend on the time
        let cx = shared.cx(Timestamp::UNIX_EPOCH);
        let alert = self.alert(shared);
        Some(alert.map_or_else(PageContent::default, |alert| page::page(self, &cx, alert, width)))
    }

    fn open(&mut self, shared: &Shared) -> Opened {
        let Some(alert) = self.alert(shared) else { return Opened::Nothing };
        let world = &shared.world;
        match self.scroll_position.panel {
            RELATED => self.items().and_then(|items| items.place(shared)),
            INCIDENT => world.incident_of(alert.fingerprint).map(IncidentKey::of).map(Place::Incident),
            SLO => slo(shared, alert).map(SloKey::of).map(Place::Slo),
            _ => {
                let service = world.service_of(&alert.labels);
                service.filter(|name| world.service(name).is_some()).cloned().map(Place::Service)
            }
        }
        .into()
    }

    fn selection(&self, shared: &Shared) -> Selection {
        match self.scroll_position.panel {
            RELATED => Selection::Alerts(self.related.chosen()),
            INCIDENT => {
                let its = self.subject.and_then(|fingerprint| shared.world.incident_of(fingerprint));
                Selection::Incidents(its.map(IncidentKey::of).into_iter().collect())
            }
            _ => Selection::Alerts(self.subject.into_iter().collect()),
        }
    }

    fn copied(&self, shared: &Shared, now: Timestamp) -> Option<String> {
        self.pointed()?.copied(shared, now)
    }

    fn links(&self, shared: &Shared) -> Vec<(String, Text)> {
        self.subject.map_or_else(Vec::new, |alert| alert.links(shared))
    }

    fn runbooks(&self, shared: &Shared) -> Vec<RunbookQuery> {
        self.pointed().map_or_else(Vec::new, |alert| alert.runbooks(shared))
    }

    fn chart_queries(&self, shared: &Shared, _now: Timestamp) -> Vec<ChartQuery> {
        let Some(subject) = self.alert(shared).and_then(|alert| subject(shared, alert)) else {
            return Vec::new();
        };
        let chart = |title: &str, query: &Text| ChartQuery {
            title: title.to_owned(),
            query: query.clone(),
            source: Some(subject.source.clone()),
        };
        let is_whole = *subject.query == *subject.rule.expr;
        let whole = (!is_whole).then(|| chart("the whole expression of the rule", &subject.rule.expr));
        std::iter::once(chart("the value that the rule compares", &subject.query)).chain(whole).collect()
    }

    /// The range, and the beginning of the alert.
    fn charted(&self, shared: &Shared, now: Timestamp) -> Option<ChartedTime> {
        let event = self.alert(shared).map(|alert| alert.starts_at);
        Some(ChartedTime { grid: shared.range.span(now, POINTS, shared.interval), event })
    }

    fn moment(&self, shared: &Shared) -> Option<Timestamp> {
        self.alert(shared).map(|alert| alert.starts_at)
    }
}
