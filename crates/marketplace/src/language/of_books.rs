//! Languages that books are written in.

/// Languages that books can be asked for in, by their own names.
pub(crate) const BOOK_LANGUAGES: [(&str, &str); 10] = [
    ("en", "English"),
    ("zh", "中文"),
    ("de", "Deutsch"),
    ("es", "Español"),
    ("fr", "Français"),
    ("it", "Italiano"),
    ("ja", "日本語"),
    ("pl", "Polski"),
    ("pt", "Português"),
    ("ru", "Русский"),
];

/// The name of a language, by its tag such as `en` or `zh-Hant`; the tag itself if it is none of
/// ours.
pub(crate) fn name_of_language(tag: &str) -> &str {
    let primary = tag.split('-').next().unwrap_or_default();
    let known = BOOK_LANGUAGES.iter().find(|(known, _)| *known == primary);
    known.map_or(tag, |(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn languages_have_their_own_names() {
        assert_eq!(name_of_language("en"), "English");
        assert_eq!(name_of_language("zh-Hant"), "中文");
        assert_eq!(name_of_language("tlh"), "tlh");
    }
}
