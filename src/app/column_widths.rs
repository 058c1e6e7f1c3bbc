//! How wide the columns of a list must be.

/// Cells of the longest name or names, measured once for each revision of the world and whatever is shown at the moment:
/// columns must not jump while one filters.
#[derive(Debug, Default)]
pub struct ColumnWidths<T> {
    cells: T,
    revision: Option<u64>,
}

impl<T: Copy> ColumnWidths<T> {
    /// What was measured last.
    pub fn cells(&self) -> T {
        self.cells
    }

    /// Measures anew if the world is another one than the last time.
    pub fn follow(&mut self, revision: u64, measure: impl FnOnce() -> T) {
        if self.revision != Some(revision) {
            (self.cells, self.revision) = (measure(), Some(revision));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::ColumnWidths;

    #[test]
    fn it_measures_once_for_each_revision() {
        let mut widest = ColumnWidths::default();
        widest.follow(0, || 7);
        widest.follow(0, || 9);
        assert_eq!(widest.cells(), 7);
        widest.follow(1, || 9);
        assert_eq!(widest.cells(), 9);
    }
}
