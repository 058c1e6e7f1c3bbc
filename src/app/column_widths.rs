//! The widths of a list's columns.

/// The cells of the longest texts, measured once per revision of the world over all rows, so that columns keep their width
/// while a filter is typed.
#[derive(Debug, Default)]
pub struct ColumnWidths<T> {
    cells: T,
    revision: Option<u64>,
}

impl<T: Copy> ColumnWidths<T> {
    /// The last measurement.
    pub fn cells(&self) -> T {
        self.cells
    }

    /// Measures again if the revision has changed.
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
