//! How the story's clients get to a Server: each scheme of a URL, with certificates made for it.

use crate::common::certificates::{Authority, Certified, Folder, Validity};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Road {
    Tcp,
    Tls,
    WebSocket,
    WebSocketOverTls,
}

impl Road {
    pub const ALL: [Road; 4] = [Road::Tcp, Road::Tls, Road::WebSocket, Road::WebSocketOverTls];

    pub fn is_websocket(self) -> bool {
        matches!(self, Road::WebSocket | Road::WebSocketOverTls)
    }

    pub fn is_tls(self) -> bool {
        matches!(self, Road::Tls | Road::WebSocketOverTls)
    }

    /// A URL of a Server on this machine.
    pub fn url(self, port: u16) -> String {
        match self {
            Road::Tcp => format!("mqtt://127.0.0.1:{port}"),
            Road::Tls => format!("mqtts://127.0.0.1:{port}"),
            Road::WebSocket => format!("ws://127.0.0.1:{port}/mqtt"),
            Road::WebSocketOverTls => format!("wss://127.0.0.1:{port}/mqtt"),
        }
    }
}

/// A certificate for a Server on this machine, and the CA that vouches for it.
pub struct Identity {
    pub ca: String,
    pub server: Certified,
    pub folder: Folder,
}

impl Identity {
    pub fn new() -> Self {
        let authority = Authority::new("Test CA");
        let server = authority.issue("server", &["127.0.0.1"], Validity::Now);
        Identity { ca: authority.certificate, server, folder: Folder::new() }
    }
}
