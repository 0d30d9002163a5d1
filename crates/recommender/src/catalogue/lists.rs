//! Lists of numbers, one after the other in one array.

use std::collections::HashMap;

use crate::bits::BitSet;

/// Lists of numbers.
#[derive(Clone, Debug, Default)]
pub(super) struct Lists {
    offsets: Vec<usize>,
    members: Vec<u32>,
}

impl Lists {
    /// Groups `(list, member)` pairs; within a list the order of the pairs stays.
    pub(super) fn new(list_count: usize, pairs: &[(u32, u32)]) -> Self {
        let mut offsets = vec![0; list_count + 1];
        for (list, _) in pairs {
            offsets[*list as usize + 1] += 1;
        }
        for list in 0..list_count {
            offsets[list + 1] += offsets[list];
        }
        let mut next = offsets.clone();
        let mut members = vec![0; pairs.len()];
        for (list, member) in pairs {
            members[next[*list as usize]] = *member;
            next[*list as usize] += 1;
        }
        Self { offsets, members }
    }

    pub(super) fn get(&self, list: u32) -> &[u32] {
        &self.members[self.offsets[list as usize]..self.offsets[list as usize + 1]]
    }

    /// Puts the members of each list into the order of their keys.
    fn sort(&mut self, key: impl Fn(u32) -> u32) {
        for bounds in self.offsets.windows(2) {
            self.members[bounds[0]..bounds[1]].sort_unstable_by_key(|member| key(*member));
        }
    }
}

/// Named lists of items.
#[derive(Clone, Debug, Default)]
pub(super) struct Groups {
    names: HashMap<String, u32>,
    members: Lists,
    /// The members of large groups once more, so that they go in and out by words.
    sets: Vec<Option<BitSet>>,
}

/// A group with this part of all items or more is also kept as a set: its list takes as much.
const SET_SHARE: usize = 32;

impl Groups {
    pub(super) fn new<'a>(
        item_count: usize,
        memberships: impl Iterator<Item = (&'a str, u32)>,
    ) -> Self {
        Self::with_items(item_count, memberships).0
    }

    /// The lists, and for each item those that it is in, in the order of the memberships.
    pub(super) fn with_items<'a>(
        item_count: usize,
        memberships: impl Iterator<Item = (&'a str, u32)>,
    ) -> (Self, Lists) {
        let (names, pairs) = number(memberships);
        let members = Lists::new(names.len(), &pairs);
        let inverse: Vec<(u32, u32)> = pairs.iter().map(|(group, item)| (*item, *group)).collect();
        let set = |group: u32| {
            let list = members.get(group);
            let is_large = !list.is_empty() && list.len() * SET_SHARE >= item_count;
            is_large.then(|| {
                let mut set = BitSet::new(item_count);
                list.iter().for_each(|item| set.insert(*item));
                set
            })
        };
        let sets = (0..names.len() as u32).map(set).collect();
        (Self { names, members, sets }, Lists::new(item_count, &inverse))
    }

    /// Keeps of a set what is in at least one of the groups. `spare` is working memory.
    pub(super) fn keep_any(&self, names: &[String], items: &mut BitSet, spare: &mut BitSet) {
        if let [name] = names
            && let Some(group) = self.number(name)
            && let Some(set) = &self.sets[group as usize]
        {
            items.intersect(set);
            return;
        }
        spare.empty_like(items);
        names.iter().for_each(|name| self.add_to(name, spare));
        items.intersect(spare);
    }

    /// Adds the members of a group to a set.
    fn add_to(&self, name: &str, items: &mut BitSet) {
        let Some(group) = self.number(name) else { return };
        match &self.sets[group as usize] {
            Some(set) => items.unite(set),
            None => self.members.get(group).iter().for_each(|item| items.insert(*item)),
        }
    }

    /// Takes the members of a group out of a set.
    pub(super) fn take_from(&self, name: &str, items: &mut BitSet) {
        let Some(group) = self.number(name) else { return };
        match &self.sets[group as usize] {
            Some(set) => items.subtract(set),
            None => self.members.get(group).iter().for_each(|item| items.remove(*item)),
        }
    }

    /// Puts the members of each list into the order of their keys.
    pub(super) fn sort(&mut self, key: impl Fn(u32) -> u32) {
        self.members.sort(key);
    }

    /// Every list with its name, in no particular order.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &[u32])> {
        self.names.iter().map(|(name, group)| (name.as_str(), self.members.get(*group)))
    }

    /// The number of lists.
    pub(super) fn count(&self) -> usize {
        self.names.len()
    }

    pub(super) fn number(&self, name: &str) -> Option<u32> {
        self.names.get(name).copied()
    }

    pub(super) fn members(&self, name: &str) -> &[u32] {
        self.number(name).map_or(&[], |group| self.members.get(group))
    }

    pub(super) fn members_of(&self, group: u32) -> &[u32] {
        self.members.get(group)
    }
}

/// Numbers the groups in the order in which they first come.
fn number<'a>(
    memberships: impl Iterator<Item = (&'a str, u32)>,
) -> (HashMap<String, u32>, Vec<(u32, u32)>) {
    let mut names: HashMap<String, u32> = HashMap::new();
    let mut pairs = Vec::new();
    for (name, index) in memberships {
        let next = names.len() as u32;
        let group = match names.get(name) {
            Some(group) => *group,
            None => *names.entry(name.to_owned()).or_insert(next),
        };
        pairs.push((group, index));
    }
    (names, pairs)
}
