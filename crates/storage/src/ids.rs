//! A shop's ids and their numbers, there and back.
//!
//! A canonical decimal below 2³⁰ is its own number and is written down nowhere.
//! Every other id is assigned one, in the order in which ids arrive.

use std::collections::HashMap;
use std::fmt;

use recommender::id::{FIRST_ASSIGNED, LAST_NUMBER, check_id, own_number};
use recommender::{ItemNumber, UserNumber};

use crate::error::StoreError;
use crate::event::number;
use crate::store::Store;
use crate::writer::Writer;

/// What an id names. Users and books are numbered apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum IdSpace {
    /// A user. The number is written into stores and never changes.
    User = 1,
    /// A book. The number is written into stores and never changes.
    Book = 2,
}

impl IdSpace {
    /// Both, by number.
    pub const ALL: [Self; 2] = [Self::User, Self::Book];

    /// The space with this number in the tables.
    pub(crate) fn read(found: i64) -> Result<Self, StoreError> {
        let space = Self::ALL.into_iter().find(|space| i64::from(space.number()) == found);
        space.ok_or(StoreError::UnexpectedValue { column: "space", found })
    }

    pub(crate) fn number(self) -> u8 {
        self as u8
    }
}

impl fmt::Display for IdSpace {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(match self {
            Self::User => "user",
            Self::Book => "book",
        })
    }
}

impl Store {
    /// The number of the user with this id, or `None` if the store knows no such user. One who
    /// was merged into another is that other one.
    ///
    /// An id that is its own number is known once the user has an event or an impression, or
    /// somebody was merged into them; any other once [`Writer::assign_users`] was asked for it.
    ///
    /// # Errors
    ///
    /// [`StoreError::Id`] if it cannot be an id; otherwise as [`counts`](Self::counts).
    pub async fn user_number(&self, id: &str) -> Result<Option<UserNumber>, StoreError> {
        check_id(id)?;
        let number = match own_number(id) {
            Some(own) => Some(own),
            None => self.backend.assigned_number(IdSpace::User, id).await?,
        };
        let Some(user) = number.map(UserNumber) else { return Ok(None) };
        if let Some(into) = self.backend.merged_into(user).await? {
            return Ok(Some(into));
        }
        if user.0 >= FIRST_ASSIGNED || self.backend.has_user(user).await? {
            return Ok(Some(user));
        }
        // Merged between the two questions, this user is another by now.
        self.backend.merged_into(user).await
    }

    /// The number of the item with this id, or `None` if the store knows no such item.
    ///
    /// An id that is its own number is known once there is such a book; any other
    /// once [`Writer::assign_items`] was asked for it.
    ///
    /// # Errors
    ///
    /// [`StoreError::Id`] if it cannot be an id; otherwise as [`counts`](Self::counts).
    pub async fn item_number(&self, id: &str) -> Result<Option<ItemNumber>, StoreError> {
        check_id(id)?;
        let number = match own_number(id) {
            Some(own) => self.backend.has_book(ItemNumber(own)).await?.then_some(own),
            None => self.backend.assigned_number(IdSpace::Book, id).await?,
        };
        Ok(number.map(ItemNumber))
    }

    /// The ids of these users, in the same order; `None` for a number never assigned.
    ///
    /// # Errors
    ///
    /// As [`counts`](Self::counts).
    pub async fn user_ids(&self, users: &[UserNumber]) -> Result<Vec<Option<String>>, StoreError> {
        let numbers: Vec<u32> = users.iter().map(|user| user.0).collect();
        self.ids_of(IdSpace::User, &numbers).await
    }

    /// The ids of these items, in the same order; `None` for a number never assigned.
    ///
    /// # Errors
    ///
    /// As [`counts`](Self::counts).
    pub async fn item_ids(&self, items: &[ItemNumber]) -> Result<Vec<Option<String>>, StoreError> {
        let numbers: Vec<u32> = items.iter().map(|item| item.0).collect();
        self.ids_of(IdSpace::Book, &numbers).await
    }

    async fn ids_of(
        &self,
        space: IdSpace,
        numbers: &[u32],
    ) -> Result<Vec<Option<String>>, StoreError> {
        let mut assigned: Vec<u32> =
            numbers.iter().copied().filter(|number| *number >= FIRST_ASSIGNED).collect();
        assigned.sort_unstable();
        assigned.dedup();
        let ids: HashMap<u32, String> =
            self.backend.assigned_ids(space, &assigned).await?.into_iter().collect();
        let id = |number: &u32| match *number {
            0 => None,
            own if own < FIRST_ASSIGNED => Some(own.to_string()),
            assigned => ids.get(&assigned).cloned(),
        };
        Ok(numbers.iter().map(id).collect())
    }
}

