//! Why TLS failed, in words that say what to do.

use super::certificate::{Described, date};
use super::tls_verify::{PinMismatch, RevocationHidden, Witness};
use crate::types::status::{Failure, Status};
use rustls::{
    AlertDescription, CertRevocationListError, CertificateError, Error, InvalidMessage, OtherError, PeerIncompatible,
};
use std::net::IpAddr;
use std::sync::atomic::Ordering;

/// What an error of rustls stands for, which came when TLS `begins` or later. `name` is the one that the certificate should have.
pub(super) fn in_words(error: &Error, begins: bool, witness: &Witness, name: &str) -> Failure {
    match error {
        Error::InvalidCertificate(why) => certificate_failure(why, witness, name),
        Error::InvalidCertRevocationList(why) => revocation_list_failure(why),
        Error::AlertReceived(alert) => alert_failure(*alert, witness),
        Error::PeerIncompatible(
            PeerIncompatible::ServerDoesNotSupportTls12Or13
            | PeerIncompatible::ServerTlsVersionIsDisabledByOurConfig
            | PeerIncompatible::Tls12NotOffered
            | PeerIncompatible::Tls12NotOfferedOrEnabled,
        ) => no_common_version(),
        Error::PeerIncompatible(what) => {
            Status::Tls.because(format!("the Server's TLS is too old or too different to agree with: {what:?}"))
        }
        Error::InvalidMessage(InvalidMessage::InvalidContentType | InvalidMessage::UnknownProtocolVersion)
            if begins =>
        {
            no_tls()
        }
        Error::NoApplicationProtocol => no_application_protocol(),
        Error::NoCertificatesPresented => Status::TlsCertificate.because("the Server has shown no certificate"),
        _ => Status::Tls.because(format!("TLS with the Server failed: {error}")),
    }
}

/// The Server's first bytes were none of TLS.
pub(super) fn no_tls() -> Failure {
    let text = "the Server on this port doesn't speak TLS: use mqtt:// (or ws://), or the Server's port for TLS \
                (often 8883)";
    Status::WrongProtocol.because(text)
}

/// The Server closed before it had said anything.
pub(super) fn closed_at_once() -> Failure {
    let text = "the Server closed the connection when TLS began, without a word: most likely it doesn't speak TLS on \
                this port: use mqtt:// (or ws://), or the Server's port for TLS (often 8883)";
    Status::WrongProtocol.because(text)
}

/// The Server closed the connection during the handshake, or said why it didn't like our certificate.
pub(super) fn client_certificate(witness: &Witness, said: &str) -> Failure {
    let text = if witness.answered.load(Ordering::Relaxed) {
        format!(
            "the Server refuses our client certificate ({said}): it is expired or revoked, or not from a CA that the Server trusts; \
             see option TLS_CLIENT_CERTIFICATE"
        )
    } else {
        format!("the Server wants a client certificate ({said}): set options TLS_CLIENT_CERTIFICATE and TLS_CLIENT_KEY")
    };
    Status::TlsClientCertificate.because(text)
}

/// The Server has asked for a certificate, got none, and closed the connection after the handshake.
pub(super) fn perhaps_client_certificate() -> Failure {
    let text = "the Server asked for a client certificate, got none, and closed the connection: if it needs one, set \
                options TLS_CLIENT_CERTIFICATE and TLS_CLIENT_KEY; if not, it may refuse the Client Identifier, the \
                user name or the password";
    Status::TlsClientCertificate.because(text)
}

fn no_common_version() -> Failure {
    let text = "the Server and this client have no common version of TLS: this one speaks 1.2 and 1.3 (option \
                TLS_VERSION_MINIMUM), the Server something else";
    Status::Tls.because(text)
}

fn no_application_protocol() -> Failure {
    let text = "the Server doesn't know a protocol that option TLS_ALPN offers: see its documentation for the right \
                name";
    Status::Tls.because(text)
}

