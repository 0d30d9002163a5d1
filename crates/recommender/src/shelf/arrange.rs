//! From candidates to a shelf: the steps in their order, then what fills the shelf up.
//!
//! The order: rotation (popular items only) → series gate → what the user dislikes → diversity
//! → author cap → the shop's boosts and bury rules → impression decay → what fills the shelf up →
//! the shop's pins. Pinned items are taken out before the shelf is filled and put in last, so that
//! they stand where the shop wants them. Eligibility and one edition of each work come before:
//! candidates are that already.

use crate::bits::BitSet;
use crate::marks::Marks;

use super::author_cap::{self, CapMemory};
use super::disliked::{self, Opinions};
use super::diversity::{self, DiversityMemory};
use super::draft::{Draft, Slot, Tier};
use super::pins::{self, PinMemory};
use super::popular::{self, PopularMemory};
use super::series_gate::{self, GateMemory};
use super::trace::{Recorder, Step, Trace};
use super::{Arrangement, Context, Origin, Ranked, Request, Shop, impressions, rules};

/// How many more popular items are looked at than are missing, so that the steps have a choice.
const FILLING_MARGIN: usize = 20;

/// Working memory of all steps.
#[derive(Clone, Debug, Default)]
pub(super) struct Memory {
    draft: Draft,
    filling: Draft,
    gate: GateMemory,
    opinions: Opinions,
    diversity: DiversityMemory,
    cap: CapMemory,
    shown: Marks<f32>,
    popular: PopularMemory,
    pins: PinMemory,
}

impl Memory {
    /// What the series gate knows of a history.
    pub(super) fn gate(&mut self) -> &mut GateMemory {
        &mut self.gate
    }
}

/// Re-ranks candidates, the best first, and fills the shelf up. Without any, popular items
/// are the candidates. Takes the works of the shelf out of `eligible`.
#[expect(clippy::too_many_arguments, reason = "the parts of a workspace, lent one by one")]
pub(super) fn shelf(
    shop: Shop<'_>,
    candidates: &[(u32, f32)],
    origin: Origin,
    request: Request<'_>,
    arrangement: &Arrangement<'_>,
    eligible: &mut BitSet,
    memory: &mut Memory,
    trace: Option<&mut Trace>,
) -> Vec<Ranked> {
    let mut notes = Recorder(trace);
    notes.begin(Step::Candidates);
    memory.gate.read_history(shop.catalogue, arrangement.had);
    let origin = if candidates.is_empty() {
        let count = arrangement.settings.candidates.max(request.results);
        find_popular(shop, request, arrangement, count, eligible, &mut memory.popular);
        memory.draft.begin(&memory.popular.found);
        Origin::Popular
    } else {
        memory.draft.begin(candidates);
        origin
    };
    notes.end(&memory.draft);
    if origin == Origin::Popular {
        rotate(shop, arrangement, &mut memory.draft, &mut memory.popular, &mut notes);
    }
    rerank(Context { shop, eligible }, arrangement, memory, &mut notes);

    let Memory { draft, pins, .. } = memory;
    pins::take(draft, shop.catalogue, eligible, arrangement.rules, request.results, pins);
    let room = request.results - pins.count();
    let mut shelf = Vec::with_capacity(request.results);
    put(&mut shelf, draft, Tier::Shown, origin, room);
    put(&mut shelf, draft, Tier::HeldBack, origin, room);
    if shelf.len() < room {
        fill_up(&mut shelf, room, shop, origin, request, arrangement, eligible, memory);
    }
    notes.begin(Step::Pins);
    pins::insert(&mut shelf, &memory.pins, &mut notes);
    notes.end_with(shelf.iter().map(|ranked| ranked.item));
    shelf
}

fn find_popular(
    shop: Shop<'_>,
    request: Request<'_>,
    arrangement: &Arrangement<'_>,
    count: usize,
    eligible: &BitSet,
    memory: &mut PopularMemory,
) {
    let question = popular::Question {
        filter: request.filter,
        rules: arrangement.rules,
        blend: arrangement.settings.blend,
        count,
    };
    popular::candidates(shop, eligible, question, memory);
}

fn rotate(
    shop: Shop<'_>,
    arrangement: &Arrangement<'_>,
    draft: &mut Draft,
    memory: &mut PopularMemory,
    notes: &mut Recorder<'_>,
) {
    if let (Some(rotation), Some(seed)) = (arrangement.settings.rotation, arrangement.seed) {
        notes.begin(Step::Rotation);
        popular::rotate(draft, shop.catalogue, rotation, seed, memory);
        notes.end(draft);
    }
}

