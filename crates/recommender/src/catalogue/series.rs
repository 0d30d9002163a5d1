//! Series: which items are volumes of one, in the order of the volumes.

use std::collections::HashMap;

use super::Entry;
use super::lists::Lists;

/// An item's place in a series.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Volume {
    /// The number of the series.
    pub series: u32,
    /// The place in it; 1.5 lies between the first and the second, 0.5 before the first.
    pub place: f32,
}

/// Items by series. A series is known by its name alone: in a shop where two have one name,
/// they count as one.
#[derive(Clone, Debug, Default)]
pub(super) struct SeriesIndex {
    names: HashMap<String, u32>,
    /// The series of each item + 1, or 0.
    series: Vec<u32>,
    /// The place of each item in its series; NaN without one.
    places: Vec<f32>,
    /// The items of each series that have a place, by place, equals by index.
    volumes: Lists,
    /// All items of each series, by number.
    members: Lists,
}

impl SeriesIndex {
    pub(super) fn new<'a>(
        item_count: usize,
        indexed: impl Iterator<Item = (u32, &'a Entry<'a>)>,
    ) -> Self {
        let mut index = Self {
            series: vec![0; item_count],
            places: vec![f32::NAN; item_count],
            ..Self::default()
        };
        let (mut pairs, mut members) = (Vec::new(), Vec::new());
        for (item, entry) in indexed {
            let Some(name) = entry.series else { continue };
            let next = index.names.len() as u32;
            let series = *index.names.entry(name.to_owned()).or_insert(next);
            index.series[item as usize] = series + 1;
            members.push((series, item));
            if let Some(place) = entry.volume.filter(|place| place.is_finite()) {
                index.places[item as usize] = place as f32;
                pairs.push((series, item));
            }
        }
        pairs.sort_unstable_by(|left, right| {
            let place = |pair: &(u32, u32)| index.places[pair.1 as usize];
            left.0
                .cmp(&right.0)
                .then(place(left).total_cmp(&place(right)))
                .then(left.1.cmp(&right.1))
        });
        index.members = Lists::new(index.names.len(), &members);
        index.volumes = Lists::new(index.names.len(), &pairs);
        index
    }

    pub(super) fn number(&self, name: &str) -> Option<u32> {
        self.names.get(name).copied()
    }

    pub(super) fn series(&self, item: u32) -> Option<u32> {
        self.series[item as usize].checked_sub(1)
    }

    pub(super) fn volume(&self, item: u32) -> Option<Volume> {
        let (series, place) = (self.series(item)?, self.places[item as usize]);
        (!place.is_nan()).then_some(Volume { series, place })
    }

    pub(super) fn members(&self, series: u32) -> &[u32] {
        self.members.get(series)
    }

    pub(super) fn volumes(&self, series: u32) -> &[u32] {
        self.volumes.get(series)
    }
}
