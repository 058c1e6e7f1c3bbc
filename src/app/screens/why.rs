//! Why a service is unhealthy: the label values, changes, dependencies and resources that explain it, the most likely first.

use crate::app::identity::{WhySubject, WhyTarget};
use crate::app::prelude::*;
use crate::app::subjects::why::{self, WhyFound};
use crate::app::widgets::bar::panel;
use crate::app::widgets::chart::{Chart, ChartLine, ChartMark};
use crate::app::widgets::unit::ValueUnit;
use crate::model::why::{Cause, CauseKind, Symptom, WhyAnalysis, WhySignal, is_ratio, named};

pub mod columns;
mod page;

/// From this width on, what else was looked at stands beside the causes.
const BESIDE: u16 = 130;

/// Identifies a cause while answers change.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct CauseKey {
    kind: CauseKind,
    labels: Labels,
    name: Option<Text>,
    change: Option<Timestamp>,
}

impl CauseKey {
    fn of(cause: &Cause) -> Self {
        let change = cause.changes.first().map(|change| change.at);
        Self { kind: cause.kind, labels: cause.labels.clone(), name: cause.name.clone(), change }
    }
}

#[derive(Debug, Default)]
pub struct OpenWhy {
    pub(super) subject: Option<WhyTarget>,
    causes: Vec<Cause>,
    rows: List<CauseKey>,
    scroll_position: ScrollPosition,
}

impl OpenWhy {
    fn found<'a>(&self, shared: &'a Shared) -> WhyFound<'a> {
        self.subject.as_ref().map(|target| why::found(&shared.world, target)).unwrap_or_default()
    }

    fn current(&self) -> Option<&Cause> {
        let key = self.rows.current()?;
        self.causes.iter().find(|cause| CauseKey::of(cause) == *key)
    }

    /// The signal that the cause under the cursor explains, else the worst.
    fn symptom<'a>(&self, analysis: &'a WhyAnalysis) -> Option<&'a Symptom> {
        let of_cause = self
            .current()
            .and_then(|cause| analysis.symptoms.iter().find(|symptom| symptom.signal == cause.signal));
        of_cause.or_else(|| analysis.symptoms.first())
    }

    /// What Enter does for the cause under the cursor.
    fn opens(&self) -> &'static str {
        match self.current().map(|cause| cause.kind) {
            Some(CauseKind::Label) => "look within",
            Some(CauseKind::Dependency | CauseKind::Service) => "why",
            Some(CauseKind::Alert) => "alert",
            Some(CauseKind::Change | CauseKind::Resource) | None => "service",
        }
    }
}

impl SubjectScreen for OpenWhy {
    type Subject = WhyTarget;
    const TAB: Option<Tab> = Some(Tab::Services);

    fn title(target: &WhyTarget, _shared: &Shared) -> String {
        let within = if target.wanted.filters.is_empty() {
            String::new()
        } else {
            format!(" {}", named(&target.wanted.filters))
        };
        format!("Why {}{within}", target.wanted.service)
    }

    fn tab(target: &WhyTarget) -> Option<Tab> {
        Some(match target.subject {
            WhySubject::Service(_) => Tab::Services,
            WhySubject::Alert(_) => Tab::Alerts,
            WhySubject::Slo(_) => Tab::Slos,
            WhySubject::Incident(_) => Tab::Incidents,
        })
    }
}

/// The areas below the heading: chart, causes, what else was looked at (height 0 if it is below the causes).
fn parts(body: Rect) -> (Rect, Rect, Rect) {
    let room = layout::below_heading(body);
    let chart = match room.height {
        0..14 => 0,
        14..24 => 6,
        height => (height / 3).clamp(8, 14),
    };
    let chart = Rect { height: chart, ..room };
    let text = Rect { y: chart.bottom(), height: room.height - chart.height, ..room };
    if room.width < BESIDE {
        return (chart, text, Rect { height: 0, ..text });
    }
    let left = Rect { width: text.width * 3 / 5, ..text };
    (chart, left, Rect { x: left.right(), width: text.width - left.width, ..text })
}

