//! The broker of the crate `mqtt5`, on a thread of its own, everything in memory.

use crate::common::mosquitto::free_port;
use crate::road::{Identity, Road};
use mqtt5::broker::config::{BrokerConfig, StorageBackend, StorageConfig, TlsConfig, WebSocketConfig};
use mqtt5::broker::server::{BrokerShutdownHandle, MqttBroker};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::mpsc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// Its own default (256 MiB) is one more than the standard allows a Server to announce.
const MAXIMUM_PACKET_SIZE: usize = 32 * 1024 * 1024;

pub struct Embedded {
    road: Road,
    port: u16,
    shutdown: BrokerShutdownHandle,
    thread: Option<JoinHandle<()>>,
}

impl Embedded {
    pub fn start(road: Road, identity: &Identity) -> Self {
        // Another process may take the port between choosing it and the broker's bind: choose again then.
        let started = (0..10).find_map(|_| Self::start_on(road, identity, free_port()));
        started.expect("a free port for the broker in ten attempts")
    }

    fn start_on(road: Road, identity: &Identity, port: u16) -> Option<Self> {
        let config = config(road, identity, port);
        let (ready, is_ready) = mpsc::channel();
        let thread = thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            runtime.block_on(async {
                let Ok(mut broker) = MqttBroker::with_config(config).await else { return };
                let mut listening = broker.ready_receiver();
                let shutdown = broker.shutdown_handle();
                let tell = async move {
                    if listening.wait_for(|listening| *listening).await.is_ok() {
                        let _ = ready.send(shutdown);
                    }
                };
                let (ended, ()) = tokio::join!(broker.run(), tell);
                ended.expect("a broker that ends as it is told");
            });
        });
        // The sender is dropped with the thread, so this fails at once when the broker could not start.
        match is_ready.recv_timeout(Duration::from_secs(15)) {
            Ok(shutdown) => Some(Embedded { road, port, shutdown, thread: Some(thread) }),
            Err(_) => None,
        }
    }

    pub fn url(&self) -> String {
        self.road.url(self.port)
    }
}

/// With one listener: a road's own.
fn config(road: Road, identity: &Identity, port: u16) -> BrokerConfig {
    let here = vec![SocketAddr::from((Ipv4Addr::LOCALHOST, port))];
    let tls = |bind: Vec<SocketAddr>| {
        let file = |name, content: &str| identity.folder.write(name, content).into();
        let certificate = file("server.pem", &identity.server.certificate);
        TlsConfig::new(certificate, file("server.key", &identity.server.key)).with_bind_addresses(bind)
    };
    let websocket = WebSocketConfig::new().with_bind_addresses(here.clone()).with_path("/mqtt");
    let config = BrokerConfig::new()
        .with_bind_addresses(Vec::new())
        .with_max_packet_size(MAXIMUM_PACKET_SIZE)
        .with_sys_topics_enabled(false)
        .with_storage(StorageConfig::new().with_backend(StorageBackend::Memory));
    match road {
        Road::Tcp => config.with_bind_addresses(here),
        Road::Tls => config.with_tls(tls(here)),
        Road::WebSocket => config.with_websocket(websocket),
        Road::WebSocketOverTls => config.with_tls(tls(Vec::new())).with_websocket_tls(websocket.with_tls(true)),
    }
}

impl Drop for Embedded {
    fn drop(&mut self) {
        self.shutdown.shutdown();
        if let Some(thread) = self.thread.take() {
            let ended = thread.join();
            assert!(ended.is_ok() || thread::panicking(), "the broker panicked");
        }
    }
}
