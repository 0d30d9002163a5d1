//! What became of an imported file.

use api::v1::ReadingListReport;
use askama::Template;

use crate::frame::Link;
use crate::language::{Words, counted, fill};

/// Lines that are named.
const LINES_MAX: usize = 50;

/// The report, as the last step of the page.
#[derive(Template)]
#[template(path = "report.html")]
pub(super) struct Report {
    done: String,
    /// Where the shelves reflect it.
    shelves: Link,
    /// Lines of books that the shop does not have.
    unmatched: Option<(String, Vec<String>)>,
    /// Lines that could not be read.
    refused: Option<(String, Vec<String>)>,
}

impl Report {
    pub(super) fn new(report: &ReadingListReport, words: &Words) -> Self {
        let texts = &words.library;
        let line = |line: i64, text: &str| {
            fill(&texts.import_line, &[("line", &line.to_string()), ("text", text)])
        };
        let unmatched = report.unmatched_books.iter().take(LINES_MAX).map(|book| {
            let parts = [&book.title, &book.author].into_iter().filter(|part| !part.is_empty());
            line(book.line, &words.list(parts))
        });
        let refused = report.refusals.iter().take(LINES_MAX).map(|refusal| {
            let text = [refusal.column.as_str(), refusal.description.as_str()].join(" ");
            line(refusal.line, text.trim())
        });
        let entries = counted(
            report.stored_event_count,
            &texts.import_entries_one,
            &texts.import_entries_many,
        );
        let done =
            [("entries", entries.as_str()), ("repeated", &report.repeated_event_count.to_string())];
        let (unmatched_count, refused_count) =
            (report.unmatched_line_count, report.refused_line_count);
        Self {
            done: fill(&texts.import_done, &done),
            shelves: Link {
                text: texts.import_to_shelves.clone(),
                href: format!("/?seen={}", report.user_revision),
            },
            unmatched: (unmatched_count > 0).then(|| {
                let (one, many) = (&texts.import_unmatched_one, &texts.import_unmatched_many);
                (counted(unmatched_count, one, many), unmatched.collect())
            }),
            refused: (refused_count > 0).then(|| {
                let (one, many) = (&texts.import_refused_one, &texts.import_refused_many);
                (counted(refused_count, one, many), refused.collect())
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use api::v1::reading_list_report::{Refusal, UnmatchedBook};

    use super::*;
    use crate::language::Language;

    #[test]
    fn lines_are_named_and_never_more_than_text() {
        let report = ReadingListReport {
            stored_event_count: 12,
            repeated_event_count: 3,
            refused_line_count: 1,
            refusals: vec![Refusal {
                line: 7,
                column: "My Rating".to_owned(),
                description: "<b>".to_owned(),
            }],
            unmatched_line_count: 1,
            unmatched_books: vec![UnmatchedBook {
                line: 9,
                title: "<script>alert(1)</script>".to_owned(),
                author: String::new(),
            }],
            ..ReadingListReport::default()
        };
        let html = Report::new(&report, Language::EN.words()).render().unwrap();
        assert!(html.contains("Done: 12 new entries. Here before: 3."), "{html}");
        assert!(html.contains("line 7: My Rating &#60;b&#62;"), "{html}");
        assert!(html.contains("line 9: &#60;script&#62;"), "{html}");
    }
}
