//! A model as sections of a file.

use std::collections::HashMap;
use std::sync::Arc;

use recommender::array::SharedBytes;
use recommender::model::{Liked, ModelError};
use recommender::{ItemNumber, Model};

use crate::shop;

/// The sections of a model, each in memory aligned as a mapped file would be.
fn sections(model: &Model) -> HashMap<u32, Vec<u64>> {
    let summary = model.summary().to_bytes();
    let aligned = |bytes: &[u8]| {
        let mut words = vec![0_u64; bytes.len().div_ceil(8)];
        bytemuck::cast_slice_mut(&mut words)[..bytes.len()].copy_from_slice(bytes);
        words
    };
    model.sections(&summary).iter().map(|section| (section.tag, aligned(section.bytes))).collect()
}

struct Words(Vec<u64>, usize);

impl AsRef<[u8]> for Words {
    fn as_ref(&self) -> &[u8] {
        &bytemuck::cast_slice(&self.0)[..self.1]
    }
}

fn open(model: &Model, change: impl Fn(u32, usize) -> Option<usize>) -> Result<Model, ModelError> {
    let summary = model.summary().to_bytes();
    let lengths: HashMap<u32, usize> =
        model.sections(&summary).iter().map(|section| (section.tag, section.bytes.len())).collect();
    let sections = sections(model);
    Model::from_sections(|tag| {
        let length = change(tag, *lengths.get(&tag)?)?;
        Some(Arc::new(Words(sections.get(&tag)?.clone(), length)) as SharedBytes)
    })
}

#[test]
fn a_model_read_back_scores_the_same() {
    let model = shop::model(&shop::interactions(520, 900, 3));
    let read = open(&model, |_, length| Some(length)).unwrap();
    assert_eq!(read.summary(), model.summary());
    assert_eq!(read.index_of(ItemNumber(5)), Some(2));
    assert_eq!(read.index_of(ItemNumber(6)), None);
    let score = |model: &Model| {
        let history = [Liked { item: 3, weight: 0.5 }, Liked { item: 70, weight: 1.0 }];
        let of = |item| model.contributions(&history, item).sum::<f32>();
        (0..model.item_count() as u32).map(of).collect::<Vec<_>>()
    };
    assert_eq!(score(&read), score(&model));
}

#[test]
fn a_section_that_is_missing_or_short_is_named() {
    let model = shop::model(&shop::interactions(520, 900, 3));
    for tag in 1..=10 {
        let missing = open(&model, |other, length| (other != tag).then_some(length));
        if tag == 8 {
            assert_eq!(missing.unwrap().low_rank().width(), 0, "a file from before it");
        } else {
            assert_eq!(missing.unwrap_err(), ModelError::Missing { tag });
        }
        for cut in [1, 8] {
            let cut = |other, length| Some(if other == tag { length - cut } else { length });
            assert!(matches!(open(&model, cut), Err(ModelError::Mismatch { .. })), "{tag}");
        }
    }
}