fn rerank(
    context: Context<'_>,
    arrangement: &Arrangement<'_>,
    memory: &mut Memory,
    notes: &mut Recorder<'_>,
) {
    let catalogue = context.shop.catalogue;
    let settings = arrangement.settings;
    let draft = &mut memory.draft;
    // Without scores there is an order of numbers, and nothing to weigh variety against.
    let is_ranked = draft.slots.first().is_some_and(|slot| slot.standing > 0.0);
    if settings.series.is_some() {
        notes.begin(Step::Series);
        series_gate::apply(draft, &context, &mut memory.gate, notes);
        notes.end(draft);
    }
    if settings.disliked.is_some() {
        notes.begin(Step::Disliked);
        disliked::apply(draft, catalogue, arrangement.judged, &mut memory.opinions, notes);
        notes.end(draft);
    }
    if let Some(diversity) = settings.diversity.filter(|_| is_ranked) {
        notes.begin(Step::Diversity);
        diversity::apply(draft, catalogue, diversity, &mut memory.diversity, notes);
        notes.end(draft);
    }
    if let Some(cap) = settings.authors.filter(|_| is_ranked) {
        notes.begin(Step::Authors);
        author_cap::apply(draft, catalogue, cap, &mut memory.cap, notes);
        notes.end(draft);
    }
    notes.begin(Step::Rules);
    rules::weigh(draft, catalogue, arrangement.rules, notes);
    notes.end(draft);
    if let Some(decay) = settings.impressions {
        notes.begin(Step::Impressions);
        let shown = arrangement.impressions;
        impressions::apply(draft, catalogue, decay, shown, &mut memory.shown, notes);
        notes.end(draft);
    }
}

/// Adds the items of a tier, as far as there is `room` for items in all.
fn put(shelf: &mut Vec<Ranked>, draft: &Draft, tier: Tier, origin: Origin, room: usize) {
    let left = room - shelf.len();
    let slots = draft.slots.iter().filter(|slot| slot.tier == tier);
    shelf.extend(slots.take(left).map(|slot| ranked(slot, origin)));
}

fn ranked(slot: &Slot, origin: Origin) -> Ranked {
    let origin = match origin {
        Origin::Popular if slot.score <= 0.0 => Origin::Unranked,
        origin => origin,
    };
    let (item, scored, score) = (slot.item, slot.scored, slot.score);
    Ranked { item, scored, score, origin, reasons: Vec::new() }
}

/// Fills a shelf up while there is `room`: with popular items, then with those that are disliked,
/// then with those that are buried.
#[expect(clippy::too_many_arguments, reason = "the parts of a workspace, lent one by one")]
fn fill_up(
    shelf: &mut Vec<Ranked>,
    room: usize,
    shop: Shop<'_>,
    origin: Origin,
    request: Request<'_>,
    arrangement: &Arrangement<'_>,
    eligible: &mut BitSet,
    memory: &mut Memory,
) {
    let catalogue = shop.catalogue;
    memory.draft.slots.iter().for_each(|slot| catalogue.take_work(slot.item, eligible));
    memory.filling.begin(&[]);
    if origin != Origin::Popular {
        let missing = room - shelf.len();
        find_filling(shop, request, arrangement, missing, eligible, memory);
        put(shelf, &memory.filling, Tier::Shown, Origin::Popular, room);
        put(shelf, &memory.filling, Tier::HeldBack, Origin::Popular, room);
        memory.filling.slots.iter().for_each(|slot| catalogue.take_work(slot.item, eligible));
    }
    put(shelf, &memory.draft, Tier::Disliked, origin, room);
    put(shelf, &memory.filling, Tier::Disliked, Origin::Popular, room);
    put(shelf, &memory.draft, Tier::Buried, origin, room);
    // The series gate may have put in a volume that a rule buries.
    put(shelf, &memory.filling, Tier::Buried, Origin::Popular, room);
    for &item in catalogue.by_popularity() {
        if shelf.len() == room {
            break;
        }
        if eligible.contains(item) {
            catalogue.take_work(item, eligible);
            let slot = Slot::new(item, super::popularity(shop, item));
            shelf.push(ranked(&slot, Origin::Popular));
        }
    }
}

/// Drafts what fills a shelf up where so many items are missing.
///
/// The series gate, dislikes and rules are promises to reader and shop and hold for every place;
/// diversity, the author cap and impression decay only shape the places of the best, which these
/// are not.
fn find_filling(
    shop: Shop<'_>,
    request: Request<'_>,
    arrangement: &Arrangement<'_>,
    missing: usize,
    eligible: &BitSet,
    memory: &mut Memory,
) {
    let settings = arrangement.settings;
    let dislikes = settings.disliked.is_some() && disliked::any(arrangement.judged);
    // Many popular items may be by one author, whom the user dislikes.
    let margin = if dislikes { FILLING_MARGIN.max(settings.candidates) } else { FILLING_MARGIN };
    let count = missing.saturating_add(margin);
    find_popular(shop, request, arrangement, count, eligible, &mut memory.popular);
    let notes = &mut Recorder(None);
    let draft = &mut memory.filling;
    draft.begin(&memory.popular.found);
    rotate(shop, arrangement, draft, &mut memory.popular, notes);
    if settings.series.is_some() {
        let context = Context { shop, eligible };
        series_gate::apply(draft, &context, &mut memory.gate, notes);
    }
    if dislikes {
        let judged = arrangement.judged;
        disliked::apply(draft, shop.catalogue, judged, &mut memory.opinions, notes);
    }
    rules::weigh(draft, shop.catalogue, arrangement.rules, notes);
}
