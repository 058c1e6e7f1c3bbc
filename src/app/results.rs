//! Draws the results of a plan: one line for each target, failures first.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::display_settings::Cx;
use super::number::ago;
use super::runs::PlanRun;
use super::shared::Shared;
use super::theme::Role;
use super::widgets::text::{self, StyledRun};
use super::window::{hidden_lines, window};
use crate::model::action::{Action, ActionProgress, ActionResult};

/// Maximum width of the window in columns.
const WIDTH: u16 = 110;

/// Draws the results of a plan; `back` 0 is the newest plan. `top` lines are scrolled away.
pub(super) fn render(shared: &Shared, cx: &Cx<'_>, back: usize, top: u16, buf: &mut Buffer) {
    let count = shared.runs.all().len();
    let Some(run) = shared.runs.all().nth(back) else {
        let inner = window(cx, "Actions taken", (60, 4), buf);
        text::put(buf, inner.x + 1, inner.y, inner.width, "No actions yet.", cx.style(Role::Muted));
        return;
    };
    let width = WIDTH.min(buf.area.width);
    let lines = lines(cx, run, width.saturating_sub(4));
    let height = u16::try_from(lines.len()).unwrap_or(u16::MAX).saturating_add(3);
    let title = format!("{}, {} ago", title(run), ago(run.begun_at, cx.now));
    let inner = window(cx, &title, (width, height), buf);
    let room = Rect { height: inner.height.saturating_sub(1), ..inner };
    let top = usize::from(top).min(lines.len().saturating_sub(usize::from(room.height)));
    for (y, line) in (room.top()..room.bottom()).zip(lines.iter().skip(top)) {
        text::runs(cx, line, Rect { x: room.x + 1, width: room.width.saturating_sub(2), y, height: 1 }, buf);
    }
    let below = lines.len().saturating_sub(top + usize::from(room.height));
    let mut keys = vec![StyledRun::new(" Esc ", Role::Key), StyledRun::new("closes", Role::Muted)];
    if let Some(hidden) = hidden_lines(cx, top, below) {
        keys.push(StyledRun::new(format!("  {hidden}"), Role::Key));
    }
    if count > 1 {
        let (left, right) = (cx.charset.pick("←", "<-"), cx.charset.pick("→", "->"));
        let words = format!("  {left} {right} ");
        keys.push(StyledRun::new(words, Role::Key));
        keys.push(StyledRun::new(format!("{} of {count}, older and newer", back + 1), Role::Muted));
    }
    let last = Rect { y: inner.bottom().saturating_sub(1), height: inner.height.min(1), ..inner };
    text::runs(cx, &keys, last, buf);
}

/// The largest scroll position, in lines.
pub(super) fn last_top(shared: &Shared, back: usize, now: jiff::Timestamp) -> u16 {
    let Some(run) = shared.runs.all().nth(back) else { return 0 };
    let (width, height) = shared.size;
    let lines = lines(&shared.cx(now), run, WIDTH.min(width).saturating_sub(4)).len();
    u16::try_from(lines).unwrap_or(u16::MAX).saturating_sub(height.saturating_sub(5))
}

fn title(run: &PlanRun) -> String {
    let all = run.progress.len();
    let verb = run.kind().map_or("Done", crate::model::action::OperationKind::verb);
    let (done, over) = (run.done(), run.over());
    let left = all - over;
    let mut parts = vec![format!("{done} of {all} done")];
    if over > done {
        parts.push(format!("{} not done", over - done));
    }
    if left > 0 {
        parts.push(format!("{left} in progress"));
    }
    format!("{verb}: {}", parts.join(", "))
}

/// The sort rank: unknown and failed first, then in progress, then done.
fn rank(progress: Option<&ActionProgress>) -> u8 {
    match progress {
        Some(ActionProgress::Ended(ActionResult::Unknown { .. })) => 0,
        Some(ActionProgress::Ended(ending)) if !ending.is_done() => 1,
        Some(ActionProgress::Ended(_)) => 3,
        Some(ActionProgress::Sending | ActionProgress::Waiting { .. } | ActionProgress::ReadingBack)
        | None => 2,
    }
}

fn lines(cx: &Cx<'_>, run: &PlanRun, width: u16) -> Vec<Vec<StyledRun<'static>>> {
    let mut all: Vec<(&Action, Option<&ActionProgress>)> =
        run.plan.actions.iter().zip(run.progress.iter().map(Option::as_ref)).collect();
    all.sort_by_key(|(_, progress)| rank(*progress));
    let mut lines = Vec::new();
    for (action, progress) in all {
        let (role, word, more) = progress_text(cx, progress);
        let head = format!("{} {word:<14} ", cx.symbol(role));
        let indent = text::width(&head);
        let place = format!("  {}", action.source);
        let name =
            text::fit(&action.target.name, width.saturating_sub(indent + text::width(&place)), cx.charset);
        lines.push(vec![
            StyledRun::new(head, role),
            StyledRun::new(name.into_owned(), Role::Text),
            StyledRun::new(place, Role::Muted),
        ]);
        for line in text::wrap(&more, width.saturating_sub(indent).max(8)) {
            lines.push(vec![
                StyledRun::new(" ".repeat(usize::from(indent)), Role::Muted),
                StyledRun::new(line, role),
            ]);
        }
    }
    lines
}

/// The role, the word and the details of an action's progress.
fn progress_text(cx: &Cx<'_>, progress: Option<&ActionProgress>) -> (Role, &'static str, String) {
    match progress {
        None => (Role::Muted, "queued", String::new()),
        Some(ActionProgress::Sending) => (Role::Sending, "sending", String::new()),
        Some(ActionProgress::Waiting { until }) => {
            let until = until.to_zoned(cx.zone.clone()).strftime("%H:%M:%S");
            (Role::Stale, "waiting", format!("the source asked to retry after {until}"))
        }
        Some(ActionProgress::ReadingBack) => {
            (Role::Unknown, "reading back", "result unknown, reading the current state".to_owned())
        }
        Some(ActionProgress::Ended(ending)) => {
            let role = match ending {
                ActionResult::Done { .. } | ActionResult::Already { .. } => Role::Healthy,
                ActionResult::Conflict { .. } => Role::Stale,
                ActionResult::Refused { .. } => Role::Trouble,
                ActionResult::Held { .. } => Role::Muted,
                ActionResult::Unknown { .. } => Role::Unknown,
            };
            (role, ending.word(), ending.words().map(ToString::to_string).unwrap_or_default())
        }
    }
}
