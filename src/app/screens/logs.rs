//! The logs of a service, an alert or a query: the number of lines by severity, new patterns first, then the lines.
//!
//! ```text
//!  Logs checkout  1,204 lines  following  1h                              filter: timeout
//!  loki {service_name="checkout"}  labels: service is service_name
//!  ▒▒░░░░░░░░░░░░░░░░█████  error 812  warn 41  info 40.1k   first alert 02:50:50
//!  New since 02:47 (2 of 31 patterns)
//!  812x error POST /charge: nil amount in currency minor units (new)
//!  02:52:01.123 ● error POST /charge: nil amount  route=/charge status=500
//! ```

use crate::app::event::Effect;
use crate::app::explore_choice::ChartQuery;
use crate::app::list::wrapped;
use crate::app::log_filter::LogFilter;
use crate::app::log_format::LineLayout;
use crate::app::log_list::LogList;
use crate::app::log_subject::LogSubject;
use crate::app::prelude::*;
use crate::app::subjects::logs;
use crate::model::log::{self, LogDirection, LogLineKey, LogPage, LogPattern, LogSeverity};

mod bars;
mod loaded;
#[cfg(test)]
mod tests;
mod view;

/// The panel of patterns; panel 0 has the lines.
pub const PATTERNS: usize = 1;
/// The bars of the histogram.
const BARS: u16 = 120;
/// This near to the oldest loaded line, older lines are loaded.
const NEAR: usize = 100;

/// The severities that the filter can require, in the order in which the key chooses them.
const LEAST: [Option<LogSeverity>; 4] =
    [None, Some(LogSeverity::Info), Some(LogSeverity::Warn), Some(LogSeverity::Error)];

#[derive(Debug, Default)]
pub struct OpenLogs {
    pub(super) subject: Option<Arc<LogSubject>>,
    /// The subject whose lines the list has.
    listed: Option<Arc<LogSubject>>,
    pub list: LogList,
    /// The remarkable patterns, by their place.
    pub patterns: List<usize>,
    /// The patterns of all sources.
    news: Vec<LogPattern>,
    found: ListFilter,
    least: Option<LogSeverity>,
    is_follow_off: bool,
    wants_older: bool,
    /// The loaded lines that the filter leaves out.
    hidden: usize,
    /// Where the cursor was on subjects that were left, and the filter there.
    left: Vec<(Arc<LogSubject>, Option<LogLineKey>, String)>,
    scroll_position: ScrollPosition,
}

/// For how many subjects the place of the cursor is remembered.
const MAX_LEFT: usize = 8;

impl SubjectScreen for OpenLogs {
    type Subject = Arc<LogSubject>;
    const TAB: Option<Tab> = None;

    fn title(subject: &Arc<LogSubject>, _shared: &Shared) -> String {
        let contains = subject.query.contains.as_ref().map(|text| format!(" |= {text}")).unwrap_or_default();
        let around = if subject.around.is_some() { " around a line" } else { "" };
        format!("Logs {}{contains}{around}", subject.title)
    }
}

impl Screen for OpenLogs {
    offers! { self [List, Time, Logs]:
        Open if self.scroll_position.panel == PATTERNS { "its lines" } else { "fields" },
        FollowLogs if self.is_follow_off { "follow" } else { "stop following" },
        Filter, FilterServer, NextPanel "patterns", Severity, Surroundings, Wrap, Pager, Copy, Range, Back
    }

    drawn_by_view!();

    fn wants(&self, shared: &Shared, now: Timestamp) -> Vec<Want> {
        let Some(subject) = &self.subject else { return Vec::new() };
        let wanted = &subject.query;
        let mut wants = Vec::new();
        for source in &shared.sources {
            let answers = |kind| source.answers.contains(&kind);
            let cache = shared.world.cache(&source.id);
            if answers(AskKind::LogLines) {
                let loaded = cache.and_then(|cache| cache.log_lines().get(wanted)?.value());
                let demand = self.demand(shared, subject, loaded, now);
                let page = log::next_page(loaded, &demand);
                let is_new =
                    |page: &LogPage| page.direction == LogDirection::Forward && demand.around.is_none();
                wants
                    .extend(page.map(|page| want::log_page(shared, &source.id, wanted, page, is_new(&page))));
            }
            if subject.around.is_some() {
                continue;
            }
            if answers(AskKind::LogCounts) {
                let window = shared.range.span(now, BARS, Duration::from_secs(1));
                let query = Query::LogCounts { wanted: Arc::clone(wanted), window };
                wants.push(want::of(shared, &source.id, query));
            }
        }
        if subject.around.is_none() {
            let split = logs::split(subject.since, loaded::range(shared, subject, now));
            wants.extend(logs::pattern_wants(shared, wanted, split));
        }
        wants
    }

