//! Settings for notifications: the terminal's bell, desktop notifications and the terminal's title.

use jiff::Timestamp;
use jiff::civil::Time;
use jiff::tz::TimeZone;

use super::incident::Urgency;

/// Daily hours without notifications, from `from` up to `to`, across midnight if `to` is earlier.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QuietHours {
    /// The start, in local time.
    pub from: Time,
    /// The end, in local time.
    pub to: Time,
}

impl QuietHours {
    /// Parses `22:00-07:00`; `None` if the format is wrong or both times are equal.
    pub fn parse(text: &str) -> Option<Self> {
        let (from, to) = text.split_once('-')?;
        let time = |text: &str| {
            let (hour, minute) = text.trim().split_once(':')?;
            let digits = |text: &str, most: usize| {
                (1..=most).contains(&text.len()) && text.chars().all(|c| c.is_ascii_digit())
            };
            if !digits(hour, 2) || minute.len() != 2 || !digits(minute, 2) {
                return None;
            }
            Time::new(hour.parse().ok()?, minute.parse().ok()?, 0, 0).ok()
        };
        let (from, to) = (time(from)?, time(to)?);
        (from != to).then_some(Self { from, to })
    }

    fn contain(self, time: Time) -> bool {
        if self.from < self.to {
            (self.from..self.to).contains(&time)
        } else {
            time >= self.from || time < self.to
        }
    }
}

/// The user's notification settings.
#[derive(Debug, Clone, PartialEq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own in the configuration")]
pub struct NotifyPolicy {
    /// Whether to ring the terminal's bell.
    pub bell: bool,
    /// Whether to show desktop notifications.
    pub desktop: bool,
    /// Whether the terminal's title shows the number of waiting pages.
    pub title: bool,
    /// Notify about incidents of high urgency, and about critical alerts if no paging system is configured.
    pub high: bool,
    /// Notify about incidents of low urgency that are assigned to the user.
    pub low: bool,
    /// Notify only about incidents of high urgency that are assigned to the user.
    pub only_mine: bool,
    /// Hours without bell and desktop notifications.
    pub quiet: Vec<QuietHours>,
    /// The time zone of the quiet hours.
    pub zone: TimeZone,
}

impl Default for NotifyPolicy {
    fn default() -> Self {
        Self {
            bell: true,
            desktop: true,
            title: true,
            high: true,
            low: true,
            only_mine: false,
            quiet: Vec::new(),
            zone: TimeZone::UTC,
        }
    }
}

impl NotifyPolicy {
    /// Whether notifications are off now. When clocks change, the local wall-clock time counts.
    pub fn is_in_quiet_hours(&self, now: Timestamp) -> bool {
        let time = now.to_zoned(self.zone.clone()).time();
        self.quiet.iter().any(|hours| hours.contain(time))
    }

    /// Whether an incident of this urgency causes a notification; `is_assigned_to_user`: it is assigned to the user.
    pub fn notifies(&self, urgency: Urgency, is_assigned_to_user: bool) -> bool {
        match urgency {
            Urgency::High => self.high && (is_assigned_to_user || !self.only_mine),
            Urgency::Low => self.low && is_assigned_to_user,
        }
    }
}

/// A notification outside of burnwatch's screen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notification {
    /// Whether to ring the bell.
    pub bell: bool,
    /// Title and text of a desktop notification; short and without control characters.
    pub desktop: Option<(String, String)>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn notify_policy(quiet: &[&str], zone: &str) -> NotifyPolicy {
        let quiet = quiet.iter().map(|text| QuietHours::parse(text).unwrap()).collect();
        NotifyPolicy { quiet, zone: TimeZone::get(zone).unwrap(), ..NotifyPolicy::default() }
    }

    #[test]
    fn quiet_hours_go_over_midnight() {
        let notify_policy = notify_policy(&["22:00-07:00", "12:00-13:30"], "UTC");
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
            assert_eq!(notify_policy.is_in_quiet_hours(now), is_in_quiet_hours, "{time}");
        }
    }

    #[test]
    fn on_nights_when_clocks_change_the_clock_on_the_wall_counts() {
        let notify_policy = notify_policy(&["22:00-07:00"], "Europe/Berlin");
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
            assert_eq!(notify_policy.is_in_quiet_hours(now.parse().unwrap()), is_in_quiet_hours, "{now}");
        }
    }

    #[test]
    fn what_is_no_stretch_of_a_day_is_refused() {
        for text in
            ["", "22:00", "22-07", "22:00-22:00", "24:00-07:00", "22:0-07:00", "22:60-23:00", "a:bc-1:00"]
        {
            assert_eq!(QuietHours::parse(text), None, "{text}");
        }
        assert!(QuietHours::parse(" 9:00 - 17:30 ").is_some());
    }

    #[test]
    fn urgency_and_owner_decide_who_is_called() {
        let all = NotifyPolicy::default();
        assert!(all.notifies(Urgency::High, false) && all.notifies(Urgency::Low, true));
        assert!(!all.notifies(Urgency::Low, false));
        let mine = NotifyPolicy { only_mine: true, low: false, ..NotifyPolicy::default() };
        assert!(mine.notifies(Urgency::High, true) && !mine.notifies(Urgency::High, false));
        assert!(!mine.notifies(Urgency::Low, true));
    }
}
