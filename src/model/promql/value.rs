//! The kinds of what PromQL expressions give.

/// What an expression gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ValueKind {
    Scalar,
    Vector,
    Matrix,
    Text,
    /// A function that is not known gives it.
    Any,
}

impl ValueKind {
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Scalar => "a scalar",
            Self::Vector => "an instant vector",
            Self::Matrix => "a range vector",
            Self::Text => "a string",
            Self::Any => "anything",
        }
    }

    pub(super) fn is(self, wanted: Self) -> bool {
        self == wanted || self == Self::Any || wanted == Self::Any
    }
}
