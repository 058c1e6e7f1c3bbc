//! All screens: each module has the state, the update and the drawing of one. Here they are stored and looked up by place.

pub mod alert;
pub mod alerts;
pub mod capacity;
pub mod dashboard;
pub mod dashboards;
pub mod document;
pub mod explore;
pub mod incident;
pub mod incidents;
pub mod logs;
pub mod messages;
pub mod oncall;
pub mod overview;
pub mod policy;
pub mod resource;
pub mod runbook;
pub mod service;
pub mod services;
pub mod silences;
pub mod slo;
pub mod slos;
pub mod sources;
pub mod timeline;
pub mod trace;
pub mod traces;
pub mod why;

use jiff::Timestamp;

use super::place::{Place, Tab};
use super::registry::screens;
use super::scheduler::Want;
use super::screen::{Screen, SubjectScreen};
use super::selection::Handled;
use super::shared::Shared;
use super::subjects;
use super::want;
use crate::model::ask::AskKind;

macro_rules! storage {
    (
        tabs {
            $($tab:ident $tab_module:ident::$tab_type:ident
                $number:literal $title:literal $short:literal $name:literal $help:literal;)*
        }
        lists { $($list:ident $list_module:ident::$list_type:ident $list_title:literal ($($of:ident)?);)* }
        about { $($(#[$doc:meta])* $about:ident($subject:ty) $module:ident::$type:ident;)* }
    ) => {
        /// All screens with their state, including those that are not on the terminal.
        #[derive(Debug, Default)]
        pub struct Screens {
            $(#[doc = $help] pub $tab_module: $tab_module::$tab_type,)*
            $(#[doc = $list_title] pub $list_module: $list_module::$list_type,)*
            $($(#[$doc])* pub $module: $module::$type,)*
        }

        impl Screens {
            pub fn at(&self, place: &Place) -> &dyn Screen {
                match place {
                    $(Place::$tab => &self.$tab_module,)*
                    $(Place::$list => &self.$list_module,)*
                    $(Place::$about(_) => &self.$module,)*
                }
            }

            pub fn at_mut(&mut self, place: &Place) -> &mut dyn Screen {
                match place {
                    $(Place::$tab => &mut self.$tab_module,)*
                    $(Place::$list => &mut self.$list_module,)*
                    $(Place::$about(_) => &mut self.$module,)*
                }
            }

            fn all_mut(&mut self) -> Vec<&mut dyn Screen> {
                vec![
                    $(&mut self.$tab_module,)*
                    $(&mut self.$list_module,)*
                    $(&mut self.$module,)*
                ]
            }

            /// Tells the screen of a place its subject.
            pub(super) fn enter(&mut self, place: &Place) {
                match place {
                    $(Place::$tab)|* $(| Place::$list)* => {}
                    $(Place::$about(subject) => self.$module.subject = Some(subject.clone()),)*
                }
            }

            pub(super) fn title(place: &Place, shared: &Shared) -> String {
                match place {
                    $(Place::$tab => $title.to_owned(),)*
                    $(Place::$list => $list_title.to_owned(),)*
                    $(Place::$about(subject) => $module::$type::title(subject, shared),)*
                }
            }

            pub(super) fn tab(place: &Place) -> Option<Tab> {
                match place {
                    $(Place::$tab => Some(Tab::$tab),)*
                    $(Place::$list => None $(.or(Some(Tab::$of)))?,)*
                    $(Place::$about(subject) => $module::$type::tab(subject),)*
                }
            }

            /// Whether the breadcrumb begins at a place.
            pub(super) fn is_top(place: &Place) -> bool {
                match place {
                    $(Place::$tab)|* $(| Place::$list)* => true,
                    $(Place::$about(subject) => $module::$type::is_top(subject),)*
                }
            }
        }
    };
}

screens!(storage);

impl Screens {
    /// Unmarks, on all screens, the rows that an action has handled.
    pub(super) fn unmark(&mut self, handled: &Handled<'_>) {
        for screen in self.all_mut() {
            screen.unmark(handled);
        }
    }

    /// Has all screens drop the data of the old context.
    pub(super) fn change_context(&mut self, shared: &Shared) {
        for screen in self.all_mut() {
            screen.change_context(shared);
        }
    }
}

/// The queries of a screen, and those sent on every screen.
pub fn wants(screen: &dyn Screen, shared: &Shared, now: Timestamp) -> Vec<Want> {
    let mut wants: Vec<Want> = want::vital(shared).collect();
    wants.extend(screen.wants(shared, now));
    if shared.preview.is_on && screen.has_preview() {
        // one query for the charts of all services, whatever the cursor is on
        wants.extend(subjects::service::wants(shared, now));
    }
    // after those of the screen, which may want the same query more often
    let incident_sources = shared.answering(AskKind::Incident);
    wants.extend(incident_sources.flat_map(|source| subjects::incident::unread(shared, &source.id)));
    wants
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::columns::{mistakes, named};
    use crate::app::subjects;

    #[test]
    fn every_order_is_shown_by_a_column_and_no_column_stands_in_the_place_of_another() {
        let all = [
            mistakes(services::columns::COLUMNS, &named(&subjects::service::ORDERS)),
            mistakes(slos::columns::COLUMNS, &named(&subjects::slo::ORDERS)),
            mistakes(alerts::columns::COLUMNS, &named(&alerts::ranking::ORDERS)),
            mistakes(incidents::columns::COLUMNS, &named(&subjects::incident::ORDERS)),
            mistakes(silences::columns::COLUMNS, &[]),
            mistakes(capacity::columns::COLUMNS, &named(&subjects::capacity::ORDERS)),
            mistakes(dashboards::columns::COLUMNS, &named(&dashboards::columns::ORDERS)),
            mistakes(oncall::columns::COLUMNS, &[]),
            mistakes(sources::columns::COLUMNS, &[]),
            mistakes(traces::columns::COLUMNS, &named(&traces::columns::ORDERS)),
        ];
        assert_eq!(all.concat(), Vec::<String>::new());
    }

    #[test]
    fn every_tab_is_told_apart_by_its_key_and_its_name() {
        for tab in Tab::ALL {
            let same = Tab::ALL.iter().filter(|other| other.key() == tab.key() || other.name() == tab.name());
            assert_eq!(same.count(), 1, "{}", tab.title());
            assert_eq!(Screens::tab(&tab.place()), Some(*tab), "{}", tab.title());
        }
    }
}
