//! Interactions: the sparse matrix of users × items that models learn from.

/// A sparse matrix of users × items, by user: `values[e]` is how much the user of
/// entry `e` liked item `columns[e]`.
///
/// Takes 8 bytes an entry and 8 a user.
#[derive(Clone, Debug, PartialEq)]
pub struct Interactions {
    item_count: usize,
    offsets: Vec<usize>,
    columns: Vec<u32>,
    values: Vec<f32>,
}

impl Interactions {
    /// An empty matrix over items `0..item_count`.
    ///
    /// # Panics
    ///
    /// If there are over `u32::MAX` items; item numbers have 31 bits.
    #[must_use]
    pub fn new(item_count: usize) -> Self {
        assert!(u32::try_from(item_count).is_ok(), "{item_count} items do not fit 32 bits");
        Self { item_count, offsets: vec![0], columns: Vec::new(), values: Vec::new() }
    }

    /// Adds the next user with their items and values. Items must be distinct.
    ///
    /// # Panics
    ///
    /// If an item is not below the item count, or a value is not above zero: what a
    /// user did not like is left out.
    pub fn push_user(&mut self, row: impl IntoIterator<Item = (u32, f32)>) {
        for (item, value) in row {
            assert!((item as usize) < self.item_count, "item {item} of {}", self.item_count);
            assert!(value > 0.0, "value {value} of item {item}");
            self.columns.push(item);
            self.values.push(value);
        }
        self.offsets.push(self.columns.len());
    }

    /// The number of items, including those without an interaction.
    #[must_use]
    pub fn item_count(&self) -> usize {
        self.item_count
    }

    /// The number of users.
    #[must_use]
    pub fn user_count(&self) -> usize {
        self.offsets.len() - 1
    }

    /// The number of entries.
    #[must_use]
    pub fn len(&self) -> usize {
        self.columns.len()
    }

    /// Whether there is no entry.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.columns.is_empty()
    }

    /// The items and values of one user.
    ///
    /// # Panics
    ///
    /// If there is no such user.
    #[must_use]
    pub fn user(&self, user: usize) -> (&[u32], &[f32]) {
        let range = self.offsets[user]..self.offsets[user + 1];
        (&self.columns[range.clone()], &self.values[range])
    }

    /// The sum of each item's values.
    #[must_use]
    pub fn item_sums(&self) -> Vec<f32> {
        // Count in f64: adding 1.0 to an f32 stops changing it at 2^24, and a large
        // shop has more interactions than that.
        let mut sums = vec![0.0_f64; self.item_count];
        for (&item, &value) in self.columns.iter().zip(&self.values) {
            sums[item as usize] += f64::from(value);
        }
        sums.into_iter().map(|sum| sum as f32).collect()
    }

    /// The number of users of each item.
    #[must_use]
    pub fn item_users(&self) -> Vec<u32> {
        let mut counts = vec![0; self.item_count];
        for item in &self.columns {
            counts[*item as usize] += 1;
        }
        counts
    }

    /// The same matrix by item: who liked each, and how much. Users come in ascending order.
    #[must_use]
    pub(crate) fn by_item(&self) -> ByItem {
        let mut offsets = vec![0_usize; self.item_count + 1];
        for &item in &self.columns {
            offsets[item as usize + 1] += 1;
        }
        for item in 0..self.item_count {
            offsets[item + 1] += offsets[item];
        }
        let mut next = offsets.clone();
        let mut users = vec![0_u32; self.len()];
        let mut values = vec![0.0_f32; self.len()];
        for user in 0..self.user_count() {
            let (row_items, row_values) = self.user(user);
            for (&item, &value) in row_items.iter().zip(row_values) {
                let place = &mut next[item as usize];
                users[*place] = user as u32;
                values[*place] = value;
                *place += 1;
            }
        }
        ByItem { offsets, users, values }
    }
}

/// [`Interactions`] by item.
pub(crate) struct ByItem {
    offsets: Vec<usize>,
    users: Vec<u32>,
    values: Vec<f32>,
}

impl ByItem {
    /// The users of one item, ascending, with their values.
    pub(crate) fn item(&self, item: usize) -> impl Iterator<Item = (usize, f32)> {
        self.item_from(item, 0)
    }

    /// The same without the first `skipped`.
    pub(crate) fn item_from(
        &self,
        item: usize,
        skipped: usize,
    ) -> impl Iterator<Item = (usize, f32)> {
        let range = self.offsets[item] + skipped..self.offsets[item + 1];
        let users = self.users[range.clone()].iter().map(|user| *user as usize);
        users.zip(self.values[range].iter().copied())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_matrix_by_item_holds_the_same_entries() {
        let mut interactions = Interactions::new(4);
        interactions.push_user([(0, 1.0), (2, 0.5)]);
        interactions.push_user([]);
        interactions.push_user([(2, 2.0), (1, 3.0)]);
        assert_eq!(interactions.user_count(), 3);
        assert_eq!(interactions.item_sums(), [1.0, 3.0, 2.5, 0.0]);
        let by_item = interactions.by_item();
        let of = |item| by_item.item(item).collect::<Vec<_>>();
        assert_eq!(of(0), [(0, 1.0)]);
        assert_eq!(of(1), [(2, 3.0)]);
        assert_eq!(of(2), [(0, 0.5), (2, 2.0)]);
        assert_eq!(of(3), []);
    }
}
