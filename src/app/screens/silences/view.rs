//! How the list of silences looks.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::Timestamp;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::columns::{COLUMNS, SilenceRow};
use super::{Silences, ends_soon};
use crate::app::columns::{Line, ListTable};
use crate::app::commands::Command;
use crate::app::doubt::{doubts, none};
use crate::app::identity::SilenceKey;
use crate::app::layout;
use crate::app::look::Cx;
use crate::app::shared::Shared;
use crate::app::theme::Role;
use crate::app::widgets::text::Run;
use crate::config::kind;
use crate::model::ask::AskKind;
use crate::model::source::SourceId;

/// What the screen is drawn from.
const USED: [AskKind; 2] = [AskKind::Silences, AskKind::Alerts];

/// Draws the list.
pub(super) fn render(screen: &Silences, shared: &Shared, now: Timestamp, area: Rect, buf: &mut Buffer) {
    let cx = shared.cx(now);
    let room =
        layout::heading(&cx, &title(screen, shared, &cx), &layout::doubt_runs(shared, &USED, now), area, buf);
    if screen.rows.list.rows().is_empty() {
        let (words, role) = empty(screen, shared, now);
        layout::note(&cx, &words, role, room, buf);
        return;
    }
    let stale: BTreeSet<SourceId> =
        doubts(shared, &USED, now).into_iter().map(|doubt| doubt.source).collect();
    let all: Vec<_> = shared.world.shown_silences().collect();
    let line = |key: &SilenceKey| {
        let known = all.iter().find(|(one, _)| one.id == key.id && one.source == key.source);
        known.map_or(Line::Gone, |(silence, stage)| Line::Item {
            row: SilenceRow::new(screen, cx, Arc::clone(silence), *stage),
            is_new: false,
            is_stale: stale.contains(&key.source),
        })
    };
    ListTable::new(COLUMNS, &room.width).render(&cx, (&screen.rows.list, None), line, room, buf);
}

fn title(screen: &Silences, shared: &Shared, cx: &Cx<'_>) -> Vec<Run<'static>> {
    let mut runs = vec![
        Run::new(" Silences ", Role::Title),
        Run::new(screen.rows.list.rows().len().to_string(), Role::Text),
    ];
    let all = shared.world.silences();
    let soon = all.filter(|silence| ends_soon(silence, cx.now)).count();
    if soon > 0 {
        let verb = if soon == 1 { "ends" } else { "end" };
        let words = format!("  {} {soon} {verb} within 1h", cx.symbol(Role::Warning));
        runs.push(Run::new(words, Role::Warning));
    }
    if screen.hidden > 0 {
        let key = shared.key(Command::Fold);
        runs.push(Run::new(format!("  folded away: {} ended ({key} shows)", screen.hidden), Role::Muted));
    }
    let marked = screen.rows.list.marks().len();
    if marked > 0 {
        runs.push(Run::new(format!("  {marked} marked"), Role::Marked));
    }
    runs.extend(screen.rows.found.told());
    runs
}

/// Why there is nothing. That nothing is silenced is neither good nor bad news.
fn empty(screen: &Silences, shared: &Shared, now: Timestamp) -> (String, Role) {
    let filter = screen.rows.found.text();
    if !filter.is_empty() {
        return (screen.rows.found.nothing("silence"), Role::Muted);
    }
    let can = shared.sources.iter().filter(|source| source.answers.contains(&AskKind::Silences));
    let held: Vec<_> = can.filter_map(|source| shared.world.held(&source.id)).collect();
    let answered = held.iter().filter(|held| held.silences().value().is_some()).count();
    let is_troubled = held.iter().any(|held| held.silences().trouble().is_some());
    let words = if held.is_empty() {
        format!("No source of silences: add {}.", kind::to_add(shared.kinds, &[AskKind::Silences]))
    } else if answered == 0 && is_troubled {
        return (
            "No source of silences has answered yet. See Sources (9) for what is wrong.".into(),
            Role::Stale,
        );
    } else if answered == 0 {
        "Asking for silences...".to_owned()
    } else if answered < held.len() {
        format!("No silence at the {answered} of {} sources that have answered.", held.len())
    } else {
        let (words, role) = none(shared, &USED, "silence is in force", now);
        return (words, if role == Role::Healthy { Role::Muted } else { role });
    };
    (words, Role::Muted)
}
