//! The sanitiser for text from outside. The model stores texts unchanged; they are sanitised when they are drawn
//! or printed.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::iter::repeat_n;

use unicode_width::UnicodeWidthChar;

/// The limit for the displayed text of one external field, in bytes; longer text is cut at a character and marked with `…`.
pub const LIMIT: usize = 8 * 1024;

/// The limit for combining marks on one character.
const MAX_MARKS: usize = 2;

/// Sanitises `text` for display on one line: removes control, escape, bidi and invisible formatting characters.
///
/// The result has at most [`LIMIT`] bytes plus `…`. Line breaks with the blanks around them become one
/// space; so does a tab. Other control characters become their code in the form `\x1b`, so that an
/// attack is visible; bidi marks and zero-width characters become `\u{202e}`. Runs of more than two
/// combining marks are cut. Emoji are reduced to their base characters, without joiners, skin colours and variation selectors,
/// because terminals disagree about their width.
pub fn clean(text: &str) -> Cow<'_, str> {
    sanitised(text, Breaks::Space, LIMIT)
}

/// As [`clean`], but keeps line breaks: for descriptions that are displayed as paragraphs.
pub fn clean_lines(text: &str) -> Cow<'_, str> {
    sanitised(text, Breaks::Stay, LIMIT)
}

/// As [`clean_lines`], but without a length limit: for documents, whose size is limited when they are read. Tabs become four
/// blanks.
pub fn clean_document(text: &str) -> String {
    clean_output(&text.replace('\t', "    ")).into_owned()
}

/// As [`clean_lines`], but without a length limit: for output that burnwatch itself composed.
pub fn clean_output(text: &str) -> Cow<'_, str> {
    sanitised(text, Breaks::Stay, usize::MAX)
}

/// Prepares pasted text for an input line: line breaks become blanks, and other control characters
/// become their codes. Tabs and invisible characters stay, because they can be part of a label's value.
pub fn pasted(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.replace("\r\n", "\n").chars() {
        match c {
            '\n' | '\r' => out.push(' '),
            '\t' => out.push(c),
            c if c.is_control() => push_code(&mut out, "\\x", c),
            c => out.push(c),
        }
    }
    out
}

/// Prepares text for use as a URL: trims it, and percent-encodes blanks, control characters and invisible characters.
/// URL parsers would drop line breaks and tabs, which would change the URL.
pub fn address(text: &str) -> Cow<'_, str> {
    let text = text.trim();
    let is_fit = |c: char| is_harmless(c) && !c.is_whitespace();
    if text.chars().all(is_fit) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        if is_fit(c) {
            out.push(c);
        } else {
            for byte in c.encode_utf8(&mut [0; 4]).bytes() {
                write!(out, "%{byte:02X}").expect("writing to a String cannot fail");
            }
        }
    }
    Cow::Owned(out)
}

/// Escapes characters in JSON that [`clean_output`] would change; the JSON stays equivalent.
///
/// Only JSON strings can contain such characters, and JSON does not require escaping them.
pub fn escaped_json(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    let mut marks = 0;
    for c in json.chars() {
        marks = if c.width() == Some(0) { marks + 1 } else { 0 };
        if c == '\n' || is_shown(c) && marks <= MAX_MARKS {
            out.push(c);
        } else {
            for unit in c.encode_utf16(&mut [0; 2]) {
                write!(out, "\\u{unit:04x}").expect("writing to a String cannot fail");
            }
        }
    }
    out
}

/// Whether a character may be sent to a terminal: [`clean`] does not change it.
pub fn is_harmless(c: char) -> bool {
    !c.is_control() && !is_invisible(c)
}

/// Whether a character is displayed unchanged in any position, apart from the limit for combining marks.
pub fn is_shown(c: char) -> bool {
    is_harmless(c) && !is_skin_tone(c)
}

/// Converts text for a terminal without UTF-8: each character beyond ASCII becomes a `?` for each column of its width,
/// and the `…` of cut text becomes `~`. Sent unchanged, bytes of such characters could act as control characters (`ě` ends
/// in 0x9b, which begins an escape sequence).
pub fn ascii(text: &str) -> Cow<'_, str> {
    if text.is_ascii() {
        return Cow::Borrowed(text);
    }
    let fitting = |c: char| match c {
        '…' => repeat_n('~', 1),
        c if c.is_ascii() => repeat_n(c, 1),
        c => repeat_n('?', c.width().unwrap_or(0)),
    };
    Cow::Owned(text.chars().flat_map(fitting).collect())
}

/// How line breaks are treated.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Breaks {
    /// Line breaks with the blanks around them become one space.
    Space,
    Stay,
}