    /// Changes with the loaded lines, patterns and the subject.
    fn revision(&self, shared: &Shared) -> u64 {
        use std::hash::{DefaultHasher, Hash, Hasher};
        let mut hasher = DefaultHasher::new();
        if let Some(subject) = &self.subject {
            (&subject.query, subject.around).hash(&mut hasher);
        }
        for (source, remote) in self.loaded(shared) {
            let ends =
                remote.value().map(|lines| (lines.lines.len(), lines.from, lines.until, lines.trimmed));
            (source, ends).hash(&mut hasher);
        }
        for news in self.comparisons(shared) {
            (news.split, news.patterns.len(), news.after.lines).hash(&mut hasher);
        }
        hasher.finish()
    }

    fn reorder(&mut self, shared: &Shared, _is_typing: bool) {
        if self.listed != self.subject {
            self.list.clear();
            self.listed.clone_from(&self.subject);
            let subject = self.subject.as_ref();
            let left =
                self.left.iter().position(|(left, ..)| Some(left) == subject).map(|at| self.left.remove(at));
            let (seek, filter) = left.map_or((None, String::new()), |(_, seek, filter)| (seek, filter));
            self.found.set(&filter);
            self.list.seek = seek.or_else(|| subject?.around);
            (self.wants_older, self.least) = (false, None);
        }
        let all = log::merged(self.loaded(shared).filter_map(|(_, remote)| remote.value()));
        let filter = LogFilter::parse(self.found.text(), self.least);
        let is_all = self.found.text().is_empty() && self.least.is_none();
        let count = all.len();
        let lines = if is_all { all } else { all.into_iter().filter(|line| filter.passes(line)).collect() };
        self.hidden = count - lines.len();
        self.list.filter = filter;
        self.list.set(lines);
        self.news = logs::shown_patterns(&self.comparisons(shared));
        self.patterns.set_rows((0..self.news.len()).collect());
        if self.news.is_empty() {
            self.scroll_position.panel = 0;
        }
    }

    fn lay_out(&mut self, shared: &Shared, _is_news: bool, now: Timestamp) {
        self.list.layout = LineLayout { width: shared.size.0, ..self.list.layout };
        let is_near = self.list.older() < NEAR && !self.list.is_at_newest();
        self.wants_older = is_near && self.has_older(shared, now);
    }

    /// Remembers where the cursor was.
    fn leave(&mut self) {
        self.wants_older = false;
        if let Some(subject) = self.listed.take() {
            let at = self.list.current().map(|line| line.key()).filter(|_| !self.list.is_at_newest());
            self.left.retain(|(left, ..)| *left != subject);
            self.left.push((subject, at, self.found.text().to_owned()));
            if self.left.len() > MAX_LEFT {
                self.left.remove(0);
            }
        }
        self.list.clear();
    }

    fn change_context(&mut self, _shared: &Shared) {
        (self.listed, self.news, self.left) = (None, Vec::new(), Vec::new());
        self.list.clear();
    }

    keeps_scroll_position!();

    fn panels(&self) -> usize {
        2
    }

    fn has_panel(&self, _shared: &Shared, _body: Rect, panel: usize) -> bool {
        panel != PATTERNS || !self.news.is_empty()
    }

    fn panel_at(&self, shared: &Shared, body: Rect, cell: (u16, u16)) -> Option<usize> {
        let parts = view::parts(self, shared, body);
        if parts.patterns.contains(cell.into()) {
            Some(PATTERNS)
        } else {
            parts.lines.contains(cell.into()).then_some(0)
        }
    }

    fn grid(&self, shared: &Shared, body: Rect) -> Grid {
        let parts = view::parts(self, shared, body);
        Grid::list(if self.scroll_position.panel == PATTERNS {
            layout::below_heading(parts.patterns)
        } else {
            parts.lines
        })
    }

    fn list_at(&self, panel: usize) -> Option<&dyn Cursor> {
        Some(if panel == PATTERNS { &self.patterns } else { &self.list })
    }

    fn list(&self) -> Option<&dyn Cursor> {
        self.list_at(self.scroll_position.panel)
    }

    fn list_mut(&mut self) -> Option<&mut dyn Cursor> {
        Some(if self.scroll_position.panel == PATTERNS { &mut self.patterns } else { &mut self.list })
    }

    fn found(&self) -> Option<&ListFilter> {
        Some(&self.found)
    }

    fn found_mut(&mut self) -> Option<&mut ListFilter> {
        Some(&mut self.found)
    }

