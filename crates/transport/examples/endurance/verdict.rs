//! What came of a case: figures, and which gates were missed.

use std::fmt;

use comfy_table::{Cell, CellAlignment, Color, LineStyle, Table, TableStyle};
use serde::{Serialize, Serializer};
use serde_json::Value;

const LINE: LineStyle = LineStyle::none().fill('─').junction('─');

/// No lines between rows.
const COMPACT: TableStyle =
    TableStyle::new().top_border(LINE).header_separator(LINE).bottom_border(LINE);

/// What came of a case.
#[derive(Debug, Serialize)]
pub(crate) struct Verdict {
    case: &'static str,
    /// Names and values, in the order in which they are printed.
    #[serde(serialize_with = "as_map")]
    figures: Vec<(&'static str, Value)>,
    missed: Vec<String>,
    /// More for people.
    #[serde(skip)]
    picture: String,
}

fn as_map<S: Serializer>(
    figures: &[(&'static str, Value)],
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_map(figures.iter().map(|(name, value)| (name, value)))
}

impl Verdict {
    pub(crate) fn new(case: &'static str) -> Self {
        Self { case, figures: Vec::new(), missed: Vec::new(), picture: String::new() }
    }

    /// Adds a figure that no gate is for.
    pub(crate) fn tell(&mut self, name: &'static str, value: impl Into<Value>) {
        self.figures.push((name, value.into()));
    }

    /// Adds a figure that must have a value.
    pub(crate) fn hold(&mut self, name: &'static str, found: u64, expected: u64) {
        self.tell(name, found);
        if found != expected {
            self.missed.push(format!("{name}: {found}, expected {expected}"));
        }
    }

    /// Adds what was missed in other ways.
    pub(crate) fn miss(&mut self, why: impl Into<String>) {
        self.missed.push(why.into());
    }

    pub(crate) fn draw(&mut self, picture: String) {
        self.picture = picture;
    }

    pub(crate) fn is_met(&self) -> bool {
        self.missed.is_empty()
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut table = Table::new();
        table.load_style(COMPACT);
        let verdict = if self.is_met() {
            Cell::new("met").fg(Color::Green)
        } else {
            Cell::new("MISSED").fg(Color::Red)
        };
        table.set_header([Cell::new(self.case), verdict.set_alignment(CellAlignment::Right)]);
        for (name, value) in &self.figures {
            let value = match value {
                Value::Number(number) if number.is_f64() => {
                    format!("{:.1}", number.as_f64().unwrap_or_default())
                }
                Value::String(text) => text.clone(),
                other => other.to_string(),
            };
            table.add_row([Cell::new(name), Cell::new(value).set_alignment(CellAlignment::Right)]);
        }
        writeln!(f, "{table}")?;
        self.missed.iter().try_for_each(|missed| writeln!(f, "missed: {missed}"))?;
        f.write_str(&self.picture)
    }
}
