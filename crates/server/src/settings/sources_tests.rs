//! Where settings come from, what is refused, and that secrets stay secret, on a reference with
//! a key of each kind.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::num::NonZeroU32;

use proptest::prelude::*;
use serde::Deserialize;

use super::layers::Layers;
use super::reference::Reference;
use super::{Secret, SettingsError, Shown, Sources};

const REFERENCE: &str = r#"
[shop]
headers = ""
key = ""
key_file = ""
count = 3
share = 0.5
open = true
names = ["ann", "bob"]
steps = [1, 2]
level = "info"
[shop.free]
[shop.tokens]
[other]
reload_ms = 1000
"#;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "they are looked at by Debug")]
struct All {
    shop: Shop,
    other: Other,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "they are looked at by Debug")]
struct Shop {
    headers: Secret,
    key: String,
    key_file: String,
    count: NonZeroU32,
    share: f32,
    open: bool,
    names: Vec<String>,
    steps: [u8; 2],
    level: Level,
    free: BTreeMap<String, Vec<String>>,
    tokens: BTreeMap<String, Secret>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Level {
    Info,
    Warn,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "they are looked at by Debug")]
struct Other {
    reload_ms: u32,
}

/// What is set where.
#[derive(Clone, Debug, Default)]
struct Set {
    file: Option<String>,
    variables: Vec<(String, String)>,
    flags: Vec<String>,
}

fn file(text: &str) -> Set {
    Set { file: Some(text.to_owned()), ..Set::default() }
}

fn variable(name: &str, value: &str) -> Set {
    Set { variables: vec![(name.to_owned(), value.to_owned())], ..Set::default() }
}

fn flag(assignment: &str) -> Set {
    Set { flags: vec![assignment.to_owned()], ..Set::default() }
}

/// Reads it; the file's name is `FILE` in messages.
fn read(set: &Set) -> (Result<All, String>, Vec<Shown>) {
    static KEYS: std::sync::LazyLock<Reference> =
        std::sync::LazyLock::new(|| Reference::new(REFERENCE.parse().unwrap(), Vec::new()));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("settings.toml");
    let named = set.file.as_ref().map(|text| {
        std::fs::write(&path, text).unwrap();
        path.as_path()
    });
    let variables = set.variables.iter().map(|(name, value)| (name.into(), value.into()));
    let mut sources = Sources::new(named, variables.collect::<Vec<(OsString, OsString)>>());
    for assignment in &set.flags {
        sources.set(assignment);
    }
    let mut layers = Layers::of::<All>(&KEYS, &sources);
    let read = layers.read::<All>();
    let clean = |error: SettingsError| {
        assert!(!format!("{error:?}").is_empty());
        error.to_string().replace(path.to_str().unwrap(), "FILE")
    };
    (read.map_err(clean), layers.shown())
}

/// What is set is refused in these words.
fn refused(set: &Set, expected: &str) {
    let error = read(set).0.expect_err("it was taken");
    let error = error.strip_prefix("bad settings: ").unwrap();
    assert_eq!(error, expected, "{set:?}");
}

/// What is set gives a key this value, from there.
fn taken(set: &Set, key: &str, value: &str, source: &str) {
    let (all, shown) = read(set);
    all.unwrap_or_else(|error| panic!("{set:?}: {error}"));
    let found = shown.iter().find(|one| one.key == key).unwrap();
    assert_eq!(found.value, value, "{set:?}");
    assert!(found.source.ends_with(source), "{}, expected {source}", found.source);
}

#[test]
fn flags_go_over_the_environment_over_the_file_over_the_reference() {
    let mut set = Set::default();
    taken(&set, "shop.count", "3", "default");
    set.file = Some("# first\n[shop]\ncount = 4".to_owned());
    taken(&set, "shop.count", "4", "settings.toml:3");
    set.variables = vec![("FOREWORD_SHOP__COUNT".to_owned(), "5".to_owned())];
    taken(&set, "shop.count", "5", "FOREWORD_SHOP__COUNT");
    set.flags = vec!["shop.count=6".to_owned(), "shop.count=7".to_owned()];
    taken(&set, "shop.count", "7", "--set");
}

