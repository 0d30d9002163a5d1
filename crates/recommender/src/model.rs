//! The model: what training leaves behind and serving reads.
//!
//! Plain arrays, so that a model is a set of file sections: it opens by mapping them,
//! whatever its size, and several processes share the pages. The numbers of the
//! sections never change; new arrays get new numbers.

use crate::array::{Array, SharedBytes};
use crate::id::ItemNumber;
use crate::interactions::Interactions;
use crate::learn::ridge::ItemWeights;

/// An item and how much the user likes it, as a model sees it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Liked {
    /// Index of the item in the model.
    pub item: u32,
    /// Weight of the evidence for it.
    pub weight: f32,
}

/// What a model was learnt from; written into its file.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Summary {
    /// Users with at least one interaction.
    pub users: u64,
    /// Interactions: pairs of a user and an item they like.
    pub interactions: u64,
    /// Those of them that come from simulated users.
    pub simulated_interactions: u64,
}

/// An item–item model. Items are known by their index; numbers ascend with it.
///
/// Holds 8 bytes a weight and 24 an item.
#[derive(Clone, Debug)]
pub struct Model {
    summary: Summary,
    items: Array<u32>,
    offsets: Array<u64>,
    targets: Array<u32>,
    weights: Array<f32>,
    popularity: Array<f32>,
    trend: Array<f32>,
}

/// A named part of a model's file.
pub struct Section<'a> {
    /// Which array it is.
    pub tag: u32,
    /// Bytes of one element.
    pub element_bytes: u32,
    /// The elements, little-endian.
    pub bytes: &'a [u8],
}

mod tag {
    pub(super) const SUMMARY: u32 = 1;
    pub(super) const ITEMS: u32 = 2;
    pub(super) const OFFSETS: u32 = 3;
    pub(super) const TARGETS: u32 = 4;
    pub(super) const WEIGHTS: u32 = 5;
    pub(super) const POPULARITY: u32 = 6;
    pub(super) const TREND: u32 = 7;
}

/// Why sections are not a model.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ModelError {
    /// A section is missing.
    #[error("section {tag} is missing")]
    Missing {
        /// Which.
        tag: u32,
    },
    /// The file is a model of another shop.
    #[error("the model is of shop {found}, expected shop {expected}")]
    OtherShop {
        /// Whose it is.
        found: u32,
        /// Whose it should be.
        expected: u32,
    },
    /// A section does not hold what it should.
    #[error("section {tag} has {found}, expected {expected}")]
    Mismatch {
        /// Which.
        tag: u32,
        /// What it holds.
        found: String,
        /// What it should hold.
        expected: String,
    },
}

impl Model {
    /// Puts a model together. `items` ascend and are those of `interactions`, by index;
    /// `trend` has one value an item.
    ///
    /// # Panics
    ///
    /// If the parts are not of one length, or the items do not ascend.
    #[must_use]
    pub fn new(
        items: &[ItemNumber],
        interactions: &Interactions,
        weights: ItemWeights,
        trend: Vec<f32>,
        simulated_interactions: u64,
    ) -> Self {
        assert!(items.is_sorted_by(|left, right| left < right), "items ascend");
        let lengths = [interactions.item_count(), weights.offsets.len() - 1, trend.len()];
        assert_eq!(lengths, [items.len(); 3], "one value an item");
        let users = (0..interactions.user_count())
            .filter(|user| !interactions.user(*user).0.is_empty())
            .count();
        Self {
            summary: Summary {
                users: users as u64,
                interactions: interactions.len() as u64,
                simulated_interactions,
            },
            items: items.iter().map(|item| item.0).collect::<Vec<_>>().into(),
            offsets: weights.offsets.into(),
            targets: weights.targets.into(),
            weights: weights.weights.into(),
            popularity: interactions.item_sums().into(),
            trend: trend.into(),
        }
    }

    /// What it was learnt from.
    #[must_use]
    pub fn summary(&self) -> &Summary {
        &self.summary
    }

    /// Whether any of what it was learnt from is simulated.
    #[must_use]
    pub fn is_simulated(&self) -> bool {
        self.summary.simulated_interactions > 0
    }

    /// The number of items.
    #[must_use]
    pub fn item_count(&self) -> usize {
        self.items.len()
    }

    /// The number of weights.
    #[must_use]
    pub fn weight_count(&self) -> usize {
        self.weights.len()
    }

    /// The number of the item at an index.
    ///
    /// # Panics
    ///
    /// If there is no such index.
    #[must_use]
    pub fn item(&self, index: usize) -> ItemNumber {
        ItemNumber(self.items[index])
    }

    /// The index of an item, or `None` if the model does not know it. Costs `O(log items)`.
    #[must_use]
    pub fn index_of(&self, item: ItemNumber) -> Option<u32> {
        self.items.binary_search(&item.0).ok().map(|index| index as u32)
    }

    /// The number of items that liking this one says something about; 0 for one that the
    /// model does not know.
    #[must_use]
    pub fn neighbour_count(&self, item: u32) -> usize {
        if (item as usize) < self.item_count() { row(&self.offsets, item).len() } else { 0 }
    }

    /// How much each item is liked by all users together, by index.
    #[must_use]
    pub fn popularity(&self) -> &[f32] {
        &self.popularity
    }

    /// How much each item was liked lately, by index; all zero if no time is known.
    #[must_use]
    pub fn trend(&self) -> &[f32] {
        &self.trend
    }

