//! Who gets what the connection tells: a message goes to whoever subscribed to it, the end of an operation to the
//! program that began it, and everything else to all programs.

use super::filters::{self, ProgramId};
use super::inheritance::Had;
use super::recipients::Recipients;
use super::switchboard::{Owner, Switchboard};
use crate::client::State;
use crate::client::command::Command;
use crate::client::events::{Notice, NoticeKind};
use crate::codec::message::Message;
use crate::codec::property::{PropertiesBuf, PropertyId};
use crate::session::event::{Answer, Delivery, Event, Outcome, Token};
use crate::session::options::Acknowledge;
use crate::types::reason::ReasonCode;
use crate::types::status::Status;

/// Events that are handed out before the programs have their turn.
const EVENTS_IN_A_ROW: usize = 256;

impl Switchboard {
    pub fn hand_out(&mut self) {
        let mut count = 0;
        while count < EVENTS_IN_A_ROW && self.hand_out_next() {
            count += 1;
        }
        self.has_more |= count == EVENTS_IN_A_ROW;
        if self.has_store() {
            self.collect_untold();
        }
    }

    /// False if there is nothing to hand out.
    pub fn hand_out_next(&mut self) -> bool {
        let Some(notice) = self.next_notice() else { return false };
        if notice.dropped > 0 {
            self.members.iter_mut().for_each(|member| member.count_drops(notice.dropped));
        }
        match &notice.kind {
            NoticeKind::Session(event) => self.hand_out_event(event, &notice),
            NoticeKind::Failed(_) => self.members.iter_mut().for_each(|member| member.fail(&notice.kind)),
            kind => self.give_all(kind),
        }
        true
    }

    fn hand_out_event(&mut self, event: &Event, notice: &Notice) {
        match event {
            Event::Message { message, delivery, .. } => {
                let recipients = self.recipients(message);
                let mut programs = recipients.programs;
                if programs.is_empty() && !recipients.is_known && self.inherited {
                    // It may be from a subscription of an earlier process. A program had better get a message that it
                    // doesn't know than lose one.
                    programs = self.members.iter().filter(|member| member.wanted).map(|member| member.id).collect();
                    self.inheritance.add(notice.kind.clone(), &self.options);
                }
                self.hand_out_message(programs, *delivery, &notice.kind);
            }
            Event::Published { token, outcome } => self.hand_out_end(*token, outcome, &notice.kind),
            Event::Response { token, answer } => {
                let owner = self.owners.remove(token).map(|owner| owner.program);
                match answer {
                    Ok(answer) => self.hand_out_response(owner, answer, &notice.kind),
                    Err(_) => self.hand_out_to_owner(owner, None, &notice.kind),
                }
            }
            Event::Subscribed { token, filter, outcome } => self.hand_out_answer(*token, filter, outcome),
            Event::Unsubscribed { token, .. } => {
                let owner = self.owners.remove(token).map(|owner| owner.program);
                self.hand_out_to_owner(owner, None, &notice.kind);
            }
            Event::Connected { session_present, .. } => self.hand_out_connected(*session_present, event),
            Event::Disconnected(_) => self.hand_out_disconnected(event),
            Event::Authenticated { .. } | Event::Breach(_) => self.give_all(&notice.kind),
            // The options allow neither.
            Event::Authenticate { .. } | Event::Progress { .. } => {}
        }
    }

    fn recipients(&mut self, message: &Message) -> Recipients {
        let takes = |id| self.members.iter().any(|member| member.id == id && member.takes_messages());
        self.filters.recipients(message, self.inherited, takes)
    }

    fn give_all(&mut self, kind: &NoticeKind) {
        self.members.iter_mut().filter(|member| member.wanted).for_each(|member| member.give(kind.clone()));
    }

