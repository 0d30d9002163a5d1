//! The comments of the protos, for readers of JSON.

use std::collections::HashMap;

use prost_reflect::FileDescriptor;
use prost_types::FileDescriptorSet;

/// Codes of gRPC that comments speak of; in JSON they are written in small letters.
const CODES: [&str; 6] = [
    "INVALID_ARGUMENT",
    "NOT_FOUND",
    "ALREADY_EXISTS",
    "PERMISSION_DENIED",
    "RESOURCE_EXHAUSTED",
    "FAILED_PRECONDITION",
];

/// What stands before each declaration, by file and place.
pub(super) struct Comments(HashMap<(String, Vec<i32>), String>);

impl Comments {
    pub(super) fn new(descriptors: &FileDescriptorSet) -> Self {
        let comments = descriptors.file.iter().flat_map(|file| {
            let locations = file.source_code_info.iter().flat_map(|info| &info.location);
            locations.filter_map(|location| {
                let comment = location.leading_comments.as_deref()?;
                Some(((file.name().to_owned(), location.path.clone()), for_json(comment)))
            })
        });
        Self(comments.collect())
    }

    /// The comment on a declaration; empty if there is none.
    pub(super) fn of(&self, file: &FileDescriptor, path: &[i32]) -> String {
        self.0.get(&(file.name().to_owned(), path.to_vec())).cloned().unwrap_or_default()
    }
}

/// A comment as one line for each paragraph, with the names of JSON.
fn for_json(comment: &str) -> String {
    let lines: Vec<&str> = comment.lines().map(str::trim).collect();
    let paragraphs = lines.split(|line| line.is_empty()).filter(|lines| !lines.is_empty());
    let paragraphs: Vec<String> = paragraphs.map(|lines| lines.join(" ")).collect();
    let mut text = paragraphs.join("\n\n");
    for code in CODES {
        text = text.replace(code, &code.to_lowercase());
    }
    // What stands between backticks is every other piece.
    let pieces = text.split('`').enumerate();
    let pieces = pieces.map(|(place, piece)| match place % 2 {
        0 => piece.to_owned(),
        _ => lower_camel_case(piece),
    });
    pieces.collect::<Vec<_>>().join("`")
}

/// The JSON name of a field. What is no name of a field has no small letter after a `_`.
fn lower_camel_case(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    let mut characters = name.chars().peekable();
    while let Some(character) = characters.next() {
        match (character, characters.peek()) {
            ('_', Some(next)) if next.is_ascii_lowercase() => {
                out.push(next.to_ascii_uppercase());
                characters.next();
            }
            _ => out.push(character),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_speak_of_what_readers_of_json_see() {
        let comment =
            " Like `user_id` and\n `RecommendRequest.max_results`.\n\n NOT_FOUND, else.\n";
        let expected = "Like `userId` and `RecommendRequest.maxResults`.\n\nnot_found, else.";
        assert_eq!(for_json(comment), expected);
    }
}
