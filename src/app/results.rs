//! Draws the results of a plan: one line for each target, failures first.

use ratatui::buffer::Buffer;

use super::display_settings::Cx;
use super::number::ago;
use super::runs::PlanRun;
use super::shared::Shared;
use super::theme::Role;
use super::widgets::text::{self, StyledRun};
use super::window::{self, text_window, window};
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
    let title = format!("{}, {} ago", title(run), ago(run.begun_at, cx.now));
    let (last, hidden) = text_window(cx, &title, width, (&lines, top), buf);
    let mut keys = vec![StyledRun::new(" Esc ", Role::Key), StyledRun::new("closes", Role::Muted)];
    keys.extend(hidden.map(|hidden| StyledRun::new(format!("  {hidden}"), Role::Key)));
    if count > 1 {
        keys.push(StyledRun::new(cx.charset.pick("  ← → ", "  <- -> "), Role::Key));
        keys.push(StyledRun::new(format!("{} of {count}, older and newer", back + 1), Role::Muted));
    }
    text::runs(cx, &keys, last, buf);
}

/// The largest scroll position, in lines.
pub(super) fn last_top(shared: &Shared, back: usize, now: jiff::Timestamp) -> u16 {
    let Some(run) = shared.runs.all().nth(back) else { return 0 };
    let lines = lines(&shared.cx(now), run, WIDTH.min(shared.size.0).saturating_sub(4));
    window::last_top(lines.len(), shared.size)
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
