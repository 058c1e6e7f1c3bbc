//! The header, tabs and footer around every screen, in all states and sizes, in one snapshot. The snapshots of the screens do not
//! contain these lines, so a new screen changes only the snapshot here.

use std::fmt::Write as _;

use burnwatch::testing::app::display_settings::{Charset, Colours};
use burnwatch::testing::model::guard::Guard;

use crate::SIZES;
use crate::hints::{PLACES, at};
use crate::pager::{Pager, incidents, on_call};
use crate::promises::all;
use crate::stage::Stage;

const SIZE: (u16, u16) = (120, 36);

/// The demo world after these steps.
fn demo(after: impl Fn(&mut Stage)) -> Stage {
    let mut stage = Stage::demo(SIZE, 1.5);
    after(&mut stage);
    stage
}

/// A paging system after these steps.
fn pager(after: impl Fn(&mut Stage)) -> Stage {
    let mut stage = Stage::pager(SIZE, Pager::new(incidents(), on_call()));
    after(&mut stage);
    stage
}

fn plain(stage: &mut Stage) {
    stage.look(Charset::Ascii, Colours::None);
}

type Make = fn() -> Stage;

const STATES: [(&str, Make); 17] = [
    ("fresh", || demo(|_| {})),
    ("fresh, in ASCII and without colours", || demo(plain)),
    ("before the first answer", || Stage::unanswered(SIZE)),
    ("a source refuses for 90 s", || demo(|stage| stage.kill("prom-eu", 90))),
    ("the same in ASCII", || {
        demo(|stage| {
            plain(stage);
            stage.kill("prom-eu", 90);
        })
    }),
    ("paused", || demo(|stage| stage.press(&["p"]))),
    ("a message", || demo(|stage| stage.press(&["ctrl-r"]))),
    ("a filter is typed", || demo(|stage| stage.press(&["4", "/", "p", "a", "y"]))),
    ("an SLO pages", || Stage::promises(SIZE, all(Stage::start()))),
    ("in another zone", || pager(|stage| stage.zone("America/New_York"))),
    ("production", || pager(|stage| stage.guard(Guard::default(), true))),
    ("production in ASCII", || {
        pager(|stage| {
            plain(stage);
            stage.guard(Guard::default(), true);
        })
    }),
    ("read-only", || pager(|stage| stage.guard(Guard::read_only("--read-only"), false))),
    ("dry run", || pager(|stage| stage.guard(Guard { dry_run: true, ..Guard::default() }, false))),
    ("something is on its way", || pager(|stage| stage.press(&["5", "*", "a", "y"]))),
    ("nobody is on call", || pager(|stage| stage.jump(41 * 3600))),
    ("the paging system refuses for 130 s", || pager(|stage| stage.kill("pager", 130))),
];

#[test]
fn the_frame_in_every_state_at_every_place_and_size() {
    let mut reported = String::new();
    let mut tell = |name: &str, mut stage: Stage| {
        for size in SIZES {
            stage.resize(size);
            writeln!(reported, "== {name}, {}x{}\n{}", size.0, size.1, stage.frame()).expect("a String");
        }
    };
    for (name, make) in STATES {
        tell(name, make());
    }
    for keys in PLACES {
        tell(&format!("after {}", keys.join(" ")), at(SIZE, keys));
    }
    insta::assert_snapshot!("frame", reported);
}
