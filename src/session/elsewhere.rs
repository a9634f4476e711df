//! Sessions that other Servers may still have of this client.
//!
//! Where several Servers don't share their Sessions, one that knows nothing of ours begins a new one, and the old one
//! stays where it was. A client that comes back there within the Session Expiry Interval finds Session Present, but
//! it isn't the Session that it has gone on with meanwhile (section 4.4). So what was under way at one Server must
//! not be taken up at the other, where its Packet Identifiers stand for other messages. A Session that this side has ended is one
//! of these: the Server may have missed the end.

use super::inbound::Parked;
use super::record::{Key, Log, Record};
use crate::codec::PacketId;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// A Session Expiry Interval that never ends.
pub(super) const FOR_EVER: u32 = u32::MAX;
/// A Server notices a connection that is gone later than its client.
const NOTICED_LATER: Duration = Duration::from_secs(600);

/// A Session that was left behind.
#[derive(Debug)]
pub(super) struct Left {
    server: Arc<str>,
    /// `None` if it never expires.
    until: Option<Instant>,
    /// Of QoS 2 messages that it may hold: another message under one of these would be taken for that one.
    pub ids: Vec<PacketId>,
    /// What it may be subscribed to.
    pub filters: Vec<String>,
    /// What it may send again.
    pub parked: Parked,
}

#[derive(Debug, Default)]
pub(super) struct Elsewhere {
    /// Whose Session is the one that we go on with; `None` if there is none.
    home: Option<Arc<str>>,
    /// The Server of the present connection.
    here: Option<Arc<str>>,
    left: Vec<Left>,
    /// There have been several Servers or Sessions, or Packet Identifiers that are not used at home.
    is_recorded: bool,
    /// Packet Identifiers that are not used at home.
    pub reserved: Vec<PacketId>,
    /// When the Server was heard of last, and how long its Session lasts from then on.
    pub heard: Option<Instant>,
    lasts: u32,
}

impl Elsewhere {
    /// The next connection is one to this Server.
    pub fn set_here(&mut self, server: &str) {
        if self.here.as_deref() != Some(server) {
            self.here = Some(server.into());
        }
    }

    /// Whether the Session that we go on with is this Server's.
    pub fn is_home(&self) -> bool {
        self.home == self.here
    }

    /// Whether it is another Server's.
    pub fn is_away(&self) -> bool {
        self.home.is_some() && !self.is_home()
    }

    /// The Session is the Server's of this connection, and lasts so many seconds from when that was heard of last. What it has
    /// been told of that later, it may have missed.
    pub fn lasts_at_least(&mut self, seconds: u32) {
        self.lasts = self.lasts.max(seconds);
    }

    /// From now on the Session is this Server's, and lasts so many seconds. The next process has to know that if it was another's
    /// before.
    pub fn settle(&mut self, lasts: u32, log: &mut Log) {
        self.lasts = lasts;
        let is_away = self.is_away();
        if let Some(before) = self.home.as_ref().filter(|_| is_away) {
            log.remove(Key::Server(before.to_string()));
        }
        self.home.clone_from(&self.here);
        self.is_recorded |= is_away;
        self.record_home(log);
    }

    /// These Packet Identifiers can't be used at home any more, by the next process either.
    pub fn reserve(&mut self, ids: &mut Vec<PacketId>, log: &mut Log) {
        if !ids.is_empty() {
            self.reserved.append(ids);
            self.is_recorded = true;
            self.record_home(log);
        }
    }

    fn record_home(&self, log: &mut Log) {
        if let Some(home) = self.home.as_ref().filter(|_| self.is_recorded) {
            let ids = self.reserved.clone();
            log.replace(Key::Server(home.to_string()), || Record::Server { home: true, until: None, ids });
        }
    }

    /// The Session at home stays behind, and none is gone on with.
    pub fn leave(&mut self, ids: Vec<PacketId>, filters: Vec<String>, parked: Parked, log: &mut Log) {
        let Some(server) = self.home.take() else { return };
        self.is_recorded = true;
        let lasts = Duration::from_secs(self.lasts.into()) + NOTICED_LATER;
        let until = self.heard.and_then(|heard| heard.checked_add(lasts)).filter(|_| self.lasts != FOR_EVER);
        let in_use = ids.clone();
        log.replace(Key::Server(server.to_string()), || Record::Server { home: false, until, ids: in_use });
        self.left.push(Left { server, until, ids, filters, parked });
    }

    /// A CONNECT to this Server had no answer. If the Session is another Server's, this one may have begun one with it, which knows
    /// nothing of that.
    pub fn unanswered(&mut self, log: &mut Log) {
        let Some(here) = self.here.clone().filter(|_| self.is_away()) else { return };
        if self.left.iter().all(|left| left.server != here) {
            log.replace(Key::Server(here.to_string()), || Record::Server { home: false, until: None, ids: Vec::new() });
            let (ids, filters, parked) = (Vec::new(), Vec::new(), Parked::default());
            self.left.push(Left { server: here, until: None, ids, filters, parked });
            self.is_recorded = true;
            self.record_home(log);
        }
    }

    /// The Session that this Server may still have from before.
    pub fn come_back(&mut self, now: Instant, log: &mut Log) -> Option<Left> {
        for expired in self.left.extract_if(.., |left| left.until.is_some_and(|until| until <= now)) {
            log.remove(Key::Server(expired.server.to_string()));
        }
        let place = self.left.iter().position(|left| Some(&left.server) == self.here.as_ref())?;
        Some(self.left.swap_remove(place))
    }

    /// Takes over what an earlier process had stored.
    pub fn restore(&mut self, server: &str, record: Record) -> Result<(), &'static str> {
        let Record::Server { home, until, ids } = record else { return Err("a Server has a record of another kind") };
        self.is_recorded = true;
        if !home {
            let (filters, parked) = (Vec::new(), Parked::default());
            self.left.push(Left { server: server.into(), until, ids, filters, parked });
        } else if self.home.replace(server.into()).is_some() {
            return Err("a Session is that of two Servers");
        } else {
            self.reserved = ids;
        }
        Ok(())
    }

    /// There is no Session of ours anywhere any more.
    pub fn forget(&mut self, log: &mut Log) {
        for server in self.left.iter().map(|left| &left.server).chain(&self.home).filter(|_| self.is_recorded) {
            log.remove(Key::Server(server.to_string()));
        }
        *self = Elsewhere::default();
    }

    /// What was received in Sessions that were left behind.
    pub fn parked(&mut self) -> impl Iterator<Item = &mut Parked> {
        self.left.iter_mut().map(|left| &mut left.parked)
    }
}