    fn hand_out_message(&mut self, programs: Vec<ProgramId>, delivery: Option<Delivery>, kind: &NoticeKind) {
        let mut got = Vec::with_capacity(programs.len());
        self.nobodys += u64::from(programs.is_empty());
        for id in programs {
            // Programs get copies: the original's buffer goes back to the pool, which only the connection's own threads may
            // lock.
            if self.member(id).is_some_and(|member| member.give_message(kind.clone())) {
                got.push(id);
            }
        }
        let Some(delivery) = delivery else { return };
        if got.is_empty() {
            self.acknowledge([(delivery, ReasonCode::SUCCESS.into())]);
            return;
        }
        let has_successor =
            |id: &ProgramId| self.members.iter().any(|member| member.id == *id && !member.inbox.is_empty());
        let copy = got.iter().any(has_successor).then(|| kind.clone());
        self.owed.open(delivery, got, copy);
    }

    /// A program comes that was not here, or not lately: an earlier process may have left something that is for it.
    pub fn hand_over_inheritance(&mut self, id: ProgramId, had: &Had) {
        let (notices, dropped) = self.inheritance.all_but(had);
        for kind in &notices {
            match kind {
                NoticeKind::Session(Event::Message { delivery, .. }) => self.owed.join(id, *delivery, None),
                NoticeKind::Session(Event::Published { token, .. }) => self.owed.join(id, None, Some(*token)),
                _ => {}
            }
        }
        if let Some(member) = self.member(id) {
            notices.into_iter().for_each(|kind| member.give(kind));
            if dropped > 0 {
                member.count_drops(dropped);
            }
        }
    }

    /// A response goes to its requester. To others that the Server sent it for it is an ordinary message.
    fn hand_out_response(&mut self, owner: Option<ProgramId>, answer: &Answer, kind: &NoticeKind) {
        let Answer { message, delivery, packet_id } = answer;
        if message.properties().int(PropertyId::SubscriptionIdentifier).is_none() {
            // If others have subscribed to the Response Topic, a copy for them may come as well.
            return self.hand_out_to_owner(owner, *delivery, kind);
        }
        let mut others = self.recipients(message).programs;
        others.retain(|id| Some(*id) != owner);
        let (message, delivery, packet_id) = (message.clone(), *delivery, *packet_id);
        let copy = NoticeKind::Session(Event::Message { message, delivery, packet_id, seen_before: false });
        others.retain(|id| self.member(*id).is_some_and(|member| member.give_message(copy.clone())));
        self.hand_out_to_owner(owner, delivery, kind);
        if let Some(delivery) = delivery {
            others.into_iter().for_each(|id| self.owed.join(id, Some(delivery), None));
        }
    }

    fn hand_out_to_owner(&mut self, owner: Option<ProgramId>, delivery: Option<Delivery>, kind: &NoticeKind) {
        let mut got = None;
        if let Some(id) = owner {
            match self.member(id) {
                Some(member) => {
                    member.give(kind.clone());
                    got = Some(id);
                }
                None => self.former.give(id, kind.clone()),
            }
        }
        match (delivery, got) {
            // A response is for the program that asked, and for none that takes its place.
            (Some(delivery), Some(id)) => self.owed.open(delivery, vec![id], None),
            (Some(delivery), None) => self.acknowledge([(delivery, ReasonCode::SUCCESS.into())]),
            (None, _) => {}
        }
    }

    fn hand_out_end(&mut self, token: Token, outcome: &Outcome, kind: &NoticeKind) {
        match self.owners.remove(&token) {
            // The program of an ordinary client doesn't hear of these either.
            Some(Owner { is_qos0: true, .. }) if matches!(outcome.failure, None | Some(Status::Superseded)) => {}
            Some(owner) => self.hand_out_to_owner(Some(owner.program), None, kind),
            None if !self.has_store() => {}
            None => {
                // An earlier process began it: whoever knows what it was hears of it.
                let all = self.members.iter().filter(|member| member.wanted).map(|member| member.id).collect();
                self.owed.open_end(token, all);
                self.give_all(kind);
                self.inheritance.add(kind.clone(), &self.options);
            }
        }
    }

