//! A screen as text: its characters, and the colour role of each run of cells, so that a wrong role fails a test and a new shade
//! of red does not.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::LazyLock;

use burnwatch::testing::app::theme::{Role, Theme};
use ratatui::buffer::{Buffer, Cell};
use ratatui::layout::Rect;
use ratatui::style::Color;

/// The role of each colour of the test theme, in which every role has its own colour.
static ROLES: LazyLock<BTreeMap<u8, Role>> = LazyLock::new(|| {
    let probe = Theme::probe();
    let mut known = BTreeMap::new();
    for role in Role::ALL {
        let style = probe.style(*role);
        for colour in [style.fg, style.bg].into_iter().flatten() {
            if let Color::Indexed(index) = colour {
                known.insert(index, *role);
            }
        }
    }
    known
});

/// Whether a line is the header, the tabs or the footer.
fn is_around(buffer: &Buffer, y: u16) -> bool {
    y < 2 || y + 1 == buffer.area.height
}

/// Only the header, tabs and footer.
pub(crate) fn frame(buffer: &Buffer) -> Buffer {
    of_rows(buffer, |y, row| is_around(buffer, y).then_some(row))
}

/// Only the screen's own lines, and the parts of the others that a dialog covers.
pub(crate) fn body(buffer: &Buffer) -> Buffer {
    of_rows(buffer, |y, row| {
        if !is_around(buffer, y) {
            return Some(row);
        }
        let is_border = |cell: &Cell| "┏┃┗┓┛".contains(cell.symbol());
        let (left, right) = (row.iter().position(is_border)?, row.iter().rposition(is_border)?);
        let covered = |(x, cell)| if (left..=right).contains(&x) { cell } else { Cell::default() };
        Some(row.into_iter().enumerate().map(covered).collect())
    })
}

/// The rows that `left` keeps, joined.
fn of_rows(buffer: &Buffer, left: impl Fn(u16, Vec<Cell>) -> Option<Vec<Cell>>) -> Buffer {
    let width = buffer.area.width;
    let row = |y| (0..width).map(|x| buffer[(x, y)].clone()).collect();
    let rows: Vec<Vec<Cell>> = (0..buffer.area.height).filter_map(|y| left(y, row(y))).collect();
    let height = u16::try_from(rows.len()).expect("no more than there were");
    Buffer { area: Rect { x: 0, y: 0, width, height }, content: rows.concat() }
}

/// The text of a screen.
pub(crate) fn text(buffer: &Buffer) -> String {
    let mut out = String::new();
    for y in 0..buffer.area.height {
        let mut line = String::new();
        let mut covered = 0;
        for x in 0..buffer.area.width {
            let symbol = buffer[(x, y)].symbol();
            if covered == 0 {
                line.push_str(symbol);
                covered = unicode_width::UnicodeWidthStr::width(symbol);
            }
            covered = covered.saturating_sub(1);
        }
        writeln!(out, "{}", line.trim_end()).expect("writing to a String cannot fail");
    }
    out
}

/// The roles of a cell: of its text and of its background. Plain text has none.
pub(crate) fn roles_of(cell: &Cell) -> Vec<Role> {
    let role = |colour| match colour {
        Color::Indexed(index) => ROLES.get(&index).copied().filter(|role| *role != Role::Text),
        _ => None,
    };
    [role(cell.fg), role(cell.bg)].into_iter().flatten().collect()
}

/// The runs of roles in each row: `0:1-27 Selected`. Plain text is left out.
pub(crate) fn roles(buffer: &Buffer) -> String {
    let mut out = String::new();
    for y in 0..buffer.area.height {
        let mut runs: Vec<(u16, u16, Vec<Role>)> = Vec::new();
        for x in 0..buffer.area.width {
            let roles = roles_of(&buffer[(x, y)]);
            match runs.last_mut() {
                Some((_, end, last)) if *last == roles && *end + 1 == x => *end = x,
                _ => runs.push((x, x, roles)),
            }
        }
        let named =
            |roles: &[Role]| roles.iter().map(|role| format!("{role:?}")).collect::<Vec<_>>().join("+");
        let runs = runs.iter().filter(|(.., roles)| !roles.is_empty());
        let runs: Vec<String> =
            runs.map(|(start, end, roles)| format!("{start}-{end} {}", named(roles))).collect();
        if !runs.is_empty() {
            writeln!(out, "{y}: {}", runs.join(", ")).expect("writing to a String cannot fail");
        }
    }
    out
}
