//! What the terminal can show: how many colours, which characters. Found out by the runtime, used by the themes.

/// How many colours there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Colours {
    /// None: bold, underline and reverse only.
    None,
    /// The sixteen of the terminal's own palette.
    Sixteen,
    /// The 256 of xterm's palette.
    Indexed,
    /// 24 bits.
    True,
}

/// Which characters there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Charset {
    /// 7 bits.
    Ascii,
    /// Unicode as a console font of 256 or 512 glyphs has it: box drawing, blocks and arrows, no Braille.
    Reduced,
    /// All of Unicode.
    Unicode,
}
