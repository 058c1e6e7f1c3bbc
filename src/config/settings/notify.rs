//! `[notify]`: notifications about new pages.

use jiff::tz::TimeZone;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::notify::{NotifyPolicy, QuietHours};

/// Notifications about new pages.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own in the file")]
pub struct NotifySettings {
    /// Ring the terminal's bell.
    pub bell: bool,
    /// Show a desktop notification, by OSC 9 or OSC 777.
    pub desktop: bool,
    /// Show the number of waiting pages in the terminal's title.
    pub title: bool,
    /// Notify about incidents of high urgency; without a paging system, about critical alerts.
    pub high: bool,
    /// Notify about incidents of low urgency that are assigned to you.
    pub low: bool,
    /// Notify about incidents of high urgency only if they are assigned to you.
    pub only_mine: bool,
    /// Daily hours without bell and desktop notifications: `["22:00-07:00"]`.
    pub quiet_hours: Vec<String>,
    /// The time zone of `quiet_hours`, like `Europe/Berlin`; by default that of this machine.
    pub zone: Option<String>,
}

impl Default for NotifySettings {
    fn default() -> Self {
        let NotifyPolicy { bell, desktop, title, high, low, only_mine, .. } = NotifyPolicy::default();
        Self { bell, desktop, title, high, low, only_mine, quiet_hours: Vec::new(), zone: None }
    }
}

impl NotifySettings {
    /// Converts the settings to the model's policy. Invalid values are ignored: checking the file has reported them.
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