#[test]
fn values_outside_a_file_need_no_quotes() {
    let from = |name: &str, value: &str, key: &str, shown: &str| {
        taken(&variable(name, value), key, shown, name);
        if !value.contains('"') {
            taken(&flag(&format!("{key}={value}")), key, shown, "--set");
        }
    };
    from("FOREWORD_SHOP__KEY", "12", "shop.key", "\"12\"");
    from("FOREWORD_SHOP__KEY", "a = b", "shop.key", "\"a = b\"");
    from("FOREWORD_SHOP__KEY", "", "shop.key", "\"\"");
    from("FOREWORD_SHOP__SHARE", "1", "shop.share", "1");
    from("FOREWORD_SHOP__OPEN", "false", "shop.open", "false");
    from("FOREWORD_SHOP__NAMES", "eve, 7 ,zoe", "shop.names", "[\"eve\", \"7\", \"zoe\"]");
    from("FOREWORD_SHOP__NAMES", "", "shop.names", "[]");
    from("FOREWORD_SHOP__NAMES", "[\"eve\"]", "shop.names", "[\"eve\"]");
    from("FOREWORD_SHOP__STEPS", "4,5", "shop.steps", "[4, 5]");
    from("FOREWORD_SHOP__FREE__ANN", "['a', 'b']", "shop.free.ann", "[\"a\", \"b\"]");
    taken(&flag("shop.key=\"x y\""), "shop.key", "\"x y\"", "--set");
    taken(
        &flag("shop.free.\"a=b.example\"=[\"x\"]"),
        "shop.free.\"a=b.example\"",
        "[\"x\"]",
        "--set",
    );
    taken(
        &file("shop.free = { \"ann.example\" = [\"x\"] }"),
        "shop.free.\"ann.example\"",
        "[\"x\"]",
        ":1",
    );
}

#[test]
fn every_unknown_key_is_told_with_its_place_and_the_nearest_known_one() {
    let all = "5 problems\n  \
        unknown key other.headers in FILE line 5 (did you mean shop.headers?)\n  \
        unknown key shop.cuont in FILE line 2 (did you mean shop.count?)\n  \
        unknown key zzz in FILE line 3; `foreword serve --print-config` prints all that there are\n  \
        unknown key shop.keys in the variable FOREWORD_SHOP__KEYS (did you mean shop.key?)\n  \
        unknown key shop.nam in --set (did you mean shop.names?)";
    let set = Set {
        file: Some("[shop]\ncuont = 3\n[zzz]\n[other]\nheaders = 'x'".to_owned()),
        variables: vec![("FOREWORD_SHOP__KEYS".to_owned(), "x".to_owned())],
        flags: vec!["shop.nam=x".to_owned()],
    };
    refused(&set, all);
    refused(&file("count = 3"), "unknown key count in FILE line 1 (did you mean shop.count?)");
    refused(
        &file("[sohp]\ncount = 3"),
        "unknown key sohp.count in FILE line 2 (did you mean shop.count?)",
    );
}

#[test]
fn a_value_of_the_wrong_kind_is_told_with_what_is_expected_and_its_place() {
    let check = |text: &str, expected: &str| refused(&file(text), expected);
    check("shop.count = 'x'", "shop.count is \"x\", expected a whole number (in FILE line 1)");
    check(
        "[shop]\ncount = -1",
        "shop.count is -1, expected a whole number from 1 to 4294967295 (in FILE line 2)",
    );
    check("shop.count = 1.5", "shop.count is 1.5, expected a whole number (in FILE line 1)");
    check("shop.share = true", "shop.share is true, expected a number (in FILE line 1)");
    check("shop.open = 1", "shop.open is 1, expected true or false (in FILE line 1)");
    check("shop.key = 1", "shop.key is 1, expected text (in FILE line 1)");
    check("shop = 1", "shop is a whole number, expected a table: [shop] (in FILE line 1)");
    check(
        "shop.names = 'x'",
        "shop.names is \"x\", expected a list, such as [\"one\", \"two\"] (in FILE line 1)",
    );
    check("shop.names = [1]", "shop.names is 1, expected text (in FILE line 1)");
    check("shop.steps = [1]", "shop.steps is [1], expected a list of length 2 (in FILE line 1)");
    check(
        "shop.steps = [1, 2, 3]",
        "shop.steps is [1, 2, 3], expected a list of length 2 (in FILE line 1)",
    );
    check(
        "shop.steps = [1, 256]",
        "shop.steps is 256, expected a whole number from 0 to 255 (in FILE line 1)",
    );
    check(
        "shop.level = 'loud'",
        "shop.level is \"loud\", expected one of info, warn (in FILE line 1)",
    );
    check("shop.free = 1", "shop.free is a whole number, expected a table (in FILE line 1)");
    check("shop.free.ann = 1", "shop.free.ann is a whole number, expected a list (in FILE line 1)");
    check(
        "[shop.count]\nx = 1",
        "shop.count is { x = 1 }, expected a whole number (in FILE line 1)",
    );
    let two = "2 problems\n  shop.count is 0, expected a whole number from 1 to 4294967295 (in FILE line 1)\n  \
        shop.level is \"loud\", expected one of info, warn (in FILE line 2)";
    check("shop.count = 0\nshop.level = 'loud'", two);
    let from =
        "shop.count is \"x\", expected a whole number (in the variable FOREWORD_SHOP__COUNT)";
    refused(&variable("FOREWORD_SHOP__COUNT", "x"), from);
    refused(&flag("shop.count=x"), "shop.count is \"x\", expected a whole number (in --set)");
    let malformed = "number 1 of --set, expected SECTION.KEY=VALUE, such as train.neighbours=200";
    for assignment in ["shop.count", "", "=", "shop..count=3", "shop.count\n=3", "a=1\nb=2"] {
        let error = read(&flag(assignment)).0.unwrap_err();
        assert!(error.contains(malformed) || error.contains("unknown key a in --set"), "{error}");
    }
}

