//! The table of methods against the contract.

use std::collections::BTreeMap;

use prost::Message as _;
use prost_types::FileDescriptorSet;
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
