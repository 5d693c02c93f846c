//! The certificate authorities to trust.

use aws_smithy_types::base64;
use queue_email_associator::sdk::CertificateAuthorities;
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use super::profile::Profiles;

/// The advice after an error of a certificate whose authority is not trusted.
const UNTRUSTED: &str = "if a proxy inspects the connections, set AWS_CA_BUNDLE to a PEM file with its CA certificate; \
                         otherwise install the CA certificates of the operating system";

/// Returns the authorities in `AWS_CA_BUNDLE`, in the profile's `ca_bundle`, or of the operating system, in this order.
/// A bundle replaces the others, as in the AWS CLI (AWS CLI User Guide, "Environment variables to configure the AWS
/// CLI").
pub(super) fn authorities(profiles: &Profiles) -> Result<CertificateAuthorities, String> {
    let variable = std::env::var("AWS_CA_BUNDLE").ok().filter(|path| !path.is_empty());
    let bundle = variable.map(|path| ("AWS_CA_BUNDLE".to_owned(), path));
    match bundle.or_else(|| profiles.setting("ca_bundle").map(|(origin, path)| (origin, path.to_owned()))) {
        Some((origin, path)) => {
            let text = std::fs::read(&path)
                .map_err(|error| format!("cannot read {origin} {path:?}: {error}; expected a PEM file"))?;
            match usable(&text) {
                pem if pem.is_empty() => {
                    Err(format!("no certificate in {origin} {path:?}; expected a PEM file"))
                }
                pem => Ok(CertificateAuthorities::Only(pem)),
            }
        }
        None if rustls_native_certs::load_native_certs().certs.is_empty() => {
            Ok(CertificateAuthorities::Only(Vec::new()))
        }
        None => Ok(CertificateAuthorities::System),
    }
}

/// Returns the certificates that a client can use, in PEM. Like OpenSSL, skips others, because the bundles of old
/// systems contain some.
fn usable(text: &[u8]) -> Vec<u8> {
    let mut pem = Vec::new();
    for certificate in CertificateDer::pem_slice_iter(text).filter_map(Result::ok) {
        if RootCertStore::empty().add(certificate.clone()).is_ok() {
            let text = base64::encode(&certificate);
            pem.extend(
                format!("-----BEGIN CERTIFICATE-----\n{text}\n-----END CERTIFICATE-----\n").into_bytes(),
            );
        }
    }
    pem
}

/// Adds advice to an error of a certificate that is not trusted.
pub(crate) fn with_advice(error: String) -> String {
    match error.contains("UnknownIssuer") {
        true => format!("{error}; {UNTRUSTED}"),
        false => error,
    }
}