    fn hand_out_answer(&mut self, token: Token, filter: &str, outcome: &Outcome) {
        // In case it has to be asked again.
        let (identifies, again) = (self.identifies(), self.new_request());
        let answer = self.filters.answered(token, filter, outcome, identifies, again);
        match answer {
            // One more request is under way, even if its token is the old one.
            filters::Answer::Ask(subscribe) => self.ask(subscribe),
            filters::Answer::Tell { programs, ends } => {
                self.forget_request();
                if ends {
                    self.end_subscription(filter.to_owned());
                }
                self.tell_subscribed(programs, token, filter, outcome);
            }
            filters::Answer::Lost(programs) => {
                self.forget_request();
                // It answers no subscribe of a program, so its token is 0.
                self.tell_subscribed(programs, 0, filter, outcome);
            }
        }
        self.line.shared.work_off_commands();
    }

    fn tell_subscribed(&mut self, programs: Vec<ProgramId>, token: Token, filter: &str, outcome: &Outcome) {
        let (filter, outcome) = (filter.to_owned(), outcome.clone());
        let kind = NoticeKind::Session(Event::Subscribed { token, filter, outcome });
        programs.into_iter().for_each(|id| self.hand_out_to_owner(Some(id), None, &kind));
    }

    /// A subscribe is refused here.
    pub fn refuse(&mut self, program: ProgramId, token: Token, filter: String, failure: Status) {
        self.forget_request();
        let outcome = Outcome { failure: Some(failure), reason: None, properties: PropertiesBuf::new() };
        let kind = NoticeKind::Session(Event::Subscribed { token, filter, outcome });
        self.hand_out_to_owner(Some(program), None, &kind);
    }

    /// Another program still holds the filter: the Server isn't asked.
    pub fn tell_unsubscribed(&mut self, program: ProgramId, token: Token, filter: String) {
        let outcome = Outcome { failure: None, reason: Some(ReasonCode::SUCCESS), properties: PropertiesBuf::new() };
        let kind = NoticeKind::Session(Event::Unsubscribed { token, filter, outcome });
        self.hand_out_to_owner(Some(program), None, &kind);
    }

    fn hand_out_connected(&mut self, session_present: bool, event: &Event) {
        self.inherited &= session_present;
        if !session_present {
            // The Server doesn't know any more what was handed out before.
            self.owed.lose_session(self.options.acknowledge() == Acknowledge::Explicitly);
        }
        if std::mem::take(&mut self.in_doubt) || !session_present {
            for filter in self.filters.made_again() {
                let token = self.new_request();
                match self.filters.renew(&filter, token, self.identifies()) {
                    Some(subscribe) => self.ask(subscribe),
                    None => self.forget_request(),
                }
            }
        }
        self.connected = Some(event.clone());
        self.mirror();
        for member in self.members.iter_mut().filter(|member| member.wanted) {
            member.set_state(State::Connected);
            member.give(NoticeKind::Session(event.clone()));
        }
        self.carry_out_deferred();
        self.line.shared.gather(Command::GoOn);
        self.line.shared.work_off_commands();
    }

    fn hand_out_disconnected(&mut self, event: &Event) {
        self.in_doubt |= self.connected.take().is_none();
        let state = self.line.state();
        if state == State::Idle {
            self.is_closing = false;
        }
        self.mirror();
        if self.is_opening() {
            // Those who wanted this connection know already, and those who are here wait for the next one.
            return;
        }
        if state == State::Idle {
            return self.close_for_all(event);
        }
        for member in self.members.iter_mut().filter(|member| member.wanted) {
            member.set_state(state);
            member.give(NoticeKind::Session(event.clone()));
        }
    }

    /// Ends that the programs' queues have thrown away, or weren't to keep.
    fn collect_untold(&mut self) {
        for index in 0..self.members.len() {
            let id = self.members[index].id;
            if self.members[index].out_of_reach {
                continue;
            }
            for token in self.members[index].take_untold() {
                self.heard(id, token);
            }
        }
        self.line.shared.work_off_commands();
    }
}
