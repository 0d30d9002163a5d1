//! Texts broken into lines that fit a width, as large as they can be.
//!
//! How wide letters are is estimated, since fonts are the browser's: rather too wide than too
//! narrow.

/// Sizes that are tried for titles, the largest first. Shown a third as large, the smallest is
/// still read.
const TITLE_SIZES: [f64; 7] = [46.0, 40.0, 35.0, 31.0, 28.0, 25.0, 22.0];

/// From one baseline to the next, in sizes of the letters.
pub(super) const LEADING: f64 = 1.14;

/// Sizes that are tried for authors.
const AUTHOR_SIZES: [f64; 3] = [23.0, 21.0, 19.0];

const AUTHOR_LINES: usize = 2;

/// A text in lines of one size.
#[derive(Debug, PartialEq)]
pub(super) struct Lines {
    pub(super) lines: Vec<String>,
    pub(super) size: f64,
}

/// A title in the lines that there is height for; what does not fit is cut.
pub(super) fn lines(text: &str, width: f64, height: f64) -> Lines {
    fit(text, width, &TITLE_SIZES, |size| (height / (size * LEADING)) as usize)
}

/// An author in two lines at most.
pub(super) fn in_two(text: &str, width: f64) -> Lines {
    fit(text, width, &AUTHOR_SIZES, |_| AUTHOR_LINES)
}

fn fit(text: &str, width: f64, sizes: &[f64], lines_max: impl Fn(f64) -> usize) -> Lines {
    let words = words(text);
    for &size in sizes {
        if let Some(lines) = broken(&words, width / size, lines_max(size)) {
            return Lines { lines, size };
        }
    }
    let size = sizes.last().copied().unwrap_or_default();
    Lines { lines: cut(&words, width / size, lines_max(size)), size }
}

/// Words, and single letters of scripts that have no spaces.
fn words(text: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    for part in text.split_whitespace().take(60) {
        let mut word = String::new();
        for character in part.chars().take(60) {
            if is_wide(character) {
                if !word.is_empty() {
                    words.push(std::mem::take(&mut word));
                }
                words.push(character.to_string());
            } else {
                word.push(character);
            }
        }
        if !word.is_empty() {
            words.push(word);
        }
    }
    words
}

/// Lines that hold all words, if so many are enough.
fn broken(words: &[String], ems: f64, lines_max: usize) -> Option<Vec<String>> {
    let mut lines: Vec<String> = Vec::new();
    for word in words {
        if width(word) > ems {
            return None;
        }
        match lines.last_mut() {
            Some(line) if width(&joined(line, word)) <= ems => *line = joined(line, word),
            _ => lines.push(word.clone()),
        }
    }
    (lines.len() <= lines_max).then_some(lines)
}

/// As many lines as there may be, with a mark that something is missing.
fn cut(words: &[String], ems: f64, lines_max: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in words {
        let word: String = if width(word) > ems { narrowed(word, ems) } else { word.clone() };
        let is_full = lines.len() == lines_max;
        match lines.last_mut() {
            Some(line) if width(&joined(line, &word)) <= ems => *line = joined(line, &word),
            Some(last) if is_full => {
                *last = narrowed(&format!("{last}…"), ems);
                break;
            }
            _ => lines.push(word),
        }
    }
    lines
}

/// The beginning of a word, with a mark.
fn narrowed(word: &str, ems: f64) -> String {
    if width(word) <= ems {
        return word.to_owned();
    }
    let mut beginning = String::new();
    for character in word.chars().filter(|character| *character != '…') {
        beginning.push(character);
        if width(&beginning) + 1.0 > ems {
            break;
        }
    }
    beginning.push('…');
    beginning
}

/// Two parts of a line: without a space between letters of a script that has none.
fn joined(line: &str, word: &str) -> String {
    let ends_wide = line.chars().next_back().is_some_and(is_wide);
    let begins_wide = word.chars().next().is_some_and(is_wide);
    if ends_wide && begins_wide { format!("{line}{word}") } else { format!("{line} {word}") }
}

/// The width of a text, in sizes of its letters.
fn width(text: &str) -> f64 {
    text.chars().map(letter).sum()
}

fn letter(character: char) -> f64 {
    match character {
        'i' | 'j' | 'l' | 'I' | '.' | ',' | ':' | ';' | '\'' | '’' | '!' | '|' => 0.42,
        ' ' | 'f' | 'r' | 't' | '(' | ')' | '-' => 0.50,
        'm' | 'w' | 'M' | 'W' => 1.08,
        'A'..='Z' => 0.88,
        other if is_wide(other) => 1.02,
        other if other.is_uppercase() => 0.90,
        _ => 0.69,
    }
}

/// Letters of Chinese, Japanese and Korean.
fn is_wide(character: char) -> bool {
    matches!(character, '\u{1100}'..='\u{11ff}' | '\u{2e80}'..='\u{a4cf}' | '\u{ac00}'..='\u{d7a3}'
        | '\u{f900}'..='\u{faff}' | '\u{fe30}'..='\u{fe4f}' | '\u{ff00}'..='\u{ffef}'
        | '\u{20000}'..='\u{3fffd}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &[&str], size: f64) {
        let fitted = lines(text, 196.0, 200.0);
        assert_eq!(
            (fitted.lines, fitted.size),
            (expected.iter().map(|it| (*it).to_owned()).collect(), size)
        );
    }

    #[test]
    fn short_titles_are_large_and_long_ones_small() {
        check("Dune", &["Dune"], 46.0);
        check("", &[], 46.0);
        check("白夜行", &["白夜行"], 46.0);
        check("人生がときめく片づけの魔法", &["人生がと", "きめく片", "づけの魔", "法"], 40.0);
    }

    #[test]
    fn every_line_fits() {
        for text in [
            "The Particular Sadness of Lemon Cake",
            "Harry Potter and the Philosopher's Stone",
            "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft",
            "What to Expect When You Are Expecting Something Else Entirely, and Other Titles of Length",
        ] {
            let fitted = lines(text, 196.0, 200.0);
            let height = fitted.lines.len() as f64 * fitted.size * LEADING;
            assert!(height <= 200.0, "{fitted:?}");
            for line in &fitted.lines {
                assert!(width(line) * fitted.size <= 196.0 + fitted.size, "{line}: {fitted:?}");
            }
        }
        let cut = lines(&"Something ".repeat(40), 196.0, 200.0);
        assert!(cut.lines.last().is_some_and(|last| last.ends_with('…')), "{cut:?}");
    }
}
