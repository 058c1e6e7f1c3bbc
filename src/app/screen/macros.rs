//! Parts of `impl Screen` that are the same for screens with the same fields.

/// What a screen answers that is a list: the field `rows`. With the list in it whose rows are things, all that can be done
/// with them follows.
macro_rules! lists_rows {
    ($($list:ident).+) => {
        lists_rows!();

        fn items(&self) -> Option<&dyn crate::app::items::ItemList> {
            Some(&self.$($list).+)
        }

        fn items_mut(&mut self) -> Vec<&mut dyn crate::app::items::ItemList> {
            vec![&mut self.$($list).+]
        }
    };
    () => {
        fn listing(&self) -> Option<&dyn crate::app::grouped::Listing> {
            Some(&self.rows)
        }

        fn listing_mut(&mut self) -> Option<&mut dyn crate::app::grouped::Listing> {
            Some(&mut self.rows)
        }
    };
}

/// Key hints of the footer, the most important first. A label follows a command that is not called by its usual one.
macro_rules! hints {
    ($($command:ident $($label:expr)?),*) => {
        vec![$(hints!(@ $crate::app::commands::Command::$command, $($label)?)),*]
    };
    (@ $command:path,) => { ($command, $command.label()) };
    (@ $command:path, $label:expr) => { ($command, $label) };
}

/// The scopes whose commands work on a screen, and its [`hints`]; `self` comes first if a label depends on it.
macro_rules! offers {
    ($this:ident [$($scope:ident),*]: $($hints:tt)*) => {
        fn scopes(&self) -> &'static [Scope] {
            &[$(Scope::$scope),*]
        }

        fn hints(&$this) -> Vec<Hint> {
            hints![$($hints)*]
        }
    };
    ([$($scope:ident),*]: $($hints:tt)*) => {
        offers! { self [$($scope),*]: $($hints)* }
    };
}

/// Draws a screen by the function `render` of its module `view`.
macro_rules! drawn_by_view {
    () => {
        fn render(&self, cx: &ScreenCx<'_>, area: Rect, buf: &mut Buffer) {
            view::render(self, cx, area, buf);
        }
    };
}

/// What a screen answers that has panels or scrolls: the field `scroll_position`. `side_by_side`: Left and Right move between
/// panels.
macro_rules! keeps_scroll_position {
    (side_by_side) => {
        keeps_scroll_position!();

        fn has_panels_side_by_side(&self) -> bool {
            true
        }
    };
    () => {
        fn scroll_position(&self) -> ScrollPosition {
            self.scroll_position
        }

        fn set_scroll_position(&mut self, scroll_position: ScrollPosition) {
            self.scroll_position = scroll_position;
        }
    };
}

/// What a screen answers that has lists in panels; the field `scroll_position` tells the panel. `things` are lists of
/// [`Item`](crate::app::items::Item)s, `others` lists of anything else.
macro_rules! lists_panels {
    ($panels:literal; things { $($panel:pat => $things:ident,)* } others { $($other:pat => $plain:ident,)* }) => {
        fn panels(&self) -> usize {
            $panels
        }

        fn items(&self) -> Option<&dyn crate::app::items::ItemList> {
            match self.scroll_position.panel {
                $($panel => Some(&self.$things),)*
                _ => None,
            }
        }

        fn items_mut(&mut self) -> Vec<&mut dyn crate::app::items::ItemList> {
            vec![$(&mut self.$things),*]
        }

        fn list_at(&self, panel: usize) -> Option<&dyn Cursor> {
            match panel {
                $($panel => Some(&self.$things),)*
                $($other => Some(&self.$plain),)*
                _ => None,
            }
        }

        fn list(&self) -> Option<&dyn Cursor> {
            self.list_at(self.scroll_position.panel)
        }

        fn list_mut(&mut self) -> Option<&mut dyn Cursor> {
            match self.scroll_position.panel {
                $($panel => Some(&mut self.$things),)*
                $($other => Some(&mut self.$plain),)*
                _ => None,
            }
        }
    };
}

pub(in crate::app) use {drawn_by_view, hints, keeps_scroll_position, lists_panels, lists_rows, offers};
