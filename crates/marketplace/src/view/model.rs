//! How models came about, and how well they rank.

use api::v1::Model;

use super::age;
use crate::chart::{self, Bar, Chart, Texts, number};
use crate::language::{Words, fill};
use crate::shop::now;

/// How well a model ranks, in words.
pub(crate) fn quality(model: &Model, words: &Words) -> String {
    let texts = &words.console;
    let Some(quality) = &model.quality else { return texts.quality_none.clone() };
    let count = quality.user_count.to_string();
    let measured = quality.measure_time.map_or_else(String::new, |time| age(time, now(), words));
    let values = [
        ("ndcg", number(quality.ndcg_at_10)),
        ("popular", number(quality.popularity_ndcg_at_10)),
        ("recall", number(quality.recall_at_10)),
        ("count", count),
        ("time", measured),
    ];
    fill(&texts.quality_text, &values.each_ref().map(|(name, value)| (*name, value.as_str())))
}

/// Plots of the models that are kept, the latest first: how well they rank beside popular books, and
/// how long the latest training took. What no file tells has none.
pub(crate) fn model_charts(models: &[Model], words: &Words) -> Vec<Chart> {
    let texts = &words.console;
    let bars = quality_bars(models, words);
    let of_quality = Texts {
        id: "chart-quality",
        title: &texts.chart_quality,
        description: fill(&texts.chart_quality_text, &[("values", &told(&bars, words))]),
        x: &texts.axis_version,
        y: &texts.axis_ndcg,
    };
    let quality = (!bars.is_empty()).then(|| chart::bars(of_quality, &bars));
    let parts = models.first().map_or_else(Vec::new, |latest| training_bars(latest, words));
    let version = models.first().map_or("", |latest| &latest.version);
    let title = fill(&texts.chart_training, &[("version", version)]);
    let of_training = Texts {
        id: "chart-training",
        title: &title,
        description: fill(&texts.chart_training_text, &[("values", &told(&parts, words))]),
        x: &texts.axis_part,
        y: &texts.axis_took,
    };
    let training = (!parts.is_empty()).then(|| chart::bars(of_training, &parts));
    quality.into_iter().chain(training).collect()
}

/// The models whose quality was measured, the oldest first, after what the latest has to beat.
fn quality_bars(models: &[Model], words: &Words) -> Vec<Bar> {
    let measured = || models.iter().filter_map(|model| Some((model, model.quality.as_ref()?)));
    let popular = measured().next().map(|(_, quality)| Bar {
        label: words.console.quality_popular.clone(),
        value: quality.popularity_ndcg_at_10,
    });
    let models = measured()
        .map(|(model, quality)| Bar { label: model.version.clone(), value: quality.ndcg_at_10 });
    let models: Vec<Bar> = models.collect();
    popular.into_iter().chain(models.into_iter().rev()).collect()
}

/// How many seconds the parts of a training took.
fn training_bars(model: &Model, words: &Words) -> Vec<Bar> {
    let texts = &words.console;
    let Some(on) = &model.trained_on else { return Vec::new() };
    let parts = [
        (&texts.part_measure, on.measure_duration),
        (&texts.part_read, on.read_duration),
        (&texts.part_fit, on.fit_duration),
    ];
    let bar = |(label, took): (&String, Option<prost_types::Duration>)| {
        let took = took?;
        let value = took.seconds as f64 + f64::from(took.nanos) / 1e9;
        Some(Bar { label: label.clone(), value })
    };
    parts.into_iter().filter_map(bar).collect()
}

fn told(bars: &[Bar], words: &Words) -> String {
    words.list(bars.iter().map(|bar| format!("{} {}", bar.label, number(bar.value))))
}

#[cfg(test)]
mod tests {
    use api::v1::{ModelQuality, TrainingSummary};

    use super::*;
    use crate::language::Language;

    fn model(version: &str, ndcg: Option<f64>) -> Model {
        let seconds = |seconds| Some(prost_types::Duration { seconds, nanos: 500_000_000 });
        Model {
            version: version.to_owned(),
            quality: ndcg.map(|ndcg| ModelQuality {
                ndcg_at_10: ndcg,
                recall_at_10: 0.25,
                user_count: 9,
                popularity_ndcg_at_10: ndcg / 2.0,
                measure_time: Some(prost_types::Timestamp { seconds: 1_700_000_000, nanos: 0 }),
            }),
            trained_on: Some(TrainingSummary {
                measure_duration: seconds(0),
                read_duration: seconds(1),
                fit_duration: seconds(2),
                ..TrainingSummary::default()
            }),
            ..Model::default()
        }
    }

    #[test]
    fn quality_stands_beside_what_it_has_to_beat() {
        let words = Language::EN.words();
        let text = quality(&model("1", Some(0.5)), words);
        assert!(text.starts_with("NDCG@10 0.5 (popular books 0.25), recall@10 0.25"), "{text}");
        assert!(text.contains("2023-11-14"), "{text}");
        assert_eq!(quality(&model("1", None), words), "not measured");
        let models = [model("3", Some(0.5)), model("2", None), model("1", Some(0.4))];
        let bars = quality_bars(&models, words);
        let bars: Vec<_> = bars.iter().map(|bar| (bar.label.as_str(), bar.value)).collect();
        assert_eq!(bars, [("popular", 0.25), ("1", 0.4), ("3", 0.5)]);
    }

    #[test]
    fn charts_are_of_what_files_tell() {
        let words = Language::EN.words();
        assert!(model_charts(&[], words).is_empty());
        assert!(model_charts(&[Model::default()], words).is_empty());
        assert_eq!(model_charts(&[model("2", None)], words).len(), 1);
        let charts = model_charts(&[model("2", Some(0.5))], words);
        let [quality, training] = &charts[..] else { panic!("{}", charts.len()) };
        assert!(askama::Template::render(quality).unwrap().contains("popular 0.25, 2 0.5"));
        let training = askama::Template::render(training).unwrap();
        assert!(training.contains("measuring 0.5, reading 1.5, learning 2.5"), "{training}");
    }
}