impl Screen for OpenWhy {
    offers! { self [Time, AnyAction, IncidentActions]:
        Open self.opens(), Copy, Links, Silence, Acknowledge, Back
    }

    fn render(&self, cx: &ScreenCx<'_>, area: Rect, buf: &mut Buffer) {
        let found = self.found(cx.shared);
        let name = self.subject.as_ref().map_or("", |target| &target.wanted.service);
        let right = match (found.failure, found.at, found.source) {
            (Some(error), _, _) if found.analysis.is_some() => {
                vec![StyledRun::new(format!("{} {error} ", cx.symbol(Role::Stale)), Role::Stale)]
            }
            (_, Some(at), Some(source)) => {
                vec![StyledRun::new(format!("{source}, {} ago ", ago(at, cx.now)), Role::Muted)]
            }
            _ => Vec::new(),
        };
        layout::heading(cx, &[StyledRun::new(format!(" Why {name}"), Role::Title)], &right, area, buf);
        let (chart, left, beside) = parts(area);
        if let Some(symptom) =
            found.analysis.and_then(|analysis| self.symptom(analysis)).filter(|_| chart.height > 0)
        {
            draw_chart(cx, symptom, chart, buf);
        }
        let page = self.laid_out(cx, &found, left.width, beside.height == 0);
        page.render(cx, self.scroll_position.scroll, left, buf);
        if let Some(analysis) = found.analysis.filter(|_| beside.height > 0) {
            page::beside(self, cx, analysis, PageContent::new(beside.width)).render(cx, 0, beside, buf);
        }
    }

    fn wants(&self, shared: &Shared, now: Timestamp) -> Vec<Want> {
        self.subject.as_ref().map_or_else(Vec::new, |target| why::wants(shared, target, now))
    }

    fn reorder(&mut self, shared: &Shared, _is_typing: bool) {
        let ranked = self.subject.as_ref().and_then(|target| {
            Some(why::ranked(&shared.world, target, why::found(&shared.world, target).analysis?))
        });
        self.causes = ranked.unwrap_or_default();
        self.rows.set_rows(self.causes.iter().map(CauseKey::of).collect());
    }

    fn to_top(&mut self) {
        self.rows.to_top();
    }

    keeps_scroll_position!();

    fn list_at(&self, _panel: usize) -> Option<&dyn Cursor> {
        Some(&self.rows)
    }

    fn list(&self) -> Option<&dyn Cursor> {
        Some(&self.rows)
    }

    fn list_mut(&mut self) -> Option<&mut dyn Cursor> {
        Some(&mut self.rows)
    }

    fn grid(&self, _shared: &Shared, body: Rect) -> Grid {
        Grid::list(parts(body).1)
    }

    fn page(&self, shared: &Shared, width: u16) -> Option<PageContent> {
        let found = self.found(shared);
        // the number of lines does not depend on the time
        let at = found.at.unwrap_or_default();
        Some(self.laid_out(&shared.cx(at), &found, width, shared.size.0 < BESIDE))
    }

    /// Looks within the label values under the cursor, or opens the dependency, service or alert.
    fn open(&mut self, shared: &Shared) -> Opened {
        let (Some(target), Some(cause)) = (&self.subject, self.current()) else { return Opened::Nothing };
        let service = |name: &Text| shared.world.service(name).map(|one| Place::Service(one.name.clone()));
        match cause.kind {
            CauseKind::Label => {
                let wanted = Arc::new(target.wanted.within(cause.signal, &cause.labels));
                Opened::Place(Place::Why(WhyTarget { subject: target.subject.clone(), wanted }))
            }
            CauseKind::Dependency | CauseKind::Service => {
                let name = cause.name.clone().filter(|name| shared.world.service(name).is_some());
                let subject = name.map(WhySubject::Service);
                let now = target.wanted.until.or(cause.at).unwrap_or_default();
                subject.and_then(|subject| why::target(&shared.world, subject, now)).map(Place::Why).into()
            }
            CauseKind::Alert => {
                let mut alerts = shared.world.alerts().iter();
                let alert = alerts.find(|alert| alert.labels == cause.labels);
                alert.map(|alert| Place::Alert(alert.fingerprint)).into()
            }
            CauseKind::Change | CauseKind::Resource => service(&target.wanted.service).into(),
        }
    }

