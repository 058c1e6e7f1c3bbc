//! The one sanitiser: how text from outside is shown. The model keeps texts as they came; they pass here where they are drawn
//! or printed.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::iter::repeat_n;

use unicode_width::UnicodeWidthChar;

/// Longest text shown of one outside field, in bytes; the rest is cut at a character and marked with `…`.
pub const LIMIT: usize = 8 * 1024;

/// Marks in a row that are kept on one character.
const MAX_MARKS: usize = 2;

/// `text` as it may be shown on one line: no control, escape, bidi or invisible formatting character is left.
///
/// Shape: any string -> a string of at most [`LIMIT`] bytes plus `…`. A line break with the blanks around it becomes one
/// space, and several are one; so does a tab. Another control character becomes its code in the form `\x1b`, so that an
/// attack is seen rather than swallowed; bidi marks and zero-width characters become `\u{202e}`. Runs of more than two
/// combining marks are cut. Of an emoji stay its pictures: what joins, colours or selects them goes, for terminals do not
/// agree how wide that is.
pub fn clean(text: &str) -> Cow<'_, str> {
    sanitised(text, Breaks::Space, LIMIT)
}

/// As [`clean`], but line breaks stay: for descriptions that are shown as paragraphs.
pub fn clean_lines(text: &str) -> Cow<'_, str> {
    sanitised(text, Breaks::Stay, LIMIT)
}

/// As [`clean_lines`], but of any length: for documents, whose size is limited where they are read. Tabs become blanks.
pub fn clean_document(text: &str) -> String {
    clean_output(&text.replace('\t', "    ")).into_owned()
}

/// As [`clean_lines`], but of any length: for what burnwatch itself has put together.
pub fn clean_output(text: &str) -> Cow<'_, str> {
    sanitised(text, Breaks::Stay, usize::MAX)
}

/// What a person pastes into a line: as it is, but for its line breaks, which are blanks, and for other control characters,
/// which are shown by their codes. Tabs, and what joins or hides characters, may be part of a label's value.
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

/// A text as it may stand in an address: blanks around it are left out, and blanks, control characters and such as cannot be
/// seen within it are percent-encoded. What reads addresses drops line breaks and tabs, which makes another address.
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

/// JSON that says the same and holds only what may be shown as it is: what [`clean_output`] would change is escaped.
///
/// JSON need not escape all that a terminal obeys or hides; only its strings can hold such.
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

/// Whether a character may reach a terminal: what [`clean`] leaves as it is.
pub fn is_harmless(c: char) -> bool {
    !c.is_control() && !is_invisible(c)
}

/// Whether a character is shown as it is wherever it stands; only a flood of marks is cut.
pub fn is_shown(c: char) -> bool {
    is_harmless(c) && !is_skin_tone(c)
}

/// As it may go to a terminal that does not take UTF-8: each character beyond ASCII is a `?` for every column that it has, but
/// for the `…` of what was cut, which is the screen's `~`. Parts of such a character are control characters there (`ě` ends
/// in 0x9b, which begins a sequence).
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

#[derive(Clone, Copy, PartialEq, Eq)]
enum Breaks {
    /// One space for one or several, and for the blanks around them.
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
        // what is dropped counts too: a flood is not read to its end
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

/// Whether `c` only says how the picture before it is drawn: as text or in colour, in which skin, joined to the next.
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

fn is_skin_tone(c: char) -> bool {
    matches!(c, '\u{1f3fb}'..='\u{1f3ff}')
}

/// Bidi controls, zero-width and other format characters, private use, tags, line and paragraph separators, and what is no
/// character at all.
fn is_invisible(c: char) -> bool {
    let code = u32::from(c);
    matches!(code,
        0x00ad | 0x034f | 0x061c | 0x115f | 0x1160 | 0x17b4 | 0x17b5 | 0x180b..=0x180f | 0x200b..=0x200f
        | 0x2028..=0x202e | 0x2060..=0x206f | 0x3164 | 0xe000..=0xf8ff | 0xfdd0..=0xfdef | 0xfe00..=0xfe0f | 0xfeff
        | 0xffa0 | 0xfff0..=0xfffb | 0x1_3430..=0x1_345f | 0x1_bca0..=0x1_bca3 | 0x1_d173..=0x1_d17a
        | 0xe_0000..=0x10_ffff)
        || code & 0xfffe == 0xfffe
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
