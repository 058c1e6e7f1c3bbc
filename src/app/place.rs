//! The places that a user can navigate to, and the tabs of line 2: both generated from the table of screens.

use std::sync::Arc;
use std::time::Duration;

use super::identity::{DashboardTarget, IncidentKey, PolicyKey, ReviewSubject, SloKey, WhyTarget};
use super::log_subject::LogSubject;
use super::registry::screens;
use crate::model::capacity::CapacityKey;
use crate::model::fingerprint::Fingerprint;
use crate::model::labels::Text;
use crate::model::runbook::RunbookQuery;
use crate::model::trace::TraceId;

macro_rules! places {
    (
        tabs {
            $($tab:ident $tab_module:ident::$tab_type:ident
                $number:literal $title:literal $short:literal $name:literal $help:literal;)*
        }
        lists { $($list:ident $list_module:ident::$list_type:ident $list_title:literal ($($of:ident)?);)* }
        about { $($(#[$doc:meta])* $about:ident($subject:ty) $about_module:ident::$about_type:ident;)* }
    ) => {
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub enum Place {
            $(#[doc = $help] $tab,)*
            $(#[doc = $list_title] $list,)*
            $($(#[$doc])* $about($subject),)*
        }

        #[cfg(test)]
        impl Place {
            /// The screens without a subject, with their titles.
            pub const LISTS: &[(Self, &str)] = &[$((Self::$tab, $title),)* $((Self::$list, $list_title),)*];

            /// The names of the screens about one subject.
            pub const ABOUT: &[&str] = &[$(stringify!($about),)*];
        }

        /// A tab of line 2.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Tab {
            $(#[doc = $help] $tab,)*
        }

        impl Tab {
            pub const ALL: &[Self] = &[$(Self::$tab,)*];

            pub const fn place(self) -> Place {
                match self { $(Self::$tab => Place::$tab,)* }
            }

            /// The number key, as written in the key map.
            pub const fn key(self) -> &'static str {
                match self { $(Self::$tab => concat!($number),)* }
            }

            pub const fn title(self) -> &'static str {
                match self { $(Self::$tab => $title,)* }
            }

            /// The title in narrow terminals.
            pub const fn short(self) -> &'static str {
                match self { $(Self::$tab => $short,)* }
            }

            /// The name in the palette, the configuration and `burnwatch snapshot`.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$tab => $name,)* }
            }

            /// The description in help and palette.
            pub const fn help(self) -> &'static str {
                match self { $(Self::$tab => $help,)* }
            }
        }
    };
}

screens!(places);

/// A generated Markdown report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Document {
    /// The handoff report of the shift of this length that ends now.
    Handoff(Duration),
    /// The paging statistics of the last period of this length.
    Statistics(Duration),
    Postmortem(ReviewSubject),
    /// What changed in the last period of this length.
    Changes(Duration),
}

/// The focus and the scroll position on a screen, which going back restores.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ScrollPosition {
    /// The focused panel, on screens with several.
    pub panel: usize,
    /// How many lines a page without a list is scrolled down.
    pub scroll: u16,
}
