//! The file that changes are appended to: each once, however often it is delivered.

use std::collections::{HashSet, VecDeque};
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use crate::backend::kit::change_lines::DELIVERY;
use crate::backend::kit::cost::digest;
use crate::config::files;

/// How many deliveries are remembered.
const REMEMBERED: usize = 10_000;
/// How much of the end of the file is read for them at the start.
const READ_BACK: u64 = 2 * 1024 * 1024;

#[derive(Debug, thiserror::Error)]
pub(super) enum StoreError {
    #[error("{0}")]
    Io(#[from] io::Error),
}

pub(super) struct ChangeStore {
    path: PathBuf,
    file: File,
    max_bytes: u64,
    known: HashSet<u64>,
    order: VecDeque<u64>,
}

impl ChangeStore {
    /// Opens or creates the file, and remembers what it has.
    pub(super) fn open(path: &Path, max_bytes: u64) -> Result<Self, StoreError> {
        let mut store = Self {
            path: path.to_owned(),
            file: open(path)?,
            max_bytes,
            known: HashSet::new(),
            order: VecDeque::new(),
        };
        let size = store.file.metadata()?.len();
        store.file.seek(SeekFrom::Start(size.saturating_sub(READ_BACK)))?;
        let mut text = Vec::new();
        (&store.file).take(READ_BACK).read_to_end(&mut text)?;
        for line in text.split(|byte| *byte == b'\n') {
            if let Ok(Value::Object(fields)) = serde_json::from_slice(line) {
                for key in keys(&fields) {
                    store.remember(key);
                }
            }
        }
        if !text.is_empty() && !text.ends_with(b"\n") {
            // a line that was cut off must not swallow the next one
            store.file.write_all(b"\n")?;
        }
        Ok(store)
    }

    /// Appends the changes that are not known yet. Returns how many that are.
    pub(super) fn append(
        &mut self,
        changes: Vec<Map<String, Value>>,
        delivery: Option<&str>,
    ) -> Result<usize, StoreError> {
        let mut text = Vec::new();
        let mut new = Vec::new();
        let mut written = 0;
        for (index, mut fields) in changes.into_iter().enumerate() {
            if let Some(delivery) = delivery {
                // the changes of one delivery are different ones
                let place = if index == 0 { String::new() } else { format!("#{index}") };
                fields.insert(DELIVERY.to_owned(), format!("{delivery}{place}").into());
            }
            let its = keys(&fields);
            if its.iter().any(|key| self.known.contains(key) || new.contains(key)) {
                continue;
            }
            new.extend(its);
            serde_json::to_writer(&mut text, &fields).map_err(io::Error::from)?;
            text.push(b'\n');
            written += 1;
        }
        if text.is_empty() {
            return Ok(0);
        }
        self.make_room(text.len() as u64)?;
        self.file.write_all(&text)?;
        for key in new {
            self.remember(key);
        }
        Ok(written)
    }

    /// Renames a full file, and follows if another program moved it away.
    fn make_room(&mut self, more: u64) -> Result<(), StoreError> {
        let is_moved = !self.path.exists();
        let size = self.file.metadata()?.len();
        if !is_moved && size > 0 && size.saturating_add(more) > self.max_bytes {
            let mut old = self.path.clone().into_os_string();
            old.push(".1");
            std::fs::rename(&self.path, old)?;
        } else if !is_moved {
            return Ok(());
        }
        self.file = open(&self.path)?;
        Ok(())
    }

    fn remember(&mut self, key: u64) {
        if self.known.insert(key) {
            self.order.push_back(key);
        }
        while self.order.len() > REMEMBERED {
            if let Some(old) = self.order.pop_front() {
                self.known.remove(&old);
            }
        }
    }
}

fn open(path: &Path) -> io::Result<File> {
    if path.exists() {
        files::refuse_others(path)?;
    }
    OpenOptions::new().append(true).read(true).create(true).mode(0o640).open(path)
}

/// What identifies a change: the id of its delivery, and what it says.
fn keys(fields: &Map<String, Value>) -> Vec<u64> {
    let mut said = fields.clone();
    let delivery = said.remove(DELIVERY).map(|delivery| digest(&("delivery", delivery.to_string())));
    let mut said: Vec<(String, String)> =
        said.into_iter().map(|(name, value)| (name, value.to_string())).collect();
    said.sort_unstable();
    delivery.into_iter().chain([digest(&said)]).collect()
}
