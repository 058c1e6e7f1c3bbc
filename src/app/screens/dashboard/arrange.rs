//! Brings everything that is shown up to date: variables, repeats, places, questions and pictures.

use super::{
    BTreeMap, Dashboard, DashboardTarget, ItemKey, MadePicture, OpenDashboard, PanelQuestions, PlacedPanel,
    ShownSection, queries, view,
};
use crate::app::prelude::*;
use crate::app::subjects::dashboard::layout::arrange;
use crate::app::subjects::dashboard::picture::{self, PanelInput, fields};
use crate::app::subjects::dashboard::queries::length_of;
use crate::app::subjects::dashboard::{repeat, variables};
use crate::model::dashboard::panel::Panel;
use crate::model::dashboard::transform::transform;
use crate::model::frame::{DataFrame, PanelFrames};
use crate::model::remote::Remote;
use crate::model::series::TimeGrid;

impl OpenDashboard {
    /// After each event: another dashboard, new answers, another size of the terminal.
    pub(super) fn arrange(&mut self, shared: &Shared, is_news: bool, now: Timestamp) {
        let Some(target) = self.subject.clone() else { return };
        if self.shown.as_ref() != Some(&target) {
            *self = Self {
                chosen: target.variables.iter().cloned().collect(),
                scroll_position: self.scroll_position,
                subject: self.subject.take(),
                range_of: self.range_of.take(),
                shown: Some(Arc::clone(&target)),
                is_dirty: true,
                ..Self::default()
            };
        }
        let Some(dashboard) = self.dashboard(shared).map(Arc::clone) else { return };
        let is_first = self.sections.is_empty();
        if is_news || self.is_dirty || self.range != Some(shared.range) {
            self.variables = variables::resolve(shared, &target.key, &dashboard, &self.chosen, now);
            (self.sections, self.note) = repeat::expand(&dashboard, &self.variables);
            (self.is_dirty, self.range) = (false, Some(shared.range));
        }
        if is_first && let Some(id) = target.panel {
            let found = self.panels().find(|panel| panel.key.id == id).map(|panel| panel.key.clone());
            self.open = found;
        }
        let body = layout::areas(shared.size).body;
        let grid = view::grid_area(self, shared, body);
        let boxes: Vec<_> =
            self.sections.iter().map(|section| section.boxes(self.is_folded(section))).collect();
        self.items = arrange(&boxes, (grid.width, grid.height));
        self.find_cursor();
        self.ask_near(shared, &target, &dashboard, grid.height, now);
        self.make_pictures(shared, now);
    }

    pub(super) fn is_folded(&self, section: &ShownSection) -> bool {
        let is_unfolded = self.subject.as_ref().is_some_and(|target| target.is_unfolded);
        let own = self.folded.get(&section.key).copied();
        own.unwrap_or(section.is_collapsed && !is_unfolded)
    }

    /// The key of an item.
    pub(super) fn key_at(&self, index: usize) -> Option<ItemKey> {
        let item = self.items.get(index)?;
        let section = self.sections.get(item.section)?;
        let panel = item.panel.and_then(|panel| section.panels.get(panel)).map(|panel| panel.key.clone());
        Some((section.key.clone(), panel))
    }

    /// The cursor stays on its item while others come and go.
    fn find_cursor(&mut self) {
        let found = (0..self.items.len()).find(|index| self.key_at(*index) == self.cursor);
        let first = || self.items.iter().position(|item| item.panel.is_some()).unwrap_or(0);
        let index = match (&self.cursor, found) {
            (_, Some(index)) => index,
            (None, None) if self.scroll_position.panel == 0 => first(),
            (None | Some(_), None) => self.scroll_position.panel.min(self.items.len().saturating_sub(1)),
        };
        self.scroll_position.panel = index;
        self.cursor = self.key_at(index);
    }

    /// The questions of the panels that are visible or one screen away; of a panel on the whole screen, only of that one.
    fn ask_near(
        &mut self,
        shared: &Shared,
        target: &DashboardTarget,
        dashboard: &Dashboard,
        height: u16,
        now: Timestamp,
    ) {
        let mut questions = BTreeMap::new();
        if self.variables.are_settled() {
            let top = u32::from(self.scroll_position.scroll);
            let (from, to) = (top.saturating_sub(u32::from(height)), top + 2 * u32::from(height.max(1)));
            let near = self.items.iter().filter(|item| item.y < to && item.bottom() > from);
            let near = near.filter_map(|item| self.panel_of(*item));
            let near: Vec<&PlacedPanel> = match &self.open {
                Some(_) => self.current().into_iter().collect(),
                None => near.collect(),
            };
            for panel in near.into_iter().filter(|panel| picture::without_data(&panel.panel).is_none()) {
                let scope = queries::without_time(&self.variables, &panel.scope);
                let of_panel = (&*panel.panel, &scope);
                let asked = queries::questions(shared, &target.key, dashboard, of_panel, now);
                questions.insert(panel.key.clone(), asked);
            }
        }
        self.questions = questions;
    }

