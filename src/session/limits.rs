//! What the Server announced in CONNACK (section 3.2.2.3): what may be sent on this Network Connection.

use crate::codec::LARGEST_PACKET;
use crate::codec::connack::Connack;
use crate::codec::property::{Properties, PropertyId};
use crate::types::topic::TopicFilter;
use crate::types::{ProtocolVersion, QoS};

/// The Server's limits; absent properties are filled in with what the standard says they mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ServerLimits {
    pub receive_maximum: u16,
    pub maximum_qos: QoS,
    pub retain_available: bool,
    /// Bytes.
    pub maximum_packet_size: usize,
    pub topic_alias_maximum: u16,
    pub wildcard_subscription_available: bool,
    pub subscription_identifier_available: bool,
    pub shared_subscription_available: bool,
    /// Seconds, in force for this connection: the Server's if it gave one, ours otherwise \[MQTT-3.1.2-21\].
    pub keep_alive: u16,
    /// Seconds, in force for this Session: the Server's if it gave one, ours otherwise.
    pub session_expiry_interval: u32,
}

impl ServerLimits {
    pub fn from_connack(
        connack: &Connack<'_>,
        version: ProtocolVersion,
        keep_alive: u16,
        session_expiry_interval: u32,
    ) -> Self {
        let properties = connack.properties;
        let flag = |id| properties.int(id) != Some(0);
        ServerLimits {
            receive_maximum: properties.int(PropertyId::ReceiveMaximum).unwrap_or(65_535) as u16,
            maximum_qos: match properties.int(PropertyId::MaximumQoS) {
                Some(0) => QoS::AtMostOnce,
                Some(1) => QoS::AtLeastOnce,
                _ => QoS::ExactlyOnce,
            },
            retain_available: flag(PropertyId::RetainAvailable),
            maximum_packet_size: properties
                .int(PropertyId::MaximumPacketSize)
                .map_or(LARGEST_PACKET, |size| (size as usize).min(LARGEST_PACKET)),
            topic_alias_maximum: properties.int(PropertyId::TopicAliasMaximum).unwrap_or(0) as u16,
            wildcard_subscription_available: flag(PropertyId::WildcardSubscriptionAvailable),
            subscription_identifier_available: version == ProtocolVersion::V5
                && flag(PropertyId::SubscriptionIdentifierAvailable),
            shared_subscription_available: flag(PropertyId::SharedSubscriptionAvailable),
            keep_alive: properties.int(PropertyId::ServerKeepAlive).map_or(keep_alive, |seconds| seconds as u16),
            session_expiry_interval: properties
                .int(PropertyId::SessionExpiryInterval)
                .unwrap_or(session_expiry_interval),
        }
    }

    /// Why a SUBSCRIBE for `filter` with these properties would be refused, in words; `None` if the Server takes it.
    pub fn refuses_subscription(&self, filter: TopicFilter<'_>, properties: Properties<'_>) -> Option<&'static str> {
        if filter.is_shared() && !self.shared_subscription_available {
            Some("the Server has no Shared Subscriptions")
        } else if filter.has_wildcard() && !self.wildcard_subscription_available {
            Some("the Server takes no wildcards in Topic Filters")
        } else if properties.int(PropertyId::SubscriptionIdentifier).is_some()
            && !self.subscription_identifier_available
        {
            Some("the Server takes no Subscription Identifiers")
        } else {
            None
        }
    }

    /// What holds until the Server has said something.
    pub const fn before_connack(keep_alive: u16, session_expiry_interval: u32) -> Self {
        ServerLimits {
            receive_maximum: 65_535,
            maximum_qos: QoS::ExactlyOnce,
            retain_available: true,
            maximum_packet_size: LARGEST_PACKET,
            topic_alias_maximum: 0,
            wildcard_subscription_available: true,
            subscription_identifier_available: true,
            shared_subscription_available: true,
            keep_alive,
            session_expiry_interval,
        }
    }
}
