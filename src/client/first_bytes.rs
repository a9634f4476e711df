//! What the first bytes of a connection, or their absence, say about the URL: the wrong scheme or the wrong port.

use super::address::Address;
use super::transport::{looks_like_http, looks_like_tls};
use crate::types::status::{Failure, Status};

#[derive(Default)]
pub(super) struct FirstBytes {
    /// The Server, as long as it hasn't said anything on this connection.
    awaited_from: Option<Address>,
}

impl FirstBytes {
    pub fn awaited_from(address: Option<&Address>) -> Self {
        FirstBytes { awaited_from: address.cloned() }
    }

    pub fn are_awaited(&self) -> bool {
        self.awaited_from.is_some()
    }

    /// What is wrong if the first bytes of a connection can't be MQTT. Any other bytes are of no interest.
    pub fn wrong_protocol(&mut self, bytes: &[u8]) -> Option<Failure> {
        let address = self.awaited_from.take()?;
        if address.scheme.is_websocket() {
            return None;
        }
        let speaks = match bytes {
            bytes if looks_like_tls(bytes) && !address.scheme.is_tls() => "TLS: use mqtts://".to_owned(),
            bytes if looks_like_http(bytes) && address.scheme.is_tls() => "HTTP: use wss://".to_owned(),
            bytes if looks_like_http(bytes) => "HTTP: use ws://".to_owned(),
            bytes => format!("no MQTT: it says '{}'; check the port", greeting(bytes)?),
        };
        let port = address.port;
        let text = format!("{address}: port {port} answers, but the Server on it speaks {speaks}");
        Some(Status::WrongProtocol.because(text))
    }

    /// What it means that the Server has closed the connection.
    pub fn closed(&self) -> Failure {
        let text = match &self.awaited_from {
            Some(address) if !address.scheme.is_tls() && !address.scheme.is_websocket() => format!(
                "the Server at {address} closed the connection without answering: if this port is one for TLS, use mqtts://"
            ),
            Some(address) => format!("the Server at {address} closed the connection without answering"),
            None => "the Server closed the connection without giving a reason; if it does so again and again, another program may \
                     have the same Client Identifier, or the Server's access rules forbid what was sent"
                .to_owned(),
        };
        Status::ConnectionClosed.because(text)
    }
}

/// The first line of a Server that greets in plain text, as those of SSH and mail do. CONNACK begins with a blank, and what no Server
/// may begin with has a byte that is no text among its first ones.
fn greeting(bytes: &[u8]) -> Option<String> {
    const LONGEST: usize = 60;
    let is_text = |byte: &u8| byte.is_ascii_graphic() || *byte == b' ';
    let size = bytes.iter().take_while(|byte| is_text(byte)).count();
    if size < 4 || bytes[0] == b' ' {
        return None;
    }
    let line = String::from_utf8_lossy(&bytes[..size.min(LONGEST)]);
    Some(format!("{line}{}", if size > LONGEST { "…" } else { "" }))
}
