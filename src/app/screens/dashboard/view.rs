//! Draws a dashboard: heading, line of variables, and the panels that are visible, or one panel on the whole screen.

use super::{Dashboard, DashboardTarget, OpenDashboard, PlacedItem, PlacedPanel, draw, subject};
use crate::app::list_screen::fold_sign;
use crate::app::number::plural;
use crate::app::prelude::*;
use crate::app::subjects::dashboard::variables::{OptionStatus, ShownVariable};
use crate::model::remote::Remote;

const USED: [AskKind; 2] = [AskKind::Dashboard, AskKind::Dashboards];

/// The line of variables takes no room where there is little.
fn has_variables(screen: &OpenDashboard, body: Rect) -> bool {
    let is_shown = body.height >= 6 && screen.variables.all.iter().any(ShownVariable::is_shown);
    is_shown || screen.editing.is_some()
}

/// The area of the panels.
pub(super) fn grid_area(screen: &OpenDashboard, _shared: &Shared, body: Rect) -> Rect {
    let room = layout::below_heading(body);
    let line = u16::from(has_variables(screen, body)).min(room.height);
    Rect { y: room.y + line, height: room.height - line, ..room }
}

/// Where an item is on the terminal; empty if it is not visible.
pub(super) fn on_screen(screen: &OpenDashboard, item: PlacedItem, grid: Rect) -> Rect {
    let top = u32::from(screen.scroll_position.scroll);
    let from = item.y.max(top);
    let to = item.bottom().min(top + u32::from(grid.height));
    if from >= to {
        return Rect::default();
    }
    let cells = |lines: u32| u16::try_from(lines).unwrap_or(u16::MAX);
    Rect { x: grid.x + item.x, y: grid.y + cells(from - top), width: item.width, height: cells(to - from) }
        .intersection(grid)
}

pub(super) fn render(screen: &OpenDashboard, cx: &ScreenCx<'_>, area: Rect, buf: &mut Buffer) {
    let Some(target) = &screen.subject else { return };
    let Some(dashboard) = screen.dashboard(cx.shared) else {
        let remote = subject::definition(cx.shared, &target.key);
        not_read(cx, target, remote, area, buf);
        return;
    };
    let title = title_runs(screen, cx, dashboard);
    let doubts = stale_sources(cx.shared, &USED, cx.now);
    let sign = cx.symbol(Role::Stale);
    let doubt =
        doubts.first().map(|first| StyledRun::new(format!("{sign} {}", first.sentence(cx.now)), Role::Stale));
    layout::heading(cx, &title, doubt.as_slice(), area, buf);
    if has_variables(screen, area) {
        let line = Rect { height: 1.min(area.height.saturating_sub(1)), y: area.y + 1, ..area };
        text::runs(cx, &variable_runs(screen, cx, line.width), line, buf);
    }
    let grid = grid_area(screen, cx.shared, area);
    if let Some(panel) = screen.open.as_ref().and_then(|_| screen.current()) {
        draw::whole(screen, cx, panel, grid, buf);
        return;
    }
    if screen.items.is_empty() {
        text::say(cx, 1, "This dashboard has no panels.", Role::Muted, grid, buf);
    }
    for (index, item) in screen.items.iter().enumerate() {
        let place = on_screen(screen, *item, grid);
        if place.is_empty() {
            continue;
        }
        let is_current = index == screen.scroll_position.panel;
        match screen.panel_of(*item) {
            None => section_title(screen, cx, *item, is_current, place, buf),
            Some(panel) if place.height == item.height => {
                draw::framed(screen, cx, (panel, is_current), place, buf);
            }
            Some(panel) => clipped(screen, cx, (panel, is_current), *item, (place, grid), buf),
        }
    }
}

