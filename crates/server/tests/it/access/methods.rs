//! The table of methods against the contract.

use std::collections::{BTreeMap, BTreeSet};

use prost::Message as _;
use prost_types::FileDescriptorSet;
use server::access::Role;
use server::methods::{METHODS, MethodKind};

/// Every method that is served, by path: those of the contract and of reflection. Health is
/// answered above the layers, to everybody.
fn served() -> BTreeMap<String, MethodKind> {
    let reflection = [
        tonic_reflection::pb::v1::FILE_DESCRIPTOR_SET,
        tonic_reflection::pb::v1alpha::FILE_DESCRIPTOR_SET,
    ];
    let mut served = BTreeMap::new();
    for set in [api::FILE_DESCRIPTOR_SET].into_iter().chain(reflection) {
        for file in FileDescriptorSet::decode(set).unwrap().file {
            let package = file.package.clone().unwrap_or_default();
            let dot = if package.is_empty() { "" } else { "." };
            for service in &file.service {
                for method in &service.method {
                    let streams = method.client_streaming() || method.server_streaming();
                    let kind = if streams { MethodKind::Streaming } else { MethodKind::Unary };
                    let path = format!("/{package}{dot}{}/{}", service.name(), method.name());
                    served.insert(path, kind);
                }
            }
        }
    }
    served
}

#[test]
fn every_method_has_a_row_and_every_row_a_method() {
    let rows: BTreeMap<String, MethodKind> =
        METHODS.iter().map(|method| (method.path.to_owned(), method.kind)).collect();
    assert_eq!(rows, served(), "crates/server/src/methods.rs says who may call what");
    assert_eq!(rows.len(), METHODS.len(), "a path has two rows");
    // Balancers ask for the health of services by name.
    let mut services: Vec<&str> = METHODS
        .iter()
        .filter_map(|method| method.name().split_once('/'))
        .map(|(service, _)| service)
        .filter(|service| !service.starts_with("grpc."))
        .collect();
    services.dedup();
    assert_eq!(services, server::grpc::SERVICES, "crates/server/src/grpc.rs");
}

/// The rows of the table in docs/operating.md: a role and what it may call.
fn told_to_operators() -> BTreeMap<String, BTreeSet<String>> {
    let operating = include_str!("../../../../../docs/operating.md");
    let rows = operating.lines().skip_while(|line| !line.starts_with("| role | may call |"));
    let rows = rows.skip(2).take_while(|line| line.starts_with('|'));
    let row = |row: &str| {
        // What is in code is a name; the first is the role's.
        let mut names = row.split('`').skip(1).step_by(2).map(str::to_owned);
        (names.next().unwrap(), names.collect())
    };
    rows.map(row).collect()
}

#[test]
fn operators_are_told_which_role_may_call_what() {
    let mut served = BTreeMap::<String, BTreeSet<String>>::new();
    for method in METHODS.iter().filter(|method| !method.path.starts_with("/grpc.reflection.")) {
        let (_, name) = method.name().split_once('/').unwrap();
        served.entry(method.role.name().to_owned()).or_default().insert(name.to_owned());
    }
    assert_eq!(told_to_operators(), served, "docs/operating.md and src/methods.rs");
    let reflection = METHODS.iter().filter(|method| method.path.starts_with("/grpc.reflection."));
    assert!(reflection.into_iter().all(|method| method.role == Role::Reader), "the docs say so");
}
