//! A drawn screen as an SVG picture on a grid of equal cells: for the README, chat and reports.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use ratatui::buffer::Buffer;
use ratatui::style::Modifier;

use super::grid::{self, Glyph, Look};

/// One cell, in SVG's units; text of 14 is 8.4 wide in common monospace fonts.
const CELL: (f64, f64) = (8.4, 18.0);
const FONT_SIZE: f64 = 14.0;
/// From the top of a cell to the line on which letters stand.
const BASELINE: f64 = 13.5;
const MARGIN: f64 = 12.0;
/// What the terminal's own colours are in a picture.
const PAPER: Paper = Paper { text: (0xd4, 0xd8, 0xe0), ground: (0x14, 0x16, 0x1b) };

type Rgb = (u8, u8, u8);

#[derive(Clone, Copy)]
struct Paper {
    text: Rgb,
    ground: Rgb,
}

impl Paper {
    /// The margin has the ground that most cells have, so that a light screen has no dark frame.
    fn of(buf: &Buffer) -> Self {
        let mut grounds: BTreeMap<Option<Rgb>, usize> = BTreeMap::new();
        for cell in &buf.content {
            *grounds.entry(grid::rgb(cell.bg)).or_default() += 1;
        }
        let most = grounds.into_iter().max_by_key(|(_, count)| *count).and_then(|(ground, _)| ground);
        Self { ground: most.unwrap_or(PAPER.ground), ..PAPER }
    }
}

/// The picture.
pub(in crate::cli) fn render(buf: &Buffer, title: &str) -> String {
    let width = f64::from(buf.area.width).mul_add(CELL.0, 2.0 * MARGIN);
    let height = f64::from(buf.area.height).mul_add(CELL.1, 2.0 * MARGIN);
    let mut out = String::new();
    let paper = Paper::of(buf);
    push(
        &mut out,
        format_args!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width:.0}\" height=\"{height:.0}\" \
             viewBox=\"0 0 {width:.1} {height:.1}\" role=\"img\">\n<title>{}</title>\n\
             <rect width=\"100%\" height=\"100%\" rx=\"8\" fill=\"{}\"/>\n\
             <g font-family=\"ui-monospace,'DejaVu Sans Mono','Cascadia Mono',Menlo,Consolas,monospace\" \
             font-size=\"{FONT_SIZE}\" xml:space=\"preserve\" style=\"white-space:pre\">\n",
            escaped(title),
            hex(paper.ground),
        ),
    );
    for (y, row) in grid::rows(buf).enumerate() {
        let top = CELL.1.mul_add(y as f64, MARGIN);
        // all grounds first, so that no ground covers the foot of a letter
        for run in row.chunk_by(|a, b| colours(a.look).1 == colours(b.look).1) {
            ground(&mut out, run, top, paper);
        }
        for run in row.chunk_by(|a, b| a.look == b.look && is_plain(a) && is_plain(b)) {
            text(&mut out, run, top);
        }
    }
    out.push_str("</g>\n</svg>\n");
    out
}

fn push(out: &mut String, text: std::fmt::Arguments<'_>) {
    out.write_fmt(text).expect("writing to a String cannot fail");
}

/// Colours of the text and of the ground, as they come out after swapping.
fn colours(look: Look) -> (Rgb, Rgb) {
    let text = grid::rgb(look.fg).unwrap_or(PAPER.text);
    let ground = grid::rgb(look.bg).unwrap_or(PAPER.ground);
    if look.has(Modifier::REVERSED) { (ground, text) } else { (text, ground) }
}

/// Whether its glyph is as wide in every monospace font as its cell.
fn is_plain(glyph: &Glyph<'_>) -> bool {
    glyph.symbol.bytes().all(|b| (0x20..0x7f).contains(&b))
}

