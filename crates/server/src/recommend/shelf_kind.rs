//! What shelves there are, and how tokens name them.

/// What a shelf is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ShelfKind {
    /// Books for the reader.
    PickedForYou,
    /// Books of one category, for the reader.
    Category,
    /// Books that go with one of the reader's.
    BecauseYouRead,
    /// What rises.
    Trending,
    /// The next volumes of the reader's series.
    NextInSeries,
    /// Books that go with a given one.
    SimilarTo,
    /// What many like.
    Popular,
}

impl ShelfKind {
    /// Every kind.
    pub const ALL: [Self; 7] = [
        Self::PickedForYou,
        Self::Category,
        Self::BecauseYouRead,
        Self::Trending,
        Self::NextInSeries,
        Self::SimilarTo,
        Self::Popular,
    ];

    /// The kind that a letter stands for; `None` if it is none.
    #[must_use]
    pub fn of_letter(letter: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.letter().to_string() == letter)
    }

    /// The letter that stands for it in tokens, which stores keep: it never changes.
    #[must_use]
    pub fn letter(self) -> char {
        match self {
            Self::PickedForYou => 'p',
            Self::Category => 'c',
            Self::BecauseYouRead => 'b',
            Self::Trending => 't',
            Self::NextInSeries => 'n',
            Self::SimilarTo => 's',
            Self::Popular => 'o',
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_a_letter_of_its_own() {
        let mut letters = ShelfKind::ALL.map(ShelfKind::letter);
        letters.sort_unstable();
        assert_eq!(letters, ['b', 'c', 'n', 'o', 'p', 's', 't']);
    }
}
