//! Whether the data of a panel are there, how old they are, and what failed, in the server's own words.

use super::{OpenDashboard, PlacedPanel};
use crate::app::prelude::*;
use crate::app::subjects::dashboard::picture;
use crate::model::remote::Freshness;

/// Data are stale if they are older than so many steps, but not before this.
const STALE_AFTER: (u32, Duration) = (3, Duration::from_secs(60));

/// The state of a panel's data.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum PanelStatus {
    /// Nothing has arrived yet; why.
    Waiting(String),
    /// There are no data because all queries failed.
    Failed(Vec<String>),
    Ready {
        /// The age of data that should be newer.
        stale: Option<Duration>,
        /// What failed or is incomplete.
        notes: Vec<String>,
    },
}

impl PanelStatus {
    pub(super) fn of(screen: &OpenDashboard, shared: &Shared, panel: &PlacedPanel, now: Timestamp) -> Self {
        if picture::without_data(&panel.panel).is_some() {
            return Self::Ready {
                stale: None,
                notes: panel.panel.notes.iter().map(ToString::to_string).collect(),
            };
        }
        let Some(questions) = screen.questions.get(&panel.key) else {
            let words =
                if screen.variables.are_settled() { shared.waiting() } else { "loading variables..." };
            return Self::Waiting(words.to_owned());
        };
        let mut failed: Vec<String> =
            questions.unanswered.iter().map(|failure| named(&failure.ref_id, &failure.message)).collect();
        let mut stale = None;
        let mut is_waiting = false;
        let mut has_data = false;
        let mut notes = Vec::new();
        for asked in &questions.asked {
            let Some(answer) = asked.answer(shared) else {
                is_waiting = true;
                continue;
            };
            let limit = (STALE_AFTER.0 * asked.wanted.step).max(STALE_AFTER.1);
            match answer.freshness(now, limit) {
                Freshness::NotAsked | Freshness::Loading => is_waiting = true,
                Freshness::Stale(age) => stale = stale.max(Some(age)),
                Freshness::Fresh | Freshness::Failed => {}
            }
            failed.extend(answer.failure().map(ToString::to_string));
            if let Some(frames) = answer.value() {
                has_data |= frames.failures.is_empty()
                    || !frames.lines.is_empty()
                    || frames.frames.iter().any(|frame| frame.rows() > 0);
                failed.extend(frames.failures.iter().map(|failure| named(&failure.ref_id, &failure.message)));
                let notices = frames.frames.iter().flat_map(|frame| &frame.notices);
                notes.extend(notices.map(ToString::to_string));
                if frames.is_cut {
                    notes.push("a limit cut the answer: there is more".to_owned());
                }
            }
            notes.extend(answer.warnings.iter().map(ToString::to_string));
        }
        if !has_data && is_waiting {
            return Self::Waiting(shared.waiting().to_owned());
        }
        if !has_data && !failed.is_empty() {
            return Self::Failed(failed);
        }
        if let Some(made) = screen.pictures.get(&panel.key) {
            notes.extend(made.notes.iter().map(ToString::to_string));
        }
        failed.extend(notes);
        Self::Ready { stale, notes: failed }
    }
}

/// A message with the id of its query.
fn named(ref_id: &str, message: &str) -> String {
    if ref_id.is_empty() { message.to_owned() } else { format!("{ref_id}: {message}") }
}
