//! The draft of a shelf: candidates in an order that each step changes.
//!
//! Invariants, before and after each step: every item is eligible, no work is there twice,
//! and slots are ordered by tier, then by standing. A step may move items between places
//! and tiers, or put an eligible item in; it never loses one.
//!
//! An item's *standing* is what later steps multiply. It begins as the score. A step that orders
//! by something else leaves the standings in their places and moves the items, so that
//! whoever is put third has the standing of the third.

/// In which part of the shelf an item is. Later tiers come after all of the earlier ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Tier {
    /// Where it belongs.
    Shown,
    /// After all that are shown, before what fills the shelf up.
    HeldBack,
    /// After what fills the shelf up: the user dislikes its author or series.
    Disliked,
    /// After everything else.
    Buried,
}

/// An item of the draft.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Slot {
    pub(super) item: u32,
    /// The item whose score it is: another volume, where this one took its place.
    pub(super) scored: u32,
    pub(super) score: f32,
    pub(super) standing: f32,
    pub(super) tier: Tier,
    /// Orders equals.
    pub(super) place: u32,
}

impl Slot {
    pub(super) fn new(item: u32, score: f32) -> Self {
        let (standing, tier) = (score, Tier::Shown);
        Self { item, scored: item, score, standing, tier, place: 0 }
    }
}

/// The draft, with working memory.
#[derive(Clone, Debug, Default)]
pub(super) struct Draft {
    pub(super) slots: Vec<Slot>,
    spare: Vec<Slot>,
}

impl Draft {
    /// Begins anew with candidates, the best first.
    pub(super) fn begin(&mut self, candidates: &[(u32, f32)]) {
        self.slots.clear();
        self.slots.extend(candidates.iter().map(|(item, score)| Slot::new(*item, *score)));
    }

    /// The number of slots that are shown. They come first.
    pub(super) fn shown(&self) -> usize {
        self.slots.partition_point(|slot| slot.tier == Tier::Shown)
    }

    /// Brings the slots into the order of their tiers; within one, the order stays.
    pub(super) fn part_tiers(&mut self) {
        self.spare.clear();
        for tier in [Tier::Shown, Tier::HeldBack, Tier::Disliked, Tier::Buried] {
            self.spare.extend(self.slots.iter().filter(|slot| slot.tier == tier));
        }
        std::mem::swap(&mut self.slots, &mut self.spare);
    }

    /// Brings the slots into the order of tiers and standings; equals keep theirs.
    pub(super) fn sort(&mut self) {
        for (place, slot) in self.slots.iter_mut().enumerate() {
            slot.place = place as u32;
        }
        self.slots.sort_unstable_by(|left, right| {
            let standing = right.standing.total_cmp(&left.standing);
            left.tier.cmp(&right.tier).then(standing).then(left.place.cmp(&right.place))
        });
    }

    /// Puts the first slots into the order of `places`, which names each of them once. The
    /// standings stay where they are.
    pub(super) fn reorder(&mut self, places: &[u32]) {
        self.spare.clear();
        self.spare.extend_from_slice(&self.slots[..places.len()]);
        for (to, from) in places.iter().enumerate() {
            let standing = self.slots[to].standing;
            self.slots[to] = Slot { standing, ..self.spare[*from as usize] };
        }
    }
}
