//! Text in cells: width, cutting and wrapping at graphemes; writing never leaves the given area.
//!
//! All text passes through this module when it is drawn, and control characters are replaced here; before, texts keep their exact
//! content. In a cell, which is one line, line breaks become spaces.

use std::borrow::Cow;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

use crate::app::display_settings::{Charset, Cx};
use crate::app::theme::Role;
use crate::model::text::{clean, clean_lines};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StyledRun<'a> {
    pub text: Cow<'a, str>,
    pub role: Role,
}

impl<'a> StyledRun<'a> {
    pub fn new(text: impl Into<Cow<'a, str>>, role: Role) -> Self {
        Self { text: text.into(), role }
    }
}

pub fn ellipsis(charset: Charset) -> &'static str {
    charset.pick("…", "~")
}

/// The number of cells that `text` takes when it is written with [`put`].
pub fn width(text: &str) -> u16 {
    let text = clean(text);
    let cells = if is_plain(&text) { text.len() } else { text.graphemes(true).map(cells_of).sum() };
    u16::try_from(cells).unwrap_or(u16::MAX)
}

/// The number of cells that runs take beside each other.
pub fn runs_width(runs: &[StyledRun<'_>]) -> u16 {
    runs.iter().map(|run| width(&run.text)).fold(0, u16::saturating_add)
}

/// Whether a text is printable ASCII only, in which each byte is one cell.
fn is_plain(text: &str) -> bool {
    text.bytes().all(|b| (0x20..0x7f).contains(&b))
}

/// The cells of a grapheme. Control characters take none, because they are never written.
fn cells_of(grapheme: &str) -> usize {
    if grapheme.chars().any(char::is_control) { 0 } else { grapheme.width() }
}

/// Writes `text` at (`x`, `y`) into at most `max_width` cells, and returns the number of cells written.
///
/// Cells outside of the buffer are not written; a wide character that would be cut is left out.
pub fn put(buf: &mut Buffer, x: u16, y: u16, max_width: u16, text: &str, style: Style) -> u16 {
    let area = buf.area;
    if !(area.left()..area.right()).contains(&x) || !(area.top()..area.bottom()).contains(&y) {
        return 0;
    }
    let room = max_width.min(area.right() - x);
    let text = clean(text);
    if is_plain(&text) {
        let mut used = 0;
        while used < room
            && let Some(letter) = text.get(usize::from(used)..=usize::from(used))
        {
            if let Some(cell) = buf.cell_mut((x + used, y)) {
                cell.set_symbol(letter).set_style(style);
            }
            used += 1;
        }
        return used;
    }
    let mut used = 0;
    for grapheme in text.graphemes(true) {
        let Ok(cells @ 1..) = u16::try_from(cells_of(grapheme)) else { continue };
        if cells > room - used {
            break;
        }
        if let Some(cell) = buf.cell_mut((x + used, y)) {
            cell.set_symbol(grapheme).set_style(style);
        }
        for hidden in used + 1..used + cells {
            if let Some(cell) = buf.cell_mut((x + hidden, y)) {
                cell.set_symbol(" ").set_style(style);
            }
        }
        used += cells;
    }
    used
}

/// As [`put`], right-aligned in `width` cells. A text that does not fit becomes `###`, because a cut number would be
/// read as another number.
pub fn right(buf: &mut Buffer, x: u16, y: u16, width: u16, text: &str, style: Style) -> u16 {
    let cells = self::width(text);
    if cells > width {
        return put(buf, x, y, width, &"#".repeat(usize::from(width)), style);
    }
    put(buf, x.saturating_add(width - cells), y, cells, text, style)
}

/// Writes a text into the middle of an area.
pub fn centred(cx: &Cx<'_>, text: &str, role: Role, area: Rect, buf: &mut Buffer) {
    let text = fit(text, area.width, cx.charset);
    let x = area.x + (area.width - width(&text)) / 2;
    put(buf, x, area.y + area.height / 2, area.width, &text, cx.style(role));
}

/// Names with their values in one line, as many as fit whole.
pub fn fitting<'a>(
    all: impl IntoIterator<Item = (&'a str, StyledRun<'a>)>,
    cells: u16,
) -> Vec<StyledRun<'a>> {
    let mut runs = vec![StyledRun::new(" ", Role::Text)];
    let mut used = 1;
    for (name, value) in all {
        let its = width(name) + 1 + width(&value.text);
        if used + its > cells {
            break;
        }
        runs.extend([
            StyledRun::new(format!("{name} "), Role::Muted),
            value,
            StyledRun::new("  ", Role::Text),
        ]);
        used += its + 2;
    }
    runs
}