#[test]
fn what_is_no_toml_is_told_with_line_and_column() {
    let check = |text: &str, expected: &str| refused(&file(text), expected);
    check(
        "[shop]\ncount = 1\ncount = 2",
        "FILE line 3 column 1: duplicate key count, expected each key once",
    );
    check(
        "[shop]\n[other]\n[shop]",
        "FILE line 3 column 2: duplicate key shop, expected each key once",
    );
    check("[shop\n", "FILE line 1 column 6: unclosed table, expected `]`");
    check(
        "ä = ü",
        "FILE line 1 column 1: invalid unquoted key, expected letters, numbers, `-`, `_`",
    );
    let error = read(&file("[shop]\n\n  key = \"x\n")).0.unwrap_err();
    assert!(error.contains("FILE line 3 column"), "{error}");
}

#[test]
fn a_variable_that_ends_in_file_names_a_file_that_holds_the_value() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("value");
    let path = path.to_str().unwrap();
    let check = |content: &str, name: &str, key: &str, value: &str| {
        std::fs::write(path, content).unwrap();
        taken(&variable(name, path), key, value, &format!("{name} ({path})"));
    };
    check("7\n", "FOREWORD_OTHER__RELOAD_MS_FILE", "other.reload_ms", "7");
    check("7\r\n", "FOREWORD_SHOP__COUNT_FILE", "shop.count", "7");
    check("hush\n\n", "FOREWORD_SHOP__HEADERS_FILE", "shop.headers", "***");
    check("a,b", "FOREWORD_SHOP__NAMES_FILE", "shop.names", "[\"a\", \"b\"]");
    check("x\n", "FOREWORD_SHOP__KEY_FILE_FILE", "shop.key_file", "\"x\"");
    // The name of a key wins.
    let named = "/no/such/file";
    let name = "FOREWORD_SHOP__KEY_FILE";
    taken(&variable(name, named), "shop.key_file", "\"/no/such/file\"", name);

    let name = "FOREWORD_SHOP__COUNT_FILE";
    let missing = format!("file {named}, named by the variable {name}, does not exist");
    refused(&variable(name, named), &missing);
    let empty = format!(
        "the variable {name} is empty, expected the path of a file; unset it if there is none"
    );
    refused(&variable(name, ""), &empty);
    std::fs::write(path, "x".repeat((64 << 10) + 1)).unwrap();
    let long = format!(
        "file {path}, named by the variable {name}, has 65537 bytes, expected at most 65536"
    );
    refused(&variable(name, path), &long);
    let mut both = variable(name, path);
    both.variables.push(("FOREWORD_SHOP__COUNT".to_owned(), "3".to_owned()));
    let expected = "FOREWORD_SHOP__COUNT and FOREWORD_SHOP__COUNT_FILE are both set, expected one \
        of them";
    let error = read(&both).0.unwrap_err();
    let turned = "FOREWORD_SHOP__COUNT_FILE and FOREWORD_SHOP__COUNT are both set";
    assert!(error.contains(expected) || error.contains(turned), "{error}");
}

#[test]
fn a_file_of_nothing_but_mistakes_is_refused_at_once_and_briefly() {
    let many: String = (0..50_000).map(|number| format!("shop.cuont{number} = 1\n")).collect();
    let error = read(&file(&many)).0.unwrap_err();
    assert!(error.starts_with("bad settings: 50000 problems\n"), "{error}");
    assert!(error.ends_with("\n  and 49980 more"), "{error}");
    let many: String = (0..20_000).map(|number| format!("shop.free.x{number} = 1\n")).collect();
    let error = read(&file(&many)).0.unwrap_err();
    assert!(error.lines().count() < 30 && error.contains("expected a list"), "{error}");
}

#[test]
fn a_free_table_is_shown_by_its_keys() {
    let (all, shown) = read(&file("[shop.free]\n\"ann.example\" = ['reader']"));
    all.unwrap();
    let keys: Vec<&str> = shown.iter().map(|one| one.key.as_str()).collect();
    assert!(keys.contains(&"shop.free.\"ann.example\"") && !keys.contains(&"shop.free"));
    assert!(keys.contains(&"shop.tokens"), "it is empty: {keys:?}");
}