    /// The lines with the pattern under the cursor, from the source.
    fn open(&mut self, _shared: &Shared) -> Opened {
        let pattern = self.patterns.current().and_then(|at| self.news.get(*at));
        let Some(pattern) = pattern.filter(|_| self.scroll_position.panel == PATTERNS) else {
            return Opened::Nothing;
        };
        let text = log::pattern::literal(&pattern.text);
        self.containing(text).filter(|_| !text.is_empty()).into()
    }

    /// The marked lines, else the one under the cursor, as they came; or a pattern.
    fn copied(&self, _shared: &Shared, _now: Timestamp) -> Option<String> {
        if self.scroll_position.panel == PATTERNS {
            return Some(self.news.get(*self.patterns.current()?)?.text.to_string());
        }
        let lines: Vec<String> = self.list.chosen().iter().map(|line| line.text().into_owned()).collect();
        (!lines.is_empty()).then(|| lines.join("\n"))
    }

    /// The query in the user interfaces of the sources, and the links in the line under the cursor.
    fn links(&self, shared: &Shared) -> Vec<(String, Text)> {
        let own = self.loaded(shared).filter_map(|(source, remote)| {
            Some((format!("these lines at {source}"), remote.value()?.link.clone()?))
        });
        let text = self.list.current().map(|line| line.text().into_owned()).unwrap_or_default();
        let is_end = |c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '<' | '>' | '\\');
        let in_line =
            text.split(is_end).filter(|word| word.starts_with("https://") || word.starts_with("http://"));
        let in_line: Vec<(String, Text)> = in_line
            .take(20)
            .map(|url| ("in this line".to_owned(), Text::from(url.trim_end_matches([',', '.', ')']))))
            .collect();
        own.chain(in_line).collect()
    }

    /// The query of the lines at each source, in its language.
    fn chart_queries(&self, shared: &Shared, _now: Timestamp) -> Vec<ChartQuery> {
        let explored: Vec<&SourceId> =
            shared.answering(AskKind::Evaluation).map(|source| &source.id).collect();
        let own = self.loaded(shared).filter(|(source, _)| explored.contains(source));
        let queries = own.filter_map(|(source, remote)| {
            let query = remote.value().map(|lines| lines.query.clone()).filter(|query| !query.is_empty())?;
            Some(ChartQuery { title: format!("the lines at {source}"), query, source: Some(source.clone()) })
        });
        queries.collect()
    }

    /// The runbook of what the lines are about.
    fn runbooks(&self, _shared: &Shared) -> Vec<RunbookQuery> {
        let Some(subject) = self.subject.as_ref().filter(|_| !self.is_written()) else { return Vec::new() };
        vec![RunbookQuery { name: subject.title.clone(), url: None, labels: subject.query.labels.clone() }]
    }

    fn moment(&self, _shared: &Shared) -> Option<Timestamp> {
        self.list
            .current()
            .map(|line| line.at)
            .filter(|_| !self.list.is_at_newest())
            .or(self.subject.as_ref()?.since)
    }

    fn leads_to(&self, command: Command) -> Option<Place> {
        if command == Command::Surroundings {
            return self.surroundings();
        }
        let text = self.found.text();
        let has_text = !text.is_empty() || self.subject.as_ref()?.query.contains.is_some();
        self.containing(text).filter(|_| has_text && command == Command::FilterServer)
    }

    fn run(&mut self, shared: &mut Shared, command: Command, now: Timestamp) -> bool {
        const MOVES: [Command; 6] =
            [Command::Up, Command::Down, Command::PageUp, Command::PageDown, Command::Top, Command::Bottom];
        if MOVES.contains(&command) {
            // near the oldest lines, more are loaded without waiting for the next poll
            if self.list.older() < NEAR && self.has_older(shared, now) {
                self.ask_now(shared, now);
            }
            return false;
        }
        if command == Command::Open && self.scroll_position.panel != PATTERNS {
            self.list.toggle_open();
        } else if command == Command::Sort {
            self.list.reverse();
            let first = if self.list.is_newest_first { "newest" } else { "oldest" };
            shared.messages.note(format!("The {first} line comes first"), now);
        } else if command == Command::FollowLogs {
            self.follow(shared, now);
        } else if command == Command::Wrap {
            self.list.layout.is_wrapped = !self.list.layout.is_wrapped;
        } else if command == Command::Severity {
            let at = LEAST.iter().position(|least| *least == self.least).unwrap_or(0);
            self.least = LEAST.get(wrapped(at, 1, LEAST.len())).copied().flatten();
            self.reorder(shared, false);
        } else if command == Command::Pager {
            if self.list.lines().is_empty() {
                shared.messages.note("There are no lines to show", now);
            } else {
                shared.effects.push(Effect::Pipe(self.raw().into()));
            }
        } else {
            return false;
        }
        true
    }
}
