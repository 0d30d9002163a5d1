//! The layers around the handlers, and the server around them.
//!
//! From the connection inwards: [`Server`] (limits, TLS, drain), [`WebLayer`] (pages become
//! gRPC clients), then the routes. Health is answered right there; everything else is a job on
//! `unstall`'s executor, so that no handler can stall a connection.

use std::time::{Duration, SystemTime};

use tokio::signal::unix::{SignalKind, signal};
use tonic::server::NamedService as _;
use tonic::service::Routes;
use tonic_reflection::server::Builder;
use tower_layer::Layer as _;
use transport::development::{self, Existing, Plan};
use transport::health::{self, Health};
use transport::tls::{Tls, TlsFiles};
use transport::web::{Origins, WebLayer, WebService};
use transport::{Listeners, Server};
use unstall::{Executor, GrpcLayer};

use crate::proto::test_service_server::TestServiceServer;
use crate::{Arguments, Failure, echo, proto, service};

/// How long handlers may take to end once no connection is left.
const HANDLERS_GRACE: Duration = Duration::from_secs(1);

/// Serves until SIGTERM or Ctrl-C, and then drains.
///
/// # Errors
///
/// If a file, an address or an origin is of no use, or there are no threads.
pub(crate) async fn serve(arguments: &Arguments) -> Result<(), Failure> {
    let mut terminate = signal(SignalKind::terminate())?;
    let executor = Executor::start(unstall::Settings::for_this_machine(), ())?;
    let health = Health::new([TestServiceServer::<()>::NAME]);
    let server = Server::start(
        transport::Settings::for_this_machine(),
        Listeners::bind(&[arguments.listen.parse()?])?,
        tls(arguments)?,
        &executor,
        layers(&executor, &health, Origins::listed(&arguments.origins)?)?,
    )?;
    health.serving();
    for address in server.addresses() {
        crate::say(format_args!("listening on {address}"));
    }

    tokio::select! {
        _ = terminate.recv() => {}
        interrupted = tokio::signal::ctrl_c() => interrupted?,
    }
    health.shut_down();
    let drained = server.drain().await;
    tracing::info!(?drained, "no connection is left");
    let stopped = executor.stop(HANDLERS_GRACE);
    tracing::info!(?stopped, "the executor has stopped");
    Ok(())
}

fn layers(
    executor: &Executor,
    health: &Health,
    origins: Origins,
) -> Result<WebService<Routes>, Failure> {
    let reflection = || {
        Builder::configure()
            .register_encoded_file_descriptor_set(proto::DESCRIPTORS)
            .register_encoded_file_descriptor_set(health::FILE_DESCRIPTOR_SET)
    };
    let on_the_executor = Routes::new(service::service())
        .add_service(reflection().build_v1()?)
        .add_service(reflection().build_v1alpha()?)
        .into_axum_router()
        .layer(axum::middleware::from_fn(echo::metadata))
        .layer(GrpcLayer::new(executor.clone()));
    // Beside the executor, so that health has an answer even if the executor is full.
    let routes = Routes::from(on_the_executor).add_service(health.service());
    Ok(WebLayer::new(origins).layer(routes))
}

fn tls(arguments: &Arguments) -> Result<Option<Tls>, Failure> {
    if let Some(folder) = &arguments.write_certificates {
        let validity = development::VALIDITY_DEFAULT;
        let plan = Plan { names: Vec::new(), validity, existing: Existing::Replace };
        development::write_certificates(folder, &plan, SystemTime::now())?;
    }
    let (Some(certificate), Some(key)) = (&arguments.tls_cert, &arguments.tls_key) else {
        return Ok(None);
    };
    let client_ca = arguments.client_ca.clone();
    let files = TlsFiles { certificate: certificate.clone(), key: key.clone(), client_ca };
    Ok(Some(Tls::load(files)?))
}
