//! The list of sources: state, errors and what to do, round trip, traffic, watchdog.

use crate::app::list_screen;
use crate::app::prelude::*;
use crate::app::staleness::doubt;
use crate::model::remote::AnswerState;
use crate::model::source_info::SourceInfo;
use crate::model::warning::WarningKind;
use crate::model::world::Watchdog;

pub mod columns;

use columns::answered;

#[derive(Debug, Default)]
pub struct Sources {
    /// The rows, in the order of the configuration.
    pub list: List<SourceId>,
}

impl Screen for Sources {
    offers! { []: Refresh, Back }

    fn render(&self, cx: &ScreenCx<'_>, area: Rect, buf: &mut Buffer) {
        let (list_area, page) = parts(area, cx.shared.sources.len());
        let title = list_screen::titled("Sources", cx.shared.sources.len().to_string());
        let room = layout::heading(cx, &title, &[], list_area, buf);
        let find = |id: &SourceId| cx.shared.sources.iter().find(|source| source.id == *id);
        let list = &self.list;
        let line = |id, _| Some(Line::Item(columns::row(cx, find(id)?)));
        crate::app::columns::render((columns::COLUMNS, ()), (list, None), line, cx, room, buf);
        if let Some(source) = list.current().and_then(find) {
            let lines = about(cx, source, page.width);
            text::lines(cx, &lines, page, buf);
        }
    }

    fn change_context(&mut self, shared: &Shared) {
        self.list = List::default();
        self.list.set_rows(shared.sources.iter().map(|source| source.id.clone()).collect());
    }

    fn list(&self) -> Option<&dyn Cursor> {
        Some(&self.list)
    }

    fn list_mut(&mut self) -> Option<&mut dyn Cursor> {
        Some(&mut self.list)
    }

    fn grid(&self, shared: &Shared, body: Rect) -> Grid {
        Grid::list(list_area(body, shared.sources.len()))
    }

    fn copied(&self, _shared: &Shared, _now: Timestamp) -> Option<String> {
        self.list.current().map(ToString::to_string)
    }

    fn badge(&self, cx: &ScreenCx<'_>) -> Badge {
        let count = stale_sources(cx.shared, &AskKind::ALL, cx.now).len();
        Badge { count, worst: Some(Role::Stale), ..Badge::default() }
    }
}

/// Most failing rules that are listed.
const MAX_BROKEN_RULES: usize = 10;

/// The areas of the list and of the details below it.
fn parts(body: Rect, sources: usize) -> (Rect, Rect) {
    let wanted = u16::try_from(sources).unwrap_or(u16::MAX).saturating_add(2);
    let list = wanted.min(body.height / 2 + 1).min(body.height);
    (Rect { height: list, ..body }, Rect { y: body.y + list, height: body.height - list, ..body })
}

/// The area of the list's rows.
fn list_area(body: Rect, sources: usize) -> Rect {
    layout::table_rows(parts(body, sources).0)
}

/// Adds the age or the error of one kind of answer.
fn answer(cx: &Cx<'_>, kind: AskKind, answer: &AnswerState, page: &mut PageContent) {
    let (words, role) = match (answer.at, answer.failure()) {
        (_, Some(error)) => (error.kind.to_string(), Role::Stale),
        (Some(at), None) => (format!("{} ago", answered(at, cx.now)), Role::Text),
        (None, None) => ("not loaded yet".to_owned(), Role::Muted),
    };
    page.fact(kind.word(), &words, role);
}

/// The details of a source: error and what to do, probe report, warnings, failing rules, age of each answer.
fn about(cx: &ScreenCx<'_>, source: &SourceInfo, width: u16) -> Vec<Vec<StyledRun<'static>>> {
    let title = vec![
        StyledRun::new(format!(" {} ", source.id), Role::Title),
        StyledRun::new(format!("{} at {}", source.kind.name(), source.place()), Role::Muted),
    ];
    let mut about = PageContent::new(width);
    about.lines = vec![Vec::new(), title];
    if let Some(doubt) = doubt(cx.shared, source, &AskKind::ALL, cx.now) {
        about.fact("error", &doubt.sentence(cx.now), Role::Trouble);
        about.fact("what to do", doubt.advice, Role::Text);
    }
    for other in cx.shared.sources.iter().filter(|other| other.id != source.id) {
        if let Some(doubt) = doubt(cx.shared, other, &AskKind::ALL, cx.now) {
            about.fact("also failing", &doubt.sentence(cx.now), Role::Trouble);
            about.fact("what to do", doubt.advice, Role::Text);
        }
    }
    if let Some(exposure) = source.exposure() {
        about.fact("note", exposure, Role::Warning);
    }
    let Some(cache) = cx.world.cache(&source.id) else { return about.lines };
    if source.answers.contains(&AskKind::Alerts) && cx.world.watchdog(&source.id) == Watchdog::Absent {
        let words = "no watchdog alert (always firing) found: alerting may be broken, or there is no such rule \
                     (severity.watchdogs lists the names)";
        about.fact("watchdog", words, Role::Trouble);
    }
    if let Some(offer) = cache.probe().value() {
        for warning in &offer.warnings {
            about.fact("note", warning, Role::Warning);
        }
        for (name, value) in &offer.facts {
            about.fact(name, value, Role::Text);
        }
        if let Some(ahead) = offer.clock_ahead_seconds.filter(|ahead| ahead.unsigned_abs() > 2) {
            about.fact("clock", &format!("{ahead:+}s compared with this machine"), Role::Text);
        }
    }
    let kinds: Vec<AskKind> = cache.answers().map(|(kind, _)| kind).collect();
    for warning in cache.warnings(&kinds) {
        match warning.kind {
            WarningKind::MissingData | WarningKind::MissingPart => {
                about.fact("partial", &warning.text, Role::Warning);
            }
            WarningKind::Notice => about.fact("note", &warning.text, Role::Warning),
            WarningKind::Annotation => about.fact("info", &warning.text, Role::Muted),
        }
    }
    for rule in cache.rules().value().into_iter().flat_map(|snapshot| &snapshot.broken).take(MAX_BROKEN_RULES)
    {
        about.fact("rule fails", &rule.sentence(), Role::Trouble);
    }
    about.lines.push(vec![StyledRun::new("  last answers", Role::Title)]);
    for (kind, answer) in cache.answers() {
        // answers about one subject are shown on the subject's screen
        if source.answers.contains(&kind) && kind != AskKind::Probe && !kind.has_key() {
            self::answer(cx, kind, answer, &mut about);
        }
    }
    about.lines
}
