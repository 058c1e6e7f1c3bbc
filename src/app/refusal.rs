//! The error text in place of a chart: why there is none, and what to do.

use jiff::Timestamp;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::display_settings::Cx;
use super::shared::Shared;
use super::theme::Role;
use super::widgets::text;
use crate::model::ask::Topic;
use crate::model::duration;
use crate::model::remote::{Freshness, Remote};
use crate::model::source::{ErrorKind, SourceId};

/// The advice for a server that rejects a query as too large.
const SHORTER_RANGE_ADVICE: &str = "Choose a shorter time range with t, so that the query returns less data.";

/// What the user can do about this error.
fn advice(failure: &ErrorKind) -> &'static str {
    let is_of_size = matches!(
        failure,
        ErrorKind::BadQuery { .. }
            | ErrorKind::TooLarge { .. }
            | ErrorKind::TimedOut { .. }
            | ErrorKind::RateLimited { .. }
            | ErrorKind::Refused { status: 413 | 422 | 500..=599, .. }
    );
    if is_of_size { SHORTER_RANGE_ADVICE } else { failure.advice() }
}

/// The title of a chart with why it is not what it should be, if so.
pub(super) fn titled(cx: &Cx<'_>, title: String, failure: Option<String>) -> String {
    match failure {
        Some(failure) => format!("{title}  {} {failure}", cx.symbol(Role::Stale)),
        None => title,
    }
}

/// Why a chart's answer is missing or incomplete; `None` if it is neither.
pub(super) fn behind<T>(
    shared: &Shared,
    source: &SourceId,
    topic: &Topic,
    remote: &Remote<T>,
    now: Timestamp,
) -> Option<String> {
    match shared.scheduler.freshness(source, topic, remote, now) {
        Freshness::NotAsked | Freshness::Loading | Freshness::Fresh => None,
        Freshness::Failed => remote.failure().map(ToString::to_string),
        Freshness::Stale(age) => Some(format!("{} old", duration::short(age))),
    }
}

/// Says why a chart has no lines: the error of the first answer that is not being asked for again, with what to do; else these
/// words.
pub(super) fn no_lines<'a, T: 'a>(
    cx: &Cx<'_>,
    answers: impl IntoIterator<Item = &'a Remote<T>>,
    words: impl FnOnce() -> String,
    area: Rect,
    buf: &mut Buffer,
) {
    let mut settled = answers.into_iter().filter(|remote| !remote.is_waiting);
    match settled.find_map(|remote| remote.failure()) {
        Some(error) => draw(cx, &error.kind.to_string(), advice(&error.kind), area, buf),
        None => text::say(cx, 1, &words(), Role::Muted, area, buf),
    }
}

/// As [`no_lines`], if only the text of the error is known.
pub(super) fn reason(cx: &Cx<'_>, why: &str, area: Rect, buf: &mut Buffer) {
    draw(cx, why, SHORTER_RANGE_ADVICE, area, buf);
}

fn draw(cx: &Cx<'_>, why: &str, advice: &str, area: Rect, buf: &mut Buffer) {
    let width = area.width.saturating_sub(2);
    let said = text::wrap(&format!("{} no data: {why}", cx.symbol(Role::Stale)), width);
    let said = said.into_iter().map(|line| (line, Role::Stale));
    let advised = text::wrap(advice, width).into_iter().map(|line| (line, Role::Text));
    for (y, (line, role)) in (area.top()..area.bottom()).zip(said.chain(advised)) {
        text::put(buf, area.x + 1, y, width, &line, cx.style(role));
    }
}
