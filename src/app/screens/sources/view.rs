//! Draws the list of sources and the details of the current one.

use super::columns::{COLUMNS, SourceRow, answered};
use crate::app::prelude::*;
use crate::app::screens::sources::Sources;
use crate::app::staleness::doubt;
use crate::model::remote::AnswerState;
use crate::model::source_info::SourceInfo;
use crate::model::warning::WarningKind;
use crate::model::world::Watchdog;

/// Most failing rules that are listed.
const MAX_BROKEN_RULES: usize = 10;

/// The areas of the list and of the details below it.
fn parts(body: Rect, sources: usize) -> (Rect, Rect) {
    let wanted = u16::try_from(sources).unwrap_or(u16::MAX).saturating_add(2);
    let list = wanted.min(body.height / 2 + 1).min(body.height);
    (Rect { height: list, ..body }, Rect { y: body.y + list, height: body.height - list, ..body })
}

/// The area of the list's rows.
pub(super) fn list_area(body: Rect, sources: usize) -> Rect {
    layout::table_rows(parts(body, sources).0)
}

/// Draws the screen.
pub(super) fn render(screen: &Sources, shared: &Shared, now: Timestamp, area: Rect, buf: &mut Buffer) {
    let cx = shared.cx(now);
    let (list_area, page) = parts(area, shared.sources.len());
    let title = [
        StyledRun::new(" Sources ", Role::Title),
        StyledRun::new(shared.sources.len().to_string(), Role::Text),
    ];
    let room = layout::heading(&cx, &title, &[], list_area, buf);
    let find = |id: &SourceId| shared.sources.iter().find(|source| source.id == *id);
    let line = |id: &SourceId| {
        find(id).map_or(Line::Gone, |source| Line::Item {
            row: SourceRow::new(shared, cx, source),
            is_new: false,
            is_stale: false,
        })
    };
    let list = &screen.list;
    ListTable::new(COLUMNS, &()).render(&cx, (list, None), line, room, buf);
    if let Some(source) = list.current().and_then(find) {
        let lines = about(shared, &cx, source, page.width);
        for (y, line) in (page.top()..page.bottom()).zip(&lines) {
            text::runs(&cx, line, Rect { y, height: 1, ..page }, buf);
        }
    }
}

/// Name-value lines; long values are wrapped below themselves.
struct SourceFacts {
    lines: Vec<Vec<StyledRun<'static>>>,
    width: u16,
}

impl SourceFacts {
    /// Adds a name-value pair.
    fn say(&mut self, name: &str, words: &str, role: Role) {
        let mut head = format!("  {name:<12} ");
        for line in text::wrap(words, self.width.saturating_sub(16).max(10)) {
            self.lines.push(vec![StyledRun::new(head, Role::Muted), StyledRun::new(line, role)]);
            head = " ".repeat(15);
        }
    }

    /// Adds the age or the error of one kind of answer.
    fn part(&mut self, cx: &Cx<'_>, kind: AskKind, answer: &AnswerState) {
        match (answer.at, answer.failure()) {
            (_, Some(error)) => self.say(kind.word(), &error.kind.to_string(), Role::Stale),
            (Some(at), None) => {
                self.say(kind.word(), &format!("{} ago", answered(at, cx.now)), Role::Text);
            }
            (None, None) => self.say(kind.word(), "not loaded yet", Role::Muted),
        }
    }
}

/// The details of a source: error and what to do, probe report, warnings, failing rules, age of each answer.
fn about(shared: &Shared, cx: &Cx<'_>, source: &SourceInfo, width: u16) -> Vec<Vec<StyledRun<'static>>> {
    let title = vec![
        StyledRun::new(format!(" {} ", source.id), Role::Title),
        StyledRun::new(format!("{} at {}", source.kind.name(), source.place()), Role::Muted),
    ];
    let mut about = SourceFacts { lines: vec![Vec::new(), title], width };
    if let Some(doubt) = doubt(shared, source, &AskKind::ALL, cx.now) {
        about.say("error", &doubt.sentence(cx.now), Role::Trouble);
        about.say("what to do", doubt.advice, Role::Text);
    }
    for other in shared.sources.iter().filter(|other| other.id != source.id) {
        if let Some(doubt) = doubt(shared, other, &AskKind::ALL, cx.now) {
            about.say("also failing", &doubt.sentence(cx.now), Role::Trouble);
            about.say("what to do", doubt.advice, Role::Text);
        }
    }
    if let Some(exposure) = source.exposure() {
        about.say("note", exposure, Role::Warning);
    }
    let Some(cache) = shared.world.cache(&source.id) else { return about.lines };
    if source.answers.contains(&AskKind::Alerts) && shared.world.watchdog(&source.id) == Watchdog::Absent {
        let words = "no watchdog alert (always firing) found: alerting may be broken, or there is no such rule \
                     (severity.watchdogs lists the names)";
        about.say("watchdog", words, Role::Trouble);
    }
    if let Some(offer) = cache.probe().value() {
        for warning in &offer.warnings {
            about.say("note", warning, Role::Warning);
        }
        for (name, value) in &offer.facts {
            about.say(name, value, Role::Text);
        }
        if let Some(ahead) = offer.clock_ahead_seconds.filter(|ahead| ahead.unsigned_abs() > 2) {
            about.say("clock", &format!("{ahead:+}s compared with this machine"), Role::Text);
        }
    }
    let kinds: Vec<AskKind> = cache.answers().map(|(kind, _)| kind).collect();
    for warning in cache.warnings(&kinds) {
        match warning.kind {
            WarningKind::MissingData | WarningKind::MissingPart => {
                about.say("partial", &warning.text, Role::Warning);
            }
            WarningKind::Notice => about.say("note", &warning.text, Role::Warning),
            WarningKind::Annotation => about.say("info", &warning.text, Role::Muted),
        }
    }
    for rule in cache.rules().value().into_iter().flat_map(|snapshot| &snapshot.broken).take(MAX_BROKEN_RULES)
    {
        about.say("rule fails", &rule.sentence(), Role::Trouble);
    }
    about.lines.push(vec![StyledRun::new("  last answers", Role::Title)]);
    for (kind, answer) in cache.answers() {
        // answers about one subject are shown on the subject's screen
        if source.answers.contains(&kind) && kind != AskKind::Probe && !kind.has_key() {
            about.part(cx, kind, answer);
        }
    }
    about.lines
}
