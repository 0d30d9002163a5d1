//! Cold items: what the content prior is worth for books that nobody has met.
//!
//! A seeded share of the items is taken for new: all their interactions are held out of the
//! training, and of the other items a share of each user's as usual. Then four questions:
//!
//! 1. `new`: are the new items found among all items, by the users who have them?
//! 2. `among_new`: and where only new items are asked for, such as on a shelf of them?
//! 3. `from_new`: does a history of new items alone find the user's known ones?
//! 4. `known`: are known items found as well as without the prior?
//! 5. `mixed`: are both found, at the rate at which they occur? Here the new items of a user are
//!    thinned to the share that is held out of the others. It is what settings are chosen by: more
//!    scale finds more new items and fewer known ones.
//!
//! Only what a model scores counts; nothing is filled up by popularity, whose order among
//! new items would be that of their numbers.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};

use rand::RngExt;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use rayon::prelude::*;
use recommender::catalogue::{Catalogue, Entry};
use recommender::learn::content::{ContentSettings, Features, add_content};
use recommender::learn::low_pass::LowPass;
use recommender::learn::ridge::ItemWeights;
use recommender::learn::{LearnSettings, Learnt, learn};
use recommender::model::Liked;
use recommender::quality::{ListQuality, judge};
use recommender::shelf::{Origin, Request, Shelves, Shop, Workspace};
use recommender::watch::{Cancelled, Stage, Watch};
use recommender::{Filter, Interactions, ItemNumber, Model};
use serde::Serialize;

use crate::lightgcn::Histories;
use crate::split::{LIKED_MIN, hold_out};

/// The length of the lists.
const K: usize = 20;

/// The slug that marks new items, to ask for them alone.
const NEW: &str = "new";

/// What is learnt from, and what is held out.
pub struct ColdSplit {
    /// Learnt from; new items have no entry.
    pub train: Interactions,
    /// Held-out known items of each user, sorted.
    pub known: Histories,
    /// The new items of each user, sorted.
    pub new: Histories,
    /// The held-out known items and the same share of the new ones, sorted.
    pub mixed: Histories,
    /// Whether an item is new, by item.
    pub is_new: Vec<bool>,
}

/// Takes a share of the items that have users for new ones, and holds out `holdout` of each
/// user's other liked items.
///
/// # Panics
///
/// If a share is not from 0 to 1.
#[must_use]
pub fn split(interactions: &Interactions, share: f64, holdout: f64, seed: u64) -> ColdSplit {
    assert!((0.0..=1.0).contains(&share), "share {share}");
    let users = interactions.item_users();
    let mut items: Vec<usize> = (0..users.len()).filter(|item| users[*item] > 0).collect();
    items.shuffle(&mut ChaCha8Rng::seed_from_u64(seed));
    items.truncate((items.len() as f64 * share) as usize);
    let mut is_new = vec![false; users.len()];
    items.iter().for_each(|item| is_new[*item] = true);
    let mut rest = Interactions::new(users.len());
    let mut new = Histories::with_capacity(interactions.user_count());
    for user in 0..interactions.user_count() {
        let (items, values) = interactions.user(user);
        let entries = || items.iter().copied().zip(values.iter().copied());
        rest.push_user(entries().filter(|(item, _)| !is_new[*item as usize]));
        let liked = entries().filter(|(item, value)| is_new[*item as usize] && *value >= LIKED_MIN);
        let mut liked: Vec<u32> = liked.map(|(item, _)| item).collect();
        liked.sort_unstable();
        new.push(liked);
    }
    let train = hold_out(&rest, holdout, LIKED_MIN, seed).train;
    let known: Histories =
        (0..rest.user_count()).map(|user| left_out(&rest, &train, user)).collect();
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    random.set_stream(1);
    let mixed = known.iter().zip(&new).map(|(known, new)| {
        let thinned = new.iter().filter(|_| random.random_bool(holdout));
        let mut items: Vec<u32> = known.iter().chain(thinned).copied().collect();
        items.sort_unstable();
        items
    });
    let mixed = mixed.collect();
    ColdSplit { train, known, new, mixed, is_new }
}

/// The sorted items of a user that are not learnt from.
fn left_out(all: &Interactions, train: &Interactions, user: usize) -> Vec<u32> {
    let learnt: HashSet<u32> = train.user(user).0.iter().copied().collect();
    let rest = all.user(user).0.iter().copied().filter(|item| !learnt.contains(item));
    let mut rest: Vec<u32> = rest.collect();
    rest.sort_unstable();
    rest
}

/// Models side by side.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ColdReport {
    /// New items.
    pub new_items: usize,
    /// All items.
    pub items: usize,
    /// Users who have a new item.
    pub users: usize,
    /// The length of the lists.
    pub k: usize,
    /// One model each.
    pub rows: Vec<ColdRow>,
}

/// One model: means over the users who have what is looked for.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ColdRow {
    /// Its name.
    pub model: String,
    /// New items among all.
    pub new: Mean,
    /// New items among new ones.
    pub among_new: Mean,
    /// Known items, found from new ones alone.
    pub from_new: Mean,
    /// Known items among all.
    pub known: Mean,
    /// Known and new items among all.
    pub mixed: Mean,
}

/// Recall@k and NDCG@k, 0 to 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Mean {
    /// Hits / items looked for.
    pub recall: f64,
    /// Discounted hits / discounted hits of an ideal list.
    pub ndcg: f64,
}

