//! The demo's books against goodbooks-10k: titles, authors and years, where a book occurs
//! in both. Reads the shop's own import of goodbooks, so that its title parser is used too.

use std::collections::{HashMap, HashSet};

use csv::ReaderBuilder;

use crate::needs;

const DEMO: &str = include_str!("../../../server/src/demo/books.csv");
const YEARS: &str = include_str!("../data/years.csv");

/// Titles that goodbooks has by other authors only: Dostoevsky and Kondo are spelt another
/// way there; the last four are different books of the same name.
const BY_OTHERS: [&str; 11] = [
    "The Brothers Karamazov",
    "The Idiot",
    "Notes from Underground",
    "Crime and Punishment",
    "Преступление и наказание",
    "The Life-Changing Magic of Tidying Up",
    "人生がときめく片づけの魔法",
    "Full Tilt",
    "Bad Blood",
    "The Power",
    "The Narrow Road to the Deep North",
];

/// A title as both sides are compared by: letters and digits of its words, without an article.
fn key(title: &str) -> String {
    let folded: String = title
        .to_lowercase()
        .replace('&', "and")
        .chars()
        .filter(|letter| !matches!(letter, '\'' | '’' | '.'))
        .map(|letter| if letter.is_alphanumeric() { letter } else { ' ' })
        .collect();
    let mut words: Vec<&str> = folded.split_whitespace().collect();
    if words.len() > 1 && matches!(words[0], "the" | "a" | "an") {
        words.remove(0);
    }
    words.join(" ")
}

/// The keys of a title in full and up to its colon, without a series in parentheses.
fn keys(title: &str) -> HashSet<String> {
    let bare = title.split(" (").next().unwrap_or(title);
    let short = bare.split(':').next().unwrap_or(bare);
    [key(bare), key(short)].into_iter().collect()
}

fn surname(author: &str) -> String {
    key(author).rsplit(' ').next().unwrap_or_default().to_owned()
}

struct Known {
    authors: String,
    year: Option<f64>,
}

/// What goodbooks knows, by the keys of its titles.
fn goodbooks(file: &std::path::Path) -> HashMap<String, Vec<Known>> {
    let file = flate2::read::MultiGzDecoder::new(std::fs::File::open(file).unwrap());
    let mut rows = csv::Reader::from_reader(file);
    let headers = rows.headers().unwrap().clone();
    let column = |name: &str| headers.iter().position(|header| header == name).unwrap();
    let (title, original) = (column("title"), column("original_title"));
    let (authors, year) = (column("authors"), column("original_publication_year"));
    let mut known: HashMap<String, Vec<Known>> = HashMap::new();
    for row in rows.records() {
        let row = row.unwrap();
        let both: HashSet<String> =
            keys(&row[title]).into_iter().chain(keys(&row[original])).collect();
        for key in both.into_iter().filter(|key| !key.is_empty()) {
            let entry =
                Known { authors: key_of_authors(&row[authors]), year: row[year].parse().ok() };
            known.entry(key).or_default().push(entry);
        }
    }
    known
}

fn key_of_authors(authors: &str) -> String {
    format!(" {} ", key(&format!("x {authors}")))
}

#[test]
fn titles_authors_and_years_agree_with_goodbooks() {
    let Some(folder) =
        needs::data("titles_authors_and_years_agree_with_goodbooks", "goodbooks-10k")
    else {
        return;
    };
    let known = goodbooks(&folder.join("books.csv.gz"));
    let read = |text: &'static str| {
        let reader = ReaderBuilder::new().comment(Some(b'#')).from_reader(text.as_bytes());
        reader.into_records().map(Result::unwrap).collect::<Vec<_>>()
    };
    let exceptions: HashMap<String, String> =
        read(YEARS).iter().map(|row| (row[0].to_owned(), row[2].to_owned())).collect();
    let (mut compared, mut differing, mut excused) = (0, Vec::new(), HashSet::new());
    let mut by_others = HashSet::new();
    for row in read(DEMO) {
        let (id, title, first_author, year) =
            (&row[0], &row[1], row[2].split(';').next().unwrap_or_default(), &row[3]);
        let by_author = format!(" {} ", surname(first_author));
        let titles = keys(title);
        let same: Vec<&Known> = titles
            .iter()
            .filter_map(|key| known.get(key))
            .flatten()
            .filter(|book| book.authors.contains(&by_author))
            .collect();
        if same.is_empty() {
            if titles.iter().any(|key| known.contains_key(key)) {
                by_others.insert(title.to_owned());
            }
            continue;
        }
        compared += 1;
        let ours: f64 = year.parse().unwrap();
        if same.iter().any(|book| book.year == Some(ours))
            || same.iter().all(|book| book.year.is_none())
        {
            continue;
        }
        if exceptions.get(id).is_some_and(|excused| excused == year) {
            excused.insert(id.to_owned());
        } else {
            let theirs: Vec<_> = same.iter().map(|book| book.year).collect();
            differing.push(format!("{id} {title}: {year}, goodbooks {theirs:?}"));
        }
    }
    assert!(compared >= 750, "only {compared} books occur in both");
    assert!(differing.is_empty(), "{differing:#?}");
    assert_eq!(by_others, HashSet::from(BY_OTHERS.map(ToOwned::to_owned)));
    let stale: Vec<&String> = exceptions.keys().filter(|id| !excused.contains(*id)).collect();
    assert!(stale.is_empty(), "exceptions that are none: {stale:?}");
}
