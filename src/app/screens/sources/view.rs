//! How the sources look.

use std::time::Duration;

use jiff::Timestamp;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::app::doubt::{doubt, watchdog};
use crate::app::layout;
use crate::app::look::Cx;
use crate::app::number::{UNKNOWN, ago, bytes, latency, per_minute};
use crate::app::screens::sources::Sources;
use crate::app::shared::Shared;
use crate::app::theme::Role;
use crate::app::widgets::table::{self, Cell, Column, Row, Table};
use crate::app::widgets::text::{self, Run};
use crate::model::ask::AskKind;
use crate::model::duration;
use crate::model::remote::{AnswerState, age};
use crate::model::source::{Offer, SourceId};
use crate::model::source_info::SourceInfo;
use crate::model::warning::WarningKind;
use crate::model::world::Watchdog;

/// Figures go on by steps of this: what is younger is not late, and a screen at rest must write little.
const STEP: Duration = Duration::from_secs(15);

/// As many rules that fail are named.
const BROKEN: usize = 10;

/// How old an answer is: below a minute the step that it is within.
fn answered(at: Timestamp, now: Timestamp) -> String {
    let age = age(at, now);
    let steps = [STEP, 2 * STEP, 4 * STEP];
    steps
        .iter()
        .find(|step| age < **step)
        .map_or_else(|| ago(at, now), |step| format!("<{}", duration::short(*step)))
}

/// The time to the end of the step, so that a total over it is a rate that rests.
fn in_steps(time: Duration) -> Duration {
    Duration::from_secs((time.as_secs() / STEP.as_secs() + 1) * STEP.as_secs())
}

/// To two significant digits: more would change with each answer.
fn rounded(value: f64) -> f64 {
    format!("{value:.1e}").parse().unwrap_or(value)
}

fn columns() -> [Column<'static>; 9] {
    [
        Column::words("", 1, 1, 0),
        Column::words("source", 10, 24, 0),
        Column::words("state", 16, 60, 1),
        Column::words("what it is", 12, 28, 2),
        Column::numbers("answers in", 10, 4),
        Column::numbers("age", 6, 3),
        Column::numbers("req/min", 7, 5),
        Column::numbers("per min", 8, 6),
        Column::words("watchdog", 8, 12, 4),
    ]
}

/// The list, and the page about the current source below it.
fn parts(body: Rect, sources: usize) -> (Rect, Rect) {
    let wanted = u16::try_from(sources).unwrap_or(u16::MAX).saturating_add(2);
    let list = wanted.min(body.height / 2 + 1).min(body.height);
    (Rect { height: list, ..body }, Rect { y: body.y + list, height: body.height - list, ..body })
}

/// Where the rows of the list stand.
pub(super) fn list_area(body: Rect, sources: usize) -> Rect {
    layout::table_rows(parts(body, sources).0)
}

/// Draws the sources.
pub(super) fn render(screen: &Sources, shared: &Shared, now: Timestamp, area: Rect, buf: &mut Buffer) {
    let cx = shared.cx(now);
    let (list_area, page) = parts(area, shared.sources.len());
    let title = [Run::new(" Sources ", Role::Title), Run::new(shared.sources.len().to_string(), Role::Text)];
    let room = layout::heading(&cx, &title, &[], list_area, buf);
    let list = &screen.list;
    let height = usize::from(table::body(room).height);
    let top = list.shown(height).next().map_or(0, |(index, _)| index);
    let find = |id: &SourceId| shared.sources.iter().find(|source| source.id == *id);
    let shown = list.shown(height).filter_map(|(_, id)| find(id));
    let rows: Vec<Row<'_>> = shown.map(|source| row(shared, &cx, source)).collect();
    let columns = columns();
    let table =
        Table { columns: &columns, sort: None, selected: list.index().checked_sub(top), focused: true };
    table::render(&table, rows, &cx, room, buf);
    if let Some(source) = list.current().and_then(find) {
        let lines = about(shared, &cx, source, page.width);
        for (y, line) in (page.top()..page.bottom()).zip(&lines) {
            text::runs(&cx, line, Rect { y, height: 1, ..page }, buf);
        }
    }
}

