//! The week calendar of one level: a column per day with handoffs, gaps, double bookings and night hours.

use crate::app::identity::LevelKey;
use crate::app::prelude::*;
use crate::app::subjects::on_call::words::{self, night_symbol, stands_in};
use crate::model::oncall::{CalendarDay, Coverage, CoverageSlot};

/// The number of days.
const DAYS: u8 = 7;
/// Minimum width of a day's column; narrower calendars are lists.
const COLUMN: u16 = 11;
/// Shorter night hours are not shown.
const MIN_NIGHT: Duration = Duration::from_secs(1800);

/// The coming days of a level; empty if the source has not answered.
fn days(cx: &ScreenCx<'_>, key: &LevelKey) -> Vec<CalendarDay> {
    let snapshot = cx.world.cache(&key.policy.source).and_then(|cache| cache.on_call().value());
    snapshot.map_or_else(Vec::new, |snapshot| snapshot.days(&key.policy.id, key.level, cx.now, cx.zone, DAYS))
}

/// Draws the week: as columns if each day has room for one, else as a list of handoffs.
pub(super) fn render(cx: &ScreenCx<'_>, key: &LevelKey, area: Rect, buf: &mut Buffer) {
    let days = days(cx, key);
    let line = |row: u16| Rect { y: area.y + row, height: 1, ..area };
    if area.height < 3 || days.is_empty() {
        return;
    }
    let name = key.policy.policy(cx.world).map_or("", |(_, policy)| &policy.named.name);
    let zone = cx.now.to_zoned(cx.zone.clone()).strftime("%Z").to_string();
    let title = [
        StyledRun::new(" Next 7 days: ", Role::Title),
        StyledRun::new(format!("{name}, level {}", key.level), Role::Text),
        StyledRun::new(format!("  times in {zone}"), Role::Muted),
    ];
    text::runs(cx, &title, line(0), buf);
    let rest = Rect { y: area.y + 1, height: area.height - 1, ..area };
    if area.width / u16::from(DAYS) < COLUMN {
        list(cx, key, &days, rest, buf);
        return;
    }
    let people = people(&days);
    let (body, legend_line) = if rest.height > 5 {
        (Rect { height: rest.height - 1, ..rest }, Some(line(area.height - 1)))
    } else {
        (rest, None)
    };
    let edge = |i: u16| area.width * i / u16::from(DAYS);
    for (i, day) in (0_u16..).zip(&days) {
        let column = Rect { x: area.x + edge(i) + 1, width: edge(i + 1) - edge(i) - 1, ..body };
        draw_day(cx, key, day, &people, column, buf);
    }
    if let Some(line) = legend_line {
        text::runs(cx, &legend(cx), line, buf);
    }
}

/// The ids of all people of the week in the order of their shifts; the index decides a person's colour.
fn people(days: &[CalendarDay]) -> Vec<Text> {
    let mut people: Vec<Text> = Vec::new();
    let on_duty = days
        .iter()
        .flat_map(|day| &day.coverage_slots)
        .flat_map(|coverage_slot| coverage_slot.cover.on_duty());
    for person_on_duty in on_duty {
        if !people.contains(&person_on_duty.person.id) {
            people.push(person_on_duty.person.id.clone());
        }
    }
    people
}