fn revocation_list_failure(why: &CertRevocationListError) -> Failure {
    let why = match why {
        CertRevocationListError::BadSignature => "it is not signed by the CA that it names".to_owned(),
        CertRevocationListError::IssuerInvalidForCrl => {
            "it is signed by a CA that may not sign any (its Key Usage says so)".to_owned()
        }
        _ => format!("{why:?}"),
    };
    Status::TlsCertificate.because(format!("a revocation list in option TLS_CRL can't be trusted: {why}"))
}

fn alert_failure(alert: AlertDescription, witness: &Witness) -> Failure {
    let asked = witness.asked.load(Ordering::Relaxed);
    let about_ours = matches!(
        alert,
        AlertDescription::NoCertificate
            | AlertDescription::BadCertificate
            | AlertDescription::UnsupportedCertificate
            | AlertDescription::CertificateRevoked
            | AlertDescription::CertificateExpired
            | AlertDescription::CertificateUnknown
            | AlertDescription::UnknownCA
            | AlertDescription::AccessDenied
            | AlertDescription::DecryptError
            | AlertDescription::HandshakeFailure
    );
    match alert {
        AlertDescription::CertificateRequired => client_certificate(witness, "certificate required"),
        // A Server of TLS 1.2 that misses a client certificate says no more than that the handshake failed.
        _ if asked && about_ours => client_certificate(witness, &format!("its alert is {alert:?}")),
        AlertDescription::ProtocolVersion => no_common_version(),
        AlertDescription::NoApplicationProtocol => no_application_protocol(),
        AlertDescription::UnrecognisedName => {
            let text = "the Server doesn't know the host name that it was asked for: check the URL, or set option \
                        TLS_SERVER_NAME";
            Status::Tls.because(text)
        }
        AlertDescription::HandshakeFailure | AlertDescription::InsufficientSecurity => {
            let why = "it accepts no cipher or version that this client has";
            Status::Tls.because(format!("the Server refuses the TLS handshake ({alert:?}): {why}"))
        }
        _ => Status::Tls.because(format!("the Server ended TLS with the alert {alert:?}")),
    }
}

fn certificate_failure(why: &CertificateError, witness: &Witness, name: &str) -> Failure {
    let shown: Vec<Described> = witness.shown.lock().iter().filter_map(Described::new).collect();
    Status::TlsCertificate.because(certificate_text(why, &shown, witness.named, name))
}

