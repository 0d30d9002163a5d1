//! An authority that issues what a resource asks cert-manager for.

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    KeyUsagePurpose, SanType,
};
use serde_json::Value;

use super::manifests::{list, text};

pub(super) struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    pub(super) fn new() -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        let key = KeyPair::generate().unwrap();
        Self(CertifiedIssuer::self_signed(params, key).unwrap())
    }

    /// The keys of the secret that comes of a `Certificate`.
    pub(super) fn issue(&self, spec: &Value) -> [(&'static str, String); 3] {
        let names: Vec<String> = list(&spec["dnsNames"]).map(text).map(str::to_owned).collect();
        let mut params = CertificateParams::new(names).unwrap();
        for uri in list(&spec["uris"]).map(text) {
            params.subject_alt_names.push(SanType::URI(uri.try_into().unwrap()));
        }
        for usage in list(&spec["usages"]).map(text) {
            match usage {
                "digital signature" => params.key_usages.push(KeyUsagePurpose::DigitalSignature),
                "server auth" => {
                    params.extended_key_usages.push(ExtendedKeyUsagePurpose::ServerAuth);
                }
                "client auth" => {
                    params.extended_key_usages.push(ExtendedKeyUsagePurpose::ClientAuth);
                }
                other => panic!("{other:?}"),
            }
        }
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.0).unwrap();
        [("tls.crt", certificate.pem()), ("tls.key", key.serialize_pem()), ("ca.crt", self.0.pem())]
    }
}
