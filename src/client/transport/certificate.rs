//! What people want to know of an X.509 certificate.

use ring::digest::{SHA256, digest};
use rustls::pki_types::CertificateDer;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::time::Duration;
use x509_cert::der::{DateTime, Decode, Encode};
use x509_cert::ext::pkix::name::GeneralName;
use x509_cert::ext::pkix::{BasicConstraints, SubjectAltName};
use x509_cert::{Certificate, Version};

/// A certificate in words.
pub(super) struct Described {
    pub subject: String,
    pub issuer: String,
    pub self_signed: bool,
    /// Of X.509 version 1, which knows neither names of hosts nor purposes.
    pub is_of_version_1: bool,
    /// Marked as a CA's.
    pub is_of_ca: bool,
    /// DNS names and IP addresses that it is for.
    pub names: Vec<String>,
    /// UNIX seconds.
    pub not_before: u64,
    pub not_after: u64,
    /// SHA-256 of its SubjectPublicKeyInfo: what a pin names.
    pub pin: [u8; 32],
}

impl Described {
    /// `None` if it can't be parsed.
    pub fn new(certificate: &CertificateDer<'_>) -> Option<Described> {
        let parsed = Certificate::from_der(certificate).ok()?;
        let inner = &parsed.tbs_certificate;
        let key = inner.subject_public_key_info.to_der().ok()?;
        let names = inner.get::<SubjectAltName>().ok().flatten();
        let constraints = inner.get::<BasicConstraints>().ok().flatten();
        Some(Described {
            subject: inner.subject.to_string(),
            issuer: inner.issuer.to_string(),
            self_signed: inner.subject == inner.issuer,
            is_of_version_1: inner.version == Version::V1,
            is_of_ca: constraints.is_some_and(|(_, constraints)| constraints.ca),
            names: names.map_or_else(Vec::new, |(_, names)| names.0.iter().filter_map(name).collect()),
            not_before: inner.validity.not_before.to_unix_duration().as_secs(),
            not_after: inner.validity.not_after.to_unix_duration().as_secs(),
            pin: digest(&SHA256, &key).as_ref().try_into().ok()?,
        })
    }

    /// Whether it is for this key, a SubjectPublicKeyInfo in DER.
    pub fn is_for(&self, key: &[u8]) -> bool {
        digest(&SHA256, key).as_ref() == self.pin
    }
}

fn name(name: &GeneralName) -> Option<String> {
    match name {
        GeneralName::DnsName(name) => Some(name.to_string()),
        GeneralName::IpAddress(bytes) => {
            let bytes = bytes.as_bytes();
            let v4 = <[u8; 4]>::try_from(bytes).map(|octets| Ipv4Addr::from(octets).to_string());
            v4.or_else(|_| <[u8; 16]>::try_from(bytes).map(|octets| Ipv6Addr::from(octets).to_string())).ok()
        }
        _ => None,
    }
}

/// A time as `2026-11-25 19:30 UTC`.
pub(super) fn date(unix_seconds: u64) -> String {
    match DateTime::from_unix_duration(Duration::from_secs(unix_seconds)) {
        Ok(date) => format!(
            "{:04}-{:02}-{:02} {:02}:{:02} UTC",
            date.year(),
            date.month(),
            date.day(),
            date.hour(),
            date.minutes()
        ),
        // Beyond the year 9999.
        Err(_) => format!("{unix_seconds} s after 1970"),
    }
}
