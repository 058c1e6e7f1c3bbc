//! A latency heat map: time from left to right, latency buckets from bottom to top, the share of requests as intensity.

use std::ops::Range;

use jiff::Timestamp;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::axis::{self, ChartFrame};
use super::chart::ChartView;
use super::text;
use super::unit::ValueUnit;
use crate::app::display_settings::Cx;
use crate::app::theme::Role;
use crate::model::series::TimeGrid;

#[derive(Debug, Clone, Copy, PartialEq)]
pub struct HeatBucket<'a> {
    /// The upper bound in seconds; infinite for the last bucket.
    pub le: f64,
    /// Requests per second in this bucket alone (not cumulative), one value per point of the span; NaN where there is none.
    pub values: &'a [f64],
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Heat<'a> {
    pub span: TimeGrid,
    /// The buckets, fastest first.
    pub buckets: &'a [HeatBucket<'a>],
    /// Labels of the buckets in place of their bounds; empty: the bounds.
    pub labels: &'a [String],
    /// The number of which the shares are: `None`, the sum at each time; for values that are no counts, the highest of all.
    pub whole: Option<f64>,
    /// The part of time that is shown, and the value cursor.
    pub view: ChartView,
}

impl Heat<'_> {
    /// Draws the heat map, the fastest bucket at the bottom. A cell without requests is blank, a column without data is hatched.
    /// Neighbouring buckets share a row if there are more buckets than rows.
    pub fn render(&self, cx: &Cx<'_>, area: Rect, buf: &mut Buffer) {
        let area = area.intersection(buf.area);
        if area.is_empty() {
            return;
        }
        if area.height < 4 {
            text::put(buf, area.x, area.y, area.width, &self.summary(cx, area.width), cx.style(Role::Muted));
            return;
        }
        let (span, points) = match self.view.part {
            Some((from, to)) => self.span.part(from, to),
            None => (self.span, 0..self.span.count()),
        };
        let frame = ChartFrame::new(area, u16::from(area.height >= 6));
        let cursor = self.view.cursor;
        if let Some(place) = frame.legend {
            let at_cursor = cursor.and_then(|at| self.at_cursor(cx, span, at));
            text::runs(cx, &at_cursor.unwrap_or_else(|| legend(cx)), place, buf);
        }
        let plot = frame.plot;
        let bands = self.bands(plot.height);
        let known = self.buckets.iter().any(|bucket| bucket.values.iter().any(|value| value.is_finite()));
        if !known || bands.is_empty() {
            frame.draw(cx, span, &[], cursor, buf);
            text::centred(cx, "no data", Role::Muted, plot, buf);
            return;
        }
        // every bucket has the same whole number of rows
        let count = u16::try_from(bands.len()).unwrap_or(plot.height);
        let tall = (plot.height / count).max(1);
        let row_of = |band: u16, part: u16| plot.height.checked_sub(band * tall + part + 1);
        let labels: Vec<(u16, String)> = (0..count)
            .zip(&bands)
            .filter_map(|(band, buckets)| Some((row_of(band, tall - 1)?, self.label(cx, *buckets))))
            .collect();
        frame.draw(cx, span, &labels, cursor, buf);
        for column in 0..plot.width {
            let x = plot.x + column;
            let Some(shares) = self.shares(&bands, part_of(&points, column, plot.width)) else {
                for y in plot.top()..plot.bottom() {
                    text::put(buf, x, y, 1, no_data_symbol(cx), cx.style(Role::Border));
                }
                continue;
            };
            for (band, share) in (0..count).zip(&shares) {
                let Some(role) = intensity(*share) else { continue };
                let style = cell_style(cx, role);
                for row in (0..tall).filter_map(|part| row_of(band, part)) {
                    text::put(buf, x, plot.y + row, 1, cx.symbol(role), style);
                }
            }
        }
        if let Some(column) = frame.cursor(span, cursor) {
            for y in plot.top()..plot.bottom() {
                text::put(buf, plot.x + column, y, 1, cx.charset.pick("│", "|"), cx.style(Role::Accent));
            }
        }
    }

    /// The legend with a cursor: its time, and the rows with most requests then, busiest first.
    fn at_cursor(&self, cx: &Cx<'_>, span: TimeGrid, at: Timestamp) -> Option<Vec<text::StyledRun<'static>>> {
        let point = self.span.nearest(at)?;
        span.nearest(at)?;
        let range = span.end().as_second() - span.start().as_second();
        let mut runs = vec![text::StyledRun::new(axis::cursor_time(range, at, cx.zone), Role::Accent)];
        let bands: Vec<_> = (0..self.buckets.len()).map(|i| (i, i)).collect();
        let Some(shares) = self.shares(&bands, point..point + 1) else {
            runs.push(text::StyledRun::new("  no data", Role::Muted));
            return Some(runs);
        };
        let mut busy: Vec<(usize, f64)> =
            shares.into_iter().enumerate().filter(|(_, share)| *share > 0.0).collect();
        busy.sort_by(|(_, a), (_, b)| b.total_cmp(a));
        if busy.is_empty() {
            runs.push(text::StyledRun::new("  no requests", Role::Muted));
        }
        for (bucket, share) in busy {
            runs.push(text::StyledRun::new(format!("  {} ", self.label(cx, (bucket, bucket))), Role::Muted));
            runs.push(text::StyledRun::new(ValueUnit::Ratio.text(share, cx.charset), Role::Text));
        }
        Some(runs)
    }

    /// The first and the last bucket of each row, from the bottom.
    fn bands(&self, rows: u16) -> Vec<(usize, usize)> {
        let (count, rows) = (self.buckets.len(), usize::from(rows));
        let bands = count.min(rows);
        (0..bands).map(|i| (i * count / bands, ((i + 1) * count / bands).saturating_sub(1))).collect()
    }

    /// The share of each row's buckets in the requests at these points; `None` if there are no data.
    fn shares(&self, bands: &[(usize, usize)], points: Range<usize>) -> Option<Vec<f64>> {
        let sums: Vec<Option<f64>> = bands
            .iter()
            .map(|(first, last)| {
                let buckets = self.buckets.get(*first..=*last).unwrap_or_default();
                let values = buckets.iter().filter_map(|bucket| bucket.values.get(points.clone())).flatten();
                let finite = values.copied().filter(|value| value.is_finite());
                // a histogram has no negative counts; the upper bound keeps the sum of extreme values finite
                finite.map(|value| value.clamp(0.0, 1e300)).reduce(|a, b| a + b)
            })
            .collect();
        if sums.iter().all(Option::is_none) {
            return None;
        }
        let total: f64 = match self.whole {
            // a column shows the mean of its points
            Some(whole) => whole * points.len() as f64,
            None => sums.iter().flatten().sum(),
        };
        let share = |sum: Option<f64>| if total > 0.0 { sum.unwrap_or(0.0) / total } else { 0.0 };
        Some(sums.into_iter().map(share).collect())
    }

    /// The label of a row: the upper bound; for the infinite bucket the lower bound.
    fn label(&self, cx: &Cx<'_>, (first, last): (usize, usize)) -> String {
        if let Some(label) = self.labels.get(last) {
            return label.clone();
        }
        let bound = |at: usize| self.buckets.get(at).map_or(f64::NAN, |bucket| bucket.le);
        let le = bound(last);
        if le.is_infinite() {
            let below = first.checked_sub(1).map_or(f64::NAN, bound);
            return if below.is_nan() {
                "all".into()
            } else {
                format!(">{}", ValueUnit::Seconds.short(below, cx.charset))
            };
        }
        format!("{}{}", cx.charset.pick("≤", "<"), ValueUnit::Seconds.short(le, cx.charset))
    }

    /// The bucket with most requests at the newest point, for areas that are too small for a map.
    fn summary<'a>(&self, cx: &Cx<'_>, width: u16) -> std::borrow::Cow<'a, str> {
        let newest = self.span.count().saturating_sub(1);
        let bands: Vec<_> = (0..self.buckets.len()).map(|i| (i, i)).collect();
        let shares = self.shares(&bands, newest..newest + 1).unwrap_or_default();
        let most = shares.iter().enumerate().max_by(|(_, a), (_, b)| a.total_cmp(b));
        let words = match most {
            None => "no data".to_owned(),
            Some((_, share)) if *share <= 0.0 => "no requests".to_owned(),
            Some((bucket, share)) => {
                format!("{} {}", self.label(cx, (bucket, bucket)), ValueUnit::Ratio.text(*share, cx.charset))
            }
        };
        text::fit(&words, width, cx.charset).into_owned().into()
    }
}

