//! A report as one page that stands by itself: no scripts, nothing fetched, for light and
//! dark, for phones and for paper.

mod figures;
mod tables;

use crate::markup::{count, escape};
use crate::report::Report;

pub(crate) use tables::table;
#[cfg(test)]
pub(crate) use tests::check_nesting;

const STYLE: &str = include_str!("html/style.css");

const READING: &str = include_str!("html/reading.html");

/// Draws a report as a page; `title` is what was measured.
#[must_use]
pub fn page(report: &Report, title: &str) -> String {
    let sections = [
        ("What was measured", scene(report)),
        ("The models side by side", tables::models(report)),
        ("How sure are the differences?", tables::differences(report)),
        ("Pictures", figures::all(report)),
        ("Settings", tables::settings(report)),
        ("How to read this", READING.to_owned()),
    ];
    frame("Foreword: how good are the rankings?", "How good are the rankings?", title, &sections)
}

/// A page of sections, each with its heading; `heading` is that of all, `subtitle` any text below it.
pub(crate) fn frame(
    title: &str,
    heading: &str,
    subtitle: &str,
    sections: &[(&str, String)],
) -> String {
    let sections: String =
        sections.iter().map(|(name, text)| format!("<h2>{name}</h2>\n{text}")).collect();
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n\
         <title>{title}</title>\n<style>\n{STYLE}</style>\n</head>\n\
         <body>\n<h1>{heading}</h1>\n<p class=\"soft\">{}</p>\n{sections}\
         </body>\n</html>\n",
        escape(subtitle)
    )
}

fn scene(report: &Report) -> String {
    let machine = &report.machine;
    let memory =
        machine.memory_bytes.map(|bytes| format!("{:.1} GB of memory", bytes as f64 / 1e9));
    let machine = [Some(count(machine.cores) + " cores"), machine.cpu.clone(), memory];
    let machine: Vec<String> = machine.into_iter().flatten().collect();
    let facts = [
        ("users", count(report.users)),
        (
            "items",
            format!(
                "{}, {} of them without an interaction to learn from",
                count(report.items),
                count(report.items_unseen)
            ),
        ),
        ("learnt from", format!("{} interactions", count(report.interactions))),
        (
            "held out",
            format!(
                "{} interactions of {} users",
                count(report.held_out),
                count(report.users_tested)
            ),
        ),
        ("protocol", report.protocol.clone()),
        ("ranked", format!("the whole catalogue without what the user has; the best {}", report.k)),
        (
            "intervals",
            format!(
                "paired bootstrap over users, {} resamples, seed {}",
                report.resamples, report.seed
            ),
        ),
        ("machine", format!("{}; {} threads", machine.join(", "), report.threads)),
    ];
    let facts: String = facts
        .iter()
        .map(|(name, value)| format!("<dt>{name}</dt><dd>{}</dd>\n", escape(value)))
        .collect();
    let remarks: String =
        report.remarks().iter().map(|remark| format!("<li>{}</li>\n", escape(remark))).collect();
    let remarks = if remarks.is_empty() { remarks } else { format!("<ul>\n{remarks}</ul>\n") };
    format!("<dl>\n{facts}</dl>\n{remarks}")
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::report::sample;

    /// Panics where tags do not nest, or where an ampersand is no entity.
    pub(crate) fn check_nesting(page: &str) {
        let body = page.strip_prefix("<!DOCTYPE html>\n").unwrap();
        let mut open: Vec<&str> = Vec::new();
        let mut rest = body;
        while let Some(begin) = rest.find('<') {
            check_entities(&rest[..begin]);
            let end = begin + rest[begin..].find('>').unwrap();
            let tag = &rest[begin + 1..end];
            rest = &rest[end + 1..];
            assert_eq!(tag.matches('"').count() % 2, 0, "{tag}");
            if let Some(name) = tag.strip_prefix('/') {
                assert_eq!(open.pop(), Some(name));
            } else if !tag.ends_with('/') {
                open.push(tag.split_whitespace().next().unwrap());
            }
        }
        assert!(open.is_empty() && rest.trim().is_empty(), "{open:?} {rest}");
    }

    fn check_entities(text: &str) {
        for after in text.split('&').skip(1) {
            let name = after.split(';').next().unwrap();
            assert!(["amp", "lt", "gt", "quot"].contains(&name), "&{after}");
        }
    }

    #[test]
    fn a_page_is_well_formed_and_needs_nothing_from_elsewhere() {
        let page = page(&sample::report(), "books & <readers>");
        check_nesting(&page);
        assert!(page.contains("books &amp; &lt;readers&gt;") && page.contains("a&lt;b"));
        assert!(page.contains("by hand &amp; by heart") && page.contains("one &gt; none"));
        for foreign in ["http", "<script", "<link", "src=", "url(", "@import"] {
            assert!(!page.contains(foreign), "{foreign}");
        }
    }

    #[test]
    fn every_model_is_in_every_picture() {
        let page = page(&sample::report(), "");
        let pictures: Vec<&str> = page.split("<svg").skip(1).collect();
        assert_eq!(pictures.len(), 7);
        for picture in pictures {
            let picture = picture.split("</svg>").next().unwrap();
            assert!(picture.contains(">a&lt;b<") && picture.contains(">c<"), "{picture}");
            assert!(!picture.contains("NaN") && !picture.contains("inf"), "{picture}");
        }
    }

    #[test]
    fn a_report_of_nothing_is_a_page_too() {
        use crate::split::Split;
        let split = Split::of_train(recommender::Interactions::new(0), vec![], String::new());
        check_nesting(&page(&crate::judge(&split, &[], 20, 7).unwrap(), "nothing"));
    }
}
