//! `/console/models`: the models that are kept, which of them answers, and training.

use api::v1::Model;
use askama::Template;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse as _, Response};
use futures_util::{StreamExt as _, stream};
use http::StatusCode;
use serde::Deserialize;

use super::tabs;
use crate::chart::{Chart, number};
use crate::console::Stage;
use crate::done::Done;
use crate::frame::{self, Frame, Link};
use crate::language::{Words, fill};
use crate::service::Failure;
use crate::shop::now;
use crate::view::{age, model_charts, quality};
use crate::visitor::{NoFields, Posted, Visitor};

/// The event by which a page learns that the training is over.
const OVER: &str = "over";

#[derive(Template)]
#[template(path = "models.html")]
struct Page {
    frame: Frame,
    tabs: Vec<(Link, bool)>,
    live_script: String,
    is_away: bool,
    models: Vec<ModelView>,
    /// What goes back, and what that does.
    roll_back: Option<(String, String)>,
    model_charts: Vec<Chart>,
    progress: Progress,
    settings: Option<(String, String)>,
}

/// A model that is kept.
struct ModelView {
    version: String,
    cells: Vec<String>,
    /// The button that activates it, for those who do not see where it stands.
    activate: Option<String>,
}

/// How far the latest training is.
#[derive(Template)]
#[template(path = "training.html")]
struct Progress {
    words: &'static Words,
    /// The token of its form.
    token: String,
    text: Option<String>,
    is_running: bool,
    is_over: bool,
    /// How much is done of how much.
    part: Option<(i64, i64)>,
}

/// `GET /console/models`.
pub(super) async fn page(mut visitor: Visitor) -> Response {
    let words = visitor.words();
    let shop = visitor.shop.clone();
    let service = &shop.service;
    let (listed, active) = tokio::join!(service.list_models(), service.get_model(String::new()));
    let is_away = listed.is_err();
    let listed = listed.unwrap_or_default();
    let current = listed.iter().find(|model| model.active);
    let roll_back = current.map(|model| {
        let version = model.version.clone();
        let text = fill(&words.models.roll_back_text, &[("version", &version)]);
        (version, text)
    });
    let settings = active.ok().flatten().map(|model| {
        let title = fill(&words.models.settings, &[("version", &model.version)]);
        (title, model.settings_toml)
    });
    let frame = Frame::of(&mut visitor, &words.models.title);
    let token = frame.token.clone();
    let page = Page {
        frame,
        tabs: tabs(words, "/console/models"),
        live_script: shop.assets.live_script().to_owned(),
        is_away,
        models: listed.iter().map(|model| ModelView::new(model, words)).collect(),
        roll_back: roll_back.filter(|_| listed.len() > 1),
        model_charts: model_charts(&listed, words),
        progress: Progress::new(&shop.training.stage(), words, token),
        settings,
    };
    frame::show(visitor, StatusCode::OK, &page)
}

impl ModelView {
    fn new(model: &Model, words: &Words) -> Self {
        let texts = &words.models;
        let unknown = || words.console.unknown.clone();
        let mut state = match (model.active, model.served) {
            (true, true) => words.list([&texts.active, &texts.served]),
            (true, false) => texts.active.clone(),
            (false, true) => texts.served.clone(),
            (false, false) => texts.idle.clone(),
        };
        if !model.damage.is_empty() {
            state = fill(&texts.damaged, &[("problem", &model.damage)]);
        }
        let count = |count: Option<i64>| count.map_or_else(unknown, |count| count.to_string());
        let on = model.trained_on.as_ref();
        let size = number(model.file_bytes as f64 / 1000.0);
        let cells = vec![
            state,
            model.train_time.map_or_else(unknown, |time| age(time, now(), words)),
            count(on.map(|on| on.user_count)),
            count(on.map(|on| on.interaction_count)),
            count(on.and_then(|on| on.event_changes_since)),
            quality(model, words),
            fill(&texts.kilobytes, &[("value", &size)]),
        ];
        let can_be_activated = !model.active && model.damage.is_empty();
        let activate = fill(&texts.activate_version, &[("version", &model.version)]);
        let activate = can_be_activated.then_some(activate);
        Self { version: model.version.clone(), cells, activate }
    }
}

impl Progress {
    fn new(stage: &Stage, words: &'static Words, token: String) -> Self {
        let texts = &words.models;
        let mut part = None;
        let text = match stage {
            Stage::Never => None,
            Stage::Running { stage, done, total } => {
                let stage = if stage.is_empty() { &texts.beginning } else { stage };
                part = (*total > 0).then_some((*done, *total));
                let (done, total) = (done.to_string(), total.to_string());
                let values = [("stage", stage.as_str()), ("done", &done), ("total", &total)];
                let text = if part.is_some() { &texts.running_of } else { &texts.running };
                Some(fill(text, &values))
            }
            Stage::Done { version } => Some(fill(&texts.done, &[("version", version)])),
            Stage::Failed { problem: Some(problem) } => {
                Some(fill(&texts.refused, &[("problem", problem)]))
            }
            Stage::Failed { problem: None } => Some(texts.failed.clone()),
            Stage::Stopped => Some(texts.stopped.clone()),
        };
        let is_running = stage.is_running();
        Self { words, token, is_running, is_over: text.is_some() && !is_running, text, part }
    }
}

/// The fields of a form about a model.
#[derive(Deserialize)]
pub(super) struct Fields {
    #[serde(default)]
    version: String,
}

/// `POST /console/models/activate`.
pub(super) async fn activate(posted: Posted<Fields>) -> Response {
    let Posted { visitor, fields, .. } = posted;
    let answer = visitor.shop.service.activate_model(fields.version).await;
    told(visitor, answer)
}

/// `POST /console/models/roll-back`.
pub(super) async fn roll_back(posted: Posted<Fields>) -> Response {
    let Posted { visitor, fields, .. } = posted;
    let answer = visitor.shop.service.roll_back_model(fields.version).await;
    told(visitor, answer)
}

fn told(mut visitor: Visitor, answer: Result<Option<Model>, Failure>) -> Response {
    visitor.session.done = Some(match answer {
        Ok(model) => Done::ModelActive { version: model.unwrap_or_default().version },
        Err(failure) => Done::refused(&failure),
    });
    visitor.see_other("/console/models")
}

/// `POST /console/models/train`.
pub(super) async fn train(posted: Posted<NoFields>) -> Response {
    posted.visitor.shop.training.begin();
    posted.visitor.see_other("/console/models")
}

/// `POST /console/models/stop`.
pub(super) async fn stop(posted: Posted<NoFields>) -> Response {
    posted.visitor.shop.training.stop();
    posted.visitor.see_other("/console/models")
}

/// `GET /console/models/training`: how far the training is, until it is over.
pub(super) async fn follow(visitor: Visitor) -> Response {
    let words = visitor.words();
    let token = visitor.shop.form_tokens.token(&visitor.session.id);
    let stages = visitor.shop.training.follow();
    let parts = super::parts(stages.map(move |stage| Progress::new(&stage, words, token.clone())));
    let over = stream::iter([Ok(Event::default().event(OVER).data(OVER))]);
    Sse::new(parts.chain(over)).keep_alive(KeepAlive::default()).into_response()
}
