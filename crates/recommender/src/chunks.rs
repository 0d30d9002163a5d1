//! An array in chunks that copies share: to change an element of a copy copies one chunk.

use std::ops::Index;
use std::sync::Arc;

/// Elements of a chunk: few enough to copy for one change, and enough that the chunks of a large
/// array are few.
const CHUNK: usize = 512;

/// An array whose copies share what was not changed since. A copy costs an element for each 512.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chunks<T> {
    /// All but the last are full.
    chunks: Vec<Arc<[T]>>,
}

impl<T> Default for Chunks<T> {
    fn default() -> Self {
        Self { chunks: Vec::new() }
    }
}

impl<T: Clone> From<Vec<T>> for Chunks<T> {
    fn from(elements: Vec<T>) -> Self {
        Self { chunks: elements.chunks(CHUNK).map(Arc::from).collect() }
    }
}

impl<T> Chunks<T> {
    /// The element at an index, if there is one.
    #[must_use]
    pub fn get(&self, index: u32) -> Option<&T> {
        self.chunks.get(index as usize / CHUNK)?.get(index as usize % CHUNK)
    }

    /// All elements.
    pub fn iter(&self) -> impl Iterator<Item = &T> {
        self.chunks.iter().flat_map(|chunk| chunk.iter())
    }

    /// How many chunks this array shares with another, each at its place.
    #[must_use]
    pub fn shared_with(&self, other: &Self) -> usize {
        let pairs = self.chunks.iter().zip(&other.chunks);
        pairs.filter(|(own, others)| Arc::ptr_eq(own, others)).count()
    }
}

impl<T: Clone> Chunks<T> {
    /// Puts another element at an index.
    ///
    /// # Panics
    ///
    /// If there is no such index.
    pub fn set(&mut self, index: u32, element: T) {
        Arc::make_mut(&mut self.chunks[index as usize / CHUNK])[index as usize % CHUNK] = element;
    }
}

impl<T> Index<u32> for Chunks<T> {
    type Output = T;

    fn index(&self, index: u32) -> &T {
        &self.chunks[index as usize / CHUNK][index as usize % CHUNK]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_of_a_copy_is_its_own_and_copies_one_chunk() {
        let numbers: Vec<u32> = (0..1_300).collect();
        let before = Chunks::from(numbers.clone());
        let mut after = before.clone();
        assert_eq!(after.shared_with(&before), 3);
        after.set(1_299, 7);
        assert_eq!(after.shared_with(&before), 2);
        assert!(before.iter().eq(&numbers));
        assert!(after.iter().eq(numbers[..1_299].iter().chain(&[7])));
        assert_eq!((before[1_299], after[1_299], after.get(1_300)), (1_299, 7, None));
        assert_eq!(Chunks::from(Vec::<u32>::new()), Chunks::default());
    }
}
