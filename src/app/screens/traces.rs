//! The slowest and the failed traces of one service.

use std::collections::BTreeMap;

use crate::app::columns::compare;
use crate::app::filter::FilterFields;
use crate::app::list_screen::{self, LineInput, ListScreen, drawn_as_list, lists};
use crate::app::number::{latency, plural};
use crate::app::prelude::*;
use crate::app::subjects::trace;
use crate::model::source_info::SourceInfo;
use crate::model::trace::{TraceId, TraceSummary};

pub mod columns;

use columns::{ORDERS, TraceItem};

#[derive(Debug, Default)]
pub struct OpenTraces {
    pub(super) subject: Option<Text>,
    pub rows: FilteredList<TraceId>,
    /// The traces of all sources, each with its first source.
    found: BTreeMap<TraceId, (SourceId, Arc<TraceSummary>)>,
    /// The longest duration, for the scale of the bars.
    longest: Duration,
}

impl OpenTraces {
    fn service(&self) -> &str {
        self.subject.as_deref().unwrap_or_default()
    }
}

impl SubjectScreen for OpenTraces {
    type Subject = Text;
    const TAB: Option<Tab> = Some(Tab::Services);

    fn title(service: &Text, _shared: &Shared) -> String {
        format!("Traces of {service}")
    }
}

/// The texts and numbers of a trace that a filter can use.
fn haystack(all: &[&Arc<TraceSummary>]) -> Haystack {
    const FIELDS: FilterFields = FilterFields {
        words: &["state", "service", "operation"],
        numbers: &["duration", "spans", "errors"],
        flags: &["failed"],
    };
    let states = [Text::from("ok"), Text::from("failed")];
    let none = Labels::default();
    let ids: Vec<Text> = all.iter().map(|trace| trace.id.to_string().into()).collect();
    Haystack::with_fields(
        FIELDS,
        all.iter().zip(&ids).map(|(trace, id)| {
            let state = states.get(usize::from(trace.is_failed)).cloned();
            let words = [state, Some(trace.service.clone()), Some(trace.operation.clone())];
            let number = |count: Option<usize>| count.map_or(f64::NAN, |count| count as f64);
            let numbers = [trace.duration.as_secs_f64(), number(trace.spans), number(trace.errors)];
            (&none, trace.services.iter().chain([id]), words, numbers)
        }),
    )
}

impl Screen for OpenTraces {
    offers! { [List, Time]: Open "trace", Filter, Sort, Range, Earlier, Copy "copy id", Links, Back }

    drawn_as_list!();

    fn wants(&self, shared: &Shared, now: Timestamp) -> Vec<Want> {
        let Some(service) = &self.subject else { return Vec::new() };
        let until = shared.range.end.unwrap_or(now);
        let from = until.checked_sub(shared.range.length).unwrap_or(Timestamp::UNIX_EPOCH);
        let want = |source: &SourceInfo| {
            want::of(shared, &source.id, Query::Traces { service: service.clone(), from, until })
        };
        shared.answering(AskKind::Traces).map(want).collect()
    }

    fn reorder(&mut self, shared: &Shared, is_typing: bool) {
        self.found = trace::listed(shared, self.service());
        let mut all: Vec<&Arc<TraceSummary>> = self.found.values().map(|(_, trace)| trace).collect();
        self.longest = all.iter().map(|trace| trace.duration).max().unwrap_or_default();
        let order = self.rows.order;
        all.sort_by(|a, b| compare(&ORDERS, order, |by| by(a, b)).then_with(|| a.id.cmp(&b.id)));
        let revision = shared.world.revision();
        let passes = self.rows.found.select(revision, is_typing, || haystack(&all));
        let rows = passing(all, passes.as_deref()).map(|trace| trace.id).collect();
        self.rows.list.set_rows(rows);
    }

    fn to_top(&mut self) {
        self.rows.list.to_top();
    }

    fn leave(&mut self) {
        self.found = BTreeMap::new();
    }

    lists_rows!(rows.list);

    fn orders(&self) -> Vec<NamedOrder> {
        named(&ORDERS)
    }

    fn selection(&self, _shared: &Shared) -> Selection {
        Selection::Services(self.subject.iter().cloned().collect())
    }

    fn moment(&self, _shared: &Shared) -> Option<Timestamp> {
        self.rows.list.current().and_then(|id| self.found.get(id)).map(|(_, trace)| trace.starts_at)
    }
}

impl ListScreen for OpenTraces {
    lists!(TraceId);

    const COLUMNS: &'static [ListColumn<Self>] = columns::COLUMNS;
    const USED: &'static [AskKind] = &[AskKind::Traces];
    const NOUN: &'static str = "trace";

    fn title(&self, cx: &ScreenCx<'_>) -> Vec<StyledRun<'static>> {
        let shown = count(self.rows.list.rows().len(), self.found.len());
        let mut runs = list_screen::titled(&format!("Traces of {}", self.service()), shown);
        let failed = self.found.values().filter(|(_, trace)| trace.is_failed).count();
        if failed > 0 {
            runs.push(StyledRun::new(format!("  {failed} failed"), Role::Critical));
        }
        if !self.found.is_empty() {
            let words = format!("  slowest {}", latency(self.longest.as_secs_f64()));
            runs.push(StyledRun::new(words, Role::Text));
        }
        // the range of the answer, which can differ from the chosen one until the next answer has arrived
        let ranges =
            trace::snapshots(cx.shared, self.service()).map(|(_, snapshot)| (snapshot.from, snapshot.until));
        let words = ranges.reduce(|a, b| (a.0.min(b.0), a.1.max(b.1))).map_or_else(
            || cx.shared.range.words(cx.now),
            |(from, until)| {
                format!("{} to {}", moment(from, cx.now, cx.zone), moment(until, cx.now, cx.zone))
            },
        );
        runs.push(StyledRun::new(format!("  {words}"), Role::Muted));
        let cut = trace::snapshots(cx.shared, self.service()).filter(|(_, snapshot)| snapshot.is_cut).count();
        if cut > 0 {
            let words = format!("  more than the {} that were read", plural(self.found.len(), "trace"));
            runs.push(StyledRun::new(words, Role::Stale));
        }
        runs.extend(list_screen::ordered(self));
        runs.extend(list_screen::marked(self.rows.list.marks().len()));
        runs.extend(self.rows.found.title_runs());
        runs
    }

    fn line<'a>(&'a self, of: &LineInput<'a, '_, TraceId>) -> Option<Line<'a, Self>> {
        let LineInput { cx, stale, key, .. } = of;
        let (source, trace) = self.found.get(key)?;
        let role = if trace.is_failed { Role::Critical } else { Role::Muted };
        let item = TraceItem { trace, source, longest: self.longest };
        Some(Line::Item(ListRow { is_stale: stale.contains(source), ..self.row(cx, item, role) }))
    }

    fn has_items(&self, _world: &World) -> bool {
        !self.found.is_empty()
    }

    fn none(&self, cx: &ScreenCx<'_>) -> Vec<(String, Role)> {
        let states = |source: &SourceId| {
            let remote = cx.world.cache(source)?.service_traces().get(self.service())?;
            Some(&**remote)
        };
        let none = format!("No traces of {}, {}", self.service(), cx.shared.range.words(cx.now));
        trace::lack(cx.shared, AskKind::Traces, states, &none)
    }
}
