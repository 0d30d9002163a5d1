//! Arrays that live on the heap or inside a memory-mapped file, seen alike.

use std::fmt;
use std::ops::{Deref, Range};
use std::sync::Arc;

use bytemuck::{AnyBitPattern, NoUninit};

/// Bytes that something else owns, such as a section of a memory-mapped file.
pub type SharedBytes = Arc<dyn AsRef<[u8]> + Send + Sync>;

/// An immutable array of plain numbers.
#[derive(Clone)]
pub struct Array<T> {
    source: Source<T>,
}

#[derive(Clone)]
enum Source<T> {
    Owned(Arc<[T]>),
    Shared { bytes: SharedBytes, range: Range<usize> },
}

impl<T: AnyBitPattern + NoUninit> Array<T> {
    /// The array that these little-endian bytes hold, without copying them, or `None`
    /// if they are not aligned for `T` or end within an element.
    #[must_use]
    pub fn from_shared(bytes: SharedBytes) -> Option<Self> {
        let range = 0..(*bytes).as_ref().len();
        bytemuck::try_cast_slice::<u8, T>((*bytes).as_ref()).ok()?;
        Some(Self { source: Source::Shared { bytes, range } })
    }

    /// The array as bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        bytemuck::cast_slice(self)
    }
}

impl<T> Default for Array<T> {
    fn default() -> Self {
        Vec::new().into()
    }
}

impl<T> From<Vec<T>> for Array<T> {
    fn from(values: Vec<T>) -> Self {
        Self { source: Source::Owned(values.into()) }
    }
}

impl<T: AnyBitPattern> Deref for Array<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        match &self.source {
            Source::Owned(values) => values,
            // The length was checked by `from_shared`; an owner that shrinks its bytes
            // afterwards gets a panic, never a wrong read.
            Source::Shared { bytes, range } => {
                bytemuck::cast_slice(&(**bytes).as_ref()[range.clone()])
            }
        }
    }
}

impl<T: AnyBitPattern + fmt::Debug> fmt::Debug for Array<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "[{} × {}]", self.len(), std::any::type_name::<T>())
    }
}
