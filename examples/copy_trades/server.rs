//! The Server's process: the broker of the `mqtt5` crate on the loopback interface, everything in memory. Killing it loses all
//! Sessions and retained messages, which is what the run wants to survive.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::atomic::Ordering;
use std::time::Duration;

use mqtt5::broker::config::{BrokerConfig, StorageBackend, StorageConfig};
use mqtt5::broker::server::MqttBroker;

use crate::role::{self, Report};

/// The crate's own default (256 MiB) is one more than the standard allows a Server to announce.
const MAXIMUM_PACKET_SIZE: usize = 32 * 1024 * 1024;

pub fn run(port: u16) -> Result<(), String> {
    let stop = role::told_to_stop();
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, if port == 0 { free_port()? } else { port }));
    // Asked first in the plain way: it gives the operating system's own words.
    drop(TcpListener::bind(address).map_err(|e| format!("the Server can't listen on {address}: {e}"))?);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|e| e.to_string())?;
    runtime.block_on(async {
        let mut broker = MqttBroker::with_config(configuration(address))
            .await
            .map_err(|e| format!("the Server can't start on {address}: {e}"))?;
        let mut ready = broker.ready_receiver();
        let listening = async {
            while !*ready.borrow() {
                if ready.changed().await.is_err() {
                    return;
                }
            }
            Report::Listening { port: address.port() }.say();
            while !stop.load(Ordering::Acquire) {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        tokio::select! {
            ended = broker.run() => ended.map_err(|e| format!("the Server ended: {e}")),
            () = listening => Ok(()),
        }
    })
}

/// Not one of the ports that the operating system gives to clients: while the Server is dead, a client that tries again and
/// again to reach such a port on its own machine can be given that very port, and connect to itself.
fn free_port() -> Result<u16, String> {
    let start = u16::try_from(std::process::id() % 12_000).unwrap_or(0);
    let ports = (0..12_000).map(|offset| 20_000 + (start + offset) % 12_000);
    let mut free = ports.filter(|port| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok());
    free.next().ok_or_else(|| "no port from 20000 to 31999 is free".to_owned())
}

fn configuration(address: SocketAddr) -> BrokerConfig {
    BrokerConfig::new()
        .with_bind_addresses(vec![address])
        .with_max_packet_size(MAXIMUM_PACKET_SIZE)
        .with_sys_topics_enabled(false)
        .with_storage(StorageConfig::new().with_backend(StorageBackend::Memory))
}
