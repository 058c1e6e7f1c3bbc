//! The values of a panel as a list: for copying, and for `burnwatch dashboards`.

use super::picture::{NamedValue, PanelPicture, TablePicture};
use crate::app::display_settings::Cx;
use crate::app::log_format::time_of;

/// A value of a panel.
#[derive(Debug, Clone, PartialEq)]
pub struct PanelValue {
    /// The series, the row, the bucket.
    pub name: String,
    /// As the panel shows it.
    pub text: String,
    /// `None` for texts and missing values.
    pub number: Option<f64>,
}

impl PanelValue {
    fn text(name: impl Into<String>, text: impl Into<String>) -> Self {
        Self { name: name.into(), text: text.into(), number: None }
    }

    fn of(value: &NamedValue, name: &str) -> Self {
        Self { name: name.to_owned(), text: value.value.text.clone(), number: value.value.number }
    }
}

/// The values of a picture in their order; of a chart the newest one of each series, or those of its legend.
pub fn of(picture: &PanelPicture) -> Vec<PanelValue> {
    match picture {
        PanelPicture::Chart(chart) => {
            let mut all = Vec::new();
            for one in &chart.series {
                let number = one.values.iter().rev().copied().find(|value| value.is_finite());
                for (title, text) in &one.reduced {
                    let name = if one.reduced.len() > 1 {
                        format!("{} {title}", one.name)
                    } else {
                        one.name.clone()
                    };
                    let number = number.filter(|_| one.reduced.len() == 1);
                    all.push(PanelValue { name, text: text.clone(), number });
                }
            }
            all
        }
        PanelPicture::Stats { values, .. } | PanelPicture::Gauges(values) => {
            values.iter().map(|value| PanelValue::of(value, &value.name)).collect()
        }
        PanelPicture::Bars(rows) => {
            let mut group = "";
            let mut all = Vec::new();
            for row in rows {
                if !row.group.is_empty() {
                    group = &row.group;
                }
                let name = [group, row.value.name.as_str()].into_iter().filter(|part| !part.is_empty());
                all.push(PanelValue::of(&row.value, &name.collect::<Vec<_>>().join(" ")));
            }
            all
        }
        PanelPicture::Table(table) => of_table(table),
        PanelPicture::Heat(heat) => {
            let newest = |bucket: &Vec<f64>| bucket.iter().rev().copied().find(|value| value.is_finite());
            let buckets = heat.labels.iter().zip(&heat.buckets);
            let value = |(label, bucket): (&String, &Vec<f64>)| {
                let number = newest(bucket);
                let text = number.map_or_else(|| "-".to_owned(), |number| number.to_string());
                PanelValue { name: label.clone(), text, number }
            };
            buckets.map(value).collect()
        }
        PanelPicture::States(states) => {
            let text = |row: &Vec<Option<u16>>| {
                let newest = row.last().copied().flatten();
                newest.and_then(|index| states.states.get(usize::from(index))).map(|(text, _)| text.clone())
            };
            let value = |(name, row): &(String, Vec<Option<u16>>)| {
                PanelValue::text(name.clone(), text(row).unwrap_or_else(|| "-".to_owned()))
            };
            states.rows.iter().map(value).collect()
        }
        PanelPicture::Words { content, .. } => vec![PanelValue::text("", content.to_string())],
        PanelPicture::Lines { lines, .. } => {
            lines.iter().map(|line| PanelValue::text(line.at.to_string(), line.text().into_owned())).collect()
        }
        PanelPicture::Alerts(_)
        | PanelPicture::Dashboards
        | PanelPicture::NoData(_)
        | PanelPicture::Undrawable(_) => Vec::new(),
    }
}

/// The numbers of a table, each named by the texts of its row and by its column.
fn of_table(table: &TablePicture) -> Vec<PanelValue> {
    let mut all = Vec::new();
    for row in &table.rows {
        let texts = row.iter().filter(|cell| cell.number.is_none() && !cell.text.is_empty());
        let of_row = texts.map(|cell| cell.text.as_str()).collect::<Vec<_>>().join(" ");
        let numbers: Vec<_> =
            row.iter().zip(&table.columns).filter(|(cell, _)| cell.number.is_some()).collect();
        if numbers.is_empty() {
            all.push(PanelValue::text(of_row, ""));
            continue;
        }
        for (cell, column) in numbers {
            let name = [of_row.as_str(), column.name.as_str()].into_iter().filter(|part| !part.is_empty());
            let name = name.collect::<Vec<_>>().join(" ");
            all.push(PanelValue { name, text: cell.text.clone(), number: cell.number });
        }
    }
    all
}

/// What is copied of a panel: its title, and a line for each value.
pub fn as_text(cx: &Cx<'_>, title: &str, picture: &PanelPicture) -> String {
    let mut lines = vec![title.to_owned()];
    match picture {
        PanelPicture::NoData(words) | PanelPicture::Undrawable(words) => lines.push(words.clone()),
        PanelPicture::Lines { lines: all, .. } => {
            let today = cx.now.to_zoned(cx.zone.clone()).date();
            lines.extend(all.iter().map(|line| format!("{} {}", time_of(line, today, cx.zone), line.text())));
        }
        PanelPicture::Table(table) => {
            lines
                .push(table.columns.iter().map(|column| column.name.as_str()).collect::<Vec<_>>().join("\t"));
            let row = |row: &Vec<super::picture::PaintedValue>| {
                row.iter().map(|cell| cell.text.as_str()).collect::<Vec<_>>().join("\t")
            };
            lines.extend(table.rows.iter().map(row));
        }
        PanelPicture::Chart(_)
        | PanelPicture::Stats { .. }
        | PanelPicture::Gauges(_)
        | PanelPicture::Bars(_)
        | PanelPicture::Heat(_)
        | PanelPicture::States(_)
        | PanelPicture::Words { .. }
        | PanelPicture::Alerts(_)
        | PanelPicture::Dashboards => {
            lines.extend(of(picture).into_iter().map(|value| {
                if value.name.is_empty() { value.text } else { format!("{}: {}", value.name, value.text) }
            }));
        }
    }
    lines.join("\n")
}