    /// Makes the pictures of the panels that are asked and whose answers have changed; others keep theirs for a while.
    fn make_pictures(&mut self, shared: &Shared, now: Timestamp) {
        let mut made = std::mem::take(&mut self.pictures);
        for (key, questions) in &self.questions {
            let answers: Vec<_> = questions.asked.iter().map(|asked| asked.answer(shared)).collect();
            if !answers.iter().flatten().any(|answer| answer.value().is_some()) {
                // another question: the old picture is of other values
                made.remove(key);
                continue;
            }
            let frames = |answer: Option<&Remote<Arc<PanelFrames>>>| {
                let answer = answer?;
                Some((answer.at, Arc::as_ptr(answer.value()?).addr()))
            };
            let stamp: Vec<_> = answers.iter().copied().map(frames).collect();
            if made.get(key).is_some_and(|known| known.stamp == stamp) {
                continue;
            }
            let Some(panel) = self.panels().find(|panel| panel.key == *key) else { continue };
            let picture = self.picture(shared, panel, (questions, &answers), now);
            made.insert(key.clone(), MadePicture { stamp, ..picture });
        }
        if made.len() > 3 * self.questions.len() + 30 {
            made.retain(|key, _| self.questions.contains_key(key));
        }
        self.pictures = made;
    }

    fn picture(
        &self,
        shared: &Shared,
        panel: &PlacedPanel,
        (questions, answers): (&PanelQuestions, &[Option<&Remote<Arc<PanelFrames>>>]),
        now: Timestamp,
    ) -> MadePicture {
        let filled = self.filled(panel);
        let hidden: Vec<&Text> =
            filled.queries.iter().filter(|query| query.is_hidden).map(|query| &query.ref_id).collect();
        let mut frames: Vec<DataFrame> = Vec::new();
        let mut lines = Vec::new();
        for answer in answers.iter().flatten().filter_map(|answer| answer.value()) {
            frames.extend(answer.frames.iter().filter(|frame| !hidden.contains(&&frame.ref_id)).cloned());
            lines.extend(answer.lines.iter().cloned());
        }
        let (frames, mut notes) = transform(frames, &filled.transformations);
        notes.extend(filled.notes.iter().cloned());
        let window = window_of(questions, answers, &frames);
        let window = window.unwrap_or_else(|| shared.range.span(now, 240, shared.interval));
        let zone = &shared.look.zone;
        let input = PanelInput { panel: &filled, frames: &frames, lines: &lines, window, now, zone };
        MadePicture { stamp: Vec::new(), picture: picture::picture(&input), notes }
    }

    /// The panel with its variables replaced where the options hold some.
    fn filled(&self, panel: &PlacedPanel) -> Panel {
        let scope = queries::with_time(&self.variables, &panel.scope);
        let mut filled = (*panel.panel).clone();
        let fill = |text: &mut Option<Text>| {
            if let Some(text) = text {
                *text = scope.title(text).into();
            }
        };
        fill(&mut filled.options.display_name);
        for one in &mut filled.overrides {
            fill(&mut one.options.display_name);
        }
        filled
    }

    /// The dashboard's own time range, once: unless the user looks at another moment already.
    pub(super) fn take_range(&mut self, shared: &Shared) -> Option<Duration> {
        if self.range_of == self.subject {
            return None;
        }
        let dashboard = self.dashboard(shared)?;
        let length = length_of(&dashboard.from).filter(|length| *length >= Duration::from_secs(60));
        self.range_of = self.subject.clone();
        length.filter(|length| shared.range.end.is_none() && *length != shared.range.length)
    }
}

/// The grid of the first question at the time of its answer: what is newer is not known yet.
fn window_of(
    questions: &PanelQuestions,
    answers: &[Option<&Remote<Arc<PanelFrames>>>],
    frames: &[DataFrame],
) -> Option<TimeGrid> {
    let asked = questions.asked.first()?;
    let at = answers.first().copied().flatten().and_then(|answer| answer.at);
    let length = age(asked.window.start(), asked.window.end());
    let end = at.map_or(asked.window.end(), |at| asked.window.end().min(at));
    // the newest point of a series may be the one before the end: that is no gap
    let times = frames.iter().filter_map(fields::times).flatten().flatten();
    let newest = times.max().and_then(|ms| Timestamp::from_millisecond(*ms).ok());
    let is_near = |newest: &Timestamp| *newest < end && age(*newest, end) <= 2 * asked.window.step();
    let end = newest.filter(is_near).unwrap_or(end);
    Some(TimeGrid::stepped(end, length, asked.window.step()))
}
