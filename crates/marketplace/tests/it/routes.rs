//! Every address of the shop, as its sources name them: a new one cannot be forgotten.

use std::fs;
use std::path::{Path, PathBuf};

/// An address, and how it is asked.
#[derive(Debug)]
pub(crate) struct Route {
    /// With names in braces for what is different from one to the other.
    pub(crate) path: String,
    pub(crate) is_page: bool,
    pub(crate) is_form: bool,
}

/// All of them.
pub(crate) fn routes() -> Vec<Route> {
    let mut found = Vec::new();
    for file in sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src")) {
        let text = fs::read_to_string(file).unwrap();
        for other in [".nest(", ".nest_service(", ".route_service("] {
            assert!(!text.contains(other), "{other} adds addresses that are not looked at");
        }
        found.extend(text.split(".route(").skip(1).map(route));
    }
    assert!(found.len() > 20, "{found:?}");
    found
}

/// What stands behind `.route(`.
fn route(text: &str) -> Route {
    let mut depth = 1;
    let end = text.find(|character| {
        depth += i32::from(character == '(') - i32::from(character == ')');
        depth == 0
    });
    let (path, handlers) = text[..end.unwrap()].split_once(',').unwrap();
    let path = path.trim().strip_prefix('"').and_then(|path| path.strip_suffix('"'));
    let path = path.filter(|path| path.starts_with('/')).unwrap_or_else(|| panic!("{text:.80}"));
    let path = path.to_owned();
    let mut methods: Vec<&str> = Vec::new();
    for name in ["get", "post", "put", "patch", "delete", "any", "head", "options", "on"] {
        let is_named = |before: &str| {
            !before.ends_with(|last: char| last.is_alphanumeric() || last == '_' || last == ':')
        };
        let call = format!("{name}(");
        if handlers.match_indices(&call).any(|(place, _)| is_named(&handlers[..place])) {
            methods.push(name);
        }
    }
    let (is_page, is_form) = (methods.contains(&"get"), methods.contains(&"post"));
    let known = usize::from(is_page) + usize::from(is_form);
    assert!(known > 0 && known == methods.len(), "{path} is asked by {methods:?}");
    Route { path, is_page, is_form }
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let paths = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    paths
        .flat_map(|path| match path.is_dir() {
            true => sources(&path),
            false => vec![path],
        })
        .filter(|path| path.extension().is_some_and(|ending| ending == "rs"))
        .collect()
}
