//! A drawn screen as an SVG image on a grid of equal cells, for the README, chat and reports.

use std::collections::BTreeMap;

use ratatui::buffer::Buffer;
use ratatui::style::Modifier;

use super::grid::{self, Glyph};
use crate::app::sgr::CellStyle;

/// Width and height of a cell in SVG units: whole numbers, so that there are no gaps between cells. In common monospace fonts
/// a character of size 15 is 9 wide, and box-drawing lines are 18 high.
const CELL_SIZE: (f64, f64) = (9.0, 18.0);
const FONT_SIZE: f64 = 15.0;
/// From the top of a cell to the baseline of the text.
const BASELINE: f64 = 14.0;
/// Column and row of the dot of each bit of a Braille character, from the lowest bit.
const BRAILLE_DOTS: [(f64, f64); 8] =
    [(0.0, 0.0), (0.0, 1.0), (0.0, 2.0), (1.0, 0.0), (1.0, 1.0), (1.0, 2.0), (0.0, 3.0), (1.0, 3.0)];
/// The opacity of dimmed text.
const DIM_OPACITY: f64 = 0.6;
const MARGIN: f64 = 12.0;
/// The colours of an image in place of the terminal's default colours.
const DEFAULT_TEXT: Rgb = (0xd4, 0xd8, 0xe0);
const DEFAULT_BACKGROUND: Rgb = (0x14, 0x16, 0x1b);

type Rgb = (u8, u8, u8);

/// The background of this screen: the most frequent one, so that a light screen has no dark margin.
fn background(buf: &Buffer) -> Rgb {
    let mut grounds: BTreeMap<Option<Rgb>, usize> = BTreeMap::new();
    for cell in &buf.content {
        *grounds.entry(grid::rgb(cell.bg)).or_default() += 1;
    }
    let most = grounds.into_iter().max_by_key(|(_, count)| *count);
    most.and_then(|(background, _)| background).unwrap_or(DEFAULT_BACKGROUND)
}

/// The SVG document.
pub(in crate::cli) fn render(buf: &Buffer, title: &str) -> String {
    let whole = (
        f64::from(buf.area.width).mul_add(CELL_SIZE.0, 2.0 * MARGIN),
        f64::from(buf.area.height).mul_add(CELL_SIZE.1, 2.0 * MARGIN),
    );
    let canvas = background(buf);
    let (mut grounds, mut blocks, mut letters) = (String::new(), String::new(), String::new());
    for (y, row) in grid::rows(buf).enumerate() {
        let top = CELL_SIZE.1.mul_add(y as f64, MARGIN);
        for run in row.chunk_by(|a, b| colours(a.look).1 == colours(b.look).1) {
            let background = run.first().map_or(canvas, |first| colours(first.look).1);
            if background != canvas {
                let size = (width(run), CELL_SIZE.1);
                grounds += &rect((left_edge(run), top), size, &fill(background, 1.0));
            }
        }
        for run in row.chunk_by(is_one_run) {
            let Some(first) = run.first() else { continue };
            let (rgb, opacity) = foreground(first.look);
            match block(first.symbol) {
                Some((x, y, wide, high, share)) => {
                    let corner = (CELL_SIZE.0.mul_add(x, left_edge(run)), CELL_SIZE.1.mul_add(y, top));
                    let size = (width(run) * wide, CELL_SIZE.1 * high);
                    blocks += &rect(corner, size, &fill(rgb, opacity * share));
                }
                None if Class::of(first.symbol) == Class::Braille => {
                    letters += &dots(run, top, &fill(rgb, opacity));
                }
                None => letters += &text(run, top, first, &fill(rgb, opacity)),
            }
        }
    }
    let (wide, high) = whole;
    let (title, canvas) = (escaped(title), hex(canvas));
    // backgrounds first, so that none of them covers the lower end of a letter
    format!(
        r#"<svg xmlns="http://www.w3.org/2000/svg" width="{wide}" height="{high}" viewBox="0 0 {wide} {high}" role="img">
<title>{title}</title>
<rect width="100%" height="100%" rx="8" fill="{canvas}"/>
<g font-family="ui-monospace,'DejaVu Sans Mono','Cascadia Mono',Menlo,Consolas,monospace" font-size="{FONT_SIZE}">
<g shape-rendering="crispEdges">
{grounds}{blocks}</g>
{letters}</g>
</svg>
"#
    )
}

/// Classes of characters; only neighbours of the same class may be drawn as one text.
#[derive(PartialEq)]
enum Class {
    Ascii,
    Lines,
    Braille,
    Other,
}

impl Class {
    fn of(symbol: &str) -> Self {
        let all = |class: fn(char) -> bool| symbol.chars().all(class);
        if all(|c| (' '..='~').contains(&c)) {
            Self::Ascii
        } else if all(|c| ('\u{2500}'..='\u{257f}').contains(&c)) {
            Self::Lines
        } else if all(|c| ('\u{2800}'..='\u{28ff}').contains(&c)) {
            Self::Braille
        } else {
            Self::Other
        }
    }
}

