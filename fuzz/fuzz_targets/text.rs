//! Sanitising text: no control sequence is left, sanitising twice changes nothing, and length limits hold.
#![no_main]

use burnwatch::testing::app::display_settings::Charset;
use burnwatch::testing::app::widgets::text::{fit, pad, put, width, wrap};
use burnwatch::testing::model::text::{LIMIT, clean, clean_document, clean_lines, clean_output, is_harmless};
use libfuzzer_sys::fuzz_target;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

fuzz_target!(|input: &[u8]| {
    let (times, input) = match input {
        // repeats a short text to make a long one
        [0xff, times, rest @ ..] => ((usize::from(*times) * 64).min(60_000 / rest.len().max(1)), rest),
        _ => (1, input),
    };
    let text = String::from_utf8_lossy(input).repeat(times);
    let line = clean(&text);
    assert!(line.chars().all(is_harmless) && line.len() <= LIMIT + 3, "{line:?}");
    assert_eq!(clean(&line), line);
    for lines in [clean_lines(&text).into_owned(), clean_document(&text), clean_output(&text).into_owned()] {
        assert!(lines.chars().all(|c| is_harmless(c) || c == '\n'), "{lines:?}");
        assert_eq!(clean_output(&lines), lines);
    }
    let mut buffer = Buffer::empty(Rect { x: 0, y: 0, width: 30, height: 1 });
    for cells in [0, 1, 2, 9, 30] {
        assert!(width(&fit(&line, cells, Charset::Unicode)) <= cells.max(1), "{line:?} in {cells}");
        pad(&line, cells, Charset::Ascii);
        put(&mut buffer, 0, 0, cells, &line, Style::new());
        if cells > 1 {
            for piece in wrap(&line, cells) {
                assert!(width(&piece) <= cells, "{piece:?} in {cells}");
            }
        }
    }
    for cell in buffer.content() {
        assert!(cell.symbol().chars().all(is_harmless), "{:?}", cell.symbol());
    }
});