    /// Adds to each item's score what the history says: `Σ weight × B[i, j]`.
    ///
    /// `scores` has one place an item, or more. Costs one multiply-add for each weight in the
    /// rows of the history.
    ///
    /// # Panics
    ///
    /// If an item of the history or a target is not an index of `scores`.
    pub fn add_scores(&self, history: &[Liked], scores: &mut [f32]) {
        let (targets, weights) = (&*self.targets, &*self.weights);
        let offsets = &*self.offsets;
        for liked in history {
            let range = row(offsets, liked.item);
            for (target, weight) in targets[range.clone()].iter().zip(&weights[range]) {
                scores[*target as usize] += liked.weight * weight;
            }
        }
    }

    /// What each item of the history adds to one item's score, in the order of the history.
    /// Adding them up in that order gives the score of [`Model::add_scores`], bit for bit.
    ///
    /// Costs `O(log row)` an item of the history.
    ///
    /// # Panics
    ///
    /// If an item of the history is not in the model.
    pub fn contributions(&self, history: &[Liked], target: u32) -> impl Iterator<Item = f32> {
        let (targets, weights) = (&*self.targets, &*self.weights);
        let offsets = &*self.offsets;
        history.iter().map(move |liked| {
            let range = row(offsets, liked.item);
            match targets[range.clone()].binary_search(&target) {
                Ok(place) => liked.weight * weights[range.start + place],
                Err(_) => 0.0,
            }
        })
    }

    /// The arrays to write into a file.
    #[must_use]
    pub fn sections<'a>(&'a self, summary: &'a SummaryBytes) -> Vec<Section<'a>> {
        let section = |tag, element_bytes, bytes| Section { tag, element_bytes, bytes };
        vec![
            section(tag::SUMMARY, 8, &summary.0),
            section(tag::ITEMS, 4, self.items.as_bytes()),
            section(tag::OFFSETS, 8, self.offsets.as_bytes()),
            section(tag::TARGETS, 4, self.targets.as_bytes()),
            section(tag::WEIGHTS, 4, self.weights.as_bytes()),
            section(tag::POPULARITY, 4, self.popularity.as_bytes()),
            section(tag::TREND, 4, self.trend.as_bytes()),
        ]
    }

    /// The model that a file's sections hold; nothing is copied.
    ///
    /// Checks that the arrays fit each other. Targets are not read: one out of range in a
    /// file with a forged checksum ends in a panic of the request, never in a wrong read.
    ///
    /// # Errors
    ///
    /// [`ModelError`] names the section.
    pub fn from_sections(section: impl Fn(u32) -> Option<SharedBytes>) -> Result<Self, ModelError> {
        let summary: Array<u64> = array(&section, tag::SUMMARY, Some(SUMMARY_FIELDS))?;
        let items: Array<u32> = array(&section, tag::ITEMS, None)?;
        let count = items.len();
        let offsets: Array<u64> = array(&section, tag::OFFSETS, Some(count + 1))?;
        if !offsets.is_sorted() || offsets[0] != 0 {
            return Err(mismatch(tag::OFFSETS, "descending numbers", "ascending from 0"));
        }
        if !items.is_sorted_by(|left, right| left < right) {
            return Err(mismatch(tag::ITEMS, "unsorted numbers", "ascending"));
        }
        let entries = usize::try_from(offsets[count])
            .map_err(|_| mismatch(tag::OFFSETS, &offsets[count].to_string(), "a size"))?;
        Ok(Self {
            summary: Summary {
                users: summary[0],
                interactions: summary[1],
                simulated_interactions: summary[2],
            },
            targets: array(&section, tag::TARGETS, Some(entries))?,
            weights: array(&section, tag::WEIGHTS, Some(entries))?,
            popularity: array(&section, tag::POPULARITY, Some(count))?,
            trend: array(&section, tag::TREND, Some(count))?,
            items,
            offsets,
        })
    }
}

fn row(offsets: &[u64], item: u32) -> std::ops::Range<usize> {
    offsets[item as usize] as usize..offsets[item as usize + 1] as usize
}

const SUMMARY_FIELDS: usize = 3;

/// A [`Summary`] as it stands in a file.
pub struct SummaryBytes([u8; SUMMARY_FIELDS * 8]);

impl Summary {
    /// The summary as bytes of a section.
    #[must_use]
    pub fn to_bytes(&self) -> SummaryBytes {
        let fields = [self.users, self.interactions, self.simulated_interactions];
        SummaryBytes(bytemuck::cast(fields.map(u64::to_le_bytes)))
    }
}

fn array<T: bytemuck::AnyBitPattern + bytemuck::NoUninit>(
    section: &impl Fn(u32) -> Option<SharedBytes>,
    tag: u32,
    length: Option<usize>,
) -> Result<Array<T>, ModelError> {
    let bytes = section(tag).ok_or(ModelError::Missing { tag })?;
    let byte_count = (*bytes).as_ref().len();
    let array = Array::<T>::from_shared(bytes).ok_or_else(|| {
        mismatch(
            tag,
            &format!("{byte_count} bytes"),
            &format!("aligned elements of {}", size_of::<T>()),
        )
    })?;
    match length {
        Some(length) if length != array.len() => {
            Err(mismatch(tag, &format!("{} elements", array.len()), &length.to_string()))
        }
        _ => Ok(array),
    }
}

fn mismatch(tag: u32, found: &str, expected: &str) -> ModelError {
    ModelError::Mismatch { tag, found: found.to_owned(), expected: expected.to_owned() }
}
