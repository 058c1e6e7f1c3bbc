//! What the user sees of the time on a page with charts: value cursor, zoom, kind of value axis, stacking. The same for all charts
//! of the page, so that they have one time axis.

use std::time::Duration;

use jiff::Timestamp;

use super::commands::Command;
use super::display_settings::Cx;
use super::range::Range;
use super::widgets::chart::{ChartView, Stacking};
use crate::model::duration;
use crate::model::remote::age;
use crate::model::series::TimeGrid;

/// A chart that is zoomed to an event shows at least this much before it, and this much in all.
const LEAD: Duration = Duration::from_secs(300);
const LEAST: Duration = Duration::from_secs(600);
/// The event is small if it and the time before it take at most this share of the range.
const SMALL: f64 = 0.6;
/// Points that remain visible at the closest zoom.
const FEWEST: u32 = 8;
/// Points that a chart zoomed to an event shows at least.
const FEWEST_AT_EVENT: u32 = 16;
/// Steps of the cursor from one end of the shown time to the other.
pub const STEPS: u32 = 120;
/// Steps that the keys for a long way move the cursor.
const FAR: i64 = 12;

/// The time that the charts of a page show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChartedTime {
    /// The points of the whole range.
    pub grid: TimeGrid,
    /// When that began which the page is about: the first firing, change or bad point in the range.
    pub event: Option<Timestamp>,
}

impl ChartedTime {
    /// The grid of the whole range in steps that divide a part of it well, but no finer than this.
    fn in_steps_of(self, (from, to): (Timestamp, Timestamp), finest: Duration) -> TimeGrid {
        let points = u16::try_from(STEPS).unwrap_or(u16::MAX);
        let step = TimeGrid::ending(to, age(from, to), points, finest).step();
        let whole = age(self.grid.start(), self.grid.end());
        if step < self.grid.step() { TimeGrid::stepped(self.grid.end(), whole, step) } else { self.grid }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Zoom {
    /// To the event, if it is small on the range; else the whole range.
    #[default]
    Event,
    Whole,
    /// A part of the range; `end` None: its end moves with the end of the range.
    Part {
        length: Duration,
        end: Option<Timestamp>,
    },
}

/// What the user has chosen for the charts of the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ChartControl {
    cursor: Option<Timestamp>,
    zoom: Zoom,
    is_logarithmic: bool,
    stacking: Stacking,
}

impl ChartControl {
    /// What the charts of a page with this time show.
    pub fn view(&self, time: ChartedTime) -> ChartView {
        let Self { cursor, is_logarithmic, stacking, .. } = *self;
        ChartView { part: self.part(time), cursor, is_logarithmic, stacking }
    }

    /// As [`Self::view`], for a chart with a time axis of its own: only the cursor is shared with the others.
    pub fn view_of_own_time(&self) -> ChartView {
        let Self { cursor, is_logarithmic, stacking, .. } = *self;
        ChartView { part: None, cursor, is_logarithmic, stacking }
    }

    pub const fn has_cursor(&self) -> bool {
        self.cursor.is_some()
    }

    /// Whether the user has chosen the part that is shown.
    pub const fn is_zoomed(&self) -> bool {
        matches!(self.zoom, Zoom::Part { .. })
    }

    pub const fn remove_cursor(&mut self) {
        self.cursor = None;
    }

    /// Shows the whole range from now on: the user has chosen another one.
    pub const fn show_whole(&mut self) {
        self.zoom = Zoom::Whole;
    }

    /// Moves a zoomed part to the end of the range.
    pub const fn follow_end(&mut self) {
        if let Zoom::Part { end, .. } = &mut self.zoom {
            *end = None;
        }
    }

    /// The shown part of the range; None: all of it.
    fn part(&self, time: ChartedTime) -> Option<(Timestamp, Timestamp)> {
        match self.zoom {
            Zoom::Whole => None,
            Zoom::Event => event_part(time),
            Zoom::Part { length, end } => {
                let whole = (time.grid.start(), time.grid.end());
                let end = end.unwrap_or(whole.1).min(whole.1);
                let start = end.checked_sub(length).unwrap_or(whole.0);
                (start > whole.0 || end < whole.1).then(|| (start.max(whole.0), end))
            }
        }
    }

    /// The range in words: `last 1h`, `last 14m of 1h, zoomed (0: all)`, `02:10-02:25 of 1h, zoomed (0: all)`.
    /// `key` is that of the command for the whole range.
    pub fn words(&self, cx: &Cx<'_>, range: &Range, time: ChartedTime, key: &str) -> String {
        let Some((from, to)) = self.part(time) else { return range.words(cx.now) };
        let part = if to == time.grid.end() && range.end.is_none() {
            format!("last {}", duration::short(age(from, to)))
        } else {
            let clock = |at: Timestamp| at.to_zoned(cx.zone.clone()).strftime("%H:%M").to_string();
            format!("{}{}{}", clock(from), cx.charset.pick("–", "-"), clock(to))
        };
        format!("{part} of {}, zoomed ({key}: all)", duration::short(range.length))
    }