impl Writer {
    /// The numbers of the users with these ids, in the same order, assigning new
    /// ones where needed. An id may occur several times. A user who was merged into another
    /// keeps their number here: [`assign_merged`](Self::assign_merged) gives the other's.
    ///
    /// # Errors
    ///
    /// [`StoreError::Id`] if one cannot be an id; [`StoreError::OutOfNumbers`].
    /// In both cases no number was assigned.
    pub async fn assign_users(&mut self, ids: &[&str]) -> Result<Vec<UserNumber>, StoreError> {
        let numbers = self.numbers(IdSpace::User, ids).await?;
        Ok(numbers.into_iter().map(UserNumber).collect())
    }

    /// The numbers of the items with these ids, in the same order, assigning new
    /// ones where needed. An id may occur several times.
    ///
    /// # Errors
    ///
    /// [`StoreError::Id`] if one cannot be an id; [`StoreError::OutOfNumbers`].
    /// In both cases no number was assigned.
    pub async fn assign_items(&mut self, ids: &[&str]) -> Result<Vec<ItemNumber>, StoreError> {
        let numbers = self.numbers(IdSpace::Book, ids).await?;
        Ok(numbers.into_iter().map(ItemNumber).collect())
    }

    /// The numbers of the users with these ids, in the same order, without assigning any; `None`
    /// for an id that has none. One that is its own number has it, whether or not anything is known
    /// of such a user. Merges are not followed.
    ///
    /// # Errors
    ///
    /// [`StoreError::Id`] if one cannot be an id.
    pub async fn find_users(
        &mut self,
        ids: &[&str],
    ) -> Result<Vec<Option<UserNumber>>, StoreError> {
        let found = self.find_numbers(IdSpace::User, ids).await?;
        Ok(found.into_iter().map(|number| number.map(UserNumber)).collect())
    }

    /// The numbers of the items with these ids, in the same order, without assigning any; `None`
    /// for an id that has none. One that is its own number has it, whether or not there is such a
    /// book.
    ///
    /// # Errors
    ///
    /// [`StoreError::Id`] if one cannot be an id.
    pub async fn find_items(
        &mut self,
        ids: &[&str],
    ) -> Result<Vec<Option<ItemNumber>>, StoreError> {
        let found = self.find_numbers(IdSpace::Book, ids).await?;
        Ok(found.into_iter().map(|number| number.map(ItemNumber)).collect())
    }

    async fn find_numbers(
        &mut self,
        space: IdSpace,
        ids: &[&str],
    ) -> Result<Vec<Option<u32>>, StoreError> {
        ids.iter().try_for_each(|id| check_id(id))?;
        let others: Vec<&str> = ids.iter().copied().filter(|id| own_number(id).is_none()).collect();
        let found = self.transaction.assigned_numbers(space, &others).await?;
        let found: HashMap<&str, u32> =
            found.into_iter().map(|(place, found)| (others[place], found)).collect();
        let number = |id: &&str| own_number(id).or_else(|| found.get(*id).copied());
        Ok(ids.iter().map(number).collect())
    }

    async fn numbers(&mut self, space: IdSpace, ids: &[&str]) -> Result<Vec<u32>, StoreError> {
        // Distinct ids that are not their own number, in the order of their arrival.
        let mut others: Vec<&str> = Vec::new();
        let mut numbers: HashMap<&str, Option<u32>> = HashMap::new();
        for id in ids {
            check_id(id)?;
            if own_number(id).is_none() && numbers.insert(*id, None).is_none() {
                others.push(*id);
            }
        }
        for (place, found) in self.transaction.assigned_numbers(space, &others).await? {
            numbers.insert(others[place], Some(found));
        }
        others.retain(|id| numbers.get(id) == Some(&None));
        if !others.is_empty() {
            let first = self.next_number(space, others.len()).await?;
            self.begin_change()?;
            self.transaction.assign(space, first, &others).await?;
            self.end_change();
            numbers.extend(others.into_iter().zip((first..).map(Some)));
        }
        let number = |id: &&str| {
            own_number(id)
                .or_else(|| numbers.get(id).copied().flatten())
                .expect("every id is its own number, was found or was assigned one")
        };
        Ok(ids.iter().map(number).collect())
    }

    /// The first number still free, if that many are.
    async fn next_number(&mut self, space: IdSpace, wanted: usize) -> Result<u32, StoreError> {
        let next = self.transaction.next_number(space).await?;
        let first = number("next_number", next)?;
        let left = (u64::from(LAST_NUMBER) + 1).saturating_sub(u64::from(first));
        let wanted = wanted as u64;
        if wanted > left {
            return Err(StoreError::OutOfNumbers { space, wanted, left });
        }
        Ok(first)
    }
}