/// Writes one line of text into the first line of an area, after a few free cells.
pub fn say(cx: &Cx<'_>, indent: u16, text: &str, role: Role, area: Rect, buf: &mut Buffer) {
    put(buf, area.x + indent, area.y, area.width.saturating_sub(indent), text, cx.style(role));
}

/// Shows that the cursor is on these lines.
pub fn select(cx: &Cx<'_>, area: Rect, buf: &mut Buffer) {
    let style = cx.style(Role::Selected);
    for y in area.top()..area.bottom() {
        put(buf, area.x, y, 1, cx.symbol(Role::Selected), style);
    }
    buf.set_style(area, style);
}

/// Writes runs one after the other into the first row of `area`, cut with an ellipsis if needed. Returns the cells used.
pub fn runs(cx: &Cx<'_>, runs: &[StyledRun<'_>], area: Rect, buf: &mut Buffer) -> u16 {
    if area.is_empty() {
        return 0;
    }
    let mut used = 0;
    for (i, run) in runs.iter().enumerate() {
        let left = area.width - used;
        let more = runs.iter().skip(i + 1).any(|next| width(&next.text) > 0);
        let cells = width(&run.text);
        let style = cx.style(run.role);
        let x = area.x.saturating_add(used);
        if cells < left || (cells == left && !more) {
            used += put(buf, x, area.y, left, &run.text, style);
            continue;
        }
        // one cell more than fits, so that the ellipsis is shown even if this run alone would fit exactly
        let cut =
            if cells == left { Cow::Owned(format!("{} ", run.text)) } else { Cow::Borrowed(&*run.text) };
        return used + put(buf, x, area.y, left, &fit(&cut, left, cx.charset), style);
    }
    used
}

/// Writes lines one below the other, as many as fit.
pub fn lines<'r>(
    cx: &Cx<'_>,
    lines: impl IntoIterator<Item = impl AsRef<[StyledRun<'r>]>>,
    area: Rect,
    buf: &mut Buffer,
) {
    for (y, line) in (area.top()..area.bottom()).zip(lines) {
        runs(cx, line.as_ref(), Rect { y, height: 1, ..area }, buf);
    }
}

/// `text` in at most `width` cells: unchanged, or cut at a grapheme with an ellipsis.
pub fn fit(text: &str, width: u16, charset: Charset) -> Cow<'_, str> {
    if self::width(text) <= width {
        return Cow::Borrowed(text);
    }
    if width == 0 {
        return Cow::Borrowed("");
    }
    let text = clean(text);
    let (head, _) = split(&text, usize::from(width - 1));
    Cow::Owned(format!("{head}{}", ellipsis(charset)))
}

/// `text` in exactly `width` cells: cut, or padded with blanks.
pub fn pad(text: &str, width: u16, charset: Charset) -> String {
    let mut out = fit(text, width, charset).into_owned();
    let missing = width.saturating_sub(self::width(&out));
    out.push_str(&" ".repeat(usize::from(missing)));
    out
}

/// Splits `text` after at most `cells` cells.
fn split(text: &str, cells: usize) -> (&str, &str) {
    let mut used = 0;
    let at = text.grapheme_indices(true).find_map(|(at, grapheme)| {
        used += cells_of(grapheme);
        (used > cells).then_some(at)
    });
    text.split_at(at.unwrap_or(text.len()))
}