/// `named`: option TLS_CA says what is trusted.
fn certificate_text(why: &CertificateError, shown: &[Described], named: bool, name: &str) -> String {
    let leaf = shown.first();
    if let CertificateError::Other(OtherError(other)) = why
        && let Some(mismatch) = other.downcast_ref::<PinMismatch>()
    {
        return format!(
            "the Server's certificate has none of the keys in option TLS_PINS (not the fingerprint of the certificate counts, but that \
             of its key): {mismatch}; ask whoever runs the Server whether that is its key: if not, somebody poses as it"
        );
    }
    if let CertificateError::Other(OtherError(other)) = why
        && let Some(hidden) = other.downcast_ref::<RevocationHidden>()
    {
        return hidden.to_string();
    }
    let check_clock = "; check this machine's date, too";
    match why {
        CertificateError::Expired => {
            let since = leaf.map_or_else(String::new, |leaf| format!(" on {}", date(leaf.not_after)));
            format!("the Server's certificate expired{since}: the Server needs a new one{check_clock}")
        }
        CertificateError::ExpiredContext { not_after, .. } => {
            let end = not_after.as_secs();
            let which = which(shown, |shown| shown.not_after == end);
            format!("{which} expired on {}: the Server needs a new one{check_clock}", date(end))
        }
        CertificateError::NotValidYet => {
            let from = leaf.map_or_else(String::new, |leaf| format!(" before {}", date(leaf.not_before)));
            format!("the Server's certificate is not valid yet{from}{check_clock}")
        }
        CertificateError::NotValidYetContext { not_before, .. } => {
            let start = not_before.as_secs();
            let which = which(shown, |shown| shown.not_before == start);
            format!("{which} is not valid before {}{check_clock}", date(start))
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. }
            if leaf.is_some_and(|leaf| leaf.names.is_empty()) =>
        {
            format!(
                "the Server's certificate is for no host: its Subject Alternative Name has none, and its subject '{}' doesn't count; the \
                 Server needs a new one with {}, or use options TLS_PINS and TLS_ACCEPT_ANY_CERTIFICATE together",
                leaf.map_or("", |leaf| &leaf.subject),
                alternative_name(name)
            )
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            let names = leaf.map_or_else(|| "other names".to_owned(), |leaf| leaf.names.join(", "));
            format!(
                "the Server's certificate is not for '{name}': it is for {names}; use a name of the certificate in the URL, or set \
                 option TLS_SERVER_NAME to it"
            )
        }
        CertificateError::Revoked => "the Server's certificate, or that of a CA above it, has been revoked by its issuer, so that anybody \
                                      may have its key: don't connect, and ask whoever runs the Server for a new certificate"
            .to_owned(),
        CertificateError::UnknownRevocationStatus => {
            let issuers: Vec<String> = shown.iter().map(|shown| format!("'{}'", shown.issuer)).collect();
            format!(
                "whether the Server's certificate has been revoked is not known: option TLS_CRL needs the revocation list of each \
                 CA of its chain, and has not that of each of these: {}",
                issuers.join(", ")
            )
        }
        CertificateError::ExpiredRevocationListContext { next_update, .. } => {
            let until = date(next_update.as_secs());
            format!("a revocation list in option TLS_CRL is out of date since {until}: get the CA's present one{check_clock}")
        }
        CertificateError::BadEncoding => "the Server's certificate is damaged".to_owned(),
        CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => {
            "the Server's certificate is not one for Servers (its Extended Key Usage says so)".to_owned()
        }
        CertificateError::Other(_) if leaf.is_some_and(|leaf| leaf.is_of_version_1) => format!(
            "the Server's certificate is of X.509 version 1, which can't say for which host it is: the Server needs a new one with {} \
             (openssl x509 -req takes it from a file, -extfile)",
            alternative_name(name)
        ),
        _ if leaf.is_some_and(|leaf| leaf.self_signed) => {
            let subject = leaf.map_or("", |leaf| &leaf.subject);
            let reason = match named {
                true => "it is not in option TLS_CA; add it there (its PEM file) if it is yours",
                false => "nobody this machine trusts vouches for it; give it (its PEM file) as option TLS_CA if it is yours",
            };
            format!("the Server's certificate is self-signed ({subject}): {reason}")
        }
        CertificateError::UnknownIssuer => {
            let issuer = leaf.map_or("unknown", |leaf| &leaf.issuer);
            let reason = match named {
                true => "is not in option TLS_CA: give the PEM file of that CA there",
                false => {
                    "this machine doesn't trust: give the PEM file of that CA as option TLS_CA, or add it to the machine's trusted root \
                     certificates and restart this program"
                }
            };
            format!(
                "the Server's certificate was issued by '{issuer}', which {reason} (or the Server doesn't send its intermediate \
                 certificates)"
            )
        }
        CertificateError::Other(_) if leaf.is_some_and(|leaf| leaf.is_of_ca) => {
            "the Server's certificate is marked as a CA's, and so not one for Servers: the Server needs a new one with \
             basicConstraints=CA:FALSE, or give this one itself (its PEM file) as option TLS_CA"
                .to_owned()
        }
        CertificateError::BadSignature => {
            "the Server's certificate is not signed by the CA that it names: it is forged, or option TLS_CA is another CA of \
             the same name"
                .to_owned()
        }
        _ => format!("the Server's certificate was not accepted: {why}"),
    }
}

/// The certificate of which something is said: the first such one that the Server has shown.
fn which(shown: &[Described], is_it: impl Fn(&Described) -> bool) -> String {
    match shown.iter().position(is_it) {
        Some(above @ 1..) => {
            format!("the certificate '{}' of a CA above the Server's certificate", shown[above].subject)
        }
        _ => "the Server's certificate".to_owned(),
    }
}

/// What a certificate for this host has, in the words of OpenSSL.
fn alternative_name(host: &str) -> String {
    let kind = if host.parse::<IpAddr>().is_ok() { "IP" } else { "DNS" };
    format!("subjectAltName={kind}:{host}")
}
