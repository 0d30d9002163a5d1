//! The steps of the re-rank that can be left out, in their order. The shop's rules and pins come
//! between them with every request (`arrange.rs`).

/// What is re-ranked, which steps it goes through, and with what. `None` leaves a step out.
#[derive(Clone, Debug, PartialEq)]
pub struct ShelfSettings {
    /// How many of the best items are re-ranked. Never fewer than are asked for.
    pub candidates: usize,
    /// How popular items of small categories are weighed against those of large ones, where
    /// there is nothing personal to re-rank.
    pub blend: Option<Blend>,
    /// Popular items change places with others about as popular.
    pub rotation: Option<Rotation>,
    /// Of a series only the volume to read next.
    pub series: Option<SeriesGate>,
    /// Behind the others: what is by authors or of series that the user dislikes.
    pub disliked: Option<HoldBack>,
    /// Items that are unlike those before them.
    pub diversity: Option<Diversity>,
    /// Not too many of one author.
    pub authors: Option<AuthorCap>,
    /// What was shown and not taken up sinks.
    pub impressions: Option<ImpressionDecay>,
}

/// The step that lets only the next volume of a series through; it has nothing to set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SeriesGate;

/// The step that holds back what the user dislikes; it has nothing to set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HoldBack;

/// Maximal marginal relevance; formula and source stand in `diversity.rs`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Diversity {
    /// `1 − λ`, from 0, where only scores count, to 1, where only unlikeness does.
    pub weight: f32,
    /// How many places are chosen so.
    pub places: usize,
}

/// At most `books` of one author among the first `places`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AuthorCap {
    /// Books of one author.
    pub books: usize,
    /// The places that this holds for.
    pub places: usize,
}

/// Every showing without a click multiplies a score by `factor`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ImpressionDecay {
    /// Above 0 and at most 1.
    pub factor: f32,
    /// A showing counts half for every so many milliseconds since.
    pub half_life_ms: f64,
}

/// Items whose popularity is within one band change places by the seed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rotation {
    /// How many times as popular the most popular of a band is as the least, above 1.
    pub band: f32,
}

/// Category shares are shrunk to the share of the whole shop.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Blend {
    /// The weight of the whole shop, as a part of all that was liked in it; above 0.
    pub prior: f32,
}

impl ShelfSettings {
    /// No step at all: candidates come in the order of their scores.
    pub const NONE: Self = Self {
        candidates: 0,
        blend: None,
        rotation: None,
        series: None,
        disliked: None,
        diversity: None,
        authors: None,
        impressions: None,
    };
}
