//! End to end: hostile texts in the answers of all sources, shown on every screen, up to the bytes for the terminal.
#![no_main]

use burnwatch_fuzz::{Stage, parts, texts};
use libfuzzer_sys::fuzz_target;

/// The keys to every screen and to the pages that can be opened there.
const WAYS: [&[&str]; 16] = [
    &["1"],
    &["2", "enter"],
    &["3", "enter"],
    &["4", "enter", "r"],
    &["4", "enter", "o"],
    &["4", "s"],
    &["4", "y"],
    &["5", "enter", "tab"],
    &["5", "x"],
    &["5", "enter", "r", "tab", "y"],
    &["6", "enter"],
    &["7", "enter"],
    &["9", "enter"],
    &["Z", "enter", "x"],
    &[":", "p"],
    &["H", "y"],
];

fuzz_target!(|input: &[u8]| {
    let Some((first, rest)) = input.split_first() else { return };
    let size = [(80, 24), (40, 10), (120, 36), (7, 3)][usize::from(first >> 4) % 4];
    let runbook = parts(rest).pop().unwrap_or_default();
    let mut stage = Stage::new(texts(rest), runbook, size);
    stage.check();
    for key in WAYS[usize::from(first & 15)] {
        stage.press(key);
        stage.check();
    }
});