/// Whether two neighbouring glyphs are drawn as one element.
fn is_one_run(a: &Glyph<'_>, b: &Glyph<'_>) -> bool {
    let is_long_block =
        || a.symbol == b.symbol && block(a.symbol).is_some_and(|(_, _, wide, ..)| wide >= 1.0);
    let class = Class::of(a.symbol);
    a.look == b.look && (class != Class::Other && class == Class::of(b.symbol) || is_long_block())
}

/// Left, top, width, height (as fractions of the cell) and opacity of a block element; None for other characters. Blocks are
/// drawn as rectangles, because fonts leave gaps between them.
fn block(symbol: &str) -> Option<(f64, f64, f64, f64, f64)> {
    let mut chars = symbol.chars();
    let c = chars.next().filter(|_| chars.next().is_none())?;
    let eighths = |from: char| f64::from(u32::from(c) - u32::from(from)) / 8.0;
    Some(match c {
        '▀' => (0.0, 0.0, 1.0, 0.5, 1.0),
        '▁'..='█' => (0.0, 1.0 - eighths('▀'), 1.0, eighths('▀'), 1.0),
        '▉'..='▏' => (0.0, 0.0, 1.0 - eighths('█'), 1.0, 1.0),
        '▐' => (0.5, 0.0, 0.5, 1.0, 1.0),
        '░'..='▓' => (0.0, 0.0, 1.0, 1.0, 2.0 * eighths('▐')),
        '▔' => (0.0, 0.0, 1.0, 0.125, 1.0),
        _ => return None,
    })
}

/// The foreground colour and its opacity.
fn foreground(look: CellStyle) -> (Rgb, f64) {
    (colours(look).0, if look.attributes.contains(Modifier::DIM) { DIM_OPACITY } else { 1.0 })
}

/// The colours of the text and of the background; reversed if the style says so.
fn colours(look: CellStyle) -> (Rgb, Rgb) {
    let text = grid::rgb(look.fg).unwrap_or(DEFAULT_TEXT);
    let background = grid::rgb(look.bg).unwrap_or(DEFAULT_BACKGROUND);
    if look.attributes.contains(Modifier::REVERSED) { (background, text) } else { (text, background) }
}

