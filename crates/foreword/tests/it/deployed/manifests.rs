//! The rendered manifests.

use serde_json::Value;

use crate::needs;

/// All resources of one file.
pub(super) struct Manifests(Vec<Value>);

impl Manifests {
    /// Those of a set of values.
    pub(super) fn read(set: &str) -> Self {
        let path = needs::repository().join(format!("deploy/manifests/{set}.yaml"));
        let text = std::fs::read_to_string(path).unwrap();
        Self(serde_saphyr::from_multiple(&text).unwrap())
    }

    /// All resources of a kind.
    pub(super) fn all(&self, kind: &str) -> impl Iterator<Item = &Value> {
        self.0.iter().filter(move |it| it["kind"] == kind)
    }

    pub(super) fn find(&self, kind: &str, name: &str) -> Option<&Value> {
        self.all(kind).find(|it| it["metadata"]["name"] == name)
    }

    pub(super) fn get(&self, kind: &str, name: &str) -> &Value {
        self.find(kind, name).unwrap_or_else(|| panic!("no {kind} {name}"))
    }
}

/// The elements of a list; none if there is no list.
pub(super) fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

pub(super) fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("found {value}, expected a text"))
}

pub(super) fn number(value: &Value) -> u64 {
    value.as_u64().unwrap_or_else(|| panic!("found {value}, expected a number"))
}