fn left(run: &[Glyph<'_>]) -> f64 {
    run.first().map_or(0.0, |glyph| CELL.0.mul_add(f64::from(glyph.column), MARGIN))
}

fn width(run: &[Glyph<'_>]) -> f64 {
    CELL.0 * run.iter().map(|glyph| f64::from(glyph.width)).sum::<f64>()
}

fn ground(out: &mut String, run: &[Glyph<'_>], top: f64, paper: Paper) {
    let Some(first) = run.first() else { return };
    let (_, ground) = colours(first.look);
    if ground != paper.ground {
        push(out, format_args!("{}\n", rect(left(run), top, width(run), CELL.1, ground, "")));
    }
}

fn rect(x: f64, y: f64, width: f64, height: f64, fill: Rgb, more: &str) -> String {
    let fill = hex(fill);
    format!(
        "<rect x=\"{x:.1}\" y=\"{y:.2}\" width=\"{width:.2}\" height=\"{height:.2}\" fill=\"{fill}\"{more}/>"
    )
}

fn text(out: &mut String, run: &[Glyph<'_>], top: f64) {
    let Some(first) = run.first() else { return };
    let look = first.look;
    let (fill, _) = colours(look);
    let faint = if look.has(Modifier::DIM) { " fill-opacity=\"0.6\"" } else { "" };
    if let Some((x, y, w, h)) = block(first.symbol) {
        let bar =
            rect(CELL.0.mul_add(x, left(run)), CELL.1.mul_add(y, top), CELL.0 * w, CELL.1 * h, fill, faint);
        return push(out, format_args!("{bar}\n"));
    }
    let letters: String = run.iter().map(|glyph| glyph.symbol).collect();
    let is_lined = look.modifier.intersects(Modifier::UNDERLINED | Modifier::CROSSED_OUT);
    // spaces around words move the run instead of standing in it
    let (skipped, letters) = if is_lined {
        (0, letters.as_str())
    } else {
        let rest = letters.trim_start_matches(' ');
        (letters.len() - rest.len(), rest.trim_end_matches(' '))
    };
    if letters.is_empty() {
        return;
    }
    let x = CELL.0.mul_add(skipped as f64, left(run));
    let length = if is_plain(first) { CELL.0 * letters.len() as f64 } else { width(run) };
    let mut style = String::new();
    for (modifier, attribute) in [
        (Modifier::BOLD, " font-weight=\"bold\""),
        (Modifier::ITALIC, " font-style=\"italic\""),
        (Modifier::UNDERLINED, " text-decoration=\"underline\""),
        (Modifier::CROSSED_OUT, " text-decoration=\"line-through\""),
    ] {
        if look.has(modifier) {
            style.push_str(attribute);
        }
    }
    push(
        out,
        format_args!(
            "<text x=\"{x:.1}\" y=\"{:.1}\" textLength=\"{length:.1}\" lengthAdjust=\"spacingAndGlyphs\" \
             fill=\"{}\"{faint}{style}>{}</text>\n",
            top + BASELINE,
            hex(fill),
            escaped(letters),
        ),
    );
}

/// Bars and blocks as parts of their cell (left, top, width, height): fonts leave gaps between them.
fn block(symbol: &str) -> Option<(f64, f64, f64, f64)> {
    let mut chars = symbol.chars();
    let code = chars.next().filter(|_| chars.next().is_none()).map(u32::from)?;
    let eighths = |from: u32| f64::from(code - from) / 8.0;
    match code {
        0x2580 => Some((0.0, 0.0, 1.0, 0.5)),
        0x2581..=0x2588 => Some((0.0, 1.0 - eighths(0x2580), 1.0, eighths(0x2580))),
        0x2589..=0x258f => Some((0.0, 0.0, 1.0 - eighths(0x2588), 1.0)),
        0x2590 => Some((0.5, 0.0, 0.5, 1.0)),
        0x2594 => Some((0.0, 0.0, 1.0, 0.125)),
        _ => None,
    }
}

fn hex((r, g, b): Rgb) -> String {
    format!("#{r:02x}{g:02x}{b:02x}")
}

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            // not allowed in XML at all, even when escaped
            c if c.is_control() || matches!(u32::from(c), 0xfffe | 0xffff) => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use ratatui::style::{Color, Style};

    use super::*;

    fn body(buf: &Buffer) -> Vec<String> {
        let svg = render(buf, "t");
        svg.lines().filter(|line| line.contains(" y=\"")).map(str::to_owned).collect()
    }

    #[test]
    fn runs_of_equal_look_are_one_element_and_spaces_are_none() {
        let mut buf = Buffer::with_lines(["  ab cd  "]);
        buf.set_string(5, 0, "cd", Style::new().fg(Color::Rgb(255, 0, 16)).add_modifier(Modifier::BOLD));
        let body = body(&buf);
        assert_eq!(body.len(), 2, "{body:?}");
        assert!(body[0].contains("x=\"28.8\"") && body[0].contains("textLength=\"16.8\""), "{body:?}");
        assert!(body[1].ends_with("fill=\"#ff0010\" font-weight=\"bold\">cd</text>"), "{body:?}");
    }

    #[test]
    fn markup_and_control_characters_stay_text() {
        let mut buf = Buffer::with_lines(["<a href=\"x\">&"]);
        buf.cell_mut((0, 0)).unwrap().set_symbol("\u{7}");
        let svg = render(&buf, "<t>");
        assert!(svg.contains(">\u{fffd}</text>"), "{svg}");
        assert!(
            svg.contains("a href=&quot;x&quot;&gt;&amp;</text>") && svg.contains("<title>&lt;t&gt;</title>")
        );
    }

    #[test]
    fn swapped_colours_make_a_ground() {
        let mut buf = Buffer::with_lines(["ab"]);
        buf.set_string(0, 0, "ab", Style::new().add_modifier(Modifier::REVERSED));
        let body = body(&buf);
        assert!(
            body[0].starts_with("<rect")
                && body[0].contains("width=\"16.80\"")
                && body[0].contains("#d4d8e0")
        );
        assert!(body[1].contains("fill=\"#14161b\""));
    }

    #[test]
    fn wide_characters_keep_to_their_cells_and_bars_are_drawn() {
        let buf = Buffer::with_lines(["決済x▄"]);
        let body = body(&buf);
        assert!(body[0].contains("textLength=\"16.8\"") && body[0].contains(">決</text>"), "{body:?}");
        assert!(body[2].contains("x=\"45.6\"") && body[2].contains(">x</text>"), "{body:?}");
        assert!(body[3].contains("y=\"21.00\"") && body[3].contains("height=\"9.00\""), "{body:?}");
    }

    #[test]
    fn the_margin_has_the_ground_of_most_cells() {
        let mut buf = Buffer::with_lines(["abc"]);
        buf.set_string(0, 0, "ab", Style::new().bg(Color::Rgb(250, 250, 250)));
        let svg = render(&buf, "");
        assert!(svg.contains("rx=\"8\" fill=\"#fafafa\"") && svg.contains("width=\"8.40\""), "{svg}");
    }

    #[test]
    fn no_screen_is_too_small() {
        assert!(render(&Buffer::default(), "").ends_with("</svg>\n"));
    }
}
