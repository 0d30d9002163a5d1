//! `/console/acceptance`: of the books that were shown, how many were clicked and bought.

use api::v1::{Acceptance, Proportion, ShelfKind};
use askama::Template;
use axum::response::Response;
use http::StatusCode;
use prost_types::Timestamp;
use serde::Deserialize;

use super::tabs;
use crate::chart::{self, Chart, Interval, Texts, number};
use crate::frame::{self, Frame, Link};
use crate::language::{Words, fill};
use crate::shop::now;
use crate::view::{Table, moment};
use crate::visitor::{Asked, Visitor};

/// Kinds of shelves and models that are shown, of the latest models.
const ROWS: usize = 100;

/// Intervals of one chart.
const INTERVALS: usize = 20;

/// Since when, by its name in addresses, with the seconds that it goes back.
const SINCE: [(&str, Option<i64>); 4] =
    [("day", Some(86_400)), ("week", Some(7 * 86_400)), ("month", Some(30 * 86_400)), ("", None)];

/// What the address says.
#[derive(Default, Deserialize)]
pub(super) struct Query {
    #[serde(default)]
    since: String,
}

#[derive(Template)]
#[template(path = "acceptance.html")]
struct Page {
    frame: Frame,
    tabs: Vec<(Link, bool)>,
    /// The choices with their names, and which of them it is.
    since: Vec<(&'static str, String, bool)>,
    first: Option<String>,
    /// `None` if it could not be had.
    table: Option<Table>,
    charts: Vec<Chart>,
}

/// `GET /console/acceptance`.
pub(super) async fn page(mut visitor: Visitor, Asked(query): Asked<Query>) -> Response {
    let words = visitor.words();
    let texts = &words.acceptance;
    let chosen = SINCE.into_iter().find(|(name, _)| *name == query.since);
    let (chosen, back) = chosen.unwrap_or(("", None));
    let start = back.map(|seconds| Timestamp { seconds: now() - seconds, nanos: 0 });
    let found = visitor.shop.service.acceptance(start).await;
    let named = [&texts.day, &texts.week, &texts.month, &texts.all];
    let since = SINCE.into_iter().zip(named);
    let since = since.map(|((name, _), text)| (name, text.clone(), name == chosen)).collect();
    let (mut first, mut table, mut charts) = (None, None, Vec::new());
    if let Ok((counted, first_shown)) = found {
        first = first_shown.map(|time| fill(&texts.first, &[("time", &moment(Some(time)))]));
        table = Some(self::table(&counted, words));
        if !counted.is_empty() {
            charts = self::charts(&counted, words);
        }
    }
    let frame = Frame::of(&mut visitor, &texts.title);
    let tabs = tabs(words, "/console/acceptance");
    frame::show(visitor, StatusCode::OK, &Page { frame, tabs, since, first, table, charts })
}

fn table(counted: &[Acceptance], words: &Words) -> Table {
    let texts = &words.acceptance;
    let row = |one: &Acceptance| {
        vec![
            shelf(one, words).to_owned(),
            model(one, words).to_owned(),
            one.shown_count.to_string(),
            one.clicked_count.to_string(),
            share(one.clicked, words),
            one.bought_count.to_string(),
            share(one.bought, words),
        ]
    };
    let heads = [
        texts.shelf.as_str(),
        &texts.model,
        &texts.shown,
        &texts.clicked,
        &texts.clicked_share,
        &texts.bought,
        &texts.bought_share,
    ];
    Table::new(&texts.table, &heads, counted.iter().take(ROWS).map(row), &texts.nothing)
}

fn charts(counted: &[Acceptance], words: &Words) -> Vec<Chart> {
    let texts = &words.acceptance;
    let chart = |id, title: &str, proportion: fn(&Acceptance) -> Option<Proportion>| {
        let mut told = Vec::new();
        let intervals: Vec<Interval> = counted
            .iter()
            .take(INTERVALS)
            .map(|one| {
                let values = [("shelf", shelf(one, words)), ("model", model(one, words))];
                let label = fill(&texts.chart_label, &values);
                let found = proportion(one).unwrap_or_default();
                let values = [("label", &*label), ("share", &*share(Some(found), words))];
                told.push(fill(&texts.chart_text, &values));
                let Proportion { estimate, low, high } = found;
                Interval { label, low, estimate, high }
            })
            .collect();
        let texts = Texts { id, title, description: told.join("; "), x: &texts.axis, y: "" };
        chart::intervals(texts, &intervals)
    };
    vec![
        chart("chart-clicked", &texts.chart_clicked, |one| one.clicked),
        chart("chart-bought", &texts.chart_bought, |one| one.bought),
    ]
}

/// A share with its interval, in percent.
fn share(proportion: Option<Proportion>, words: &Words) -> String {
    let Some(Proportion { estimate, low, high }) = proportion else {
        return words.console.unknown.clone();
    };
    let percent = |share: f64| number(share * 100.0);
    let (estimate, low, high) = (percent(estimate), percent(low), percent(high));
    let values = [("estimate", estimate.as_str()), ("low", &low), ("high", &high)];
    fill(&words.acceptance.share, &values)
}

fn model<'a>(one: &'a Acceptance, words: &'a Words) -> &'a str {
    if one.model_version.is_empty() { &words.acceptance.model_none } else { &one.model_version }
}

fn shelf<'a>(one: &Acceptance, words: &'a Words) -> &'a str {
    let texts = &words.acceptance;
    match one.shelf_kind() {
        ShelfKind::PickedForYou => &texts.picked,
        ShelfKind::Category => &texts.category,
        ShelfKind::BecauseYouRead => &texts.because,
        ShelfKind::Trending => &texts.trending,
        ShelfKind::NextInSeries => &texts.series,
        ShelfKind::SimilarTo => &texts.similar,
        ShelfKind::Popular => &texts.popular,
        ShelfKind::Unspecified => &texts.other,
    }
}
