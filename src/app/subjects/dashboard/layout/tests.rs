use proptest::prelude::*;

use super::*;

fn panel(x: u16, y: u16, width: u16, height: u16) -> PanelBox {
    PanelBox { place: GridPlace { x, y, width, height }, least: (30, 6) }
}

fn places(panels: Vec<PanelBox>, screen: (u16, u16)) -> Vec<(u16, u32, u16, u16)> {
    let section = SectionBoxes { panels, ..SectionBoxes::default() };
    let placed = arrange(&[section], screen);
    placed.into_iter().map(|item| (item.x, item.y, item.width, item.height)).collect()
}

/// A tall panel at the left, two small ones at the right, a wide one below.
fn usual() -> Vec<PanelBox> {
    vec![panel(0, 0, 12, 8), panel(12, 0, 12, 4), panel(12, 4, 12, 4), panel(0, 8, 24, 6)]
}

#[test]
fn a_wide_terminal_has_the_columns_of_the_dashboard() {
    let wide = [(0, 0, 100, 14), (100, 0, 100, 7), (100, 7, 100, 7), (0, 14, 200, 11)];
    assert_eq!(places(usual(), (200, 46)), wide);
}

#[test]
fn a_narrow_terminal_has_one_panel_below_the_other() {
    let narrow = [(0, 0, 40, 14), (0, 14, 40, 7), (0, 21, 40, 7), (0, 28, 40, 11)];
    assert_eq!(places(usual(), (40, 21)), narrow);
    let heights: Vec<u16> = places(usual(), (40, 5)).into_iter().map(|(.., height)| height).collect();
    assert_eq!(heights, [5, 5, 5, 5], "no panel is higher than the screen");
}

#[test]
fn panels_of_a_band_flow_into_lines_of_about_equal_length() {
    let six = (0..6).map(|i| PanelBox { least: (20, 4), ..panel(i * 4, 0, 4, 4) }).collect();
    let at: Vec<(u16, u32)> = places(six, (80, 21)).into_iter().map(|(x, y, ..)| (x, y)).collect();
    assert_eq!(at, [(0, 0), (26, 0), (53, 0), (0, 7), (26, 7), (53, 7)]);
}

#[test]
fn panels_at_one_place_are_below_each_other_and_gaps_close() {
    let hostile = vec![panel(0, 0, 24, 4), panel(0, 0, 24, 4), panel(30, 50_000, 900, 0), panel(0, 9, 0, 4)];
    let at: Vec<(u16, u32)> = places(hostile, (800, 46)).into_iter().map(|(x, y, ..)| (x, y)).collect();
    assert_eq!(at, [(0, 0), (0, 7), (0, 14), (766, 14)]);
}

#[test]
fn a_folded_section_is_its_title_and_a_section_without_title_does_not_fold() {
    let section = |has_title| SectionBoxes { has_title, is_folded: true, panels: usual() };
    assert_eq!(arrange(&[section(true)], (200, 46)).len(), 1);
    assert_eq!(arrange(&[section(false)], (200, 46)).len(), 4);
}

fn boxes() -> impl Strategy<Value = PanelBox> {
    let place = (0..30_u16, 0..60_u16, 0..30_u16, 0..30_u16);
    (place, (0..90_u16, 0..20_u16)).prop_map(|((x, y, width, height), least)| PanelBox {
        place: GridPlace { x, y, width, height },
        least,
    })
}

fn sections() -> impl Strategy<Value = Vec<SectionBoxes>> {
    let section = (any::<bool>(), any::<bool>(), prop::collection::vec(boxes(), 0..20));
    let section =
        section.prop_map(|(has_title, is_folded, panels)| SectionBoxes { has_title, is_folded, panels });
    prop::collection::vec(section, 0..5)
}

fn overlaps(a: PlacedItem, b: PlacedItem) -> bool {
    a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.bottom() && b.y < a.bottom()
}

proptest! {
    /// Nothing overlaps, nothing is outside of the width or higher than the screen, nothing is lost, nothing is empty.
    #[test]
    fn every_panel_has_a_place_of_its_own(sections in sections(), screen in (30..260_u16, 1..80_u16)) {
        let placed = arrange(&sections, screen);
        let shown = |section: &SectionBoxes| {
            let is_folded = section.is_folded && section.has_title;
            usize::from(section.has_title) + if is_folded { 0 } else { section.panels.len() }
        };
        prop_assert_eq!(placed.len(), sections.iter().map(shown).sum::<usize>());
        for (i, one) in placed.iter().enumerate() {
            prop_assert!(one.width > 0 && one.height > 0 && one.x + one.width <= screen.0, "{one:?}");
            for other in &placed[i + 1..] {
                prop_assert!(!overlaps(*one, *other), "{one:?} {other:?}");
            }
        }
    }

    /// What is above on the dashboard, with a column in common, is above on the terminal, or at the left in the same line where
    /// the panels flow.
    #[test]
    fn the_order_is_kept(panels in prop::collection::vec(boxes(), 0..20), screen in (30..260_u16, 1..80_u16)) {
        let section = SectionBoxes { panels: panels.clone(), ..SectionBoxes::default() };
        let placed = arrange(&[section], screen);
        let order: Vec<(u32, u16)> = placed.iter().map(|item| (item.y, item.x)).collect();
        prop_assert!(order.is_sorted());
        let packed = packed(&panels);
        for (above, place, top) in &packed {
            for (below, other, under) in &packed {
                let is_above = top + u32::from(place.height.max(1)) <= *under;
                let is_beside = place.x < other.x + other.width && other.x < place.x + place.width;
                let at = |panel: usize| placed.iter().find(|item| item.panel == Some(panel)).copied();
                if let (true, true, Some(one), Some(two)) = (is_above, is_beside, at(*above), at(*below)) {
                    let is_before = one.bottom() <= two.y || (one.y == two.y && one.x < two.x);
                    prop_assert!(is_before, "{one:?} {two:?}");
                }
            }
        }
    }
}
