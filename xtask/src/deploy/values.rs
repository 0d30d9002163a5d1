//! Values that the chart refuses, and what it says.

use anyhow::{Context as _, ensure};

use crate::manifests::CHART;
use crate::process::command;
use crate::workspace::Workspace;

use super::Tools;

/// A set of values, what is changed in it, and what must be said.
const REFUSED: &[(&str, &str, &str)] = &[
    ("sqlite", "service.replicas=2", "'/service/replicas': maximum: got 2, want 1"),
    ("sqlite", "shop.cookieKeySecret.name=", "'/shop/cookieKeySecret/name': minLength"),
    ("sqlite", "access.insecure=false", "set access.apiKeys or access.tokens.keysSecret.name, or"),
    ("sqlite", "image.repository=", "'/image/repository': minLength"),
    ("sqlite", "database.volume.size=big", "'/database/volume/size': 'big' does not match"),
    (
        "sqlite",
        "database.kind=mysql",
        "'/database/kind': value must be one of 'postgres', 'sqlite'",
    ),
    ("postgres", "database.urlSecret.name=", "'/database/urlSecret/name': minLength"),
    ("postgres", "database.url=postgres://a:b@c/d", "additional properties 'url' not allowed"),
    ("postgres", "shop.apiKeySecret.name=", "the shop needs a key where access.apiKeys is set"),
    ("postgres", "shop.replica=2", "'/shop': additional properties 'replica' not allowed"),
    ("postgres", "shop.signIn=header", "'/shop/signInKeySecret/name': minLength"),
    ("postgres", "shop.signIn=demo", "'/shop/insecure': value must be true"),
    ("postgres", "shop.ingress.enabled=true", "'/shop/ingress/host': minLength"),
    ("postgres", "service.settings.no_section=1", "'/service/settings': additional properties"),
    ("postgres", "service.settings.serve\\.listen=x", "serve.listen is set by other values"),
    (
        "postgres",
        "shop.settings.limits\\.x=1",
        "'/shop/settings': additional properties 'limits.x'",
    ),
    ("postgres", "service.drainSeconds=0", "'/service/drainSeconds': minimum: got 0, want 1"),
    (
        "postgres",
        "access.certificates.ann={reader}",
        "'/access/certificates': additional properties",
    ),
    ("postgres", "migration.memory=much", "'/migration/memory': 'much' does not match"),
    ("given-secrets", "tls.serverSecret=", "'/tls/serverSecret': minLength"),
    ("given-secrets", "tls.clientSecret=", "'/tls/clientSecret': minLength"),
    ("mtls-cert-manager", "tls.issuer.name=", "'/tls/issuer/name': minLength"),
    ("mtls-cert-manager", "tls.duration=a day", "'/tls/duration': 'a day' does not match"),
    (
        "postgres",
        "networkPolicy.database=null",
        "networkPolicy.database: database.kind is postgres",
    ),
    ("postgres", "networkPolicy.dnsPorts=null", "'/networkPolicy': missing property 'dnsPorts'"),
    ("everything", "networkPolicy.prometheus=null", "networkPolicy.prometheus: monitoring.enabled"),
    ("everything", "networkPolicy.collector=null", "networkPolicy.collector: service.settings has"),
    ("everything", "networkPolicy.ingress=null", "networkPolicy.ingress: shop.ingress.enabled"),
    ("everything", "tls.renewBefore=2h23m", "tls.renewBefore: found 2h23m, expected 3h at least"),
    (
        "everything",
        "tls.duration=20h1s",
        "tls.renewBefore: found 4h, expected 3h at least, and a fifth",
    ),
    (
        "everything",
        "monitoring.runbooks=docs/operations.md",
        "'/monitoring/runbooks': 'docs/operations.md' does not match",
    ),
    (
        "everything",
        "access.otherCertificates={owner}",
        "'/access/otherCertificates/0': value must be",
    ),
];

pub(super) fn check(workspace: &Workspace, tools: &Tools) -> anyhow::Result<()> {
    for (set, change, expected) in REFUSED {
        let values = format!("{CHART}/ci/{set}.yaml");
        let mut helm = command(workspace, tools.helm(), "template foreword");
        helm.args([CHART, "--values", &values, "--set", change]);
        let output = helm.output().context("cannot start helm")?;
        let said = String::from_utf8_lossy(&output.stderr);
        let is_refused = !output.status.success() && said.contains(expected);
        ensure!(is_refused, "{values} with {change}: found {said:?}, expected {expected:?}");
    }
    Ok(())
}
