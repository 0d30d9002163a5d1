//! Covers, drawn from title, author and category: the same book always gets the same cover.
//!
//! Colours go by the category, so that a shelf has a look; the design and what is beside the
//! letters go by title and author. There are no scripts and no styles in a picture, only shapes
//! and letters, and everything that a book says is escaped.

mod design;
mod lines;
mod palette;

use api::v1::Book;

use self::design::Design;
use self::lines::{LEADING, Lines, lines};
use self::palette::Palette;
use crate::links::digest;

/// The size that covers are drawn at; pages show them smaller.
const WIDTH: u32 = 240;
const HEIGHT: u32 = 360;

/// Whatever draws a cover otherwise counts this up, so that browsers, which keep covers for a year,
/// fetch them anew. A test holds what is drawn to it.
const REVISION: u64 = 3;

/// Fonts that are there without being fetched.
const FONT: &str = "Georgia, 'Iowan Old Style', 'Palatino Linotype', 'Noto Serif', 'Noto Serif CJK SC', 'Songti SC', serif";

/// A number that changes with what is on the cover.
pub(crate) fn version(book: &Book) -> u64 {
    digest(&what_is_on_it(book)) ^ REVISION
}

/// Draws a cover as SVG.
pub(crate) fn draw(book: &Book) -> String {
    let chance = digest(&what_is_on_it(book));
    let category = book.categories.first().map_or("", String::as_str);
    let palette = Palette::of(category, chance);
    let design = Design::of(chance);
    let title = lines(&book.title, design.title_width(), design.title_height());
    let author = book.authors.first().map_or("", String::as_str);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" \
         width=\"{WIDTH}\" height=\"{HEIGHT}\" font-family=\"{FONT}\">"
    );
    design.draw(&palette, chance, &mut svg);
    write_title(&title, &design, &palette, &mut svg);
    write_author(author, &design, &palette, &mut svg);
    // The fold of the binding.
    svg.push_str(
        "<rect width=\"10\" height=\"360\" fill=\"#000\" fill-opacity=\".10\"/>\
         <rect x=\"10\" width=\"2\" height=\"360\" fill=\"#fff\" fill-opacity=\".14\"/></svg>",
    );
    svg
}

fn what_is_on_it(book: &Book) -> String {
    let author = book.authors.first().map_or("", String::as_str);
    let category = book.categories.first().map_or("", String::as_str);
    format!("{}\u{1f}{author}\u{1f}{category}", book.title)
}

fn write_title(title: &Lines, design: &Design, palette: &Palette, svg: &mut String) {
    let leading = title.size * LEADING;
    let height = leading * title.lines.len() as f64;
    let mut baseline = design.title_middle() - height / 2.0 + title.size * 0.86;
    for line in &title.lines {
        svg.push_str(&format!(
            "<text x=\"{}\" y=\"{baseline:.0}\" font-size=\"{:.0}\" font-weight=\"700\" \
             text-anchor=\"{}\" fill=\"{}\">{}</text>",
            design.text_x(),
            title.size,
            design.anchor(),
            palette.ink,
            escaped(line)
        ));
        baseline += leading;
    }
}

fn write_author(author: &str, design: &Design, palette: &Palette, svg: &mut String) {
    let fitted = lines::in_two(author, design.title_width());
    let last = fitted.lines.len().saturating_sub(1) as f64;
    for (number, line) in fitted.lines.iter().enumerate() {
        let baseline = design.author_baseline() - (last - number as f64) * fitted.size * 1.2;
        svg.push_str(&format!(
            "<text x=\"{}\" y=\"{baseline:.0}\" font-size=\"{:.0}\" letter-spacing=\".3\" \
             text-anchor=\"{}\" fill=\"{}\">{}</text>",
            design.text_x(),
            fitted.size,
            design.anchor(),
            palette.ink,
            escaped(line)
        ));
    }
}

/// A text within an element.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '&' => escaped.push_str("&amp;"),
            '"' => escaped.push_str("&quot;"),
            // XML has no place for these at all.
            control if control.is_control() => escaped.push(' '),
            '\u{fffe}' | '\u{ffff}' => escaped.push(' '),
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    fn book(title: &str, author: &str, category: &str) -> Book {
        Book {
            title: title.to_owned(),
            authors: vec![author.to_owned()],
            categories: vec![category.to_owned()],
            ..Book::default()
        }
    }

    #[test]
    fn a_book_always_has_the_same_cover_and_another_book_another() {
        let dune = book("Dune", "Frank Herbert", "science-fiction");
        assert_eq!(draw(&dune), draw(&dune));
        assert_eq!(version(&dune), version(&dune.clone()));
        let emma = book("Emma", "Jane Austen", "classics");
        assert_ne!(draw(&dune), draw(&emma));
        assert_ne!(version(&dune), version(&emma));
    }

    #[test]
    fn covers_are_drawn_as_this_revision_draws_them() {
        // A book of each design.
        let of = |design| {
            let books =
                (0..).map(|number| book(&format!("Book {number}"), "Ann Author", "mystery"));
            let mut books = books.filter(|book| Design::of(digest(&what_is_on_it(book))) == design);
            draw(&books.next().unwrap())
        };
        let drawn: String = design::ALL.map(of).concat();
        let told = "covers are drawn otherwise: count REVISION up, and write both numbers here";
        assert_eq!((REVISION, digest(&drawn)), (3, 0xbe1b_e763_bf11_15eb), "{told}");
    }

    #[test]
    fn what_a_book_says_is_never_more_than_text() {
        let evil = book("</text><script>alert(1)</script>", "\" onload=\"x\u{0}&", "a\"><b");
        let svg = draw(&evil);
        assert!(!svg.contains("<script") && !svg.contains("onload=\"x"), "{svg}");
        assert!(svg.contains("&lt;") && svg.contains("&amp;"), "{svg}");
        assert!(!svg.contains('\u{0}'));
    }

    #[test]
    fn covers_are_small_whatever_is_on_them() {
        let long = book(&"Very ".repeat(200), &"Long ".repeat(200), "mystery");
        for book in [book("", "", ""), book("白夜行", "东野圭吾", "mystery"), long] {
            let svg = draw(&book);
            assert!(svg.len() < 4096, "{}: {svg}", svg.len());
            assert!(svg.starts_with("<svg ") && svg.ends_with("</svg>"));
        }
    }
}
