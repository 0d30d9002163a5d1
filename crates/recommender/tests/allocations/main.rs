//! How often a request allocates, once its working memory has grown.

#![allow(unsafe_code)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};

use recommender::catalogue::{Catalogue, Entry};
use recommender::learn::Learnt;
use recommender::learn::low_pass::LowPass;
use recommender::learn::ridge::ItemWeights;
use recommender::model::Liked;
use recommender::shelf::{Request, Shelves, Shop, Workspace};
use recommender::{Filter, Interactions, ItemNumber, Model};

struct Counting;

static COUNT: AtomicUsize = AtomicUsize::new(0);

// SAFETY: every call is handed on to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        COUNT.fetch_add(1, Ordering::Relaxed);
        // SAFETY: as above.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: as above.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const ITEMS: u32 = 4000;

/// A model in which each item speaks for the 100 after it.
fn model() -> Model {
    let mut weights = ItemWeights { offsets: vec![0], targets: Vec::new(), weights: Vec::new() };
    for item in 0..ITEMS {
        let last = (item + 101).min(ITEMS);
        weights.targets.extend(item + 1..last);
        weights.weights.extend((item + 1..last).map(|target| 1.0 / (1 + target - item) as f32));
        weights.offsets.push(weights.targets.len() as u64);
    }
    let low_pass = LowPass {
        width: 32,
        factors: vec![1; ITEMS as usize * 32],
        source: vec![1e-3; ITEMS as usize],
        target: vec![1e-3; ITEMS as usize],
    };
    let numbers: Vec<ItemNumber> = (1..=ITEMS).map(ItemNumber).collect();
    let interactions = Interactions::new(ITEMS as usize);
    let learnt = Learnt { weights, low_pass };
    Model::new(&numbers, &interactions, learnt, vec![0.0; ITEMS as usize], 0)
}

#[test]
fn a_request_allocates_five_times_at_most() {
    let model = model();
    let slugs = [["even".to_owned()], ["odd".to_owned()]];
    let entries: Vec<Entry<'_>> = (1..=ITEMS)
        .map(|number| Entry {
            number: ItemNumber(number),
            categories: &slugs[(number % 2) as usize],
            ..Entry::default()
        })
        .collect();
    let catalogue = Catalogue::new(Some(&model), &entries);
    let shop = Shop { model: Some(&model), catalogue: &catalogue };
    let filter = Filter { any_categories: vec!["even".to_owned()], ..Filter::default() };
    let history: Vec<Liked> =
        (0..100).map(|place| Liked { item: place * 37, weight: 1.0 }).collect();
    let settled: Vec<u32> = history.iter().map(|liked| liked.item).collect();
    let request = Request { settled: &settled, filter: &filter, results: 10 };
    let mut workspace = Workspace::default();
    for _ in 0..3 {
        assert_eq!(Shelves::new(shop, &history, &mut workspace).recommend(request).len(), 10);
    }
    let before = COUNT.load(Ordering::Relaxed);
    let shelf = Shelves::new(shop, &history, &mut workspace).recommend(request);
    let allocations = COUNT.load(Ordering::Relaxed) - before;
    assert!(allocations <= 5, "{allocations} for {} items", shelf.len());
}
