//! A record of what each step of the re-rank did, for those who want to look.

use super::draft::Draft;

/// A step of the re-rank, in the order in which they are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// The best by score, or the most popular: where it begins.
    Candidates,
    /// Popular items changed places with others about as popular.
    Rotation,
    /// Of a series only the volume to read next.
    Series,
    /// What is by authors or of series that the user dislikes came behind the others.
    Disliked,
    /// Items unlike those before them.
    Diversity,
    /// Not too many of one author.
    Authors,
    /// The shop's boosts and bury rules.
    Rules,
    /// What was shown and not taken up sank.
    Impressions,
    /// The shop's pins, on the shelf as it is answered.
    Pins,
}

/// Why a step did something to an item.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Why {
    /// The volume `next` is to be read first.
    NotNext {
        /// That volume; `None` if it is not eligible.
        next: Option<u32>,
    },
    /// It is the volume to read next and stands where `sibling` stood.
    InPlaceOf {
        /// The volume that was chosen.
        sibling: u32,
    },
    /// The series has its place on the shelf already.
    SeriesTaken,
    /// The user dislikes books of this series.
    DislikedSeries(
        /// Its number.
        u32,
    ),
    /// The user dislikes books of this author.
    DislikedAuthor(
        /// Their number.
        u32,
    ),
    /// It came behind items with a lower score, being like one before it.
    Like {
        /// That one.
        other: u32,
    },
    /// There are enough books by this author before it.
    AuthorCap(
        /// Their number.
        u32,
    ),
    /// A rule multiplied its score.
    Factor(
        /// By this.
        f32,
    ),
    /// A rule put it behind everything.
    Buried,
    /// A rule put it on the shelf.
    Pinned(
        /// The place where it stands, counted from 1.
        usize,
    ),
    /// It was shown so many times, recent times counting more.
    Shown(
        /// The decayed count.
        f32,
    ),
}

/// What a step did to one item.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Note {
    /// The item.
    pub item: u32,
    /// Why.
    pub why: Why,
}

/// What one step did.
#[derive(Clone, Debug, PartialEq)]
pub struct TracedStep {
    /// Which.
    pub step: Step,
    /// What it did to which items, in the order in which it looked at them.
    pub notes: Vec<Note>,
    /// The first items after it, at most [`Trace::ITEMS_MAX`].
    pub order: Vec<u32>,
}

/// What all steps did.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Trace {
    /// The steps that were taken, in their order.
    pub steps: Vec<TracedStep>,
}

impl Trace {
    /// The longest list of items that is kept of a step.
    pub const ITEMS_MAX: usize = 100;
}

/// Writes a trace if one is wanted.
pub(super) struct Recorder<'a>(pub(super) Option<&'a mut Trace>);

impl Recorder<'_> {
    pub(super) fn begin(&mut self, step: Step) {
        if let Some(trace) = &mut self.0 {
            trace.steps.push(TracedStep { step, notes: Vec::new(), order: Vec::new() });
        }
    }

    pub(super) fn note(&mut self, item: u32, why: Why) {
        if let Some(step) = self.0.as_mut().and_then(|trace| trace.steps.last_mut()) {
            step.notes.push(Note { item, why });
        }
    }

    pub(super) fn end(&mut self, draft: &Draft) {
        self.end_with(draft.slots.iter().map(|slot| slot.item));
    }

    pub(super) fn end_with(&mut self, items: impl Iterator<Item = u32>) {
        if let Some(step) = self.0.as_mut().and_then(|trace| trace.steps.last_mut()) {
            step.order = items.take(Trace::ITEMS_MAX).collect();
        }
    }
}
