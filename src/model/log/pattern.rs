//! Patterns of log lines: lines that differ only in numbers, ids, addresses, times and quoted values have the same pattern.
//!
//! First each text is masked on its own, so that the pattern of a line does not depend on other lines or on their order. Then, as
//! in Drain (He et al., 2017), patterns of the same length that differ in one word are joined if that word has many values.

use std::collections::{BTreeMap, BTreeSet};

/// How much of a text makes its pattern, in characters.
const LENGTH: usize = 400;
/// From this many values on, a word in which patterns differ is a variable.
const VARIABLE: usize = 5;
/// A pattern has at least this many words that are the same in all its lines.
const FIXED: usize = 2;

const NUMBER: &str = "<n>";
const HEX: &str = "<hex>";
const ID: &str = "<id>";
const ADDRESS: &str = "<addr>";
const TIME: &str = "<time>";
/// Anything else that varies.
pub const ANY: &str = "<*>";

/// Whether a word of a pattern stands for a value that varies.
pub fn is_mask(word: &str) -> bool {
    [NUMBER, HEX, ID, ADDRESS, TIME, ANY].iter().any(|mask| word.contains(mask))
}

/// The pattern of a text.
pub fn masked(text: &str) -> String {
    let end = text.char_indices().nth(LENGTH).map_or(text.len(), |(at, _)| at);
    let text = text.get(..end).unwrap_or(text);
    let mut out = String::with_capacity(text.len());
    let mut rest = text.trim();
    while let Some(c) = rest.chars().next() {
        if let Some(left) = c.is_whitespace().then(|| rest.trim_start()) {
            out.push(' ');
            rest = left;
        } else if let Some((word, left)) = quoted(rest) {
            out.push_str(word);
            rest = left;
        } else if is_separator(c) {
            out.push(c);
            rest = rest.get(c.len_utf8()..).unwrap_or_default();
        } else {
            let end =
                rest.find(|c: char| c.is_whitespace() || is_separator(c) || c == '"').unwrap_or(rest.len());
            // a quote in the middle of a word
            let (word, left) = rest.split_at_checked(end.max(c.len_utf8())).unwrap_or((rest, ""));
            mask_word(word, &mut out);
            rest = left;
        }
    }
    with_times(&out)
}

/// A date and a time that stand beside each other are one time.
fn with_times(pattern: &str) -> String {
    if pattern.contains("<time> <time>") {
        pattern.replace("<time> <time>", TIME)
    } else {
        pattern.to_owned()
    }
}

fn is_separator(c: char) -> bool {
    matches!(c, '=' | ',' | ';' | '(' | ')' | '[' | ']' | '{' | '}' | '<' | '>' | '|' | '!')
}

/// A quoted text at the beginning, masked, and what follows.
fn quoted(text: &str) -> Option<(&'static str, &str)> {
    let quote = text.chars().next().filter(|c| matches!(c, '"' | '\'' | '`'))?;
    let inside = text.get(1..)?;
    let end = inside.find(quote)?;
    let after = inside.get(end + 1..)?;
    // an apostrophe, as in `don't`, quotes nothing
    let closes = after.chars().next().is_none_or(|c| !c.is_alphanumeric());
    let mask = match quote {
        '"' => "\"<*>\"",
        '\'' => "'<*>'",
        _ => "`<*>`",
    };
    closes.then_some((mask, after))
}

/// Adds a word, with its variable parts masked.
fn mask_word(word: &str, out: &mut String) {
    let core = word.trim_end_matches(['.', ':', '?']);
    let tail = word.get(core.len()..).unwrap_or_default();
    if !core.bytes().any(|byte| byte.is_ascii_digit()) && !is_plain_hex(core) {
        out.push_str(core);
    } else if is_time(core) {
        out.push_str(TIME);
    } else if is_uuid(core) {
        out.push_str(ID);
    } else if is_address(core) {
        out.push_str(ADDRESS);
    } else if is_quantity(core) {
        out.push_str(NUMBER);
    } else {
        mask_parts(core, out);
    }
    out.push_str(tail);
}

