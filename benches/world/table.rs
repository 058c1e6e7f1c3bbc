//! Measures pieces of work and prints their times and allocations as a table.

use std::hint::black_box;
use std::time::{Duration, Instant};

use stats_alloc::Region;

use crate::{COUNTING, FLEETS};

/// The measurements of one piece of work.
struct Figures {
    median: Duration,
    most: Duration,
    allocations: usize,
    /// Allocated bytes, freed or not.
    allocated: usize,
}

/// Called before and after each piece of work. callgrind writes its counters at this function, see `benches/run`.
#[inline(never)]
fn lap(name: &str) {
    black_box(name);
}

/// Rows with their measurements for each fleet.
pub(crate) struct Table {
    rounds: usize,
    lines: Vec<(String, Vec<Figures>)>,
    speeds: Vec<String>,
    /// The name of the last row.
    last: String,
}

impl Table {
    pub(crate) const fn new(rounds: usize) -> Self {
        Self { rounds, lines: Vec::new(), speeds: Vec::new(), last: String::new() }
    }

    /// Measures `work` in each round, with a fresh input from `prepare`.
    pub(crate) fn line<T, P>(
        &mut self,
        what: &str,
        subject: &mut T,
        mut prepare: impl FnMut(&mut T, usize) -> P,
        mut work: impl FnMut(&mut T, P),
    ) {
        let (mut times, mut counts) = (Vec::new(), Vec::new());
        for round in 0..self.rounds {
            let prepared = prepare(subject, round);
            lap("");
            let (region, began) = (Region::new(COUNTING), Instant::now());
            work(subject, prepared);
            let (took, change) = (began.elapsed(), region.change());
            lap(what);
            times.push(took);
            counts.push((change.allocations + change.reallocations, change.bytes_allocated));
        }
        times.sort_unstable();
        counts.sort_unstable();
        let (allocations, allocated) = counts[counts.len() / 2];
        let (median, most) = (times[times.len() / 2], times[times.len() - 1]);
        let figures = Figures { median, most, allocations, allocated };
        what.clone_into(&mut self.last);
        match self.lines.iter_mut().find(|(known, _)| known == what) {
            Some((_, all)) => all.push(figures),
            None => self.lines.push((what.to_owned(), vec![figures])),
        }
    }

    /// Prints how fast the last row processed this many bytes.
    pub(crate) fn speed(&mut self, what: &str, bytes: usize) {
        let Some(last) = self.lines.iter().find(|(line, _)| *line == self.last) else { return };
        let Some(last) = last.1.last() else { return };
        let speed = bytes as f64 / 1e6 / last.median.as_secs_f64();
        self.speeds.push(format!("{what}, {:.1} MB: {speed:.0} MB/s", bytes as f64 / 1e6));
    }

    pub(crate) fn print(&self) {
        let of = |(services, alerts): (usize, usize)| format!("{services}, {services}, {alerts}");
        println!(
            "| services, SLOs, alerts | {} | {} | ratio | most | allocations | KiB |",
            of(FLEETS[0]),
            of(FLEETS[1])
        );
        println!("| --- | ---: | ---: | ---: | ---: | ---: | ---: |");
        let milliseconds = |time: Duration| time.as_secs_f64() * 1000.0;
        for (what, figures) in &self.lines {
            let [small, large] = figures.as_slice() else { continue };
            let (before, after) = (milliseconds(small.median), milliseconds(large.median));
            println!(
                "| {what} | {before:.2} ms | {after:.2} ms | {:.1} | {:.1} ms | {} | {} |",
                after / before,
                milliseconds(large.most),
                large.allocations,
                large.allocated / 1024,
            );
        }
        println!("\nread over loopback: {}", self.speeds.join("; "));
    }
}
