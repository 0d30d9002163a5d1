//! Titles that carry their series: "The Hunger Games (The Hunger Games, #1)".

/// A title, taken apart.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Title {
    /// The title without its series.
    pub(super) title: String,
    /// The series named in the last parenthesis.
    pub(super) series: Option<String>,
    /// The place in it, if the book is one volume and not several.
    pub(super) volume: Option<f64>,
}

/// Takes a title apart. A last parenthesis is a series if a `#` is in it; of
/// several series, separated by `;`, the first counts.
pub(super) fn split(text: &str) -> Title {
    let whole = || Title { title: single_spaced(text), series: None, volume: None };
    let Some((title, inside)) = last_parenthesis(text) else { return whole() };
    let Some((series, place)) = inside.split(';').find_map(|part| part.split_once('#')) else {
        return whole();
    };
    let (title, series) = (single_spaced(title), single_spaced(without_part(series)));
    if title.is_empty() || series.is_empty() {
        return whole();
    }
    Title { title, series: Some(series), volume: volume(place) }
}

/// A text with single spaces and none around it.
pub(super) fn single_spaced(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// What is before and inside the parenthesis that ends the text, nested ones included.
fn last_parenthesis(text: &str) -> Option<(&str, &str)> {
    let text = text.trim_end().strip_suffix(')')?;
    let mut depth = 1;
    for (index, letter) in text.char_indices().rev() {
        match letter {
            ')' => depth += 1,
            '(' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return Some((&text[..index], &text[index + 1..]));
        }
    }
    None
}

/// "Dune, " is "Dune", and "Imajica Part " is "Imajica".
fn without_part(series: &str) -> &str {
    let trimmed = |text: &'_ str| text.trim_end_matches([' ', ',', ':']).len();
    let series = &series[..trimmed(series)];
    for word in [" part", " book", " vol.", " volume", " no."] {
        let cut = series.len().saturating_sub(word.len());
        if series.get(cut..).is_some_and(|end| end.eq_ignore_ascii_case(word)) {
            return &series[..trimmed(&series[..cut])];
        }
    }
    series
}

/// The number after the `#`, unless more volumes follow it: "1-3", "0.5, 2.5", "1 & 2".
fn volume(place: &str) -> Option<f64> {
    let place = place.trim();
    let end =
        place.find(|letter: char| !letter.is_ascii_digit() && letter != '.').unwrap_or(place.len());
    let (number, rest) = place.split_at(end);
    let rest = rest.trim_start();
    let after = rest.trim_start_matches(['-', '–', '—', ',', '&', '+', ' ']);
    let several =
        after.len() < rest.len() && after.starts_with(|letter: char| letter.is_ascii_digit());
    let volume: f64 = number.trim_end_matches('.').parse().ok()?;
    (!several && volume <= 10_000.0).then_some(volume)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, title: &str, series: Option<&str>, volume: Option<f64>) {
        let expected = Title { title: title.to_owned(), series: series.map(str::to_owned), volume };
        assert_eq!(split(text), expected, "{text:?}");
    }

    #[test]
    fn one_volume_of_a_series_is_told() {
        check("Dune (Dune Chronicles #1)", "Dune", Some("Dune Chronicles"), Some(1.0));
        check("Emma (Austen,#2)", "Emma", Some("Austen"), Some(2.0));
        check("Fair (Fairyland, # 0.5)", "Fair", Some("Fairyland"), Some(0.5));
        check(
            "Ranma ½, Vol. 1 (Ranma ½ (US 2nd), #1)",
            "Ranma ½, Vol. 1",
            Some("Ranma ½ (US 2nd)"),
            Some(1.0),
        );
        check("Steam (Discworld, #40, Moist #3 )", "Steam", Some("Discworld"), Some(40.0));
        check(
            "To  Green (Memory, Sorrow, and Thorn, #3; Part 2)",
            "To Green",
            Some("Memory, Sorrow, and Thorn"),
            Some(3.0),
        );
        check(
            "Storm (A Song of Ice and Fire, #3: Part 1 of 2)",
            "Storm",
            Some("A Song of Ice and Fire"),
            Some(3.0),
        );
        check(
            "Dance (A Song of Ice and Fire #5, Part 1 of 2)",
            "Dance",
            Some("A Song of Ice and Fire"),
            Some(5.0),
        );
        check(
            "The Fifth Dominion (Imajica Part #1/2)",
            "The Fifth Dominion",
            Some("Imajica"),
            Some(1.0),
        );
        check("X (Elf Trilogy, #1; Drizzt, #4)", "X", Some("Elf Trilogy"), Some(1.0));
    }

    #[test]
    fn several_volumes_have_a_series_and_no_place_in_it() {
        for place in ["1-3", "1–3", "1 - 3", "0.5, 2.5", "1-4 + 3.5", "1 & 2", "TBA", ""] {
            check(&format!("Box ((A) Set, #{place})"), "Box", Some("(A) Set"), None);
        }
    }

    #[test]
    fn a_title_without_a_series_stays_whole() {
        for text in [
            "Emma",
            "",
            "(#1)",
            "(Dune, #1)",
            "Dune (#1)",
            "Nickel and Dimed: On (Not) Getting By in America",
            "I Am America (And So Can You!)",
            "The Firm (Penguin Readers, Level 5)",
            "Odd) title)",
            "Tale #1 (Graphic Novel)",
            "A Kiss (An I Can Read Book, #1) by Minarik",
        ] {
            check(text, text, None, None);
        }
    }
}
