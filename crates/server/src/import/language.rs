//! Language names and codes, as files spell them, as BCP 47 tags.

use storage::book::LANGUAGE_BYTES_MAX;

/// Tags of two letters, and what else they are called: the codes of three letters of
/// ISO 639-2, of which some languages have two, and the name.
const TAGS: &[(&str, &[&str])] = &[
    ("ar", &["ara", "arabic"]),
    ("bg", &["bul", "bulgarian"]),
    ("bn", &["ben", "bengali"]),
    ("ca", &["cat", "catalan"]),
    ("cs", &["ces", "cze", "czech"]),
    ("da", &["dan", "danish"]),
    ("de", &["deu", "ger", "german", "deutsch"]),
    ("el", &["ell", "gre", "greek"]),
    ("en", &["eng", "english"]),
    ("es", &["spa", "spanish", "español"]),
    ("et", &["est", "estonian"]),
    ("eu", &["eus", "baq", "basque"]),
    ("fa", &["fas", "per", "persian"]),
    ("fi", &["fin", "finnish"]),
    ("fr", &["fra", "fre", "french", "français"]),
    ("ga", &["gle", "irish"]),
    ("gl", &["glg", "galician"]),
    ("he", &["heb", "hebrew"]),
    ("hi", &["hin", "hindi"]),
    ("hr", &["hrv", "croatian"]),
    ("hu", &["hun", "hungarian"]),
    ("hy", &["hye", "arm", "armenian"]),
    ("id", &["ind", "indonesian"]),
    ("is", &["isl", "ice", "icelandic"]),
    ("it", &["ita", "italian", "italiano"]),
    ("ja", &["jpn", "japanese"]),
    ("ka", &["kat", "geo", "georgian"]),
    ("ko", &["kor", "korean"]),
    ("la", &["lat", "latin"]),
    ("lt", &["lit", "lithuanian"]),
    ("lv", &["lav", "latvian"]),
    ("mk", &["mkd", "mac", "macedonian"]),
    ("ms", &["msa", "may", "malay"]),
    ("nl", &["nld", "dut", "dutch"]),
    ("no", &["nor", "norwegian"]),
    ("pl", &["pol", "polish"]),
    ("pt", &["por", "portuguese", "português"]),
    ("ro", &["ron", "rum", "romanian"]),
    ("ru", &["rus", "russian"]),
    ("sk", &["slk", "slo", "slovak"]),
    ("sl", &["slv", "slovenian"]),
    ("sq", &["sqi", "alb", "albanian"]),
    ("sr", &["srp", "serbian"]),
    ("sv", &["swe", "swedish"]),
    ("th", &["tha", "thai"]),
    ("tr", &["tur", "turkish"]),
    ("uk", &["ukr", "ukrainian"]),
    ("ur", &["urd", "urdu"]),
    ("vi", &["vie", "vietnamese"]),
    ("zh", &["zho", "chi", "chinese"]),
];

/// The BCP 47 tag of a language, such as `en` for "eng"; `None`
/// for what cannot be one. A language that has only a code of three letters keeps it.
pub(super) fn tag(text: &str) -> Option<String> {
    let text = text.trim().to_lowercase().replace('_', "-");
    let mut subtags = text.split('-');
    let language = subtags.next()?;
    let known = TAGS.iter().find(|(tag, names)| *tag == language || names.contains(&language));
    let mut tag = match known {
        Some((tag, _)) => (*tag).to_owned(),
        None if is_code(language) => language.to_owned(),
        None => return None,
    };
    for subtag in subtags {
        if !(1..=8).contains(&subtag.len())
            || !subtag.bytes().all(|byte| byte.is_ascii_alphanumeric())
        {
            return None;
        }
        tag.push('-');
        tag.push_str(&cased(subtag));
    }
    (tag.len() <= LANGUAGE_BYTES_MAX).then_some(tag)
}

/// Whether it can be a language's code. "und" and "mis" mean that none is known, "zxx"
/// that there is none.
fn is_code(text: &str) -> bool {
    (2..=3).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_lowercase())
        && !matches!(text, "und" | "mis" | "zxx")
}

/// Regions are written `BR`, scripts `Latn`, the rest in lower case.
fn cased(subtag: &str) -> String {
    let letters = subtag.bytes().all(|byte| byte.is_ascii_alphabetic());
    match subtag.len() {
        2 if letters => subtag.to_ascii_uppercase(),
        4 if letters => subtag[..1].to_ascii_uppercase() + &subtag[1..],
        _ => subtag.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_and_names_become_tags() {
        for (text, expected) in [
            ("eng", Some("en")),
            ("en-US", Some("en-US")),
            ("EN_gb", Some("en-GB")),
            ("en", Some("en")),
            ("fre", Some("fr")),
            ("English", Some("en")),
            ("fil", Some("fil")),
            ("mul", Some("mul")),
            ("zh-hant-tw", Some("zh-Hant-TW")),
            ("es-419", Some("es-419")),
            ("und", None),
            ("--", None),
            ("", None),
            ("Klingonese", None),
            ("en US", None),
            ("en-waytoolong", None),
        ] {
            assert_eq!(tag(text).as_deref(), expected, "{text:?}");
        }
    }
}