/// The points among `all` that a column shows: at least one, several if there are more points than columns.
fn part_of(all: &Range<usize>, column: u16, columns: u16) -> Range<usize> {
    let (count, columns, at) = (all.len(), usize::from(columns.max(1)), usize::from(column));
    let first = at * count / columns;
    all.start + first..all.start + ((at + 1) * count / columns).max(first + 1)
}

/// The style of a cell: its character stands on a darker ground of the same colour, so that neighbouring cells form one area.
fn cell_style(cx: &Cx<'_>, role: Role) -> Style {
    let style = cx.style(role);
    Style { bg: cx.theme.tint(role, Role::Text, 0.5).or(style.bg), ..style }
}

/// The role of a share of requests, in steps of about a factor of five, so that a few slow requests stay visible.
fn intensity(share: f64) -> Option<Role> {
    match share {
        s if s >= 0.4 => Some(Role::Heat4),
        s if s >= 0.1 => Some(Role::Heat3),
        s if s >= 0.01 => Some(Role::Heat2),
        s if s > 0.0 => Some(Role::Heat1),
        _ => None,
    }
}

/// The legend: the share of requests for each intensity.
fn legend<'a>(cx: &Cx<'_>) -> Vec<text::StyledRun<'a>> {
    let steps = [(Role::Heat1, "<1%"), (Role::Heat2, "1%"), (Role::Heat3, "10%"), (Role::Heat4, "40%")];
    let mut runs = Vec::with_capacity(steps.len() * 2);
    for (role, words) in steps {
        runs.push(text::StyledRun::new(cx.symbol(role), role));
        runs.push(text::StyledRun::new(format!(" {words}  "), Role::Muted));
    }
    runs.push(text::StyledRun::new(no_data_symbol(cx), Role::Border));
    runs.push(text::StyledRun::new(" no data", Role::Muted));
    runs
}

