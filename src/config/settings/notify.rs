//! `[notify]`: how the person is called when a page comes.

use jiff::tz::TimeZone;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::notify::{NotifyPolicy, QuietHours};

/// How the person is called when a page comes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own in the file")]
pub struct NotifySettings {
    /// Ring the terminal's bell.
    pub bell: bool,
    /// Show a notification on the desktop, by OSC 9 or OSC 777.
    pub desktop: bool,
    /// Say in the terminal's title how many pages wait.
    pub title: bool,
    /// Call for incidents of high urgency; where no paging system is asked, for critical alerts.
    pub high: bool,
    /// Call for incidents of low urgency that are assigned to you.
    pub low: bool,
    /// Call for incidents of high urgency only if they are assigned to you.
    pub only_mine: bool,
    /// Stretches of the day without bell and desktop: `["22:00-07:00"]`.
    pub quiet_hours: Vec<String>,
    /// The zone of `quiet_hours`, like `Europe/Berlin`; without it this machine's.
    pub zone: Option<String>,
}

impl Default for NotifySettings {
    fn default() -> Self {
        let NotifyPolicy { bell, desktop, title, high, low, only_mine, .. } = NotifyPolicy::default();
        Self { bell, desktop, title, high, low, only_mine, quiet_hours: Vec::new(), zone: None }
    }
}

impl NotifySettings {
    /// As it is acted upon; what is not understood was told when the file was checked.
    pub fn notify_policy(&self) -> NotifyPolicy {
        NotifyPolicy {
            bell: self.bell,
            desktop: self.desktop,
            title: self.title,
            high: self.high,
            low: self.low,
            only_mine: self.only_mine,
            quiet: self.quiet_hours.iter().filter_map(|text| QuietHours::parse(text)).collect(),
            zone: self
                .zone
                .as_deref()
                .and_then(|name| TimeZone::get(name).ok())
                .unwrap_or_else(TimeZone::system),
        }
    }
}
