//! A table as the bookseller's pages show it: it scrolls for itself where it is too wide.

use askama::Template;

/// A table; the first cell of a row is its heading.
#[derive(Template)]
#[template(path = "table.html")]
pub(crate) struct Table {
    caption: String,
    heads: Vec<String>,
    rows: Vec<Vec<String>>,
    /// What is said without any row.
    empty: String,
}

impl Table {
    /// A table whose rows have a cell for each head.
    pub(crate) fn new(
        caption: &str,
        heads: &[&str],
        rows: impl IntoIterator<Item = Vec<String>>,
        empty: &str,
    ) -> Self {
        Self {
            caption: caption.to_owned(),
            heads: heads.iter().map(|head| (*head).to_owned()).collect(),
            rows: rows.into_iter().collect(),
            empty: empty.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_has_headings_and_escapes_what_is_in_it() {
        let row = vec!["<b>".to_owned(), "1".to_owned()];
        let text = Table::new("Things", &["Thing", "Count"], [row], "None.").render().unwrap();
        for part in [
            "<caption>Things</caption>",
            "<th scope=\"col\">Count</th>",
            "<th scope=\"row\">&#60;b&#62;</th><td>1</td>",
            "tabindex=\"0\"",
        ] {
            assert!(text.contains(part), "no {part} in {text}");
        }
        let text = Table::new("Things", &["Thing"], [], "None.").render().unwrap();
        assert!(text.contains("None.") && !text.contains("<table"), "{text}");
    }
}
