//! `foreword bench`: measurements of a running service, of events, of how a service grows with its
//! users and training with its books, of what opening a model costs, of trainings beside calls, and
//! of the web shop's pages.

mod events;
mod load;
mod load_text;
mod open;
mod prepared;
mod retrain;
mod scale;
mod serving;
mod shop;
mod users;

use std::process::ExitCode;

use anyhow::Result;

use crate::arguments::{Arguments, Bench};

pub(super) async fn run(bench: &Bench, arguments: &Arguments) -> Result<ExitCode> {
    match bench {
        // These need no settings, which may name files that are missing here.
        Bench::Load(load) => load::run((**load).clone()).await,
        Bench::Events(events) => events::run(arguments, (**events).clone()).await,
        Bench::Open(open) => open::run(open.clone()).await,
        Bench::Users(users) => users::run(arguments, users.clone()).await,
        Bench::Retrain(retrain) => retrain::run(arguments, retrain.clone()).await,
        Bench::Shop(shop) => shop::run(shop.clone()).await,
        Bench::Scale(scale) => scale::run(&arguments.settings()?, scale.clone()).await,
    }
}
