//! The broker of the crate `mqtt5`, on a thread of its own, everything in memory.

use crate::common::mosquitto::free_port;
use mqtt5::broker::config::{BrokerConfig, StorageBackend, StorageConfig};
use mqtt5::broker::server::{BrokerShutdownHandle, MqttBroker};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::mpsc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// Its own default (256 MiB) is one more than the standard allows a Server to announce.
const MAXIMUM_PACKET_SIZE: usize = 32 * 1024 * 1024;

pub struct Embedded {
    port: u16,
    shutdown: BrokerShutdownHandle,
    thread: Option<JoinHandle<()>>,
}

impl Embedded {
    pub fn start() -> Self {
        // Another process may take the port between choosing it and the broker's bind: choose again then.
        let started = (0..10).find_map(|_| Self::start_on(free_port()));
        started.expect("a free port for the broker in ten attempts")
    }

    fn start_on(port: u16) -> Option<Self> {
        let (ready, is_ready) = mpsc::channel();
        let thread = thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            runtime.block_on(async {
                let config = BrokerConfig::new()
                    .with_bind_addresses(vec![SocketAddr::from((Ipv4Addr::LOCALHOST, port))])
                    .with_max_packet_size(MAXIMUM_PACKET_SIZE)
                    .with_sys_topics_enabled(false)
                    .with_storage(StorageConfig::new().with_backend(StorageBackend::Memory));
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
            Ok(shutdown) => Some(Embedded { port, shutdown, thread: Some(thread) }),
            Err(_) => None,
        }
    }

    pub fn url(&self) -> String {
        format!("mqtt://127.0.0.1:{}", self.port)
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
