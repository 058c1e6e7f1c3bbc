//! Notifications by the terminal's bell and the desktop, and the hours without them.

use jiff::civil::Time;

use super::when::time;

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
        let (from, to) = (time(from.trim())?, time(to.trim())?);
        (from != to).then_some(Self { from, to })
    }

    /// Whether this time of day is within the hours.
    pub fn contains(self, time: Time) -> bool {
        if self.from < self.to {
            (self.from..self.to).contains(&time)
        } else {
            time >= self.from || time < self.to
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

    #[test]
    fn what_is_no_stretch_of_a_day_is_refused() {
        for text in
            ["", "22:00", "22-07", "22:00-22:00", "24:00-07:00", "22:0-07:00", "22:60-23:00", "a:bc-1:00"]
        {
            assert_eq!(QuietHours::parse(text), None, "{text}");
        }
        assert!(QuietHours::parse(" 9:00 - 17:30 ").is_some());
    }
}