    fn selection(&self, _shared: &Shared) -> Selection {
        match self.subject.as_ref().map(|target| (&target.subject, &target.wanted.service)) {
            Some((WhySubject::Alert(alert), _)) => Selection::Alerts(vec![*alert]),
            Some((WhySubject::Incident(key), _)) => Selection::Incidents(vec![key.clone()]),
            Some((WhySubject::Service(_) | WhySubject::Slo(_), service)) => {
                Selection::Services(vec![service.clone()])
            }
            None => Selection::Nothing,
        }
    }

    /// Copies the sentence under the cursor, with the name of the service.
    fn copied(&self, _shared: &Shared, _now: Timestamp) -> Option<String> {
        let service = &self.subject.as_ref()?.wanted.service;
        let words = self.current().map(|cause| format!(": {}", cause.words));
        Some(format!("{service}{}", words.unwrap_or_default()))
    }

    fn links(&self, _shared: &Shared) -> Vec<(String, Text)> {
        let changes = self.current().into_iter().flat_map(|cause| &cause.changes);
        let links = changes.filter_map(|change| Some((change.title.to_string(), change.link.clone()?)));
        links.filter(|(_, link)| crate::app::subjects::link::is_link(link)).collect()
    }

    fn moment(&self, shared: &Shared) -> Option<Timestamp> {
        Some(self.found(shared).analysis?.symptoms.first()?.onset)
    }
}

impl OpenWhy {
    fn laid_out(
        &self,
        cx: &ScreenCx<'_>,
        found: &WhyFound<'_>,
        width: u16,
        is_beside_below: bool,
    ) -> PageContent {
        let page = page::causes(self, cx, found, self.new_page(width));
        match found.analysis.filter(|analysis| is_beside_below && analysis.is_known) {
            Some(analysis) => page::beside(self, cx, analysis, page),
            None => page,
        }
    }
}

/// Draws the signal with the bad time as background, and the limits of the good time as marks.
fn draw_chart(cx: &ScreenCx<'_>, symptom: &Symptom, area: Rect, buf: &mut Buffer) {
    let (unit, what) = match symptom.signal {
        WhySignal::Errors => (ValueUnit::Ratio, "failed requests"),
        WhySignal::Latency => (ValueUnit::Ratio, "slow requests"),
        WhySignal::Traffic => (ValueUnit::PerSecond, "requests"),
        WhySignal::Targets => (ValueUnit::Ratio, "targets that are up"),
        WhySignal::Saturation if is_ratio(&symptom.measured_by) => (ValueUnit::Ratio, &*symptom.measured_by),
        WhySignal::Saturation => (ValueUnit::Plain, &*symptom.measured_by),
    };
    let title = format!("{what}: the bad time is shaded, the marks are the time that it is compared with");
    let inner = panel(cx, &title, false, area, buf);
    let lines = [ChartLine { values: &symptom.values, role: Role::Series1, label: what }];
    let shade = [(symptom.bad.start, symptom.bad.end)];
    let (begin, end) = cx.charset.pick(("╟", "╢"), ("[", "]"));
    let mark = |at, symbol| ChartMark { at, symbol, role: Role::Accent };
    let marks = symptom.good.map(|good| [mark(good.start, begin), mark(good.end, end)]);
    let marks = marks.as_ref().map_or(&[][..], |marks| marks);
    Chart { shade: &shade, marks, ..Chart::new(symptom.span, &lines, unit) }.render(cx, inner, buf);
}
