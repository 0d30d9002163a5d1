//! Every setting as operators are shown it: without secrets, with its source.

use figment::Figment;
use serde_json::Value;

/// A setting with its value and where that comes from.
#[derive(Clone, Debug, PartialEq)]
pub struct ShownSetting {
    /// Section and key: `serve.listen`.
    pub key: String,
    /// Its value; of a secret, only whether there is one.
    pub value: Value,
    /// Where the value comes from.
    pub source: String,
}

/// Keys whose values are never shown.
const SECRETS: [&str; 1] = ["traces.headers"];

/// All of them, by key.
pub(super) fn all(figment: &Figment) -> Vec<ShownSetting> {
    let sections: serde_json::Map<String, Value> = figment.extract().unwrap_or_default();
    let mut all = Vec::new();
    for (section, keys) in sections {
        let Value::Object(keys) = keys else { continue };
        for (name, value) in keys {
            let key = format!("{section}.{name}");
            let source = figment.find_metadata(&key).map_or("", |found| &*found.name).to_owned();
            let value = if SECRETS.contains(&key.as_str()) { masked(&value) } else { value };
            all.push(ShownSetting { key, value, source });
        }
    }
    all
}

fn masked(value: &Value) -> Value {
    let is_empty = value.as_str().is_some_and(str::is_empty);
    Value::from(if is_empty { "" } else { "(secret)" })
}
