//! What a publish is checked against at the call, to be read without a lock: options, and what the present Server takes.

use super::options::{IntOption, Options};
use crate::session::limits::ServerLimits;
use crate::session::options::OutgoingOverflow;
use crate::types::QoS;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

#[derive(Debug)]
pub(super) struct PublishLimits {
    /// Publishes in the outgoing queue, and their bytes.
    pub maximum: AtomicUsize,
    pub maximum_bytes: AtomicUsize,
    pub refuses_when_full: AtomicBool,
    pub queues_qos0: AtomicBool,
    /// In one word, so that nobody sees a part of one Server's and a part of another's.
    server: AtomicU64,
}

/// What a Server takes, as far as a publish is concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Takes {
    /// Bytes.
    pub maximum_packet_size: usize,
    pub maximum_qos: QoS,
    pub retain: bool,
}

const QOS_AT: u32 = 32;
const RETAIN_AT: u32 = 34;

impl PublishLimits {
    pub fn new(options: &Options) -> Self {
        let limits = PublishLimits {
            maximum: AtomicUsize::new(0),
            maximum_bytes: AtomicUsize::new(0),
            refuses_when_full: AtomicBool::new(false),
            queues_qos0: AtomicBool::new(false),
            server: AtomicU64::new(0),
        };
        limits.set_options(options);
        limits.set_server(None);
        limits
    }

    pub fn set_options(&self, options: &Options) {
        self.maximum.store(options.int(IntOption::OutgoingMaximum) as usize, Ordering::Release);
        self.maximum_bytes.store(options.int(IntOption::OutgoingMaximumBytes) as usize, Ordering::Release);
        let refuses = options.outgoing_overflow() == OutgoingOverflow::Refuse;
        self.refuses_when_full.store(refuses, Ordering::Release);
        self.queues_qos0.store(options.flag(IntOption::QueueQos0), Ordering::Release);
    }

    /// `None` while there is no Server: it may take everything.
    pub fn set_server(&self, limits: Option<ServerLimits>) {
        let limits = limits.unwrap_or(const { ServerLimits::before_connack(0, 0) });
        // A packet has less than 2^32 bytes.
        let word = limits.maximum_packet_size as u64
            | (limits.maximum_qos as u64) << QOS_AT
            | u64::from(limits.retain_available) << RETAIN_AT;
        self.server.store(word, Ordering::Release);
    }

    pub fn server(&self) -> Takes {
        let word = self.server.load(Ordering::Acquire);
        Takes {
            maximum_packet_size: word as u32 as usize,
            maximum_qos: QoS::from_u8((word >> QOS_AT) as u8 & 3).unwrap_or(QoS::ExactlyOnce),
            retain: word >> RETAIN_AT & 1 == 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_server_takes_fits_into_a_word() {
        let limits = PublishLimits::new(&Options::default());
        let before = ServerLimits::before_connack(0, 0);
        for maximum_qos in [QoS::AtMostOnce, QoS::AtLeastOnce, QoS::ExactlyOnce] {
            for (retain, maximum_packet_size) in [(false, 1), (true, before.maximum_packet_size)] {
                limits.set_server(Some(ServerLimits {
                    maximum_qos,
                    retain_available: retain,
                    maximum_packet_size,
                    ..before
                }));
                assert_eq!(limits.server(), Takes { maximum_packet_size, maximum_qos, retain });
            }
        }
    }
}