fn legend(cx: &Cx<'_>) -> Vec<StyledRun<'static>> {
    let (on, night) = (cx.charset.pick("█", "#"), cx.charset.pick("░", ":"));
    vec![
        StyledRun::new(
            format!(" {on} on call  {night} {} night (their time)  ", night_symbol(cx)),
            Role::Muted,
        ),
        StyledRun::new(format!("{} override  ", stands_in(cx)), Role::Muted),
        StyledRun::new(format!("{} double booked  ", cx.symbol(Role::Warning)), Role::Warning),
        StyledRun::new(format!("{} nobody  ", cx.symbol(Role::Down)), Role::Down),
        StyledRun::new(format!("{} unknown", cx.charset.pick("·", ".")), Role::Muted),
    ]
}

fn draw_day(
    cx: &ScreenCx<'_>,
    key: &LevelKey,
    day: &CalendarDay,
    people: &[Text],
    column: Rect,
    buf: &mut Buffer,
) {
    let line = |row: u16| Rect { y: column.y + row, height: 1, ..column };
    let is_today = day.from <= cx.now && cx.now < day.until;
    let hours = day.until.duration_since(day.from).as_secs_f64() / 3600.0;
    let mut head = vec![StyledRun::new(
        day.date.strftime("%a %d").to_string(),
        if is_today { Role::Accent } else { Role::Title },
    )];
    // the day has 23 or 25 hours when daylight saving time changes
    if (hours - 24.0).abs() > 0.01 {
        head.push(StyledRun::new(format!(" {hours}h"), Role::Warning));
    }
    text::runs(cx, &head, line(0), buf);
    coverage_bar(cx, day, people, line(1), buf);
    let rows = column.height.saturating_sub(2);
    // unknown coverage is visible in the bar and needs no line
    let on_call: Vec<&CoverageSlot> =
        day.coverage_slots.iter().filter(|coverage_slot| coverage_slot.cover != Coverage::Unknown).collect();
    let hidden = on_call.len().saturating_sub(usize::from(rows));
    let shown = if hidden > 0 { usize::from(rows).saturating_sub(1) } else { usize::from(rows) };
    for (row, coverage_slot) in (2..).zip(on_call.into_iter().take(shown)) {
        text::runs(cx, &entry(cx, key, coverage_slot, column.width), line(row), buf);
    }
    if hidden > 0 && rows > 0 {
        let words = format!("+{} more", hidden + 1);
        text::put(buf, column.x, column.bottom() - 1, column.width, &words, cx.style(Role::Muted));
    }
}

/// The bar of a day: one cell per part of the day; the current time is highlighted.
fn coverage_bar(cx: &Cx<'_>, day: &CalendarDay, people: &[Text], place: Rect, buf: &mut Buffer) {
    let cells = i64::from(place.width.max(1));
    let length = day.until.duration_since(day.from).as_secs();
    for (i, x) in (0_i64..).zip(place.left()..place.right()) {
        let at = |twice: i64| day.from + Duration::from_secs((length * twice / (2 * cells)).unsigned_abs());
        let middle = at(2 * i + 1);
        let Some(coverage_slot) = day.coverage_slots.iter().find(|s| s.from <= middle && middle < s.until)
        else {
            continue;
        };
        let (sign, role) = sign(cx, &coverage_slot.cover, people, middle);
        text::put(buf, x, place.y, 1, sign, cx.style(role));
        if at(2 * i) <= cx.now && cx.now < at(2 * i + 2) {
            buf.set_style(Rect { x, width: 1, ..place }, cx.style(Role::Selected));
        }
    }
}

/// The character and the role of a part of the day: who is on call, night, gap, double booking, unknown.
fn sign(cx: &Cx<'_>, cover: &Coverage, people: &[Text], at: Timestamp) -> (&'static str, Role) {
    match cover {
        Coverage::Unknown => (cx.charset.pick("·", "."), Role::Muted),
        Coverage::Nobody => (cx.symbol(Role::Down), Role::Down),
        Coverage::People(_) if cover.is_double_booked() => (cx.symbol(Role::Warning), Role::Warning),
        Coverage::People(on_duty) => {
            let first = on_duty.first().map(|person_on_duty| &person_on_duty.person);
            let index = people.iter().position(|id| first.is_some_and(|person| person.id == *id));
            let is_night = first.and_then(|person| person.is_at_night(at)) == Some(true);
            let sign = if is_night { cx.charset.pick("░", ":") } else { cx.charset.pick("█", "#") };
            (sign, Role::of_line(index.unwrap_or(0)))
        }
    }
}

/// A line of a day: time of the handoff, who takes over, and their night hours; what does not fit is left out.
fn entry(
    cx: &ScreenCx<'_>,
    key: &LevelKey,
    coverage_slot: &CoverageSlot,
    width: u16,
) -> Vec<StyledRun<'static>> {
    let role = words::role(&coverage_slot.cover);
    let time = if coverage_slot.is_handoff {
        coverage_slot.from.to_zoned(cx.zone.clone()).strftime("%H:%M").to_string()
    } else {
        // the shift began before this day
        cx.charset.pick("  …  ", " ..  ").to_owned()
    };
    let mark = match &coverage_slot.cover {
        Coverage::Nobody => cx.symbol(Role::Down),
        Coverage::People(_) if coverage_slot.cover.is_double_booked() => cx.symbol(Role::Warning),
        Coverage::People(on_duty) if on_duty.iter().any(|person_on_duty| person_on_duty.is_override) => {
            stands_in(cx)
        }
        Coverage::People(_) | Coverage::Unknown => " ",
    };
    let night = coverage_slot
        .cover
        .on_duty()
        .first()
        .and_then(|person_on_duty| person_on_duty.person.night(coverage_slot.from, coverage_slot.until));
    let night = night.filter(|night| *night >= MIN_NIGHT).map(|night| {
        let hours = (night.as_secs() + 1800) / 3600;
        format!(" {}{hours}h", night_symbol(cx))
    });
    let night = night.unwrap_or_default();
    let room = width.saturating_sub(6);
    let full = match &coverage_slot.cover {
        Coverage::Nobody => "nobody".to_owned(),
        cover @ (Coverage::People(_) | Coverage::Unknown) => {
            words::names(cx.shared, &key.policy.source, cover)
        }
    };
    // first names are used where there is no room for full names, and the night hours are left out last
    let on_duty = coverage_slot.cover.on_duty().iter();
    let first_names = on_duty.map(|one| one.person.name.split(' ').next().unwrap_or_default());
    let short = Some(first_names.collect::<Vec<_>>().join("+")).filter(|short| !short.is_empty());
    let short = short.unwrap_or_else(|| full.clone());
    let choices = [(&full, &*night), (&short, &*night), (&full, ""), (&short, "")];
    let fits = |(name, night): &(&String, &str)| text::width(name) + text::width(night) <= room;
    let (name, night) = choices.into_iter().find(fits).unwrap_or((&short, ""));
    vec![
        StyledRun::new(time, if coverage_slot.is_handoff { Role::Text } else { Role::Muted }),
        StyledRun::new(mark, role),
        StyledRun::new(name.clone(), role),
        StyledRun::new(night.to_owned(), Role::Muted),
    ]
}

/// Draws one line for each handoff.
fn list(cx: &ScreenCx<'_>, key: &LevelKey, days: &[CalendarDay], area: Rect, buf: &mut Buffer) {
    let coverage_slots = days.iter().flat_map(|day| &day.coverage_slots);
    let ahead = coverage_slots.filter(|coverage_slot| {
        coverage_slot.until > cx.now && (coverage_slot.is_handoff || coverage_slot.from <= cx.now)
    });
    let lines = ahead.map(|coverage_slot| {
        let at = cx.at(coverage_slot.from.max(cx.now));
        let is_now = coverage_slot.from <= cx.now;
        let when = if is_now { "now".to_owned() } else { words::when(at.now, cx.now, cx.zone) };
        let when = StyledRun::new(format!("   {when:<13}"), Role::Muted);
        [when, words::on_call_names(&at, &key.policy.source, &coverage_slot.cover)]
    });
    text::lines(cx, lines, area, buf);
}
