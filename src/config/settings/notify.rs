//! `[notify]`: notifications about new pages.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::incident::Urgency;
use crate::model::notify::QuietHours;

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
        Self {
            bell: true,
            desktop: true,
            title: true,
            high: true,
            low: true,
            only_mine: false,
            quiet_hours: Vec::new(),
            zone: None,
        }
    }
}

impl NotifySettings {
    /// Whether notifications are off now. When clocks change, the local wall-clock time counts. Invalid values are ignored:
    /// checking the file has reported them.
    pub fn is_in_quiet_hours(&self, now: Timestamp) -> bool {
        let zone = self.zone.as_deref().and_then(|name| TimeZone::get(name).ok());
        let time = now.to_zoned(zone.unwrap_or_else(TimeZone::system)).time();
        self.quiet_hours.iter().filter_map(|text| QuietHours::parse(text)).any(|hours| hours.contains(time))
    }

    /// Whether an incident of this urgency causes a notification; `is_mine`: it is assigned to the user.
    pub fn notifies(&self, urgency: Urgency, is_mine: bool) -> bool {
        match urgency {
            Urgency::High => self.high && (is_mine || !self.only_mine),
            Urgency::Low => self.low && is_mine,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn notify_settings(quiet: &[&str], zone: &str) -> NotifySettings {
        let quiet_hours = quiet.iter().map(|text| (*text).to_owned()).collect();
        NotifySettings { quiet_hours, zone: Some(zone.to_owned()), ..NotifySettings::default() }
    }

    #[test]
    fn quiet_hours_go_over_midnight() {
        let settings = notify_settings(&["22:00-07:00", "12:00-13:30"], "UTC");
        for (time, is_in_quiet_hours) in [
            ("21:59:59", false),
            ("22:00:00", true),
            ("23:59:59", true),
            ("00:00:00", true),
            ("06:59:59", true),
            ("07:00:00", false),
            ("12:00:00", true),
            ("13:30:00", false),
        ] {
            let now: Timestamp = format!("2026-01-14T{time}Z").parse().unwrap();
            assert_eq!(settings.is_in_quiet_hours(now), is_in_quiet_hours, "{time}");
        }
    }

    #[test]
    fn on_nights_when_clocks_change_the_clock_on_the_wall_counts() {
        let settings = notify_settings(&["22:00-07:00"], "Europe/Berlin");
        for (now, is_in_quiet_hours) in [
            // winter: 07:00 is 06:00Z
            ("2026-03-28T05:59:00Z", true),
            ("2026-03-28T06:00:00Z", false),
            // the night to 2026-03-29 is an hour shorter: 07:00 is 05:00Z
            ("2026-03-28T21:00:00Z", true),
            ("2026-03-29T04:59:00Z", true),
            ("2026-03-29T05:00:00Z", false),
            ("2026-03-29T20:00:00Z", true),
            // the night to 2026-10-25 is an hour longer: 02:30 comes twice
            ("2026-10-25T00:30:00Z", true),
            ("2026-10-25T01:30:00Z", true),
            ("2026-10-25T05:59:00Z", true),
            ("2026-10-25T06:00:00Z", false),
        ] {
            assert_eq!(settings.is_in_quiet_hours(now.parse().unwrap()), is_in_quiet_hours, "{now}");
        }
    }

    #[test]
    fn urgency_and_owner_decide_who_is_called() {
        let all = NotifySettings::default();
        assert!(all.notifies(Urgency::High, false) && all.notifies(Urgency::Low, true));
        assert!(!all.notifies(Urgency::Low, false));
        let mine = NotifySettings { only_mine: true, low: false, ..NotifySettings::default() };
        assert!(mine.notifies(Urgency::High, true) && !mine.notifies(Urgency::High, false));
        assert!(!mine.notifies(Urgency::Low, true));
    }
}