/// Masks the parts of a word between `-`, `_`, `.`, `/`, `:`, `@`, `?`, `&`, `%` and `+`.
fn mask_parts(word: &str, out: &mut String) {
    let mut rest = word;
    while !rest.is_empty() {
        let is_joint = |c: char| {
            matches!(c, '-' | '_' | '.' | '/' | ':' | '@' | '?' | '&' | '%' | '+' | '#' | '*' | '$' | '~')
        };
        let end = rest.find(is_joint).unwrap_or(rest.len());
        let (part, left) = rest.split_at_checked(end).unwrap_or((rest, ""));
        let mask = part_mask(part);
        out.push_str(mask.unwrap_or(part));
        let joint = left.chars().next();
        out.extend(joint);
        rest = left.get(joint.map_or(0, char::len_utf8)..).unwrap_or_default();
    }
}

/// The mask of a part of a word; `None` if it stays.
fn part_mask(part: &str) -> Option<&'static str> {
    let digits = part.bytes().filter(u8::is_ascii_digit).count();
    if digits == 0 {
        return is_plain_hex(part).then_some(HEX);
    }
    if digits == part.len() || is_quantity(part) {
        return Some(NUMBER);
    }
    if is_hex(part) {
        return Some(HEX);
    }
    // the zone of `us-east-1a`
    if part.len() <= 3 && part.starts_with(|c: char| c.is_ascii_digit()) {
        return Some(NUMBER);
    }
    // `http2`, `sha256` and `v1` are words
    let letters = part.trim_end_matches(|c: char| c.is_ascii_digit());
    let is_word = letters.chars().all(char::is_alphabetic) && digits <= 3;
    (!is_word).then_some(ID)
}

/// The units of numbers, in lower case.
const UNITS: [&str; 33] = [
    "", "%", "ns", "us", "µs", "μs", "ms", "s", "sec", "secs", "m", "min", "mins", "h", "hr", "hrs", "d",
    "b", "k", "kb", "kib", "mb", "mib", "g", "gb", "gib", "t", "tb", "tib", "x", "rps", "qps", "hz",
];

/// Whether this is a number, perhaps with a sign and a unit: `-12`, `1.5s`, `48ms`, `10MiB`, `3m12s`, `99%`.
fn is_quantity(word: &str) -> bool {
    let body = word.strip_prefix(['-', '+', '$', '~', '#']).unwrap_or(word);
    let is_digit = |c: char| c.is_ascii_digit() || matches!(c, '.' | ',' | '_');
    let mut rest = body;
    while !rest.is_empty() {
        let digits = rest.find(|c| !is_digit(c)).unwrap_or(rest.len());
        let (number, after) = rest.split_at_checked(digits).unwrap_or((rest, ""));
        let unit = after.find(is_digit).unwrap_or(after.len());
        let (unit, left) = after.split_at_checked(unit).unwrap_or((after, ""));
        if !number.starts_with(|c: char| c.is_ascii_digit()) || !UNITS.contains(&&*unit.to_lowercase()) {
            return false;
        }
        rest = left;
    }
    !body.is_empty()
}

/// Whether this is a number in base 16 of at least 6 digits, with letters and digits, or begins with `0x`.
fn is_hex(word: &str) -> bool {
    let body = word.strip_prefix("0x").or_else(|| word.strip_prefix("0X"));
    let digits = body.unwrap_or(word);
    !digits.is_empty()
        && digits.bytes().all(|byte| byte.is_ascii_hexdigit())
        && (body.is_some() || word.len() >= 6 && word.bytes().any(|byte| byte.is_ascii_digit()))
}

/// Whether a word of letters only is a hash by its length, such as `deadbeefcafe`.
fn is_plain_hex(word: &str) -> bool {
    word.len() >= 12 && word.bytes().all(|byte| matches!(byte, b'a'..=b'f' | b'0'..=b'9'))
}

fn is_uuid(word: &str) -> bool {
    let word = word.trim_matches(['{', '}']);
    word.len() == 36
        && word.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

/// Whether this is an address of IPv4 or IPv6, perhaps with a port or a prefix length.
fn is_address(word: &str) -> bool {
    let (host, _) = word.split_once('/').unwrap_or((word, ""));
    let host = host.strip_prefix('[').unwrap_or(host);
    let is_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let v4 = host.rsplit_once(':').filter(|(_, port)| is_digits(port)).map_or(host, |(host, _)| host);
    let parts = v4.split('.');
    if v4.split('.').count() == 4 && parts.into_iter().all(|part| part.len() <= 3 && is_digits(part)) {
        return true;
    }
    host.matches(':').count() >= 2
        && (host.contains("::") || host.matches(':').count() == 7)
        && host.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b':')
}