/// Measures the model with and without the content prior, popularity, and content alone, on
/// the current rayon pool.
///
/// `show` is told a stage, how much of it is done, and how much there is.
///
/// # Errors
///
/// [`Cancelled`] soon after `cancelled` becomes true.
///
/// # Panics
///
/// If `features` are not of the items of the split.
pub fn measure(
    split: &ColdSplit,
    features: &Features,
    settings: &LearnSettings,
    content: &ContentSettings,
    show: &(dyn Fn(&str, usize, usize) + Sync),
    cancelled: &AtomicBool,
) -> Result<ColdReport, Cancelled> {
    let progress = |stage: Stage, done, total| show(stage.name(), done, total);
    let watch = &Watch { cancelled, progress: &progress };
    let users = split.train.item_users();
    let without = learn(&split.train, settings, watch)?;
    let empty = || Learnt {
        weights: ItemWeights {
            offsets: vec![0; users.len() + 1],
            targets: Vec::new(),
            weights: Vec::new(),
        },
        low_pass: LowPass::default(),
    };
    let add = |learnt: Learnt, content: &ContentSettings| {
        let weights = add_content(learnt.weights, &users, features, content, watch)?;
        Ok(Learnt { weights, ..learnt })
    };
    let with = add(without.clone(), content)?;
    let alone = add(empty(), &ContentSettings { half_users: f32::MAX, ..*content })?;
    let row = |name: &str, learnt| row(split, name, learnt, watch.cancelled);
    Ok(ColdReport {
        new_items: split.is_new.iter().filter(|is_new| **is_new).count(),
        items: users.len(),
        users: split.new.iter().filter(|items| !items.is_empty()).count(),
        k: K,
        rows: vec![
            row("with content prior", with)?,
            row("without", without)?,
            row("content alone", alone)?,
            row("popularity", empty())?,
        ],
    })
}

/// Measures one model.
///
/// # Errors
///
/// [`Cancelled`] soon after `cancelled` becomes true.
pub fn row(
    split: &ColdSplit,
    name: &str,
    learnt: Learnt,
    cancelled: &AtomicBool,
) -> Result<ColdRow, Cancelled> {
    let judged = Judged::new(split, learnt, cancelled);
    let train = |user: usize| split.train.user(user).0;
    let new = |user: usize| &split.new[user][..];
    Ok(ColdRow {
        model: name.to_owned(),
        new: judged.mean(&split.new, train, &Filter::default())?,
        among_new: judged.mean(
            &split.new,
            train,
            &Filter { any_categories: vec![NEW.to_owned()], ..Filter::default() },
        )?,
        from_new: judged.mean(&split.known, new, &Filter::default())?,
        known: judged.mean(&split.known, train, &Filter::default())?,
        mixed: judged.mean(&split.mixed, train, &Filter::default())?,
    })
}

/// A model under judgement, in a shop where every item is available and its own work.
struct Judged<'a> {
    model: Model,
    catalogue: Catalogue,
    /// Without weights there is only popularity to rank by.
    origin: Origin,
    cancelled: &'a AtomicBool,
}

impl<'a> Judged<'a> {
    fn new(split: &ColdSplit, learnt: Learnt, cancelled: &'a AtomicBool) -> Self {
        let numbers: Vec<ItemNumber> = (1..=split.is_new.len() as u32).map(ItemNumber).collect();
        let origin =
            if learnt.weights.weights.is_empty() { Origin::Popular } else { Origin::Personal };
        let trend = vec![0.0; numbers.len()];
        let model = Model::new(&numbers, &split.train, learnt, trend, 0);
        let new = [NEW.to_owned()];
        let entry = |(number, is_new): (ItemNumber, &bool)| Entry {
            number,
            categories: if *is_new { &new } else { &[] },
            ..Entry::default()
        };
        let entries: Vec<Entry<'_>> = numbers.into_iter().zip(&split.is_new).map(entry).collect();
        let catalogue = Catalogue::new(Some(&model), &entries);
        Self { model, catalogue, origin, cancelled }
    }

    /// Judges one list for each user who has something to find and a history.
    fn mean<'h>(
        &self,
        wanted: &Histories,
        history: impl Fn(usize) -> &'h [u32] + Sync,
        filter: &Filter,
    ) -> Result<Mean, Cancelled> {
        let asked = |user: &usize| !wanted[*user].is_empty() && !history(*user).is_empty();
        let users: Vec<usize> = (0..wanted.len()).filter(asked).collect();
        let lists: Vec<ListQuality> = users
            .par_iter()
            .map_init(Workspace::default, |workspace, &user| {
                let ranked = self.rank(history(user), filter, workspace);
                match self.cancelled.load(Ordering::Relaxed) {
                    true => Err(Cancelled),
                    false => Ok(judge(&ranked, &wanted[user], K)),
                }
            })
            .collect::<Result<_, _>>()?;
        let ListQuality { recall, ndcg, .. } = ListQuality::mean(&lists);
        Ok(Mean { recall, ndcg })
    }

    fn rank(&self, history: &[u32], filter: &Filter, workspace: &mut Workspace) -> Vec<u32> {
        let liked: Vec<Liked> =
            history.iter().map(|item| Liked { item: *item, weight: 1.0 }).collect();
        let shop = Shop { model: Some(&self.model), catalogue: &self.catalogue };
        let request = Request { settled: history, filter, results: K };
        let shelf = Shelves::new(shop, &liked, workspace).recommend(request);
        let scored = shelf.iter().filter(|ranked| ranked.origin == self.origin);
        scored.map(|ranked| ranked.item).collect()
    }
}
