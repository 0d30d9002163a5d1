//! The environment's variables: `FOREWORD_SECTION__KEY`, and `FOREWORD_SECTION__KEY_FILE` with
//! the path of a file that holds the value, as secrets are mounted.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;

use super::file;
use super::flags::value;
use super::layers::Layers;
use super::reference::{KeyPath, Place, Reference};
use super::source::Source;
use super::text::{plain, quoted_path};

pub(super) const PREFIX: &str = "FOREWORD_";

/// The end of a variable that names a file.
const FILE_END: &str = "_file";

/// The most bytes of a file that holds one value.
const FILE_BYTES_MAX: u64 = 64 << 10;

/// Where a variable's value was found.
struct Found {
    name: String,
    content: OsString,
    is_file: bool,
}

/// Adds what the environment says. Other variables of this program, such as
/// `FOREWORD_DATA_DIR`, have no section.
pub(super) fn add(variables: &[(OsString, OsString)], layers: &mut Layers) {
    let mut by_key: BTreeMap<KeyPath, Found> = BTreeMap::new();
    for (name, content) in variables {
        let name = name.to_string_lossy();
        let Some(rest) = name.strip_prefix(PREFIX) else { continue };
        if !rest.contains("__") {
            one_underscore(&name, rest, layers);
            continue;
        }
        let path: KeyPath = rest.to_lowercase().split("__").map(str::to_owned).collect();
        let (path, is_file) = key_of(layers.reference, path);
        if layers.reference.place(&path) == Place::Unknown {
            layers.unknown(&path, &Source::Variable { name: name.into_owned(), file: None });
            continue;
        }
        let found = Found { name: name.into_owned(), content: content.clone(), is_file };
        if let Some(other) = by_key.get(&path) {
            let (one, other) = (plain(&found.name), plain(&other.name));
            layers.other(format!("{one} and {other} are both set, expected one of them"));
            continue;
        }
        by_key.insert(path, found);
    }
    for (path, found) in by_key {
        add_one(path, found, layers);
    }
}

/// The key of a variable, and whether the variable names a file. A key whose own name ends like
/// that of a file wins.
fn key_of(reference: &Reference, mut path: KeyPath) -> (KeyPath, bool) {
    if reference.place(&path) != Place::Unknown {
        return (path, false);
    }
    let shorter = path.last().and_then(|last| last.strip_suffix(FILE_END)).map(str::to_owned);
    if let (Some(shorter), Some(last)) = (shorter, path.last_mut()) {
        *last = shorter;
        return (path, true);
    }
    (path, false)
}

fn add_one(path: KeyPath, found: Found, layers: &mut Layers) {
    let Found { name, content, is_file } = found;
    if !is_file {
        let Ok(text) = content.into_string() else {
            return layers.other(format!("the variable {} is not UTF-8", plain(&name)));
        };
        let source = Source::Variable { name, file: None };
        let value = value(layers.reference, &path, &text);
        return layers.put(path, value, &|_| source.clone());
    }
    if content.is_empty() {
        return layers.other(format!(
            "the variable {} is empty, expected the path of a file; unset it if there is none",
            plain(&name)
        ));
    }
    let file = PathBuf::from(content);
    match file::read(&file, FILE_BYTES_MAX) {
        Err(reason) => layers.other(format!(
            "file {}, named by the variable {}, {reason}",
            quoted_path(&file),
            plain(&name)
        )),
        Ok(text) => {
            let text = text.strip_suffix('\n').unwrap_or(&text);
            let text = text.strip_suffix('\r').unwrap_or(text);
            let value = value(layers.reference, &path, text);
            let source = Source::Variable { name, file: Some(file) };
            layers.put(path, value, &|_| source.clone());
        }
    }
}

/// Refuses a variable that would be a setting but for its one underscore. Others with this
/// program's prefix are left alone: Kubernetes makes some for services of such names.
fn one_underscore(name: &str, rest: &str, layers: &mut Layers) {
    let reference = layers.reference;
    for section in reference.sections() {
        let key =
            rest.strip_prefix(&section.to_uppercase()).and_then(|rest| rest.strip_prefix('_'));
        let Some(key) = key.filter(|key| !key.is_empty()) else { continue };
        let meant = vec![section.to_owned(), key.to_lowercase()];
        let (path, is_file) = key_of(reference, meant);
        let near = reference.nearest_path(&path).filter(|near| near[0] == section);
        let Some(near) = near else { continue };
        let mut expected = format!("{PREFIX}{}", near.join("__").to_uppercase());
        if is_file {
            expected.push_str("_FILE");
        }
        layers.other(format!(
            "the variable {} is no setting, expected {expected} with two underscores",
            plain(name)
        ));
        return;
    }
}