fn no_data_symbol(cx: &Cx<'_>) -> &'static str {
    cx.charset.pick("╱", "/")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;
    use crate::app::display_settings::Charset;
    use crate::app::widgets::probe::{NOW, drawn, has_role, lines, sweep, with_cx};

    const GAP: f64 = f64::NAN;

    fn span(points: u16) -> TimeGrid {
        let end = Timestamp::from_second(NOW).unwrap();
        TimeGrid::ending(
            end,
            Duration::from_secs(60 * u64::from(points - 1)),
            points,
            Duration::from_secs(60),
        )
    }

    const FAST: [f64; 6] = [90.0, 50.0, 0.0, GAP, 0.0, 95.0];
    const SLOW: [f64; 6] = [9.5, 45.0, 0.0, GAP, 100.0, 5.0];
    const SLOWEST: [f64; 6] = [0.5, 5.0, 0.0, GAP, 0.0, 0.0];

    fn buckets() -> [HeatBucket<'static>; 3] {
        [
            HeatBucket { le: 0.1, values: &FAST },
            HeatBucket { le: 2.5, values: &SLOW },
            HeatBucket { le: f64::INFINITY, values: &SLOWEST },
        ]
    }

    fn picture(charset: Charset, width: u16, height: u16, buckets: &[HeatBucket<'_>]) -> Buffer {
        let heat = Heat { span: span(6), buckets, labels: &[], whole: None, view: ChartView::default() };
        drawn(width, height, |area, buf| with_cx(charset, |cx| heat.render(cx, area, buf)))
    }

    #[test]
    fn fast_is_low_many_is_hot_and_no_data_is_not_no_requests() {
        let buf = picture(Charset::Unicode, 44, 9, &buckets());
        assert_eq!(
            lines(&buf),
            [
                "░ <1%  ▒ 1%  ▓ 10%  █ 40%  ╱ no data",
                "  >2.5s┤░░░░░░▒▒▒▒▒▒      ╱╱╱╱╱╱",
                "       │░░░░░░▒▒▒▒▒▒      ╱╱╱╱╱╱",
                "  ≤2.5s┤▒▒▒▒▒▒██████      ╱╱╱╱╱╱██████▒▒▒▒▒▒",
                "       │▒▒▒▒▒▒██████      ╱╱╱╱╱╱██████▒▒▒▒▒▒",
                " ≤100ms┤████████████      ╱╱╱╱╱╱      ██████",
                "       │████████████      ╱╱╱╱╱╱      ██████",
                "       └───────┬─────────────┬─────────────┬",
                "             01:56         01:58       02:00"
            ]
        );
        assert!(has_role(&buf, 8, 6, Role::Heat4) && has_role(&buf, 8, 2, Role::Heat1));
        assert_eq!(
            lines(&picture(Charset::Ascii, 44, 7, &buckets())),
            [
                ". <1%  : 1%  + 10%  # 40%  / no data",
                "       |                  //////",
                "  >2.5s+......::::::      //////",
                "  <2.5s+::::::######      //////######::::::",
                " <100ms+############      //////      ######",
                "       +-------+-------------+-------------+",
                "             01:56         01:58       02:00"
            ]
        );
    }

    #[test]
    fn more_buckets_than_rows_share_rows() {
        let buf = picture(Charset::Ascii, 44, 4, &buckets());
        assert_eq!(
            lines(&buf),
            [
                " >100ms+++++++######      //////######::::::",
                " <100ms+############      //////      ######",
                "       +-------+-------------+-------------+",
                "             01:56         01:58       02:00"
            ]
        );
    }

    #[test]
    fn without_room_for_a_map_the_busiest_bucket_is_named() {
        assert_eq!(lines(&picture(Charset::Unicode, 40, 1, &buckets())), ["≤100ms 95.0%"]);
        assert_eq!(lines(&picture(Charset::Unicode, 40, 1, &[])), ["no data"]);
    }

    #[test]
    fn any_size_will_do() {
        sweep(|cx, area, buf| {
            Heat { span: span(6), buckets: &buckets(), labels: &[], whole: None, view: ChartView::default() }
                .render(cx, area, buf);
        });
        sweep(|cx, area, buf| {
            Heat { span: span(6), buckets: &[], labels: &[], whole: None, view: ChartView::default() }
                .render(cx, area, buf);
        });
    }

    proptest! {
        #[test]
        fn any_numbers_will_do(
            rows in prop::collection::vec((any::<f64>(), prop::collection::vec(any::<f64>(), 0..9)), 0..20),
            (width, height) in (0..60_u16, 0..16_u16),
        ) {
            let buckets: Vec<_> = rows.iter().map(|(le, values)| HeatBucket { le: *le, values }).collect();
            picture(Charset::Unicode, width, height, &buckets);
        }
    }
}
