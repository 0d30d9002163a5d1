//! A set of item indexes, one bit each.

/// A set of indexes below its length.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BitSet {
    words: Vec<u64>,
}

impl BitSet {
    /// An empty set for indexes below `length`.
    #[must_use]
    pub fn new(length: usize) -> Self {
        Self { words: vec![0; length.div_ceil(64)] }
    }

    /// Makes this set equal to `other`, in the memory it has.
    pub fn copy_from(&mut self, other: &Self) {
        self.words.clone_from(&other.words);
    }

    /// Makes this set an empty one for the indexes of `other`, in the memory it has.
    pub fn empty_like(&mut self, other: &Self) {
        self.words.clear();
        self.words.resize(other.words.len(), 0);
    }

    /// Adds an index.
    ///
    /// # Panics
    ///
    /// If it is not below the length, rounded up to a multiple of 64.
    pub fn insert(&mut self, index: u32) {
        self.words[index as usize / 64] |= 1 << (index % 64);
    }

    /// Takes an index out.
    ///
    /// # Panics
    ///
    /// As [`BitSet::insert`].
    pub fn remove(&mut self, index: u32) {
        self.words[index as usize / 64] &= !(1 << (index % 64));
    }

    /// Whether the index is in the set.
    ///
    /// # Panics
    ///
    /// As [`BitSet::insert`].
    #[must_use]
    pub fn contains(&self, index: u32) -> bool {
        self.words[index as usize / 64] & 1 << (index % 64) != 0
    }

    /// How many indexes there are in the set.
    #[must_use]
    pub fn count(&self) -> usize {
        self.words.iter().map(|word| word.count_ones() as usize).sum()
    }

    /// Keeps only what is also in `other`.
    pub fn intersect(&mut self, other: &Self) {
        for (word, other) in self.words.iter_mut().zip(&other.words) {
            *word &= other;
        }
    }

    /// Keeps only the indexes that `keep` says yes to.
    pub fn retain(&mut self, mut keep: impl FnMut(u32) -> bool) {
        for (place, word) in self.words.iter_mut().enumerate() {
            let mut rest = *word;
            while rest != 0 {
                let bit = rest.trailing_zeros();
                rest &= rest - 1;
                if !keep(place as u32 * 64 + bit) {
                    *word &= !(1 << bit);
                }
            }
        }
    }

    /// Adds what is in `other`.
    pub fn unite(&mut self, other: &Self) {
        for (word, other) in self.words.iter_mut().zip(&other.words) {
            *word |= other;
        }
    }

    /// Takes out what is in `other`.
    pub fn subtract(&mut self, other: &Self) {
        for (word, other) in self.words.iter_mut().zip(&other.words) {
            *word &= !other;
        }
    }

    /// The set as words: bit `b` of word `w` is index `64·w + b`.
    #[must_use]
    pub fn words(&self) -> &[u64] {
        &self.words
    }

    /// The indexes, ascending.
    pub fn iter(&self) -> impl Iterator<Item = u32> {
        self.words.iter().enumerate().flat_map(|(place, word)| {
            let mut rest = *word;
            std::iter::from_fn(move || {
                let bit = (rest != 0).then(|| rest.trailing_zeros())?;
                rest &= rest - 1;
                Some(place as u32 * 64 + bit)
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_holds_what_was_put_in_and_not_taken_out() {
        let mut set = BitSet::new(130);
        for index in [0, 63, 64, 129] {
            set.insert(index);
        }
        set.remove(64);
        assert_eq!(set.iter().collect::<Vec<_>>(), [0, 63, 129]);
        assert_eq!(set.count(), 3);
        assert!(set.contains(129) && !set.contains(64));
        let mut other = BitSet::new(130);
        other.insert(63);
        set.intersect(&other);
        assert_eq!(set, other);
        other.insert(5);
        set.unite(&other);
        assert_eq!(set, other);
        set.subtract(&other);
        assert_eq!(set, BitSet::new(130));
        let mut odd = BitSet::new(130);
        (0..130).for_each(|index| odd.insert(index));
        odd.retain(|index| index % 2 == 1);
        assert!(odd.iter().eq((0..130).filter(|index| index % 2 == 1)));
    }
}