fn left_edge(run: &[Glyph<'_>]) -> f64 {
    run.first().map_or(0.0, |glyph| CELL_SIZE.0.mul_add(f64::from(glyph.column), MARGIN))
}

fn width(run: &[Glyph<'_>]) -> f64 {
    CELL_SIZE.0 * run.iter().map(|glyph| f64::from(glyph.width)).sum::<f64>()
}

fn rect((x, y): (f64, f64), (width, height): (f64, f64), fill: &str) -> String {
    format!("<rect x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" {fill}/>\n")
}

/// Draws Braille as dots at equal distances, also across cells: in fonts Braille is not as wide as letters.
fn dots(run: &[Glyph<'_>], top: f64, fill: &str) -> String {
    let squares = run.iter().flat_map(|glyph| {
        let bits = glyph.symbol.chars().next().map_or(0, |c| u32::from(c) - 0x2800);
        let set = BRAILLE_DOTS.into_iter().enumerate().filter(move |(bit, _)| bits >> bit & 1 == 1);
        set.map(move |(_, (column, row))| {
            let x = CELL_SIZE.0.mul_add(f64::from(glyph.column) + column / 2.0, MARGIN + 1.5);
            let y = CELL_SIZE.1.mul_add(row / 4.0, top + 1.5);
            format!("M{x} {y}h1.5v1.5h-1.5z")
        })
    });
    let path: String = squares.collect();
    format!("<path {fill} d=\"{path}\"/>\n")
}

/// The SVG attributes for a colour and an opacity.
fn fill(rgb: Rgb, opacity: f64) -> String {
    let faint = if opacity < 1.0 { format!(" fill-opacity=\"{opacity}\"") } else { String::new() };
    format!("fill=\"{}\"{faint}", hex(rgb))
}

fn text(run: &[Glyph<'_>], top: f64, first: &Glyph<'_>, fill: &str) -> String {
    const STYLES: [(Modifier, &str); 4] = [
        (Modifier::BOLD, " font-weight=\"bold\""),
        (Modifier::ITALIC, " font-style=\"italic\""),
        (Modifier::UNDERLINED, " text-decoration=\"underline\""),
        (Modifier::CROSSED_OUT, " text-decoration=\"line-through\""),
    ];
    let letters: String = run.iter().map(|glyph| glyph.symbol).collect();
    // leading spaces move the text instead of being part of it, because some programs do not draw them
    let rest = letters.trim_start_matches(' ');
    let (skipped, letters) = (letters.len() - rest.len(), rest.trim_end_matches(' '));
    if letters.is_empty() {
        return String::new();
    }
    let x = CELL_SIZE.0.mul_add(skipped as f64, left_edge(run));
    let is_ascii = Class::of(first.symbol) == Class::Ascii;
    let length = if is_ascii { CELL_SIZE.0 * letters.len() as f64 } else { width(run) };
    let styles = STYLES.iter().filter(|(modifier, _)| first.look.attributes.contains(*modifier));
    let style: String = styles.map(|(_, attribute)| *attribute).collect();
    // browsers would collapse several spaces to one
    let (y, letters) = (top + BASELINE, escaped(letters).replace("  ", "\u{a0}\u{a0}"));
    format!(
        "<text x=\"{x}\" y=\"{y}\" textLength=\"{length}\" lengthAdjust=\"spacingAndGlyphs\" {fill}{style}>{letters}</text>\n"
    )
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
        let elements = ["<text", "<rect", "<path"];
        let drawn = svg.lines().skip(3).filter(|line| elements.iter().any(|name| line.starts_with(name)));
        drawn.map(str::to_owned).collect()
    }

    #[test]
    fn runs_of_equal_look_are_one_element_and_spaces_are_none() {
        let mut buf = Buffer::with_lines(["  ab cd  "]);
        buf.set_string(5, 0, "cd", Style::new().fg(Color::Rgb(255, 0, 16)).add_modifier(Modifier::BOLD));
        let body = body(&buf);
        assert_eq!(body.len(), 2, "{body:?}");
        assert!(body[0].contains("x=\"30\"") && body[0].contains("textLength=\"18\""), "{body:?}");
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
    fn several_spaces_stay_several() {
        let body = body(&Buffer::with_lines(["a   b"]));
        assert!(body[0].ends_with(">a\u{a0}\u{a0} b</text>"), "{body:?}");
    }

    #[test]
    fn spaces_move_underlined_words_too() {
        let mut buf = Buffer::with_lines(["  a b "]);
        buf.set_style(buf.area, Style::new().add_modifier(Modifier::UNDERLINED));
        let body = body(&buf);
        assert!(body[0].contains("x=\"30\"") && body[0].ends_with("\"underline\">a b</text>"), "{body:?}");
    }

    #[test]
    fn swapped_colours_make_a_ground() {
        let mut buf = Buffer::with_lines(["ab"]);
        buf.set_string(0, 0, "ab", Style::new().add_modifier(Modifier::REVERSED));
        let body = body(&buf);
        assert!(
            body[0].contains("x=\"12\" y=\"12\" width=\"18\" height=\"18\" fill=\"#d4d8e0\""),
            "{body:?}"
        );
        assert!(body[1].contains("fill=\"#14161b\""));
    }

    #[test]
    fn wide_characters_keep_to_their_cells_and_bars_are_drawn() {
        let buf = Buffer::with_lines(["決済x▄"]);
        let body = body(&buf);
        assert!(body[0].contains("x=\"57\" y=\"21\" width=\"9\" height=\"9\""), "{body:?}");
        assert!(body[1].contains("textLength=\"18\"") && body[1].contains(">決</text>"), "{body:?}");
        assert!(body[3].contains("x=\"48\"") && body[3].contains(">x</text>"), "{body:?}");
    }

    #[test]
    fn the_margin_has_the_ground_of_most_cells() {
        let mut buf = Buffer::with_lines(["abc"]);
        buf.set_string(0, 0, "ab", Style::new().bg(Color::Rgb(250, 250, 250)));
        let svg = render(&buf, "");
        assert!(
            svg.contains("rx=\"8\" fill=\"#fafafa\"") && svg.contains("<rect x=\"30\" y=\"12\" width=\"9\""),
            "{svg}"
        );
    }

    #[test]
    fn blocks_side_by_side_are_one_lines_are_text_and_each_bit_of_braille_is_a_dot() {
        let body = body(&Buffer::with_lines(["▄▄▄▌▌░", "──┐⣿⠁"]));
        assert_eq!(body.len(), 6, "{body:?}");
        assert!(body[0].contains("y=\"21\" width=\"27\" height=\"9\""), "{body:?}");
        assert!(body[1].contains("width=\"4.5\" height=\"18\"") && body[2].contains("x=\"48\""), "{body:?}");
        assert!(body[3].contains("fill-opacity=\"0.25\""), "{body:?}");
        assert!(body[4].contains("textLength=\"27\"") && body[4].ends_with(">──┐</text>"), "{body:?}");
        assert!(
            body[5].matches('z').count() == 9 && body[5].ends_with("M49.5 31.5h1.5v1.5h-1.5z\"/>"),
            "{body:?}"
        );
    }

    #[test]
    fn no_screen_is_too_small() {
        assert!(render(&Buffer::default(), "").ends_with("</svg>\n"));
    }
}
