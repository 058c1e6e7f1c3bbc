//! The kinds of what PromQL expressions give.

use crate::model::words::words;

words! {
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub(super) enum ValueKind: word {
        Scalar = "a scalar",
        Vector = "an instant vector",
        Matrix = "a range vector",
        Text = "a string",
        /// A function that is not known gives it.
        Any = "anything",
    }
}

impl ValueKind {
    pub(super) fn is(self, wanted: Self) -> bool {
        self == wanted || self == Self::Any || wanted == Self::Any
    }

    /// Whether operators take it: a scalar or an instant vector.
    pub(super) fn is_operand(self) -> bool {
        self.is(Self::Scalar) || self.is(Self::Vector)
    }
}
