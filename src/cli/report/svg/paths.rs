//! Shapes of the same ink as one path each: a picture has thousands of cells, but few colours.

use std::collections::BTreeMap;
use std::fmt::{Arguments, Write};

use super::{Rgb, hex, push};

/// What shapes are drawn with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Pen {
    /// Fills what must meet its neighbours without a seam.
    Block,
    /// Fills small things smoothly.
    Dot,
    /// A line, so many units thick.
    Line(u8),
}

/// The colour of shapes, and how many per cent opaque they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Ink {
    pub(super) rgb: Rgb,
    pub(super) percent: u16,
}

/// Paths in the making.
#[derive(Debug, Default)]
pub(super) struct Paths(BTreeMap<(Pen, Ink), String>);

impl Paths {
    pub(super) fn add(&mut self, pen: Pen, ink: Ink, path: Arguments<'_>) {
        push(self.0.entry((pen, ink)).or_default(), path);
    }

    pub(super) fn rect(&mut self, pen: Pen, ink: Ink, (x, y): (f64, f64), (width, height): (f64, f64)) {
        let [x, y, width, height] = [x, y, width, height].map(short);
        self.add(pen, ink, format_args!("M{x} {y}h{width}v{height}h-{width}z"));
    }

    /// Nothing where it has no thickness.
    pub(super) fn line(&mut self, units: u8, ink: Ink, from: (f64, f64), to: (f64, f64)) {
        if units > 0 {
            let [x, y, to_x, to_y] = [from.0, from.1, to.0, to.1].map(short);
            self.add(Pen::Line(units), ink, format_args!("M{x} {y}L{to_x} {to_y}"));
        }
    }

    /// The paths as elements.
    pub(super) fn write(&self, out: &mut String) {
        for ((pen, ink), path) in &self.0 {
            let colour = hex(ink.rgb);
            let paint = match pen {
                Pen::Block => format!("shape-rendering=\"crispEdges\" fill=\"{colour}\""),
                Pen::Dot => format!("fill=\"{colour}\""),
                Pen::Line(units) => format!("fill=\"none\" stroke=\"{colour}\" stroke-width=\"{units}\""),
            };
            let kind = if matches!(pen, Pen::Line(_)) { "stroke" } else { "fill" };
            let opacity = match ink.percent {
                100.. => String::new(),
                percent => format!(" {kind}-opacity=\"{}\"", short(f64::from(percent) / 100.0)),
            };
            writeln!(out, "<path {paint}{opacity} d=\"{path}\"/>").expect("writing to a String cannot fail");
        }
    }
}

/// Without digits that nobody can see.
fn short(number: f64) -> f64 {
    (number * 100.0).round() / 100.0
}
