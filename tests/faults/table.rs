//! The table of faults and sources: printed after a run, and in `docs/faults.md`.

use std::fmt::Write as _;
use std::time::Duration;

use crate::fault::{Fault, Seen};
use crate::lane::{Cell, FaultySource};

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/faults.md");
/// The lines of the page before and after the table.
const MARKS: [&str; 2] = ["<!-- table -->\n", "<!-- end of the table -->\n"];

fn seconds(time: Option<Duration>) -> String {
    time.map_or_else(|| "-".to_owned(), |time| format!("{:.1}", time.as_secs_f64()))
}

/// The results, a line for each fault of each source.
pub(crate) fn printed(cells: &[Cell]) -> String {
    let mut text = String::new();
    let head = ["fault", "source", "named", "back", "key ms", "MiB", "said"];
    let mut line = |[fault, source, named, back, key, memory, said]: [&str; 7]| {
        writeln!(text, "{fault:<34}{source:<7}{named:>7}{back:>7}{key:>8}{memory:>6}  {said}")
            .expect("a String takes everything");
    };
    line(head);
    for cell in cells {
        let memory = cell.footprint.map_or_else(String::new, |held| (held.memory / 1024).to_string());
        let key = cell.key.as_millis().to_string();
        let (named, back) = (seconds(cell.named), seconds(cell.back));
        line([cell.fault.name(), cell.who.id(), &named, &back, &key, &memory, &cell.said]);
    }
    text
}

/// Every fault, in the order of the page.
fn faults() -> impl Iterator<Item = Fault> {
    let others = [Fault::NoSuchHost, Fault::NameGone, Fault::Restarts];
    Fault::PLAIN.into_iter().chain(Fault::LOCKED).chain(others)
}

/// The first cells of a row, which do not depend on the run.
fn words(fault: Fault) -> String {
    let said = match fault.seen() {
        Seen::Note("") => "nothing: it is well, and answers late or twice",
        Seen::Doubt(words) | Seen::Note(words) => words,
    };
    format!("| {} | {said} |", fault.name())
}

fn table(cells: &[Cell]) -> String {
    let mut text = String::from("| fault | what is said | Prometheus | Alertmanager | PagerDuty |\n");
    text.push_str("| --- | --- | --- | --- | --- |\n");
    for fault in faults() {
        text.push_str(&words(fault));
        for who in FaultySource::ALL {
            let cell = cells.iter().find(|cell| cell.fault == fault && cell.who == who);
            let times = cell
                .map_or_else(String::new, |cell| format!("{} / {}", seconds(cell.named), seconds(cell.back)));
            write!(text, " {times} |").expect("a String takes everything");
        }
        text.push('\n');
    }
    text
}

/// Writes the table of a run into the page, if `UPDATE_DOCS` is set.
pub(crate) fn keep(cells: &[Cell]) {
    if std::env::var_os("UPDATE_DOCS").is_none() {
        return;
    }
    let page = std::fs::read_to_string(PAGE).expect("the page can be read");
    let (before, rest) = page.split_once(MARKS[0]).expect("the page has a place for the table");
    let (_, after) = rest.split_once(MARKS[1]).expect("the table ends");
    let page = format!("{before}{}{}{}{after}", MARKS[0], table(cells), MARKS[1]);
    std::fs::write(PAGE, page).expect("the page can be written");
}

#[test]
fn the_page_has_every_fault_with_its_words() {
    let page = std::fs::read_to_string(PAGE).expect("the page can be read");
    let (_, rest) = page.split_once(MARKS[0]).expect("the page has a place for the table");
    let (table, _) = rest.split_once(MARKS[1]).expect("the table ends");
    let rows: Vec<&str> = table.lines().collect();
    for fault in faults() {
        let head = words(fault);
        let row = rows.iter().find(|row| row.starts_with(&head));
        let row = row
            .unwrap_or_else(|| panic!("{head} is not in docs/faults.md: UPDATE_DOCS=1 tests/run the_table"));
        assert!(row.contains(" / "), "no source was tried with {row}");
    }
    assert_eq!(rows.len(), faults().count() + 2, "a row of docs/faults.md is of no fault");
}