fn sanitised(text: &str, breaks: Breaks, limit: usize) -> Cow<'_, str> {
    let is_plain = |byte: u8| (0x20..0x7f).contains(&byte) || breaks == Breaks::Stay && byte == b'\n';
    let is_simple = |c: char| u8::try_from(c).is_ok_and(is_plain) || is_shown(c) && c.width() != Some(0);
    if text.len() <= limit && (text.bytes().all(is_plain) || text.chars().all(is_simple)) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len().min(limit) + 8);
    let (mut marks, mut before) = (0, ' ');
    let mut chars = text.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        let whole = out.len();
        marks = if c.width() == Some(0) { marks + 1 } else { 0 };
        match c {
            '\n' | '\r' if breaks == Breaks::Space => {
                out.truncate(out.trim_end_matches(' ').len());
                while chars.next_if(|(_, next)| matches!(next, ' ' | '\t' | '\n' | '\r')).is_some() {}
                out.push(' ');
            }
            '\r' if chars.peek().is_some_and(|(_, next)| *next == '\n') => continue,
            '\n' | '\r' => out.push('\n'),
            '\t' => out.push(' '),
            c if c.is_control() => push_code(&mut out, "\\x", c),
            c if is_emoji_modifier(before, c, chars.peek().map(|(_, next)| *next)) => continue,
            c if is_invisible(c) => push_code(&mut out, "\\u", c),
            _ if marks > MAX_MARKS => {}
            c => out.push(c),
        }
        before = c;
        // dropped characters count too, so that a flood of them is not processed to its end
        if out.len() > limit || at / 4 > limit {
            out.truncate(whole.min(out.len()));
            out.push('…');
            break;
        }
    }
    Cow::Owned(out)
}

fn push_code(out: &mut String, prefix: &str, c: char) {
    let code = u32::from(c);
    let written = if prefix == "\\x" { write!(out, "\\x{code:02x}") } else { write!(out, "\\u{{{code:x}}}") };
    written.expect("writing to a String cannot fail");
}

/// Whether `c` only modifies how the emoji before it is drawn: as text or in colour, its skin colour, or joined to the next.
fn is_emoji_modifier(before: char, c: char, next: Option<char>) -> bool {
    let is_picture =
        |c: char| !c.is_ascii() && !c.is_alphanumeric() && is_harmless(c) && c.width() != Some(0);
    let is_keycap = next == Some('\u{20e3}') && matches!(before, '0'..='9' | '#' | '*');
    match c {
        '\u{fe0e}' | '\u{fe0f}' => is_picture(before) || is_keycap,
        c if is_skin_tone(c) => is_picture(before),
        '\u{200d}' => is_picture(before) && next.is_some_and(is_picture),
        _ => false,
    }
}

/// Whether this is a skin colour modifier.
fn is_skin_tone(c: char) -> bool {
    matches!(c, '\u{1f3fb}'..='\u{1f3ff}')
}

/// Whether a character is invisible: bidi controls, zero-width and other format characters, private use, tags, line and paragraph
/// separators, and noncharacters.
fn is_invisible(c: char) -> bool {
    let code = u32::from(c);
    matches!(code,
        0x00ad | 0x034f | 0x061c | 0x115f | 0x1160 | 0x17b4 | 0x17b5 | 0x180b..=0x180f | 0x200b..=0x200f
        | 0x2028..=0x202e | 0x2060..=0x206f | 0x3164 | 0xe000..=0xf8ff | 0xfdd0..=0xfdef | 0xfe00..=0xfe0f | 0xfeff
        | 0xffa0 | 0xfff0..=0xfffb | 0x1_3430..=0x1_345f | 0x1_bca0..=0x1_bca3 | 0x1_d173..=0x1_d17a
        | 0xe_0000..=0x10_ffff)
        || code & 0xfffe == 0xfffe
}

/// Line and column, both from 1, of a byte offset.
pub fn place(text: &str, at: usize) -> (usize, usize) {
    let before = text.get(..at.min(text.len())).unwrap_or(text);
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    (before.matches('\n').count() + 1, column)
}

