//! Draws texts, log lines, alerts and dashboards.

use super::{Canvas, PanelPicture, PlacedPanel};
use crate::app::log_filter::LogFilter;
use crate::app::log_format::{self, time_of};
use crate::app::markdown;
use crate::app::prelude::*;
use crate::app::subjects::dashboard as subject;
use crate::model::alert::AlertState;
use crate::model::dashboard::panel::AlertListOptions;
use crate::model::matcher;

impl Canvas<'_, '_> {
    /// Markdown, or plain text.
    pub(super) fn words(&self, content: &str, is_markdown: bool, area: Rect, buf: &mut Buffer) {
        let width = area.width.saturating_sub(1).max(1);
        let lines: Vec<Vec<StyledRun<'static>>> = if is_markdown {
            markdown::page(content, &Labels::default(), width, self.cx.charset).lines
        } else {
            text::wrap(content, width)
                .into_iter()
                .map(|line| vec![StyledRun::new(line, Role::Text)])
                .collect()
        };
        let room = usize::from(area.height);
        let scroll = usize::from(self.scroll).min(lines.len().saturating_sub(room));
        for (y, line) in (area.top()..area.bottom()).zip(lines.iter().skip(scroll)) {
            text::runs(self.cx, line, Rect { y, height: 1, ..area }, buf);
        }
        self.more(lines.len().saturating_sub(scroll + room), area, buf);
    }

    pub(super) fn log_lines(&self, picture: &PanelPicture, area: Rect, buf: &mut Buffer) {
        let PanelPicture::Lines { lines, newest_first, shows_labels, shows_time } = picture else { return };
        let cx = self.cx;
        let today = cx.now.to_zoned(cx.zone.clone()).date();
        let room = usize::from(area.height);
        let most = lines.len().saturating_sub(room);
        let scroll = usize::from(self.scroll).min(most);
        // with the newest at the end, the end is visible first
        let skipped = if *newest_first { scroll } else { most - scroll };
        let ordered: Box<dyn Iterator<Item = &Arc<crate::model::log::LogLine>>> =
            if *newest_first { Box::new(lines.iter().rev()) } else { Box::new(lines.iter()) };
        let filter = LogFilter::default();
        for (y, line) in (area.top()..area.bottom()).zip(ordered.skip(skipped)) {
            let role = Role::of_log(line.severity);
            let mut runs = Vec::new();
            if *shows_time {
                let time: String = time_of(line, today, cx.zone).chars().take(12).collect();
                runs.push(StyledRun::new(format!("{time} "), Role::Muted));
            }
            runs.push(StyledRun::new(format!("{} ", cx.symbol(role)), role));
            if *shows_labels {
                let labels: Vec<String> =
                    line.labels.iter().map(|(name, value)| format!("{name}={value}")).collect();
                runs.push(StyledRun::new(format!("{} ", labels.join(" ")), Role::Muted));
            }
            runs.extend(log_format::runs(line, &filter));
            text::runs(cx, &runs, Rect { y, height: 1, ..area }, buf);
        }
        self.more(most - scroll, area, buf);
    }

    /// The alerts of all sources that the panel lists, the worst first.
    pub(super) fn alerts(
        &self,
        options: &AlertListOptions,
        panel: &PlacedPanel,
        area: Rect,
        buf: &mut Buffer,
    ) {
        let cx = self.cx;
        let alerts = self.listed_alerts(options);
        if alerts.is_empty() {
            let words = if panel.panel.options.no_value.is_some() { "" } else { "No alerts" };
            let own = panel.panel.options.no_value.as_deref().unwrap_or(words).to_owned();
            let is_known = cx
                .world
                .sources()
                .any(|(_, cache)| cache.alerts().value().is_some() || cache.rules().value().is_some());
            let (words, role) =
                if is_known { (own, Role::Healthy) } else { (cx.shared.waiting().to_owned(), Role::Muted) };
            return text::centred(cx, &words, role, area, buf);
        }
        let room = usize::from(area.height);
        let scroll = usize::from(self.scroll).min(alerts.len().saturating_sub(room));
        for (y, alert) in (area.top()..area.bottom()).zip(alerts.iter().skip(scroll)) {
            let role = Role::of_alert(alert);
            let labels = alert
                .labels
                .iter()
                .filter(|(name, _)| !HIDDEN.contains(&&***name) && !name.starts_with("__"));
            let labels: Vec<&str> = labels.map(|(_, value)| &**value).collect();
            let runs = [
                StyledRun::new(format!("{} ", cx.symbol(role)), role),
                StyledRun::new(alert.name().to_owned(), role),
                StyledRun::new(format!("  {}", ago(alert.starts_at, cx.now)), Role::Text),
                StyledRun::new(format!("  {}", labels.join(" ")), Role::Muted),
            ];
            text::runs(cx, &runs, Rect { y, height: 1, ..area }, buf);
        }
        self.more(alerts.len().saturating_sub(scroll + room), area, buf);
    }

    fn listed_alerts(&self, options: &AlertListOptions) -> Vec<&Alert> {
        let cx = self.cx;
        let no_state =
            !(options.firing || options.pending || options.no_data || options.error || options.normal);
        let matchers =
            options.matchers.as_deref().map(|text| text.trim().trim_start_matches('{').trim_end_matches('}'));
        let matchers = matchers.filter(|text| !text.is_empty()).map(matcher::parse);
        let uid = self.screen.subject.as_ref().map(|target| target.key.uid.clone()).unwrap_or_default();
        let passes = |alert: &&Alert| {
            let is_state = match alert.state {
                AlertState::Firing => options.firing || options.no_data || options.error || no_state,
                AlertState::Pending => options.pending || no_state,
                AlertState::Silenced | AlertState::Inhibited | AlertState::Resolved => false,
            };
            let name = options.name.as_deref().unwrap_or_default().to_lowercase();
            let is_named = name.is_empty() || alert.name().to_lowercase().contains(&name);
            let folder = options.folder.as_deref().unwrap_or_default();
            let is_in_folder = folder.is_empty() || alert.labels.value("grafana_folder") == folder;
            let is_linked =
                !options.of_this_dashboard || alert.annotations.value("__dashboardUid__") == &*uid;
            let fits = match &matchers {
                Some(Ok(matchers)) => matchers.iter().all(|one| one.matches(&alert.labels)),
                Some(Err(_)) | None => true,
            };
            is_state && is_named && is_in_folder && is_linked && fits
        };
        let mut all: Vec<&Alert> = cx.world.alerts().iter().map(|alert| &**alert).filter(passes).collect();
        all.sort_by_key(|alert| (alert.state, alert.severity, std::cmp::Reverse(alert.starts_at)));
        all
    }

    pub(super) fn dashboards(&self, area: Rect, buf: &mut Buffer) {
        let cx = self.cx;
        let mut all = subject::listed(cx.world);
        all.sort_by_key(|item| (!item.entry.is_starred, item.entry.title.to_lowercase()));
        if all.is_empty() {
            return text::centred(cx, cx.shared.waiting(), Role::Muted, area, buf);
        }
        let room = usize::from(area.height);
        let scroll = usize::from(self.scroll).min(all.len().saturating_sub(room));
        for (y, item) in (area.top()..area.bottom()).zip(all.iter().skip(scroll)) {
            let star = if item.entry.is_starred { cx.charset.pick("★ ", "* ") } else { "  " };
            let runs = [
                StyledRun::new(star, Role::Accent),
                StyledRun::new(item.entry.title.to_string(), Role::Text),
                StyledRun::new(
                    format!("  {}", item.entry.folder.as_deref().unwrap_or_default()),
                    Role::Muted,
                ),
            ];
            text::runs(cx, &runs, Rect { y, height: 1, ..area }, buf);
        }
        self.more(all.len().saturating_sub(scroll + room), area, buf);
    }
}

/// Labels that an alert's name and symbol show already.
const HIDDEN: [&str; 3] = ["alertname", "severity", "grafana_folder"];
