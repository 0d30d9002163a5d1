//! The figures of `foreword bench retrain` as a person likes to read them.

use std::time::Duration;

use evaluation::load::paired::Paired;

use super::Document;
use super::beside::Beside;
use super::freshness::{Freshness, RESULTS};
use crate::command::bench::load_text;
use crate::command::bench::serving::{Training, peak_bytes};
use crate::figures;

pub(super) fn text(document: &Document) -> String {
    let Document { items, events, first_training_seconds, beside, freshness: fresh, .. } = document;
    let Beside { all, half, half_per_second, trainings: ended } = beside;
    let mut text = format!(
        "a made-up shop of {} and {}; trained in {} on all threads of train.threads\n\n",
        figures::counted(*items as u64, "book"),
        figures::counted(*events as u64, "event"),
        seconds(*first_training_seconds),
    );
    text.push_str("all that it can answer\n");
    text.push_str(&paired(all));
    text.push_str(&format!(
        "\nhalf of that: {} requests per second\n{}",
        load_text::rate(*half_per_second),
        paired(half)
    ));
    text.push_str(&trainings(ended));
    text.push_str(&freshness(fresh));
    text
}

fn paired(paired: &Paired) -> String {
    let mut text = load_text::rounds(&paired.targets);
    paired.ratios.iter().for_each(|ratios| text.push_str(&load_text::proportions(ratios)));
    paired.targets.iter().for_each(|target| text.push_str(&load_text::wrong(target)));
    text
}

fn freshness(freshness: &Freshness) -> String {
    let Freshness { events_per_second, events, seconds: all, appeared_seconds, .. } = freshness;
    let appeared = appeared_seconds.iter().map(|one| one.map_or("never".to_owned(), seconds));
    let appeared: Vec<String> = appeared.collect();
    format!(
        "\nwith {} per second ({} of them in {}), new books were among the first {RESULTS} like another\nafter {}\n{}",
        figures::counted((*events_per_second).into(), "event"),
        figures::count(*events),
        seconds(*all),
        appeared.join(", "),
        trainings(&freshness.trainings)
    )
}

fn trainings(trainings: &[Training]) -> String {
    let mut times: Vec<f64> = trainings.iter().map(|one| one.seconds).collect();
    times.sort_by(f64::total_cmp);
    let count = figures::counted(trainings.len() as u64, "training");
    let (Some(median), Some(longest)) = (times.get(times.len() / 2), times.last()) else {
        return "no training ended meanwhile\n".to_owned();
    };
    let peak = peak_bytes(trainings).map_or_else(String::new, |peak| {
        format!(", in processes of up to {}", figures::bytes(peak))
    });
    let (median, longest) = (seconds(*median), seconds(*longest));
    format!("{count} ended meanwhile: median {median}, longest {longest}{peak}\n")
}

fn seconds(seconds: f64) -> String {
    figures::seconds(Duration::from_secs_f64(seconds))
}
