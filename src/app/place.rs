//! Where the person can be, and the tabs of line 2: both made from the table of screens.

use std::sync::Arc;
use std::time::Duration;

use super::identity::{IncidentKey, PolicyKey, SloKey};
use super::registry::screens;
use crate::model::fingerprint::Fingerprint;
use crate::model::labels::Text;
use crate::model::runbook::RunbookQuery;

macro_rules! places {
    (
        tabs {
            $($tab:ident $tab_module:ident::$tab_type:ident
                $number:literal $title:literal $short:literal $name:literal $help:literal;)*
        }
        lists { $($list:ident $list_module:ident::$list_type:ident $list_title:literal ($($of:ident)?);)* }
        about { $($(#[$doc:meta])* $about:ident($subject:ty) $about_module:ident::$about_type:ident;)* }
    ) => {
        /// A screen, with what it is about.
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub enum Place {
            $(#[doc = $help] $tab,)*
            $(#[doc = $list_title] $list,)*
            $($(#[$doc])* $about($subject),)*
        }

        /// A screen of line 2.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Tab {
            $(#[doc = $help] $tab,)*
        }

        impl Tab {
            /// All tabs in their order.
            pub const ALL: &[Self] = &[$(Self::$tab,)*];

            pub const fn place(self) -> Place {
                match self { $(Self::$tab => Place::$tab,)* }
            }

            /// Its number key, as the key map writes it.
            pub const fn key(self) -> &'static str {
                match self { $(Self::$tab => concat!($number),)* }
            }

            pub const fn title(self) -> &'static str {
                match self { $(Self::$tab => $title,)* }
            }

            /// Its title where there is little room.
            pub const fn short(self) -> &'static str {
                match self { $(Self::$tab => $short,)* }
            }

            /// As the palette, the configuration and `snapshot` call it.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$tab => $name,)* }
            }

            /// What is to be seen there.
            pub const fn help(self) -> &'static str {
                match self { $(Self::$tab => $help,)* }
            }
        }
    };
}

screens!(places);

/// Something written for others to read, in Markdown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Document {
    /// The handoff of a shift of this length that ends now.
    Handoff(Duration),
    /// How often people were woken within so long.
    Statistics(Duration),
    /// The draft of a review of one incident of one source.
    Postmortem(IncidentKey),
}

/// How far one is on a screen: what the way back brings back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ScrollPosition {
    /// The panel that has the keyboard, on screens with several.
    pub panel: usize,
    /// By how many lines a page without a list is scrolled.
    pub scroll: u16,
}

/// A place on the way here, with the spot where it was left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NavigationStop {
    pub place: Place,
    /// Where one was on it when it was left.
    pub spot: ScrollPosition,
}

impl From<Place> for NavigationStop {
    fn from(place: Place) -> Self {
        Self { place, spot: ScrollPosition::default() }
    }
}
