//! What tests of several files measure, and with which settings.

use recommender::Interactions;
use recommender::learn::LearnSettings;
use recommender::learn::gram::GramSettings;
use recommender::learn::low_pass::LowPassSettings;
use recommender::learn::ridge::RidgeSettings;

use crate::split::{Split, hold_out};

/// Both parts of a model, for shops of some dozens of items.
pub(crate) fn small() -> LearnSettings {
    let gram = GramSettings { user_exponent: 0.5, row_entries: 50 };
    let ridge = RidgeSettings {
        gram,
        neighbours: 20,
        regularisation: 4.0,
        item_exponent: 0.25,
        distance_exponent: 0.0,
    };
    let low_pass = LowPassSettings { factors: 32, weight: 0.3, iterations: 2 };
    LearnSettings { ridge, low_pass }
}

/// The sparse part alone, without any exponent: to be worked out by hand.
pub(crate) fn plain_ridge() -> LearnSettings {
    let LearnSettings { mut ridge, mut low_pass } = small();
    ridge.gram = GramSettings { user_exponent: 0.0, row_entries: 10 };
    (ridge.neighbours, ridge.regularisation, ridge.item_exponent) = (4, 1.0, 0.0);
    low_pass.factors = 0;
    LearnSettings { ridge, low_pass }
}

/// Four tastes of ten items each; each of 120 users likes seven items of one taste, and an item
/// that all tastes share. Two of the eight are held out.
pub(crate) fn tastes() -> Split {
    tastes_among(41)
}

/// The same in a catalogue of so many items, 41 or more: nobody has the others.
pub(crate) fn tastes_among(items: usize) -> Split {
    let mut interactions = Interactions::new(items);
    for user in 0..120_u32 {
        let taste = user % 4 * 10;
        let items = (0..7).map(|step| taste + (user / 4 + step * 3) % 10);
        interactions.push_user(items.chain([40]).map(|item| (item, 1.0)));
    }
    hold_out(&interactions, 0.25, 0.0, 3)
}