/// Draws a panel of which only some lines are visible.
fn clipped(
    screen: &OpenDashboard,
    cx: &ScreenCx<'_>,
    panel: (&PlacedPanel, bool),
    item: PlacedItem,
    (place, grid): (Rect, Rect),
    buf: &mut Buffer,
) {
    let whole = Rect { x: place.x, y: 0, width: place.width, height: item.height };
    let mut hidden = Buffer::empty(whole);
    hidden.set_style(whole, cx.style(Role::Text));
    draw::framed(screen, cx, panel, whole, &mut hidden);
    let skipped = u32::from(screen.scroll_position.scroll).saturating_sub(item.y);
    let skipped = u16::try_from(skipped).unwrap_or(u16::MAX);
    for y in 0..place.height.min(grid.height) {
        for x in place.left()..place.right() {
            let Some(cell) = hidden.cell((x, skipped.saturating_add(y))) else { continue };
            if let Some(shown) = buf.cell_mut((x, place.y + y)) {
                *shown = cell.clone();
            }
        }
    }
}

/// Why there is no dashboard.
fn not_read(
    cx: &ScreenCx<'_>,
    target: &DashboardTarget,
    remote: Option<&Remote<Arc<Dashboard>>>,
    area: Rect,
    buf: &mut Buffer,
) {
    let title = [StyledRun::new(
        format!(" {}", OpenDashboard::title(&Arc::new(target.clone()), cx.shared)),
        Role::Title,
    )];
    let room = layout::heading(cx, &title, &[], area, buf);
    let failure = remote.and_then(|remote| remote.failure());
    let can = cx.shared.answering(AskKind::Dashboard).any(|source| source.id == target.key.source);
    let (words, role) = match failure {
        Some(failure) => (format!("{failure}. {}", failure.kind.advice()), Role::Trouble),
        None if !can => (format!("{} has no dashboards.", target.key.source), Role::Unknown),
        None => (cx.shared.waiting().to_owned(), Role::Muted),
    };
    let place = Rect { x: room.x + 1, width: room.width.saturating_sub(2), ..room };
    let lines = text::wrap(&words, place.width.min(100));
    for (y, line) in (place.top()..place.bottom()).zip(lines) {
        text::put(buf, place.x, y, place.width, &line, cx.style(role));
    }
}