#[test]
fn one_underscore_for_two_is_refused_and_other_names_are_not() {
    let check = |name: &str, expected: &str| {
        let expected =
            format!("the variable {name} is no setting, expected {expected} with two underscores");
        refused(&variable(name, "3"), &expected);
    };
    check("FOREWORD_SHOP_COUNT", "FOREWORD_SHOP__COUNT");
    check("FOREWORD_SHOP_COUNTS", "FOREWORD_SHOP__COUNT");
    check("FOREWORD_SHOP_HEADERS_FILE", "FOREWORD_SHOP__HEADERS_FILE");
    check("FOREWORD_OTHER_RELOAD_MS", "FOREWORD_OTHER__RELOAD_MS");
    // Kubernetes makes the last ones for a service of such a name.
    let others = [
        "FOREWORD_LOG",
        "FOREWORD_PORT",
        "PATH",
        "FOREWORD_SHOP_PORT",
        "FOREWORD_SHOP_SERVICE_HOST",
        "FOREWORD_SHOP_SERVICE_PORT_HTTP",
    ];
    for name in others {
        taken(&variable(name, "tcp://10.0.0.1:50051"), "shop.count", "3", "default");
    }
}

/// Secret values, long enough not to be there by chance.
fn secrets() -> impl Strategy<Value = String> {
    "[A-Za-z0-9=+/ \"'#\\[\\],.{}-]{0,8}hush[0-9]{6}[A-Za-z0-9 \"']{0,8}"
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn no_secret_is_ever_told(secret in secrets(), number in 10_000_000_000_i64..) {
        let quoted = toml::Value::String(secret.clone()).to_string();
        let folder = tempfile::tempdir().unwrap();
        let mounted = folder.path().join("mounted");
        std::fs::write(&mounted, &secret).unwrap();
        let sets = [
            file(&format!("shop.headers = {quoted}")),
            file(&format!("shop.headers = {quoted}\nshop.count = 0")),
            file(&format!("shop.headers = [{quoted}]")),
            file(&format!("shop.headers = {{ x = {quoted} }}")),
            file(&format!("shop.tokens.ann = {quoted}")),
            file(&format!("shop.tokens.ann = [{quoted}]")),
            file(&format!("shop.tokens = {quoted}")),
            file(&format!("shop.header = {quoted}")),
            file(&format!("shop.headers = {secret}")),
            file(&format!("shop.headers = \"{secret}")),
            file(&format!("shop.headers = {number}")),
            file(&format!("shop.tokens.ann = {number}")),
            variable("FOREWORD_SHOP__HEADERS", &secret),
            variable("FOREWORD_SHOP__HEADER", &secret),
            variable("FOREWORD_SHOP_HEADERS", &secret),
            variable("FOREWORD_SHOP__HEADERS", &number.to_string()),
            variable("FOREWORD_SHOP__TOKENS", &secret),
            variable("FOREWORD_SHOP__TOKENS__ANN", &secret),
            variable("FOREWORD_SHOP__TOKENS__ANN", &number.to_string()),
            variable("FOREWORD_SHOP__HEADERS_FILE", mounted.to_str().unwrap()),
            flag(&format!("shop.headers={secret}")),
            flag(&format!("shop.header={secret}")),
            flag(&format!("shop.headers:{secret}")),
            flag(&format!("shop.tokens.ann={number}")),
        ];
        for set in sets {
            let (all, shown) = read(&set);
            let told = match all {
                Ok(all) => format!("{all:?}"),
                Err(error) => error,
            };
            let told = format!("{told} {shown:?}");
            prop_assert!(!told.contains("hush"), "{told} of {set:?}");
            prop_assert!(!told.contains(&number.to_string()), "{told} of {set:?}");
        }
    }

    #[test]
    fn one_edit_of_a_known_key_is_known_or_refused_in_one_line(
        key in prop::sample::select(vec!["shop.headers", "shop.count", "other.reload_ms", "shop.key_file"]),
        place in any::<prop::sample::Index>(),
        character in any::<Option<char>>(),
        replaces in any::<bool>(),
    ) {
        let mut edited: Vec<char> = key.chars().collect();
        let place = place.index(edited.len());
        if replaces || character.is_none() {
            edited.remove(place);
        }
        if let Some(character) = character {
            edited.insert(place, character);
        }
        let edited: String = edited.into_iter().collect();
        let name = format!("FOREWORD_{}", edited.to_uppercase().replace('.', "__"));
        let sets = [flag(&format!("{edited}=3")), file(&format!("{edited} = 3")), variable(&name, "3")];
        for set in sets {
            let (all, _) = read(&set);
            if let Err(error) = all {
                prop_assert!(error.lines().count() == 1, "{error}");
                prop_assert!(!error.chars().any(char::is_control), "{error:?}");
                prop_assert!(error.len() < 1000, "{error}");
            }
        }
    }
}
