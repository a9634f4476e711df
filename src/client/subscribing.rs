//! Subscribing and unsubscribing.

use super::Client;
use super::command::Command;
use crate::codec::property::{PropertiesBuf, PropertyId};
use crate::codec::subscribe::SubscriptionOptions;
use crate::session::event::Token;
use crate::session::limits::ServerLimits;
use crate::types::status::{Failure, Status};
use crate::types::topic::TopicFilter;
use std::sync::atomic::Ordering;

/// Subscribes and unsubscribes that may wait for their answer: as many as there are Packet Identifiers.
const MAXIMUM_REQUESTS: usize = 65_535;

impl Client {
    /// What the present Server said it takes; everything, while there is none.
    pub(super) fn server_limits(&self) -> ServerLimits {
        self.shared.snapshot.lock().told.limits.unwrap_or(const { ServerLimits::before_connack(0, 0) })
    }

    pub fn subscribe(
        &self,
        filter: TopicFilter<'_>,
        options: SubscriptionOptions,
        properties: PropertiesBuf,
    ) -> Result<Token, Failure> {
        self.check_alive()?;
        if options.no_local && filter.is_shared() {
            // [MQTT-3.8.3-4]
            let text = "No Local can't be used with a Shared Subscription".to_owned();
            return Err(Status::InvalidArgument.because(text));
        }
        if self.place.is_some() && properties.as_properties().int(PropertyId::SubscriptionIdentifier).is_some() {
            let text =
                "a shared connection gives the Subscription Identifiers itself: leave the property out".to_owned();
            return Err(Status::InvalidArgument.because(text));
        }
        let refused = self.server_limits().refuses_subscription(filter, properties.as_properties());
        if let Some(why) = refused {
            return Err(Status::NotSupportedByServer.because(why));
        }
        self.count_request()?;
        let token = self.shared.accounts.next_token.fetch_add(1, Ordering::Relaxed);
        let filter = filter.as_str().to_owned();
        self.shared.submit(Command::Subscribe { token, filter, options, properties });
        Ok(token)
    }

    pub(super) fn count_request(&self) -> Result<(), Failure> {
        if self.shared.accounts.requests.fetch_add(1, Ordering::AcqRel) >= MAXIMUM_REQUESTS {
            self.shared.accounts.requests.fetch_sub(1, Ordering::AcqRel);
            let text = format!("{MAXIMUM_REQUESTS} subscribes and unsubscribes wait for their answer already");
            return Err(Status::QueueFull.because(text));
        }
        Ok(())
    }

    pub fn unsubscribe(&self, filter: TopicFilter<'_>, properties: PropertiesBuf) -> Result<Token, Failure> {
        self.check_alive()?;
        self.count_request()?;
        let token = self.shared.accounts.next_token.fetch_add(1, Ordering::Relaxed);
        self.shared.submit(Command::Unsubscribe { token, filter: filter.as_str().to_owned(), properties });
        Ok(token)
    }
}