/// Title, folder, place of the cursor, time range, what is missing.
fn title_runs(screen: &OpenDashboard, cx: &ScreenCx<'_>, dashboard: &Dashboard) -> Vec<StyledRun<'static>> {
    let mut runs = vec![StyledRun::new(format!(" {}", dashboard.entry.title), Role::Title)];
    let panels = screen.panels().count();
    if let Some(panel) = screen.open.as_ref().and_then(|_| screen.current()) {
        let sign = cx.charset.pick("›", ">");
        runs.push(StyledRun::new(format!(" {sign} "), Role::Muted));
        runs.push(StyledRun::new(screen.title_of(panel), Role::Accent));
    } else {
        let folder = dashboard.entry.folder.as_deref().unwrap_or_default();
        if !folder.is_empty() {
            runs.push(StyledRun::new(format!("  {folder}"), Role::Muted));
        }
        let shown = screen.items.iter().filter(|item| item.panel.is_some()).count();
        let before = screen.items.iter().take(screen.scroll_position.panel + 1);
        let at = before.filter(|item| item.panel.is_some()).count();
        let of = if shown == panels { String::new() } else { format!(", {} folded", panels - shown) };
        runs.push(StyledRun::new(format!("  {at}/{}{of}", plural(shown, "panel")), Role::Muted));
    }
    let words = screen.charted(cx.shared, cx.now).map(|time| cx.shared.charted(cx, time).1);
    runs.extend(words.map(|words| StyledRun::new(format!("  {words}"), Role::Text)));
    let notes = screen.note.iter().chain(&screen.variables.notes);
    runs.extend(notes.map(|note| StyledRun::new(format!("  {note}"), Role::Stale)));
    let lost = dashboard.notes.len();
    if lost > 0 {
        let first = dashboard.notes.first().map(ToString::to_string).unwrap_or_default();
        let more = if lost > 1 { format!(" (+{} more)", lost - 1) } else { String::new() };
        runs.push(StyledRun::new(format!("  {first}{more}"), Role::Stale));
    }
    runs
}

/// The variables with what is chosen, as many as fit.
fn variable_runs(screen: &OpenDashboard, cx: &ScreenCx<'_>, width: u16) -> Vec<StyledRun<'static>> {
    if let Some((name, line)) = &screen.editing {
        let mut runs = vec![StyledRun::new(format!(" {name}: "), Role::Key)];
        runs.extend(line.runs(cx.charset).map(|run| StyledRun::new(run.text.into_owned(), run.role)));
        runs.push(StyledRun::new("  Enter takes it, Esc keeps the old", Role::Muted));
        return runs;
    }
    let one = |one: &ShownVariable| {
        let words = text::fit(&one.words(), 40, cx.charset).into_owned();
        let (words, role) = match &one.status {
            OptionStatus::Known if words.is_empty() => ("none".to_owned(), Role::Muted),
            OptionStatus::Known => (words, Role::Accent),
            OptionStatus::Loading => (format!("{words}{}", text::ellipsis(cx.charset)), Role::Muted),
            OptionStatus::Missing(_) => (format!("{} {words}", cx.symbol(Role::Trouble)), Role::Trouble),
        };
        vec![StyledRun::new(format!("{} ", one.label()), Role::Muted), StyledRun::new(words, role)]
    };
    let key = cx.shared.key(Command::Variables);
    let head = if key.is_empty() { " ".to_owned() } else { format!(" {key} ") };
    let mut runs = vec![StyledRun::new(head, Role::Key)];
    let mut used = text::runs_width(&runs);
    let shown: Vec<_> = screen.variables.all.iter().filter(|one| one.is_shown()).collect();
    let failed = shown.iter().find_map(|one| match &one.status {
        OptionStatus::Missing(why) if !why.is_empty() => Some(format!("{}: {why}", one.label())),
        OptionStatus::Missing(_) | OptionStatus::Known | OptionStatus::Loading => None,
    });
    for (index, variable) in shown.iter().enumerate() {
        let own = one(variable);
        let cells = text::runs_width(&own) + if index > 0 { 3 } else { 0 };
        let rest = if index + 1 < shown.len() { 9 } else { 0 };
        if index > 0 && used + cells + rest > width {
            runs.push(StyledRun::new(format!("   +{} more", shown.len() - index), Role::Muted));
            return runs;
        }
        if index > 0 {
            runs.push(StyledRun::new("   ", Role::Muted));
        }
        used += cells;
        runs.extend(own);
    }
    runs.extend(failed.map(|why| StyledRun::new(format!("   {why}"), Role::Trouble)));
    runs
}

fn section_title(
    screen: &OpenDashboard,
    cx: &ScreenCx<'_>,
    item: PlacedItem,
    is_current: bool,
    place: Rect,
    buf: &mut Buffer,
) {
    let Some(section) = screen.sections.get(item.section) else { return };
    let is_folded = screen.is_folded(section);
    let mut runs = vec![
        StyledRun::new(if is_current { cx.symbol(Role::Selected) } else { " " }, Role::Accent),
        StyledRun::new(format!("{} ", fold_sign(cx, is_folded)), Role::Muted),
        StyledRun::new(section.title.clone().unwrap_or_default(), Role::Title),
    ];
    if is_folded {
        runs.push(StyledRun::new(format!("  {}", plural(section.panels.len(), "panel")), Role::Muted));
    }
    let used = text::runs(cx, &runs, place, buf);
    let line = cx.charset.pick("─", "-").repeat(usize::from(place.width.saturating_sub(used + 2)));
    text::put(
        buf,
        place.x + used + 1,
        place.y,
        place.width.saturating_sub(used + 1),
        &line,
        cx.style(Role::Border),
    );
    if is_current {
        text::select(cx, place, buf);
    }
}