    /// Runs a command of charts, whose points are at least `finest` apart when they are zoomed. Returns what to tell the user, if it is not seen.
    pub fn run(&mut self, command: Command, time: ChartedTime, finest: Duration) -> Option<&'static str> {
        if command == Command::CursorBack {
            self.move_cursor(time, finest, -1);
        } else if command == Command::CursorForward {
            self.move_cursor(time, finest, 1);
        } else if command == Command::CursorFarBack {
            self.move_cursor(time, finest, -FAR);
        } else if command == Command::CursorFarForward {
            self.move_cursor(time, finest, FAR);
        } else if command == Command::ZoomIn {
            return self.zoom(time, finest, true);
        } else if command == Command::ZoomOut {
            return self.zoom(time, finest, false);
        } else if command == Command::WholeRange {
            return self.whole_or_event(time);
        } else if command == Command::LogScale {
            self.is_logarithmic = !self.is_logarithmic;
            return Some(if self.is_logarithmic {
                "The value axis is logarithmic"
            } else {
                "The value axis is linear"
            });
        } else if command == Command::Stack {
            self.stacking = self.stacking.next();
            return Some(self.stacking.words());
        }
        None
    }

    /// Moves the cursor; it appears at the end of the shown time. Where it leaves the shown part, that moves along.
    fn move_cursor(&mut self, time: ChartedTime, finest: Duration, by: i64) {
        let part = self.part(time);
        let grid = part.filter(|_| self.is_zoomed()).map_or(time.grid, |part| time.in_steps_of(part, finest));
        let shown = part.map_or(grid, |(from, to)| grid.part(from, to).0);
        let Some(at) = self.cursor.and_then(|at| grid.nearest(at)) else {
            self.cursor = Some(shown.end());
            return;
        };
        let stride = i64::try_from((shown.count() / STEPS as usize).max(1)).unwrap_or(1);
        let step = usize::try_from((by * stride).unsigned_abs()).unwrap_or(usize::MAX);
        let last = grid.count().saturating_sub(1);
        let to = if by < 0 { at.saturating_sub(step) } else { at.saturating_add(step).min(last) };
        let cursor = grid.at(to);
        self.cursor = Some(cursor);
        let Some((from, to)) = part else { return };
        let length = age(from, to);
        if cursor < from {
            self.set_part(time, length, cursor.checked_add(length).unwrap_or(to));
        } else if cursor > to {
            self.set_part(time, length, cursor);
        }
    }

    fn set_part(&mut self, time: ChartedTime, length: Duration, end: Timestamp) {
        let whole = (time.grid.start(), time.grid.end());
        if length >= age(whole.0, whole.1) {
            self.zoom = Zoom::Whole;
            return;
        }
        let end = end.max(whole.0.checked_add(length).unwrap_or(whole.1));
        self.zoom = Zoom::Part { length, end: Some(end).filter(|end| *end < whole.1) };
    }

    /// Shows half or twice the time: around the cursor, else with the same end.
    fn zoom(&mut self, time: ChartedTime, finest: Duration, is_closer: bool) -> Option<&'static str> {
        let whole = (time.grid.start(), time.grid.end());
        let (from, to) = self.part(time).unwrap_or(whole);
        let length = age(from, to);
        let least = time.grid.step().min(finest.max(Duration::from_secs(1))) * FEWEST;
        if is_closer && length <= least {
            return Some("This is the closest: a few points");
        }
        if !is_closer && (from, to) == whole {
            return Some("This is the whole range");
        }
        let wanted = if is_closer { (length / 2).max(least) } else { length * 2 };
        let end = match self.cursor.filter(|at| (from..=to).contains(at)) {
            Some(cursor) => cursor.checked_add(wanted / 2).unwrap_or(to).min(whole.1),
            None => to,
        };
        self.set_part(time, wanted, end);
        None
    }

    /// Moves the part that the user has zoomed to by half its length; `false` if there is none, or no more of the range.
    pub fn pan(&mut self, time: ChartedTime, is_back: bool) -> bool {
        let part = self.part(time).filter(|_| matches!(self.zoom, Zoom::Part { .. }));
        let Some((from, to)) = part else { return false };
        let length = age(from, to);
        let (start, end) = (time.grid.start(), time.grid.end());
        if (is_back && from <= start) || (!is_back && to >= end) {
            return false;
        }
        let moved = if is_back { to.checked_sub(length / 2) } else { to.checked_add(length / 2) };
        self.set_part(time, length, moved.unwrap_or(to).min(end));
        true
    }

    fn whole_or_event(&mut self, time: ChartedTime) -> Option<&'static str> {
        if self.part(time).is_some() {
            self.zoom = Zoom::Whole;
            return None;
        }
        if event_part(time).is_none() {
            return Some(match time.event {
                Some(_) => "The event takes most of the range already",
                None => "Nothing began in this range: there is no event to zoom to",
            });
        }
        self.zoom = Zoom::Event;
        None
    }
}

