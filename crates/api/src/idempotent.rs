//! Which methods may be called twice, by the contract itself.

use prost::Message as _;
use prost_types::method_options::IdempotencyLevel;
use prost_types::{FileDescriptorSet, MethodOptions};

/// The paths, as `/package.Service/Method`, of all methods whose requests may be sent twice: those
/// with an `idempotency_level` in `proto/`. For clients that try again by themselves; costs some
/// microseconds.
///
/// ```
/// let methods = api::idempotent_methods();
/// assert!(methods.contains(&"/foreword.v1.RecommendationService/Recommend".to_owned()));
/// assert!(!methods.contains(&"/foreword.v1.ModelService/Train".to_owned()));
/// ```
#[must_use]
#[expect(clippy::missing_panics_doc, reason = "the committed descriptor set decodes")]
pub fn idempotent_methods() -> Vec<String> {
    let set = FileDescriptorSet::decode(crate::FILE_DESCRIPTOR_SET)
        .expect("the committed descriptor set decodes");
    let mut methods = Vec::new();
    for file in &set.file {
        for service in &file.service {
            let repeatable = service.method.iter().filter(|method| {
                let level = method.options.as_ref().map(MethodOptions::idempotency_level);
                level.is_some_and(|level| level != IdempotencyLevel::IdempotencyUnknown)
            });
            methods.extend(
                repeatable.map(|method| {
                    format!("/{}.{}/{}", file.package(), service.name(), method.name())
                }),
            );
        }
    }
    methods
}
