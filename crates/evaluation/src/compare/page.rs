//! A comparison as one page that stands by itself.

use std::fmt::Write as _;

use crate::compare::{Comparison, Mean, SPREAD};
use crate::html::{frame, table};
use crate::markup::{count, escape};
use crate::plot::bars::{self, Bar};

const READING: &str = "<p>Overlap is the part of the longer list that is in both, Jaccard the part of \
    all books of both. Rank-biased overlap looks at the order too: what stands first counts most \
    (Webber, Moffat and Zobel 2010, extrapolated). All three are 1 for the same list and 0 for lists \
    without a book in common. Unlike lists say nothing about which is better: whether readers buy \
    more says that.</p>\n";

/// Draws a comparison as a page.
#[must_use]
pub fn page(comparison: &Comparison) -> String {
    let Comparison { users, compared, k, .. } = comparison;
    let subtitle = format!(
        "{} asked for, {} of them with books from both; lists of at most {k}",
        count(*users),
        count(*compared)
    );
    let sections = [
        ("Side by side", sides(comparison)),
        ("How alike are the lists?", likeness(comparison)),
        ("The least alike", least_alike(comparison)),
        ("How to read this", READING.to_owned()),
    ];
    frame("Foreword: how alike are the lists?", "The old and the new", &subtitle, &sections)
}

fn sides(comparison: &Comparison) -> String {
    let headings = ["", "old", "new"].map(str::to_owned);
    table(&headings, comparison.figures().map(Vec::from))
}

fn likeness(comparison: &Comparison) -> String {
    let bar = |name, mean: Option<Mean>| {
        mean.map(|Mean { mean, interval }| Bar {
            name,
            value: mean,
            text: format!("{mean:.3}"),
            interval: Some(interval),
        })
    };
    let means: Vec<Bar<'_>> = [
        bar("overlap", comparison.overlap),
        bar("Jaccard", comparison.jaccard),
        bar("rank-biased overlap", comparison.rbo),
    ]
    .into_iter()
    .flatten()
    .collect();
    let group = |(name, users): (&'static str, &usize)| Bar {
        name,
        value: *users as f64,
        text: count(*users),
        interval: None,
    };
    let spread: Vec<Bar<'_>> = SPREAD.into_iter().zip(&comparison.spread).map(group).collect();
    let mut text = String::new();
    for (caption, picture) in [
        (
            "Means over readers. Whiskers hold 95 %.",
            bars::draw("How alike lists are", &means, None),
        ),
        ("Readers by how much their lists have in common.", bars::draw("Readers", &spread, None)),
    ] {
        // Writing to a string cannot fail.
        let _ = writeln!(
            text,
            "<figure>\n<figcaption>{}</figcaption>\n{picture}</figure>",
            escape(caption)
        );
    }
    text
}

fn least_alike(comparison: &Comparison) -> String {
    let headings = ["reader", "rank-biased overlap", "old", "new"].map(str::to_owned);
    let rows = comparison.least_alike.iter().map(|pair| {
        let lists = [&pair.old, &pair.new].map(|list| list.join(", "));
        [pair.user.clone(), format!("{:.3}", pair.rbo)].into_iter().chain(lists).collect()
    });
    table(&headings, rows)
}

#[cfg(test)]
mod tests {
    use crate::compare::comparison::tests::sample;
    use crate::html::check_nesting;

    #[test]
    fn a_page_is_well_formed_and_names_both_sides() {
        let page = super::page(&sample());
        check_nesting(&page);
        assert!(page.contains("a &amp; b") && page.contains("<td>cid</td>"), "{page}");
        assert!(!page.contains("NaN") && !page.contains("http"), "{page}");
        assert_eq!(page.matches("<svg").count(), 2);
    }
}
