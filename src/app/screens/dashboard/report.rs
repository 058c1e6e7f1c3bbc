//! The values of all panels, for `burnwatch dashboards`.

use super::status::PanelStatus;
use super::{OpenDashboard, PanelPicture, PlacedPanel, values};
use crate::app::prelude::*;
use crate::app::subjects::dashboard::picture;
use crate::app::subjects::dashboard::values::PanelValue;
use crate::app::subjects::dashboard::variables::ShownVariable;

/// A panel with its values.
#[derive(Debug, Clone, PartialEq)]
pub struct PanelReport {
    pub id: u32,
    pub title: String,
    pub section: Option<String>,
    pub values: Vec<PanelValue>,
    /// What failed or is missing, or why there are no values.
    pub message: Option<String>,
    /// Whether its data are missing because something failed.
    pub is_failed: bool,
}

impl OpenDashboard {
    pub fn shown_variables(&self) -> &[ShownVariable] {
        &self.variables.all
    }

    /// The panels in their order; the one panel if only that is asked for.
    pub fn reports(&self, shared: &Shared, now: Timestamp) -> Vec<PanelReport> {
        let wanted = self.subject.as_ref().and_then(|target| target.panel);
        let panels =
            self.sections.iter().flat_map(|section| section.panels.iter().map(move |panel| (section, panel)));
        let panels = panels.filter(|(_, panel)| wanted.is_none_or(|id| panel.key.id == id));
        panels.map(|(section, panel)| self.report(shared, (section.title.clone(), panel), now)).collect()
    }

    fn report(
        &self,
        shared: &Shared,
        (section, panel): (Option<String>, &PlacedPanel),
        now: Timestamp,
    ) -> PanelReport {
        let own = picture::without_data(&panel.panel);
        let picture = own.as_ref().or_else(|| self.pictures.get(&panel.key).map(|made| &made.picture));
        let empty = match picture {
            Some(PanelPicture::NoData(words) | PanelPicture::Undrawable(words)) => Some(words.clone()),
            Some(_) | None => None,
        };
        let (message, is_failed) = match PanelStatus::of(self, shared, panel, now) {
            PanelStatus::Waiting(_) => (Some("no answer in time".to_owned()), true),
            PanelStatus::Failed(messages) => (Some(messages.join("; ")), true),
            PanelStatus::Ready { notes, .. } => {
                let words: Vec<String> = empty.into_iter().chain(notes).collect();
                ((!words.is_empty()).then(|| words.join("; ")), false)
            }
        };
        let values = picture.map(values::of).unwrap_or_default();
        PanelReport { id: panel.key.id, title: self.title_of(panel), section, values, message, is_failed }
    }
}