/// Wraps `text` at words into lines of at most `width` cells; a word longer than a line is broken.
///
/// Line breaks and leading blanks are kept. A width of 0 gives no lines.
pub fn wrap(text: &str, width: u16) -> Vec<String> {
    let mut lines = Vec::new();
    if width > 0 {
        for paragraph in clean_lines(text).lines() {
            wrap_paragraph(paragraph, usize::from(width), &mut lines);
        }
    }
    lines
}

/// Words wrapped beside a head: the lines below the first one begin under the words. `width` is that of all.
pub fn beside(head: &str, words: &str, width: u16, role: Role) -> Vec<Vec<StyledRun<'static>>> {
    let indent = self::width(head);
    let blank = " ".repeat(usize::from(indent));
    let heads = std::iter::once(head.to_owned()).chain(std::iter::repeat(blank));
    let lines = wrap(words, width.saturating_sub(indent + 1).max(8));
    let runs = heads.zip(lines);
    runs.map(|(head, line)| vec![StyledRun::new(head, Role::Muted), StyledRun::new(line, role)]).collect()
}

/// Wraps one paragraph, keeping its indentation up to half the width.
fn wrap_paragraph(paragraph: &str, width: usize, lines: &mut Vec<String>) {
    let body = paragraph.trim_start_matches(' ');
    let indent = (paragraph.len() - body.len()).min(width / 2);
    let mut line = " ".repeat(indent);
    let mut used = indent;
    let mut is_fresh = true;
    for word in body.split(' ').filter(|word| !word.is_empty()) {
        let cells = usize::from(self::width(word));
        let gap = usize::from(!is_fresh);
        if used + gap + cells <= width {
            line.push_str(if is_fresh { "" } else { " " });
            line.push_str(word);
            used += gap + cells;
            is_fresh = false;
            continue;
        }
        if !is_fresh {
            lines.push(std::mem::take(&mut line));
            used = 0;
        }
        // a wide character does not fit into one cell
        for (grapheme, cells) in
            word.graphemes(true).map(|one| (one, cells_of(one))).filter(|(_, n)| *n <= width)
        {
            if used + cells > width {
                lines.push(std::mem::take(&mut line));
                used = 0;
            }
            line.push_str(grapheme);
            used += cells;
        }
        is_fresh = false;
    }
    lines.push(line);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::app::widgets::probe::{drawn, has_role, lines, sweep, with_cx};

    #[test]
    fn cuts_are_at_graphemes_and_marked() {
        for (text, cells, shown) in [
            ("checkout", 8, "checkout"),
            ("checkout", 5, "chec…"),
            ("checkout", 1, "…"),
            ("checkout", 0, ""),
            ("東京都", 5, "東京…"),
            ("東京都", 4, "東…"),
            ("e\u{301}te\u{301}", 2, "e\u{301}…"),
        ] {
            assert_eq!(fit(text, cells, Charset::Unicode), shown, "{text} in {cells}");
        }
        assert_eq!(fit("checkout", 5, Charset::Ascii), "chec~");
        assert_eq!(pad("東京", 6, Charset::Unicode), "東京  ");
    }

    #[test]
    fn text_is_clipped_to_its_width_and_to_the_buffer() {
        let buf = drawn(6, 2, |_, buf| {
            assert_eq!(put(buf, 4, 0, 10, "hello", Style::new()), 2);
            assert_eq!(put(buf, 0, 1, 3, "a東京", Style::new()), 3);
            assert_eq!(put(buf, 0, 2, 3, "below", Style::new()), 0);
            assert_eq!(put(buf, 6, 0, 3, "beside", Style::new()), 0);
        });
        assert_eq!(lines(&buf), ["    he", "a東"]);
        let sticks_out = drawn(3, 1, |_, buf| {
            put(buf, 0, 0, 3, "東京", Style::new());
        });
        assert_eq!(lines(&sticks_out), ["東"]);
    }

    #[test]
    fn lines_of_a_text_are_words_of_one_line_and_nothing_hidden_is_drawn() {
        let said = "ready 1\r\n\n  2 pending\u{202e}\x1b[2J 👩\u{200d}👧";
        let shown = "ready 1 2 pending\\u{202e}\\x1b[2J 👩👧";
        let cells = width(said);
        assert_eq!((cells, width(shown)), (cells, cells));
        let buf = drawn(cells, 1, |area, buf| {
            put(buf, 0, 0, area.width, said, Style::new());
        });
        assert_eq!(lines(&buf), [shown]);
        let buf = drawn(cells, 1, |area, buf| {
            let parts =
                [StyledRun::new("ready 1\n", Role::Critical), StyledRun::new("2 pending", Role::Muted)];
            with_cx(Charset::Unicode, |cx| runs(cx, &parts, area, buf));
        });
        assert_eq!(lines(&buf), ["ready 1 2 pending"]);
        assert_eq!(fit(said, 12, Charset::Unicode), "ready 1 2 p…");
        assert_eq!(wrap("a\u{7}\r\n b\n", 9), ["a\\x07", " b"]);
    }

    #[test]
    fn a_number_is_whole_or_not_there() {
        let buf = drawn(6, 2, |_, buf| {
            right(buf, 0, 0, 6, "12.5%", Style::new());
            right(buf, 0, 1, 4, "12.5%", Style::new());
        });
        assert_eq!(lines(&buf), [" 12.5%", "####"]);
    }

    #[test]
    fn runs_keep_their_roles_and_the_cut_is_marked_once() {
        let parts = [StyledRun::new("cart", Role::Critical), StyledRun::new(" is down", Role::Muted)];
        let draw = |cells| {
            drawn(cells, 1, |area, buf| {
                with_cx(Charset::Unicode, |cx| runs(cx, &parts, area, buf));
            })
        };
        let whole = draw(12);
        assert_eq!(lines(&whole), ["cart is down"]);
        assert!(has_role(&whole, 0, 0, Role::Critical) && has_role(&whole, 5, 0, Role::Muted));
        assert_eq!(lines(&draw(9)), ["cart is …"]);
        assert_eq!(lines(&draw(4)), ["car…"]);
    }

    #[test]
    fn paragraphs_wrap_between_words_and_keep_their_breaks() {
        assert_eq!(wrap("the quick brown fox", 10), ["the quick", "brown fox"]);
        assert_eq!(wrap("one\n\n  two three", 7), ["one", "", "  two", "three"]);
        assert_eq!(wrap("abcdefgh ij", 5), ["abcde", "fgh", "ij"]);
        assert_eq!(wrap("東京都庁", 5), ["東京", "都庁"]);
        assert_eq!(wrap("any", 0), Vec::<String>::new());
    }

    #[test]
    fn any_size_will_do() {
        sweep(|cx, area, buf| {
            runs(
                cx,
                &[StyledRun::new("checkout", Role::Text), StyledRun::new(" burns", Role::Burning)],
                area,
                buf,
            );
        });
    }

    proptest! {
        #[test]
        fn nothing_is_wider_than_asked_for(text in any::<String>(), cells in 0..30_u16) {
            prop_assert!(width(&fit(&text, cells, Charset::Unicode)) <= cells);
            prop_assert_eq!(width(&pad(&text, cells, Charset::Unicode)), cells);
            for line in wrap(&text, cells) {
                prop_assert!(width(&line) <= cells, "{:?}", line);
            }
            let mut buf = Buffer::empty(Rect::new(0, 0, 20, 1));
            prop_assert!(put(&mut buf, 3, 0, cells, &text, Style::new()) <= cells.min(17));
        }

        #[test]
        fn wrapping_loses_no_word(text in "[a-z東 \n]{0,60}", cells in 2..20_u16) {
            let squeezed = |t: &str| t.split_whitespace().collect::<String>();
            prop_assert_eq!(squeezed(&wrap(&text, cells).join("")), squeezed(&text));
        }
    }
}
