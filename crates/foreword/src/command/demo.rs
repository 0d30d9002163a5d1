//! `foreword demo`.

use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context, Result};
use marketplace::settings::SignIn;
use marketplace::{Marketplace, MarketplaceError};
use server::ask::{Question, ask_servers};
use server::data_folder::DataFolder;
use server::demo::{self, SHOWN_USER};
use server::progress::Progress;
use server::serve::{Openness, Service};
use server::settings::{Settings, Sources};
use server::telemetry::log;
use tokio::sync::Notify;

use super::recommend::text;
use super::train::{summary, train_beside, train_until};
use crate::arguments::Listening;
use crate::exit;
use crate::figures;
use crate::output;
use crate::progress;
use crate::signal::Stop;

pub(super) async fn run(
    data: &DataFolder,
    mut sources: Sources,
    listening: &Listening,
) -> Result<ExitCode> {
    let openness = super::serve::apply(listening, &mut sources).await?;
    let settings = sources.read()?;
    let mut shop = super::marketplace::settings(&sources)?;
    // All readers are made up, so visitors may be whom they like.
    shop.sign_in = SignIn::Demo;
    let shop_openness = match openness {
        Openness::LoopbackOnly => marketplace::Openness::LocalDemo,
        Openness::Insecure => marketplace::Openness::Insecure,
    };
    log::start(settings.log.format, settings.log.levels());
    Marketplace::check(&shop, shop_openness)?;
    let stop = Stop::listen()?;
    let progress = progress::shown();
    if !prepare(data, &settings, &progress, &stop).await? {
        output::say("Stopped before the shop was ready; the next start goes on from there.");
        return Ok(exit::SUCCESS);
    }
    let service = train_beside(Service::start(data, &settings, openness).await?, data);
    let addresses = service.plaintext_addresses();
    let shop = open_shop(shop, &addresses, shop_openness)?;
    let url = shop.as_ref().and_then(Marketplace::url);
    let showing = async {
        if let Err(error) = show(data, &addresses, url.as_deref()).await {
            output::warning(format_args!(
                "cannot show recommendations: {}",
                crate::message(&error)
            ));
        }
    };
    let (ended, ()) = tokio::join!(serve_both(service, shop, &stop), showing);
    ended?;
    let (program, folder) = (super::program(), data.path().display());
    output::say(format_args!(
        "Stopped. `{program} --data-dir '{folder}' demo` starts the same shop again."
    ));
    Ok(exit::SUCCESS)
}

/// Serves until it is told to stop, or one of both cannot go on: the shop ends first, since it
/// tells the service what was done last.
async fn serve_both(service: Service, shop: Option<Marketplace>, stop: &Stop) -> Result<()> {
    let (is_closed, is_gone) = (Notify::new(), Notify::new());
    let ending = async {
        tokio::select! {
            () = stop.wait() => {}
            () = is_gone.notified() => {}
        }
    };
    let selling = async {
        let sold = match shop {
            Some(shop) => shop.run(ending).await,
            None => {
                ending.await;
                Ok(())
            }
        };
        is_closed.notify_one();
        sold
    };
    let serving = async {
        let served = service.run(is_closed.notified()).await;
        is_gone.notify_one();
        served
    };
    let (served, sold) = tokio::join!(serving, selling);
    served?;
    sold?;
    Ok(())
}

/// Fills the store and trains, as far as that was not done before; `false` if it was told to stop.
async fn prepare(
    data: &DataFolder,
    settings: &Settings,
    progress: &Arc<dyn Progress>,
    stop: &Stop,
) -> Result<bool> {
    let store = data.store(settings).await?;
    let filled = tokio::select! {
        filled = demo::fill(&store, super::now_ms(), &**progress) => Some(filled?),
        () = stop.wait() => None,
    };
    store.close().await;
    let Some(counts) = filled else { return Ok(false) };
    output::say(format_args!(
        "Shop in {}: {} books, {} readers, {} events, {} of them simulated.",
        data.path().display(),
        figures::count(counts.books),
        figures::count(counts.users),
        figures::count(counts.events),
        if counts.simulated_events == counts.events {
            "all".to_owned()
        } else {
            figures::count(counts.simulated_events)
        },
    ));
    if data.models()?.active()?.is_some() {
        return Ok(true);
    }
    let trained = train_until(data, settings, progress, stop).await?;
    if let Some(trained) = &trained {
        output::say(summary(trained));
    }
    Ok(trained.is_some())
}

/// The web shop in front of the service. None if the service cannot be asked in plaintext. A port that is taken, as by another demo, is
/// replaced unless somebody chose it.
fn open_shop(
    mut settings: marketplace::settings::Settings,
    addresses: &[SocketAddr],
    openness: marketplace::Openness,
) -> Result<Option<Marketplace>, MarketplaceError> {
    let Some(address) = addresses.first() else { return Ok(None) };
    settings.recommendations = format!("http://{address}");
    let is_default = settings.listen == marketplace::settings::Settings::reference().listen;
    match super::marketplace::start(&settings, openness) {
        Err(MarketplaceError::Listen(_)) if is_default => {
            settings.listen = vec!["127.0.0.1:0".to_owned()];
            super::marketplace::start(&settings, openness).map(Some)
        }
        other => other.map(Some),
    }
}

/// Shows one reader's books and what to try.
async fn show(data: &DataFolder, addresses: &[SocketAddr], shop: Option<&str>) -> Result<()> {
    if addresses.is_empty() {
        output::say("Serving over TLS or a Unix socket only. Ctrl-C stops it.");
        return Ok(());
    }
    let question = Question { user: SHOWN_USER.to_owned(), categories: Vec::new(), results: 5 };
    let shelf = ask_servers(addresses, &question).await?;
    let shelf = shelf.context("the server that was just started does not answer")?;
    // The first of several addresses is the one to try.
    let port = addresses.first().map_or(50051, SocketAddr::port);
    output::say(format_args!("\n{}", text(&shelf, &[])));
    let folder = data.path().display();
    let program = super::program();
    if let Some(shop) = shop {
        output::say(format_args!(
            "The shop is open: {shop} (sign in as any reader there, such as {SHOWN_USER})\n"
        ));
    }
    output::say(format_args!(
        r#"Serving gRPC on localhost:{port}. Three things to try, each in another terminal:

1. buf curl --protocol grpc --http2-prior-knowledge -d '{{"user_id": "1", "max_results": 3}}' \
     http://localhost:{port}/foreword.v1.RecommendationService/Recommend

2. The tutorial's own call, in Python (pip install grpcio-tools; run it in crates/api/proto):
     import grpc
     recommendations_pb2, recommendations_pb2_grpc = grpc.protos_and_services("recommendations.proto")
     stub = recommendations_pb2_grpc.RecommendationsStub(grpc.insecure_channel("localhost:{port}"))
     request = recommendations_pb2.RecommendationRequest(user_id=1, category="MYSTERY", max_results=3)
     print(stub.Recommend(request))

3. {program} --data-dir '{folder}' recommend --user 1 --category mystery

Ctrl-C stops it."#
    ));
    Ok(())
}
