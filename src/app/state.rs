//! Everything that is known and everything that the person is doing; only `update` changes it.

use std::time::Duration;

use jiff::tz::TimeZone;

use crate::model::labels::Text;
use crate::model::source::SourceInfo;
use crate::model::world::{Judgement, World};

/// What a [`State`] starts from.
#[derive(Debug, Clone)]
pub struct Setup {
    /// The context's name.
    pub context: Text,
    /// The names of all contexts.
    pub contexts: Vec<Text>,
    /// The sources of the context.
    pub sources: Vec<SourceInfo>,
    /// Whether nothing outside may be changed.
    pub read_only: bool,
    /// Whether the context is production.
    pub production: bool,
    /// By what the world is judged.
    pub judgement: Judgement,
    /// How often services and alerts are asked for.
    pub interval: Duration,
    /// The zone in which times are shown.
    pub zone: TimeZone,
    /// The terminal's columns and rows.
    pub size: (u16, u16),
}

/// Everything.
#[derive(Debug)]
pub struct State {
    /// What the sources said.
    pub world: World,
    /// The context's name.
    pub context: Text,
    /// Counts up with each change of context.
    pub epoch: u64,
    /// The sources of the context.
    pub sources: Vec<SourceInfo>,
    /// The terminal's columns and rows.
    pub size: (u16, u16),
    version: u64,
}

impl State {
    /// Nothing known yet, nothing done yet.
    pub fn new(setup: Setup) -> Self {
        let ids = setup.sources.iter().map(|source| source.id.clone());
        Self {
            world: World::new(ids, setup.judgement),
            context: setup.context,
            epoch: 0,
            sources: setup.sources,
            size: setup.size,
            version: 0,
        }
    }

    /// Counts up whenever a new frame would look different.
    pub fn version(&self) -> u64 {
        self.version
    }
}
