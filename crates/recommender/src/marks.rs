//! A map from small numbers that is emptied in constant time, for memory that is used again.

/// A map from numbers such as indexes to values.
///
/// Takes the size of the largest number ever set. A number's value is there if it was set
/// in the present round; [`Marks::clear`] begins the next.
#[derive(Clone, Debug, Default)]
pub(crate) struct Marks<T> {
    places: Vec<(u32, T)>,
    round: u32,
}

impl<T: Copy + Default> Marks<T> {
    /// Forgets every value. Costs nothing, but once in 2³² rounds.
    pub(crate) fn clear(&mut self) {
        self.round += 1;
        if self.round == u32::MAX {
            self.places.clear();
            self.round = 0;
        }
    }

    /// What stands in a place of this round; 0 stands in one of none.
    fn current(&self) -> u32 {
        self.round + 1
    }

    /// The value of a number, if it has one.
    pub(crate) fn get(&self, number: u32) -> Option<T> {
        let (round, value) = self.places.get(number as usize)?;
        (*round == self.current()).then_some(*value)
    }

    /// Whether a number has a value.
    pub(crate) fn has(&self, number: u32) -> bool {
        self.get(number).is_some()
    }

    /// Gives a number a value.
    pub(crate) fn set(&mut self, number: u32, value: T) {
        let (number, current) = (number as usize, self.current());
        if number >= self.places.len() {
            self.places.resize(number + 1, (0, T::default()));
        }
        self.places[number] = (current, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_there_until_the_marks_are_cleared() {
        let mut marks = Marks::default();
        assert_eq!(marks.get(3), None);
        marks.set(3, 7);
        assert_eq!((marks.get(3), marks.get(2), marks.has(9)), (Some(7), None, false));
        marks.clear();
        assert!(!marks.has(3));
        marks.set(3, 8);
        assert_eq!(marks.get(3), Some(8));
    }

    #[test]
    fn rounds_that_wrap_around_bring_nothing_back() {
        let mut marks = Marks { places: Vec::new(), round: u32::MAX - 1 };
        marks.set(1, 5);
        marks.clear();
        assert!(!marks.has(1));
        marks.set(0, 6);
        assert!(!marks.has(1));
    }
}