fn row<'a>(shared: &Shared, cx: &Cx<'_>, source: &'a SourceInfo) -> Row<'a> {
    let held = shared.world.held(&source.id);
    let offer = held.and_then(|held| held.probe().value());
    let traffic = shared.polls.traffic(&source.id);
    let doubt = doubt(shared, source, &AskKind::ALL, cx.now);
    let at =
        held.and_then(|h| [h.probe().at(), h.services().at(), h.alerts().at()].into_iter().flatten().max());
    let (role, words) = match (doubt, offer) {
        (Some(doubt), _) => (Role::Stale, doubt.summary()),
        (None, Some(_)) => {
            match held.and_then(|held| held.rules().value()).map_or(0, |board| board.broken.len()) {
                0 => (Role::Healthy, "answers".to_owned()),
                1 => (Role::Warning, "answers; 1 rule fails".to_owned()),
                more => (Role::Warning, format!("answers; {more} rules fail")),
            }
        }
        (None, None) => (Role::Unknown, "asking...".to_owned()),
    };
    let identity = |offer: &Offer| format!("{} {}", offer.flavour, offer.version);
    let over = traffic.since.map(|since| in_steps(age(since, cx.now)));
    let per_minute = |total: u64, words: fn(f64) -> String| {
        over.map_or_else(|| UNKNOWN.to_owned(), |over| words(rounded(per_minute(total, over))))
    };
    let watchdog = if source.answers.contains(&AskKind::Alerts) {
        match watchdog(shared, source, cx.now) {
            Watchdog::Present => Cell::text("present", Role::Healthy),
            Watchdog::Absent => Cell::text("ABSENT", Role::Trouble),
            Watchdog::Unknown => Cell::text(UNKNOWN, Role::Muted),
        }
    } else {
        Cell::Empty
    };
    Row::new(vec![
        Cell::symbol(cx, role),
        Cell::text(source.id.as_str(), Role::Text),
        Cell::text(words, role),
        Cell::text(offer.map_or_else(|| source.kind.name().to_owned(), identity), Role::Text),
        Cell::text(
            traffic.round_trip.map_or(UNKNOWN.to_owned(), |took| latency(took.as_secs_f64())),
            Role::Text,
        ),
        Cell::text(at.map_or(UNKNOWN.to_owned(), |at| answered(at, cx.now)), Role::Text),
        Cell::text(per_minute(traffic.requests, |n| format!("{n:.0}")), Role::Text),
        Cell::text(per_minute(traffic.bytes_in, bytes), Role::Text),
        watchdog,
    ])
}

/// Names and values, long values going on below themselves.
struct About {
    lines: Vec<Vec<Run<'static>>>,
    width: u16,
}

impl About {
    fn say(&mut self, name: &str, words: &str, role: Role) {
        let mut head = format!("  {name:<12} ");
        for line in text::wrap(words, self.width.saturating_sub(16).max(10)) {
            self.lines.push(vec![Run::new(head, Role::Muted), Run::new(line, role)]);
            head = " ".repeat(15);
        }
    }

    fn part(&mut self, cx: &Cx<'_>, kind: AskKind, answer: &AnswerState<'_>) {
        match (answer.at, answer.trouble) {
            (_, Some(error)) => self.say(kind.word(), &error.trouble.to_string(), Role::Stale),
            (Some(at), None) => {
                self.say(kind.word(), &format!("{} ago", answered(at, cx.now)), Role::Text);
            }
            (None, None) => self.say(kind.word(), "not asked yet", Role::Muted),
        }
    }
}

/// Everything about one source: its trouble and what to do, what it offers, how fresh each part is.
fn about(shared: &Shared, cx: &Cx<'_>, source: &SourceInfo, width: u16) -> Vec<Vec<Run<'static>>> {
    let title = vec![
        Run::new(format!(" {} ", source.id), Role::Title),
        Run::new(format!("{} at {}", source.kind.name(), source.place()), Role::Muted),
    ];
    let mut about = About { lines: vec![Vec::new(), title], width };
    if let Some(doubt) = doubt(shared, source, &AskKind::ALL, cx.now) {
        about.say("trouble", &doubt.sentence(cx.now), Role::Trouble);
        about.say("what to do", doubt.advice, Role::Text);
    }
    for other in shared.sources.iter().filter(|other| other.id != source.id) {
        if let Some(doubt) = doubt(shared, other, &AskKind::ALL, cx.now) {
            about.say("also", &doubt.sentence(cx.now), Role::Trouble);
            about.say("what to do", doubt.advice, Role::Text);
        }
    }
    if let Some(exposure) = source.exposure() {
        about.say("note", exposure, Role::Warning);
    }
    let Some(held) = shared.world.held(&source.id) else { return about.lines };
    if source.answers.contains(&AskKind::Alerts) && shared.world.watchdog(&source.id) == Watchdog::Absent {
        let words = "no always-firing alert here: monitoring may be dead, or has no such rule (severity.watchdogs \
                     names them)";
        about.say("watchdog", words, Role::Trouble);
    }
    if let Some(offer) = held.probe().value() {
        for warning in &offer.warnings {
            about.say("note", warning, Role::Warning);
        }
        for (name, value) in &offer.facts {
            about.say(name, value, Role::Text);
        }
        if let Some(ahead) = offer.clock_ahead_seconds.filter(|ahead| ahead.unsigned_abs() > 2) {
            about.say("clock", &format!("{ahead:+}s against this machine"), Role::Text);
        }
    }
    let kinds: Vec<AskKind> = held.answers().map(|(kind, _)| kind).collect();
    for warning in held.warnings(&kinds) {
        match warning.kind {
            WarningKind::MissingData | WarningKind::MissingPart => {
                about.say("partial", &warning.text, Role::Warning);
            }
            WarningKind::Notice => about.say("note", &warning.text, Role::Warning),
            WarningKind::Annotation => about.say("remark", &warning.text, Role::Muted),
        }
    }
    for rule in held.rules().value().into_iter().flat_map(|board| &board.broken).take(BROKEN) {
        about.say("rule fails", &rule.sentence(), Role::Trouble);
    }
    about.lines.push(vec![Run::new("  last answers", Role::Title)]);
    for (kind, answer) in held.answers() {
        // of what is about one thing its own screen tells
        if source.answers.contains(&kind) && kind != AskKind::Probe && !kind.is_about_one() {
            about.part(cx, kind, &answer);
        }
    }
    about.lines
}