/// The part from some minutes before the event to the end of the range; `None` if there is no event or it is not small.
fn event_part(time: ChartedTime) -> Option<(Timestamp, Timestamp)> {
    let (start, end) = (time.grid.start(), time.grid.end());
    let event = time.event.filter(|event| *event > start && *event <= end)?;
    let lead = LEAD.max(age(event, end) / 2).max(4 * time.grid.step());
    let least = LEAST.max(time.grid.step() * FEWEST_AT_EVENT);
    let most = end.checked_sub(least).ok()?;
    let from = event.checked_sub(lead).ok()?.min(most).max(start);
    let is_small = age(from, end).as_secs_f64() <= SMALL * age(start, end).as_secs_f64();
    is_small.then_some((from, end))
}

/// Since when the newest values of a series have been bad: the first of its last bad points, among which single good or missing
/// ones count as bad. `None` if none of the last three values is bad.
pub fn bad_since(grid: TimeGrid, values: &[f64], is_bad: impl Fn(f64) -> bool) -> Option<Timestamp> {
    let mut since = None;
    let mut others = 0;
    for (index, value) in values.iter().enumerate().rev() {
        if is_bad(*value) {
            (since, others) = (Some(index), 0);
        } else {
            others += 1;
            if others > 2 {
                break;
            }
        }
    }
    since.map(|index| grid.at(index))
}

#[cfg(test)]
mod tests {
    use jiff::tz::TimeZone;
    use proptest::prelude::*;

    use super::*;
    use crate::app::display_settings::{Charset, ChartSymbols};
    use crate::app::theme::Theme;

    const END: i64 = 1_773_453_600;
    /// The points of an hour are as close as those of the source.
    const FINEST: Duration = Duration::from_secs(15);

    fn at(minutes: i64) -> Timestamp {
        Timestamp::from_second(END + 60 * minutes).unwrap()
    }

    /// One hour in steps of 15 seconds, until minute 0.
    fn hour(event: Option<i64>) -> ChartedTime {
        let grid = TimeGrid::ending(at(0), Duration::from_secs(3600), 240, Duration::from_secs(15));
        ChartedTime { grid, event: event.map(at) }
    }

    fn part(control: ChartControl, time: ChartedTime) -> Option<(i64, i64)> {
        let minutes = |at: Timestamp| (at.as_second() - END) / 60;
        control.part(time).map(|(from, to)| (minutes(from), minutes(to)))
    }

    #[test]
    fn charts_open_at_the_event_if_it_is_small_and_zero_shows_all() {
        let control = ChartControl::default();
        for (event, shown) in [
            (None, None),
            (Some(-3), Some((-10, 0))),
            (Some(-20), Some((-30, 0))),
            (Some(-1), Some((-10, 0))),
            // large, before the range, after it
            (Some(-40), None),
            (Some(-90), None),
            (Some(5), None),
        ] {
            assert_eq!(part(control, hour(event)), shown, "{event:?}");
        }
        let mut control = control;
        assert_eq!(control.run(Command::WholeRange, hour(Some(-3)), FINEST), None);
        assert_eq!(part(control, hour(Some(-3))), None);
        assert_eq!(control.run(Command::WholeRange, hour(Some(-3)), FINEST), None);
        assert_eq!(part(control, hour(Some(-3))), Some((-10, 0)));
        assert!(ChartControl::default().run(Command::WholeRange, hour(None), FINEST).is_some());
    }

    #[test]
    fn the_cursor_starts_at_the_end_and_takes_the_shown_part_along() {
        let (mut control, time) = (ChartControl::default(), hour(Some(-3)));
        control.run(Command::CursorBack, time, FINEST);
        assert_eq!(control.cursor, Some(at(0)));
        control.run(Command::CursorBack, time, FINEST);
        assert_eq!(control.cursor.map(Timestamp::as_second), Some(END - 15));
        for _ in 0..4 {
            control.run(Command::CursorFarBack, time, FINEST);
        }
        assert_eq!(control.cursor.map(Timestamp::as_second), Some(END - 15 - 4 * 12 * 15));
        let (from, to) = control.part(time).unwrap();
        assert_eq!((from, age(from, to)), (control.cursor.unwrap(), Duration::from_secs(600)));
        for _ in 0..9 {
            control.run(Command::CursorFarForward, time, FINEST);
        }
        assert_eq!((control.cursor, part(control, time)), (Some(at(0)), Some((-10, 0))));
    }

