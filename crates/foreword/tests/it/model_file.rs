//! What a model's file says of the model itself.

use std::fs;
use std::path::Path;

/// The header ends before; it has a checksum of all, notes included.
const HEADER_BYTES: usize = 4096;

/// What a model was trained on, and how long that took: the last part of its file.
const NOTES: &[u8] = b"[trained_on]";

/// The bytes of the model in this file: equal for equal models, however long their trainings took.
pub(crate) fn model(file: &Path) -> Vec<u8> {
    let file = fs::read(file).unwrap();
    let notes = file.windows(NOTES.len()).rposition(|bytes| bytes == NOTES).unwrap();
    file[HEADER_BYTES..notes].to_vec()
}
