//! Runbooks with label values filled in, drawn in several widths; and copied code blocks.
#![no_main]

use burnwatch::testing::app::display_settings::Charset;
use burnwatch::testing::app::markdown::page;
use burnwatch::testing::app::widgets::text::width;
use burnwatch::testing::model::labels::Labels;
use burnwatch::testing::model::text::clean_document;
use burnwatch_fuzz::{labels, texts};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let texts = texts(input);
    let Some((source, rest)) = texts.split_last() else { return };
    let source = clean_document(source);
    let labels: Labels = labels(rest);
    for (columns, charset) in
        [(0, Charset::Unicode), (1, Charset::Ascii), (7, Charset::Unicode), (80, Charset::Unicode)]
    {
        let page = page(&source, &labels, columns, charset);
        for line in &page.lines {
            let cells: u32 = line.iter().map(|run| u32::from(width(&run.text))).sum();
            assert!(columns < 8 || cells <= u32::from(columns) + 2, "{cells} cells in {columns}: {line:?}");
        }
        for block in &page.blocks {
            let copied = block.for_shell(&labels);
            assert!(!copied.text.chars().any(|c| c.is_control() && c != '\n'), "{copied:?}");
        }
    }
});