    #[test]
    fn zooming_keeps_the_cursor_or_the_end_in_place() {
        let (mut control, time) = (ChartControl::default(), hour(None));
        control.run(Command::ZoomIn, time, FINEST);
        assert_eq!(part(control, time), Some((-30, 0)));
        control.cursor = Some(at(-10));
        control.run(Command::ZoomIn, time, FINEST);
        assert_eq!(
            control.part(time).map(|(from, to)| (from.as_second() - END, to.as_second() - END)),
            Some((-1050, -150))
        );
        assert!(control.pan(time, true));
        assert_eq!(control.part(time).map(|(from, _)| from.as_second() - END), Some(-1500));
        control.run(Command::ZoomOut, time, FINEST);
        control.run(Command::ZoomOut, time, FINEST);
        assert_eq!(part(control, time), None);
        assert!(control.run(Command::ZoomOut, time, FINEST).is_some());
        assert!(!control.pan(time, true), "the range itself moves");
        for _ in 0..9 {
            control.run(Command::ZoomIn, time, FINEST);
        }
        assert_eq!(control.part(time).map(|(from, to)| age(from, to)), Some(Duration::from_secs(120)));
    }

    #[test]
    fn the_title_says_what_is_shown() {
        let cx = Cx {
            theme: &Theme::probe(),
            charset: Charset::Unicode,
            chart_symbols: ChartSymbols::Braille,
            now: at(0),
            zone: &TimeZone::UTC,
            is_slow_link: false,
        };
        let said = |control: ChartControl, event| control.words(&cx, &Range::default(), hour(event), "0");
        let mut control = ChartControl::default();
        assert_eq!(said(control, None), "last 1h");
        assert_eq!(said(control, Some(-3)), "last 10m of 1h, zoomed (0: all)");
        control.cursor = Some(at(-20));
        control.run(Command::ZoomIn, hour(None), FINEST);
        assert_eq!(said(control, None), "01:25–01:55 of 1h, zoomed (0: all)");
    }

    #[test]
    fn what_is_bad_now_began_at_the_first_of_the_last_bad_points() {
        let grid = hour(None).grid;
        let since = |values: &[f64]| {
            bad_since(grid, values, |value| value > 1.0)
                .map(|at| (at.as_second() - grid.start().as_second()) / 15)
        };
        assert_eq!(since(&[5.0, 0.0, 0.0, 0.0, 5.0, f64::NAN, 5.0, 0.0]), Some(4));
        assert_eq!(since(&[5.0, 0.0, 0.0, 0.0]), None);
        assert_eq!(since(&[]), None);
    }

    #[test]
    fn a_long_range_is_zoomed_to_points_that_are_finer_than_its_own() {
        let day = Duration::from_secs(24 * 3600);
        let grid = TimeGrid::ending(at(0), day, 240, FINEST);
        assert_eq!(grid.step(), Duration::from_secs(600));
        let (mut control, time) = (ChartControl::default(), ChartedTime { grid, event: None });
        while control.run(Command::ZoomIn, time, FINEST).is_none() {}
        let (from, to) = control.part(time).unwrap();
        assert_eq!(age(from, to), FEWEST * FINEST, "not eight of the points of a day");
        control.run(Command::CursorBack, time, FINEST);
        control.run(Command::CursorBack, time, FINEST);
        assert_eq!(control.cursor.map(Timestamp::as_second), Some(END - 15));
    }

    proptest! {
        /// Whatever is pressed, the shown part stays in the range, has points, and the cursor is one of them.
        #[test]
        fn no_keys_leave_the_range(
            keys in prop::collection::vec(0..9_usize, 0..60), event in prop::option::of(-70..5_i64), minutes in 1..50_000_u64,
        ) {
            let grid = TimeGrid::ending(at(0), Duration::from_secs(60 * minutes), 240, Duration::from_secs(15));
            let time = ChartedTime { grid, event: event.map(at) };
            let mut control = ChartControl::default();
            for key in keys {
                match key {
                    7 => { control.pan(time, true); }
                    8 => { control.pan(time, false); }
                    _ => {
                        let commands = [
                            Command::CursorBack, Command::CursorForward, Command::CursorFarBack, Command::CursorFarForward,
                            Command::ZoomIn, Command::ZoomOut, Command::WholeRange,
                        ];
                        control.run(commands[key], time, FINEST);
                    }
                }
                let (from, to) = control.part(time).unwrap_or((grid.start(), grid.end()));
                prop_assert!(grid.start() <= from && from < to && to <= grid.end(), "{from} {to}");
                if let Some(cursor) = control.cursor {
                    prop_assert!(grid.start() <= cursor && cursor <= grid.end());
                }
            }
        }
    }
}
