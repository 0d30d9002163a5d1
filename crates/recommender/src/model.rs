//! The model: what training leaves behind and serving reads.
//!
//! Plain arrays, so that a model is a set of file sections: it opens by mapping them,
//! whatever its size, and several processes share the pages. The numbers of the
//! sections never change; new arrays get new numbers.

mod low_rank;

use crate::array::{Array, SharedBytes};
use crate::id::ItemNumber;
use crate::interactions::Interactions;
use crate::learn::Learnt;

pub use low_rank::LowRank;

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
/// A sparse and a low-rank part, both linear in what a user likes. Holds 8 bytes a weight,
/// 1 a factor and 32 an item.
#[derive(Clone, Debug)]
pub struct Model {
    summary: Summary,
    items: Array<u32>,
    offsets: Array<u64>,
    targets: Array<u32>,
    weights: Array<f32>,
    low_rank: LowRank,
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
    pub(super) const FACTORS: u32 = 8;
    pub(super) const SOURCE_SCALES: u32 = 9;
    pub(super) const TARGET_SCALES: u32 = 10;
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
        learnt: Learnt,
        trend: Vec<f32>,
        simulated_interactions: u64,
    ) -> Self {
        assert!(items.is_sorted_by(|left, right| left < right), "items ascend");
        let Learnt { weights, low_pass } = learnt;
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
            low_rank: low_pass.into(),
            popularity: interactions.item_sums().into(),
            trend: trend.into(),
        }
    }

    /// The same model with another popularity than the sum of its interactions: one value an item.
    ///
    /// # Panics
    ///
    /// If there are more or fewer.
    #[must_use]
    pub fn with_popularity(self, popularity: Vec<f32>) -> Self {
        assert_eq!(popularity.len(), self.item_count(), "one value an item");
        Self { popularity: popularity.into(), ..self }
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

    /// How much each item is liked more lately than it used to be, by index; all zero if no time
    /// is known.
    #[must_use]
    pub fn trend(&self) -> &[f32] {
        &self.trend
    }

    /// What liking an item adds to the scores of others by the sparse part: targets, ascending,
    /// and weights.
    ///
    /// # Panics
    ///
    /// If the item is not in the model.
    #[must_use]
    pub fn row(&self, item: u32) -> (&[u32], &[f32]) {
        let range = row(&self.offsets, item);
        (&self.targets[range.clone()], &self.weights[range])
    }

    /// The low-rank part.
    #[must_use]
    pub fn low_rank(&self) -> &LowRank {
        &self.low_rank
    }

    /// What each item of the history adds to one item's score, in the order of the history.
    ///
    /// Costs `O(log row + factors)` an item of the history.
    ///
    /// # Panics
    ///
    /// If an item of the history is not in the model.
    pub fn contributions(&self, history: &[Liked], target: u32) -> impl Iterator<Item = f32> {
        history.iter().map(move |liked| self.contribution(*liked, target))
    }

    /// What one item of a history adds to one item's score. Costs `O(log row + factors)`.
    ///
    /// # Panics
    ///
    /// If one of them is not in the model.
    #[must_use]
    pub fn contribution(&self, liked: Liked, target: u32) -> f32 {
        let (targets, weights) = self.row(liked.item);
        let sparse = targets.binary_search(&target).map_or(0.0, |place| weights[place]);
        liked.weight * (sparse + self.low_rank.weight(liked.item, target))
    }

    /// Checks that items and rows ascend. Reads 12 bytes an item.
    ///
    /// # Errors
    ///
    /// [`ModelError`] names the section.
    pub fn verify(&self) -> Result<(), ModelError> {
        if !self.offsets.is_sorted() {
            return Err(mismatch(tag::OFFSETS, "descending numbers", "ascending from 0"));
        }
        if !self.items.is_sorted_by(|left, right| left < right) {
            return Err(mismatch(tag::ITEMS, "unsorted numbers", "ascending"));
        }
        Ok(())
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
            section(tag::FACTORS, 1, self.low_rank.factors.as_bytes()),
            section(tag::SOURCE_SCALES, 4, self.low_rank.source.as_bytes()),
            section(tag::TARGET_SCALES, 4, self.low_rank.target.as_bytes()),
        ]
    }

    /// The model that a file's sections hold; nothing is copied.
    ///
    /// Checks that the arrays fit each other, at a cost that does not grow with them;
    /// [`Model::verify`] looks into them. Targets are not read: one out of range in a
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
        if offsets[0] != 0 {
            return Err(mismatch(tag::OFFSETS, &offsets[0].to_string(), "ascending from 0"));
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
            low_rank: low_rank(&section, count)?,
            popularity: array(&section, tag::POPULARITY, Some(count))?,
            trend: array(&section, tag::TREND, Some(count))?,
            items,
            offsets,
        })
    }
}

/// The low-rank part; a file from before there was one has none.
fn low_rank(
    section: &impl Fn(u32) -> Option<SharedBytes>,
    items: usize,
) -> Result<LowRank, ModelError> {
    if section(tag::FACTORS).is_none_or(|bytes| (*bytes).as_ref().is_empty()) {
        return Ok(LowRank::default());
    }
    let factors: Array<i8> = array(section, tag::FACTORS, None)?;
    if items == 0 || !factors.len().is_multiple_of(items * LowRank::WIDTH_STEP) {
        let expected = format!("a multiple of {} for each of {items} items", LowRank::WIDTH_STEP);
        return Err(mismatch(tag::FACTORS, &format!("{} elements", factors.len()), &expected));
    }
    Ok(LowRank {
        width: factors.len() / items,
        factors,
        source: array(section, tag::SOURCE_SCALES, Some(items))?,
        target: array(section, tag::TARGET_SCALES, Some(items))?,
    })
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
