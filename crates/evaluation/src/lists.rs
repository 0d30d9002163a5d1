//! Lists: what one model recommends to each tested user, wherever it was fitted.
//!
//! Models of this crate and models measured by another program hand over the same thing, and
//! [`judge`](crate::judge) turns it into a report; so all are judged by one piece of code.

use crate::split::Split;

/// One model's ranked lists, with what they cost.
#[derive(Clone, Debug, PartialEq)]
pub struct Lists {
    /// What the report calls the model.
    pub model: String,
    /// Its settings, for people to read; may be empty.
    pub settings: String,
    /// One list for each tested user, in the order of [`Split::held_out`]; best item first. A
    /// list may be shorter than `k`; what is beyond `k` is not looked at.
    pub lists: Vec<Vec<u32>>,
    /// Wall-clock seconds from interactions in memory to a model that can rank.
    pub fit_seconds: f64,
    /// Wall-clock seconds to rank for all tested users, on all threads.
    pub rank_seconds: f64,
    /// The most memory that was resident at once from the fit to the last list, of the whole
    /// process; `None` where nobody knows.
    pub peak_bytes: Option<u64>,
}

/// Why lists cannot be judged: they do not fit the split.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ListsError {
    /// A list for each tested user is needed.
    #[error("{model}: found {found} lists, expected {expected}: one for each tested user")]
    Count {
        /// The model.
        model: String,
        /// How many lists there are.
        found: usize,
        /// How many users are tested.
        expected: usize,
    },
    /// An item is not of the catalogue.
    #[error("{model}: found item {item} in list {list}, expected one below {items}")]
    Item {
        /// The model.
        model: String,
        /// The place of the tested user.
        list: usize,
        /// The item.
        item: u32,
        /// The number of items.
        items: usize,
    },
    /// An item is in a list twice: it would be counted twice.
    #[error("{model}: found item {item} twice in list {list}, expected different items")]
    Repeat {
        /// The model.
        model: String,
        /// The place of the tested user.
        list: usize,
        /// The item.
        item: u32,
    },
    /// An item of the user's history is in their list: histories are never ranked.
    #[error("{model}: found item {item} of the history in list {list}, expected new items only")]
    Known {
        /// The model.
        model: String,
        /// The place of the tested user.
        list: usize,
        /// The item.
        item: u32,
    },
}

impl Lists {
    /// Checks that the lists fit a split.
    ///
    /// # Errors
    ///
    /// [`ListsError`] names the first thing that does not fit.
    pub fn check(&self, split: &Split) -> Result<(), ListsError> {
        let model = || self.model.clone();
        let (found, expected) = (self.lists.len(), split.held_out.len());
        if found != expected {
            return Err(ListsError::Count { model: model(), found, expected });
        }
        let items = split.train.item_count();
        let mut sorted = Vec::new();
        for (list, ranked) in self.lists.iter().enumerate() {
            if let Some(&item) = ranked.iter().find(|item| **item as usize >= items) {
                return Err(ListsError::Item { model: model(), list, item, items });
            }
            sorted.clear();
            sorted.extend_from_slice(ranked);
            sorted.sort_unstable();
            if let Some(pair) = sorted.windows(2).find(|pair| pair[0] == pair[1]) {
                return Err(ListsError::Repeat { model: model(), list, item: pair[0] });
            }
            let (history, _) = split.histories.user(list);
            let known = history.iter().find(|item| sorted.binary_search(item).is_ok());
            if let Some(&item) = known {
                return Err(ListsError::Known { model: model(), list, item });
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use recommender::Interactions;

    use super::*;

    fn check(lists: &[&[u32]], expected: &str) {
        let mut train = Interactions::new(4);
        train.push_user([(1, 1.0)]);
        let split = Split::of_train(train, vec![vec![2]], String::new());
        let lists = Lists {
            model: "m".to_owned(),
            settings: String::new(),
            lists: lists.iter().map(|list| list.to_vec()).collect(),
            fit_seconds: 0.0,
            rank_seconds: 0.0,
            peak_bytes: None,
        };
        let found = lists.check(&split).map_or_else(|error| error.to_string(), |()| String::new());
        assert_eq!(found, expected);
    }

    #[test]
    fn lists_that_do_not_fit_the_split_are_refused() {
        check(&[&[0, 3]], "");
        check(&[&[]], "");
        check(&[], "m: found 0 lists, expected 1: one for each tested user");
        check(&[&[4]], "m: found item 4 in list 0, expected one below 4");
        check(&[&[3, 0, 3]], "m: found item 3 twice in list 0, expected different items");
        check(&[&[0, 1]], "m: found item 1 of the history in list 0, expected new items only");
    }
}