/// Whether this is a date, a time of the day, or both: `2026-11-30T11:33:00.123Z`, `11:33:00,123`, `2026/11/30`.
fn is_time(word: &str) -> bool {
    let (head, rest) = word.split_once(['T', 't']).unwrap_or((word, ""));
    let is_date = |text: &str| {
        let parts: Vec<&str> = text.split(['-', '/']).collect();
        let are_digits =
            parts.iter().all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()));
        are_digits
            && matches!(parts.as_slice(), [year, month, day] if year.len() == 4 && month.len() <= 2 && day.len() <= 2)
    };
    let is_clock = |text: &str| {
        let text = text.trim_end_matches(['Z', 'z']);
        let zone = text.rfind(['+', '-']).filter(|at| *at >= 5);
        let text = zone.and_then(|at| text.get(..at)).unwrap_or(text);
        let mut parts = text.split(':');
        let two = |part: Option<&str>| {
            part.is_some_and(|part| part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_digit()))
        };
        let seconds = |part: Option<&str>| {
            part.is_none_or(|part| {
                let whole = part.split(['.', ',']).next();
                two(whole) && part.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b','))
            })
        };
        two(parts.next()) && two(parts.next()) && seconds(parts.next()) && parts.next().is_none()
    };
    if rest.is_empty() { is_date(head) || is_clock(head) } else { is_date(head) && is_clock(rest) }
}

/// Joins patterns that differ in one word with at least [`VARIABLE`] values. Returns for each pattern the one that it became part
/// of; patterns that stay are left out. The result does not depend on the order of the patterns.
pub fn joined<'a>(patterns: impl IntoIterator<Item = &'a str>) -> BTreeMap<String, String> {
    let mut became: BTreeMap<String, String> = BTreeMap::new();
    let mut left: BTreeSet<String> = patterns.into_iter().map(str::to_owned).collect();
    let longest = left.iter().map(|pattern| pattern.split(' ').count()).max().unwrap_or(0);
    for place in 0..longest.min(40) {
        // the patterns without their word at this place
        let mut alike: BTreeMap<String, BTreeSet<&String>> = BTreeMap::new();
        for pattern in &left {
            let words: Vec<&str> = pattern.split(' ').collect();
            if place >= words.len() {
                continue;
            }
            let others = || words.iter().enumerate().filter(|(at, _)| *at != place);
            if others().filter(|(_, word)| !is_mask(word)).count() < FIXED {
                continue;
            }
            let with_any = words.iter().enumerate().map(|(at, word)| if at == place { ANY } else { word });
            alike.entry(with_any.collect::<Vec<_>>().join(" ")).or_default().insert(pattern);
        }
        let found: Vec<(String, Vec<String>)> = alike
            .into_iter()
            .filter(|(_, members)| members.len() >= VARIABLE)
            .map(|(whole, members)| (whole, members.into_iter().cloned().collect()))
            .collect();
        for (whole, members) in found {
            for member in members {
                left.remove(&member);
                became.insert(member, whole.clone());
            }
            left.insert(whole);
        }
    }
    // a pattern that was joined may have become part of another one
    let last = |pattern: &String| {
        let mut last = pattern;
        while let Some(next) = became.get(last).filter(|next| *next != last) {
            last = next;
        }
        (pattern.clone(), last.clone())
    };
    became.keys().map(last).collect()
}

/// The longest part of a pattern that every line of it has, for a search; empty if there is none of at least 4 characters.
pub fn literal(pattern: &str) -> &str {
    let is_break = |c: char| matches!(c, '<' | '>' | '"' | '\\') || c.is_control();
    let parts = pattern.split(is_break).map(str::trim).filter(|part| part.len() >= 4);
    // the names of masks are no text of the lines
    parts.filter(|part| !["addr", "time"].contains(part)).max_by_key(|part| part.len()).unwrap_or_default()
}
