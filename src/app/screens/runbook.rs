//! A runbook: what its team says to do, with the alert's labels filled in. Blocks are copied; nothing is ever run.

use std::sync::Arc;

use jiff::Timestamp;

use crate::app::due::Want;
use crate::app::event::Effect;
use crate::app::look::Charset;
use crate::app::markdown::{self, Block};
use crate::app::menu::{Choice, Menu};
use crate::app::menus;
use crate::app::navigate::{self, is_link};
use crate::app::place::Place;
use crate::app::state::{Mode, State};
use crate::app::want;
use crate::model::ask::Query;
use crate::model::labels::Text;
use crate::model::remote::Remote;
use crate::model::runbook::{SOURCE, Search, Wanted};
use crate::model::source::SourceId;

mod view;
mod wanted;

pub use view::{last_scroll, render, scroll_to_block};

/// The runbook that is open, laid out for the present width.
#[derive(Debug, Default)]
pub struct Open {
    laid_out: Option<Layout>,
    page: markdown::Page,
}

/// For what the page was laid out.
#[derive(Debug, Clone, PartialEq)]
struct Layout {
    wanted: Arc<Wanted>,
    digest: Option<u64>,
    /// A failure has no digest.
    is_found: bool,
    width: u16,
    charset: Charset,
}

impl Open {
    /// How many blocks of code it has.
    pub fn blocks(&self) -> usize {
        self.page.blocks.len()
    }
}

fn source() -> SourceId {
    SourceId::new(SOURCE)
}

fn remote<'a>(state: &'a State, wanted: &Arc<Wanted>) -> Option<&'a Remote<Search>> {
    state.world.held(&source())?.runbooks().get(wanted)
}

/// What it asks for.
pub fn wants(state: &State, wanted: &Arc<Wanted>) -> Vec<Want> {
    if state.world.held(&source()).is_none() {
        return Vec::new();
    }
    vec![want::of(state, &source(), Query::Runbook { wanted: Arc::clone(wanted) })]
}

/// Opens the runbook of what the cursor is on, or asks which of several.
pub(in crate::app) fn open(state: &mut State, now: Timestamp) {
    let mut all = wanted::here(state);
    if all.len() > 1 {
        let item = |wanted: Arc<Wanted>| {
            let place = wanted.url.as_ref().map(|url| format!("  {url}")).unwrap_or_default();
            (format!("{}{place}", wanted.name), Choice::Runbook(wanted))
        };
        state.mode = Mode::Menu(Menu::new("Runbook", all.into_iter().map(item).collect(), 0));
    } else if let Some(wanted) = all.pop() {
        navigate::go(state, Place::Runbook(wanted), now);
    } else {
        state.messages.note("No runbook here: runbooks belong to alerts, incidents, SLOs and services", now);
    }
}

/// Lays the open runbook out, if it is another one or the terminal has changed.
pub(in crate::app) fn lay_out(state: &mut State) {
    let Place::Runbook(wanted) = state.place() else {
        // a long text need not be kept for later
        if state.runbook.laid_out.is_some() {
            state.runbook = Open::default();
        }
        return;
    };
    let remote = remote(state, wanted);
    let found = remote.and_then(|remote| remote.value()?.found.as_ref());
    let layout = Layout {
        wanted: Arc::clone(wanted),
        digest: remote.and_then(Remote::digest),
        is_found: found.is_some(),
        width: view::room(state.size.0),
        charset: state.look.charset,
    };
    if state.runbook.laid_out.as_ref() == Some(&layout) {
        return;
    }
    let page = found.map(|found| {
        let labels = wanted::labels(wanted);
        markdown::page(&found.text, &labels, layout.width, layout.charset)
    });
    let page = page.unwrap_or_default();
    state.panel = state.panel.min(page.blocks.len());
    state.runbook = Open { laid_out: Some(layout), page };
}

/// The block under the cursor; where there is only one, that one.
pub(in crate::app) fn block(state: &State) -> Option<&Block> {
    let blocks = &state.runbook.page.blocks;
    match state.panel.checked_sub(1) {
        Some(index) => blocks.get(index),
        None => blocks.first().filter(|_| blocks.len() == 1),
    }
}

/// Copies the block under the cursor, and says what a shell would make of it.
pub(in crate::app) fn copy(state: &mut State, now: Timestamp) -> Vec<Effect> {
    let Place::Runbook(wanted) = state.place() else { return Vec::new() };
    let labels = wanted::labels(wanted);
    let Some(copied) = block(state).map(|block| block.for_shell(&labels)) else {
        let words = match state.runbook.blocks() {
            0 => "There is no block of code to copy here",
            _ => "Several blocks here: the key for the next panel goes to them",
        };
        state.messages.note(words, now);
        return Vec::new();
    };
    let lines = copied.text.lines().count();
    let effects = menus::copy(state, copied.text, now);
    let what = if lines == 1 { "Copied 1 line".to_owned() } else { format!("Copied {lines} lines") };
    if !copied.left.is_empty() {
        let words = format!("{what}; not filled in, put it there yourself: {}", copied.left.join(", "));
        state.messages.note(words, now);
    } else if !copied.quoted.is_empty() {
        let words = format!("{what}; quoted for the shell: {}", copied.quoted.join(", "));
        state.messages.note(words, now);
    }
    effects
}

/// Where it leads: to itself, and the links in it.
pub(in crate::app) fn links(state: &State, wanted: &Arc<Wanted>) -> Vec<(String, Text)> {
    let found = remote(state, wanted).and_then(|remote| remote.value()?.found.as_ref());
    let own =
        found.map(|found| found.from.clone()).filter(|from| is_link(from)).or_else(|| wanted.url.clone());
    let mut links: Vec<(String, Text)> =
        own.filter(|url| is_link(url)).map(|url| ("this runbook".to_owned(), url)).into_iter().collect();
    let within = state.runbook.page.links.iter().enumerate();
    links.extend(
        within
            .filter(|(_, (_, url))| is_link(url))
            .map(|(at, (name, url))| (format!("[{}] {name}", at + 1), Text::from(url.as_str()))),
    );
    links
}