/// A number with its noun, in the plural if it is not one: `2 sources`.
pub fn counted(count: usize, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

/// A noun with its indefinite article: `an Alertmanager`.
pub fn with_article(noun: &str) -> String {
    let is_vowel = noun.starts_with(|c: char| "aeiouAEIOU".contains(c));
    format!("{} {noun}", if is_vowel { "an" } else { "a" })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn escapes_controls_and_bidi_are_shown_not_obeyed() {
        for (hostile, shown) in [
            ("plain", "plain"),
            ("a\x1b[2Jb", "a\\x1b[2Jb"),
            ("a\u{9b}31m", "a\\x9b31m"),
            ("tab\there\r\nline", "tab here line"),
            ("ready 1 \n\n\r\n  \t2 pending\r3\n", "ready 1 2 pending 3 "),
            ("two  blanks", "two  blanks"),
            ("\u{7f}", "\\x7f"),
            ("evil\u{202e}txt", "evil\\u{202e}txt"),
            ("zero\u{200b}width", "zero\\u{200b}width"),
            ("Grüße 東京", "Grüße 東京"),
            ("e\u{301}\u{301}\u{301}\u{301}", "e\u{301}\u{301}"),
            ("\u{e48}\u{93c}\u{483}\u{20d0}x", "\u{e48}\u{93c}x"),
            ("⚠\u{fe0f} 1\u{fe0f}\u{20e3} 👍\u{1f3fd} 👩\u{200d}💻", "⚠ 1\u{20e3} 👍 👩💻"),
            ("a\u{fe0f}b\u{200d}c\u{200d}💻", "a\\u{fe0f}b\\u{200d}c\\u{200d}💻"),
            ("tag\u{e0041}\u{e007f}\u{ffff}", "tag\\u{e0041}\\u{e007f}\\u{ffff}"),
            ("\u{2066}isolated\u{2069}", "\\u{2066}isolated\\u{2069}"),
            ("nul\0", "nul\\x00"),
        ] {
            assert_eq!(clean(hostile), shown, "{hostile:?}");
        }
        assert_eq!(clean_lines("one\r\n  two\x07\rthree\n\n"), "one\n  two\\x07\nthree\n\n");
    }

    #[test]
    fn what_needs_no_cleaning_is_not_copied() {
        for text in ["plain", "Grüße 東京", "⚠ 👍"] {
            assert!(matches!(clean(text), Cow::Borrowed(_)), "{text}");
        }
        assert!(matches!(clean_lines("é\nb"), Cow::Borrowed(_)));
    }

    #[test]
    fn an_address_holds_no_blank_and_nothing_hidden() {
        assert_eq!(address(" https://w/a b\n\u{200b}é?x=1#y \n"), "https://w/a%20b%0A%E2%80%8Bé?x=1#y");
    }

    #[test]
    fn what_is_pasted_keeps_what_a_label_may_hold() {
        assert_eq!(pasted("a\t\u{200b}👩\u{200d}💻\r\nb\x1b[2J"), "a\t\u{200b}👩\u{200d}💻 b\\x1b[2J");
    }

    #[test]
    fn where_utf8_is_not_taken_each_column_is_a_question_mark() {
        assert!(matches!(ascii("plain\x1b[m\n"), Cow::Borrowed(_)));
        assert_eq!(ascii("Pr\u{11b}hled e\u{301} \u{6771}\u{4eac} \u{1f44d}\n"), "Pr?hled e ???? ??\n");
        assert_eq!(ascii("payments-wor…"), "payments-wor~");
    }

    #[test]
    fn a_megabyte_is_cut_at_a_character_and_says_so() {
        let cut = clean(&"é".repeat(500_000)).into_owned();
        assert!(cut.len() <= LIMIT + 5 && cut.ends_with('…'));
    }

    #[test]
    fn a_flood_of_marks_is_not_read_to_its_end() {
        let flood = format!("a{}b", "\u{301}".repeat(500_000));
        assert_eq!(clean(&flood), "a\u{301}\u{301}…");
    }

    #[test]
    fn what_is_cut_is_cut_between_codes() {
        for before in 0..12 {
            let once = clean(&format!("{}{}", "x".repeat(before), "\u{202e}".repeat(LIMIT))).into_owned();
            assert!(once.len() <= LIMIT + 3 && once.ends_with("}…"));
            assert_eq!(clean(&once), once);
        }
    }

    proptest! {
        #[test]
        fn nothing_that_a_terminal_obeys_survives(text in any::<String>()) {
            let safe = clean(&text).into_owned();
            prop_assert!(safe.chars().all(is_harmless), "{:?}", safe);
        }

        #[test]
        fn json_is_shown_as_it_is_and_says_the_same(text in "[\\PCa-c\u{301}\u{200b}\u{200d}\u{1f3fd}\u{1f44d}\x1b\n]{0,60}|\\PC{0,40}") {
            let json = serde_json::to_string(&text).unwrap();
            let shown = escaped_json(&json);
            prop_assert_eq!(&clean_output(&shown), &shown);
            prop_assert_eq!(serde_json::from_str::<String>(&shown).unwrap(), text);
        }

        #[test]
        fn lines_of_a_text_are_never_glued_together(words in prop::collection::vec("[a-z0-9]{1,5}", 1..6), gap in "[ \t]{0,2}(\r\n|\n|\r)[ \t\r\n]{0,4}") {
            let lines = words.join(&gap);
            prop_assert_eq!(clean(&lines), words.join(" "));
        }

        #[test]
        fn cleaning_twice_is_cleaning_once(text in "\\PC{0,200}") {
            let once = clean(&text).into_owned();
            prop_assert_eq!(clean(&once).into_owned(), once);
        }
    }
}
