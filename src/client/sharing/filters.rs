//! The Topic Filters of all programs on a shared connection, and the Subscription Identifiers that tell for which of
//! them the Server sent a message. Who gets the message by that is in `recipients`.
//!
//! The Server has one subscription for each Topic Filter, with the highest QoS that a program asked for. Each
//! SUBSCRIBE has a Subscription Identifier of its own. So a PUBLISH names exactly the filters that it is for (section
//! 3.3.4), however many copies a Server sends for filters that overlap. And a retained message names the SUBSCRIBE
//! that asked for it, so that only the program that subscribed gets it.
//!
//! In MQTT 3.1.1, and with a Server that takes no identifiers, the Topic Name is matched instead. Then a program may
//! get more copies than it should, but nothing is lost. A job of a Shared Subscription must not be done twice, so
//! there it may not overlap with a filter of another program.

use super::held::{Held, Holder};
use crate::codec::property::{PropertiesBuf, PropertyId, Value};
use crate::codec::subscribe::{RetainHandling, SubscriptionOptions};
use crate::session::event::{Outcome, Token};
use crate::types::status::Status;
use crate::types::topic::TopicFilter;
use std::collections::{HashMap, VecDeque};

pub(super) type ProgramId = u64;

const HIGHEST_IDENTIFIER: u32 = PropertyId::SubscriptionIdentifier.range().1;
/// So many ended subscriptions are remembered, for messages that were under way.
const ENDED_KEPT: usize = 256;

/// A SUBSCRIBE that waits for its answer.
struct Ask {
    /// `None` if no program asked: the subscription is made again for all its holders, without an identifier.
    program: Option<ProgramId>,
    filter: String,
    properties: PropertiesBuf,
    identifier: Option<u32>,
    /// The options with which the program held the filter before, if it did.
    before: Option<SubscriptionOptions>,
    /// The program has unsubscribed or left meanwhile.
    given_up: bool,
    /// UNSUBSCRIBE was sent after it.
    ended: bool,
}

/// What the Server is to be asked for.
pub(super) struct Subscribe {
    pub token: Token,
    pub filter: String,
    pub options: SubscriptionOptions,
    pub properties: PropertiesBuf,
}

/// What follows from the answer to a SUBSCRIBE.
pub(super) enum Answer {
    /// These programs are told. If the subscription `ends`, the Server has it and nobody wants it.
    Tell { programs: Vec<ProgramId>, ends: bool },
    /// The Session could not make it again: these programs have lost it.
    Lost(Vec<ProgramId>),
    /// It is asked again, in another way.
    Ask(Subscribe),
}

pub(super) struct Filters {
    pub held: Vec<Held>,
    /// Subscriptions that nobody holds any more, and the identifiers that they had.
    pub ended: VecDeque<(String, Vec<u32>)>,
    asks: HashMap<Token, Ask>,
    last_identifier: u32,
}

impl Filters {
    /// `seed` tells the identifiers of this process from those of one before, whose Session may go on.
    pub fn new(seed: u64) -> Filters {
        Filters {
            held: Vec::new(),
            ended: VecDeque::new(),
            asks: HashMap::new(),
            last_identifier: (seed % u64::from(HIGHEST_IDENTIFIER)) as u32,
        }
    }

    /// A program subscribes. `identify` says whether the Server takes Subscription Identifiers. Fails if another program
    /// holds the filter with options that the subscription can't have at the same time, or if its messages couldn't be told
    /// from those of another program's filter.
    pub fn subscribe(&mut self, program: ProgramId, asked: Subscribe, identify: bool) -> Result<Subscribe, Status> {
        let Subscribe { token, filter, options, properties } = asked;
        let others = self.find(&filter).map_or(&[][..], |held| &held.holders);
        let mut others = others.iter().filter(|holder| holder.program != program);
        let fits = |other: &Holder| {
            other.options.no_local == options.no_local
                && other.options.retain_as_published == options.retain_as_published
        };
        if !others.all(fits) || !identify && self.confuses(Some(program), &filter) {
            return Err(Status::SharedDiffers);
        }
        let before = self.hold(program, &filter, options);
        let is_new = before.is_none();
        let identifier = identify.then(|| self.next_identifier());
        let ask = Ask {
            program: Some(program),
            filter: filter.clone(),
            properties: properties.clone(),
            identifier,
            before,
            given_up: false,
            ended: false,
        };
        self.asks.insert(token, ask);
        let retained_for = match options.retain_handling {
            RetainHandling::Always => vec![program],
            RetainHandling::IfNew if is_new => vec![program],
            RetainHandling::IfNew | RetainHandling::Never => Vec::new(),
        };
        let held = self.find_mut(&filter);
        let options = match identifier {
            Some(number) => {
                let all = held.options();
                // With Retain As Published all would get them: they can't be told from new ones.
                let is_silent = all.retain_as_published && retained_for.is_empty() && held.holders.len() > 1;
                held.identify(number, retained_for, is_silent);
                if is_silent { SubscriptionOptions { retain_handling: RetainHandling::Never, ..all } } else { all }
            }
            None => {
                held.unidentified = true;
                let new_for_it = !retained_for.is_empty() && held.holders.len() > 1;
                let retain_handling = if new_for_it { RetainHandling::Always } else { options.retain_handling };
                SubscriptionOptions { retain_handling, ..held.options() }
            }
        };
        Ok(Subscribe { token, filter, options, properties: with_identifier(properties, identifier) })
    }

    /// Whether a job of a Shared Subscription could come to two programs where there are no identifiers: another program
    /// would get a copy of it by another filter. `program` is the one that is going to hold this filter.
    fn confuses(&self, program: Option<ProgramId>, filter: &str) -> bool {
        let Ok(filter) = TopicFilter::new(filter) else { return false };
        let holders = |held: &Held| held.programs().into_iter();
        let own: Vec<ProgramId> = self.find(filter.as_str()).into_iter().flat_map(holders).chain(program).collect();
        self.held.iter().filter(|held| held.filter != filter.as_str()).any(|held| {
            let overlaps = TopicFilter::new(&held.filter).is_ok_and(|other| filter.overlaps(other));
            let others = || holders(held).chain(own.iter().copied()).any(|one| own.first() != Some(&one));
            overlaps && (filter.is_shared() || held.is_shared()) && others()
        })
    }

    /// A program unsubscribes. False if another one still holds the filter, and the Server is not to be asked.
    pub fn unsubscribe(&mut self, program: ProgramId, filter: &str) -> bool {
        for ask in self.asks.values_mut().filter(|ask| ask.program == Some(program) && ask.filter == filter) {
            ask.given_up = true;
        }
        let ends = self.let_go(program, filter);
        if ends {
            self.end(filter);
        }
        ends
    }

    /// UNSUBSCRIBE is sent.
    fn end(&mut self, filter: &str) {
        self.asks.values_mut().filter(|ask| ask.filter == filter).for_each(|ask| ask.ended = true);
    }

    /// A program has left. Returns the filters that nobody holds any more.
    pub fn leave(&mut self, program: ProgramId) -> Vec<String> {
        let all: Vec<String> = self.held.iter().map(|held| held.filter.clone()).collect();
        all.into_iter().filter(|filter| self.holds(program, filter) && self.unsubscribe(program, filter)).collect()
    }

    /// The Server has answered a SUBSCRIBE, or the Session has failed it. `identify` as for `subscribe`.
    pub fn answered(&mut self, token: Token, filter: &str, outcome: &Outcome, identify: bool, again: Token) -> Answer {
        let Some(ask) = self.asks.remove(&token) else { return self.made_again_in_vain(filter, identify, again) };
        let Ask { program, identifier, .. } = ask;
        if outcome.failure.is_none() {
            let mut ends = false;
            match self.held.iter_mut().find(|held| held.filter == filter) {
                Some(held) => {
                    held.granted = identifier.or(held.granted);
                    held.unidentified = identifier.is_none();
                    held.is_there |= !ask.ended;
                    if let Some(number) = identifier.filter(|number| held.identifier(*number).is_none()) {
                        held.identify(number, Vec::new(), false);
                    }
                }
                None => ends = !ask.ended,
            }
            return self.tell(program.into_iter().collect(), filter, ends);
        }
        let is_wanted = !ask.given_up && self.find(filter).is_some() && !self.confuses(program, filter);
        if outcome.failure == Some(Status::NotSupportedByServer) && identifier.is_some() && !identify && is_wanted {
            // Meanwhile the client has met a Server that takes no identifiers.
            let ask = Ask { identifier: None, ..ask };
            return self.ask_again(token, ask);
        }
        match program {
            Some(program) => {
                let ends = !ask.given_up && self.refused(program, filter, ask.before);
                self.tell(vec![program], filter, ends)
            }
            None => self.give_up(filter),
        }
    }

    fn tell(&mut self, programs: Vec<ProgramId>, filter: &str, ends: bool) -> Answer {
        if ends {
            self.end(filter);
        }
        Answer::Tell { programs, ends }
    }

    /// A SUBSCRIBE failed: the program holds the filter as before. True if the Server has a subscription that nobody wants.
    fn refused(&mut self, program: ProgramId, filter: &str, before: Option<SubscriptionOptions>) -> bool {
        if let Some(later) = self.next_ask(program, filter) {
            // It holds the filter as long as it waits.
            later.before = before;
            return false;
        }
        match before {
            Some(options) => {
                self.hold(program, filter, options);
                false
            }
            None => {
                let is_there = self.find(filter).is_some_and(|held| held.is_there);
                self.let_go(program, filter) && is_there
            }
        }
    }

    /// The first SUBSCRIBE of a program that waits for its answer.
    fn next_ask(&mut self, program: ProgramId, filter: &str) -> Option<&mut Ask> {
        let is_it = |ask: &Ask| ask.program == Some(program) && ask.filter == filter && !ask.given_up;
        self.asks.iter_mut().filter(|(_, ask)| is_it(ask)).min_by_key(|(token, _)| **token).map(|(_, ask)| ask)
    }

    /// The Session makes the subscriptions again, as the Server has lost them or may have lost them. Then all holders get
    /// the retained messages again, except those who wait for an answer: they get them with it. Returns the filters that
    /// have to be renewed for that.
    pub fn made_again(&mut self) -> Vec<String> {
        let mut silent = Vec::new();
        for held in &mut self.held {
            let waits = |program: ProgramId| {
                self.asks.values().any(|ask| ask.program == Some(program) && ask.filter == held.filter && !ask.given_up)
            };
            let wants =
                |holder: &&Holder| holder.options.retain_handling != RetainHandling::Never && !waits(holder.program);
            let again: Vec<ProgramId> = held.holders.iter().filter(wants).map(|holder| holder.program).collect();
            if let Some(number) = held.granted
                && let Some(identifier) = held.identifiers.iter_mut().find(|identifier| identifier.number == number)
            {
                if identifier.is_silent && !again.is_empty() {
                    silent.push(held.filter.clone());
                }
                identifier.retained_for = again;
            }
        }
        silent
    }

    /// Subscribes anew for all who hold the filter.
    pub fn renew(&mut self, filter: &str, token: Token, identify: bool) -> Option<Subscribe> {
        self.find(filter)?;
        let identifier = identify.then(|| self.next_identifier());
        let held = self.find_mut(filter);
        match identifier {
            Some(number) => held.identify(number, held.programs(), false),
            None => held.unidentified = true,
        }
        let ask = Ask {
            program: None,
            filter: filter.to_owned(),
            properties: PropertiesBuf::new(),
            identifier,
            before: None,
            given_up: false,
            ended: false,
        };
        let mut options = held.options();
        if options.retain_handling == RetainHandling::IfNew {
            // The Session may have made it already, without retained messages.
            options.retain_handling = RetainHandling::Always;
        }
        let filter = filter.to_owned();
        self.asks.insert(token, ask);
        Some(Subscribe { token, filter, options, properties: with_identifier(PropertiesBuf::new(), identifier) })
    }

    fn next_identifier(&mut self) -> u32 {
        self.last_identifier = self.last_identifier % HIGHEST_IDENTIFIER + 1;
        self.last_identifier
    }

    fn find(&self, filter: &str) -> Option<&Held> {
        self.held.iter().find(|held| held.filter == filter)
    }

    fn find_mut(&mut self, filter: &str) -> &mut Held {
        let place = self.held.iter().position(|held| held.filter == filter).unwrap_or_else(|| {
            self.held.push(Held::new(filter));
            self.held.len() - 1
        });
        &mut self.held[place]
    }

    fn holds(&self, program: ProgramId, filter: &str) -> bool {
        self.find(filter).is_some_and(|held| held.holders.iter().any(|holder| holder.program == program))
    }

    /// Returns the options with which the program held it before.
    fn hold(&mut self, program: ProgramId, filter: &str, options: SubscriptionOptions) -> Option<SubscriptionOptions> {
        let holders = &mut self.find_mut(filter).holders;
        let place = holders.iter().position(|holder| holder.program == program);
        let before = place.map(|place| holders.remove(place).options);
        holders.push(Holder { program, options });
        before
    }

    /// True if nobody holds it now.
    fn let_go(&mut self, program: ProgramId, filter: &str) -> bool {
        if let Some(held) = self.held.iter_mut().find(|held| held.filter == filter) {
            held.holders.retain(|holder| holder.program != program);
        }
        for held in self.held.extract_if(.., |held| held.holders.is_empty()) {
            let numbers = held.identifiers.iter().map(|identifier| identifier.number).collect();
            self.ended.push_back((held.filter, numbers));
        }
        let too_many = self.ended.len().saturating_sub(ENDED_KEPT);
        self.ended.drain(..too_many);
        self.find(filter).is_none()
    }

    /// The Session made a granted subscription again after the Server had lost it, and failed.
    fn made_again_in_vain(&mut self, filter: &str, identify: bool, token: Token) -> Answer {
        let Some(held) = self.find(filter) else { return Answer::Lost(Vec::new()) };
        if identify || held.unidentified || self.confuses(None, filter) {
            return self.give_up(filter);
        }
        self.renew(filter, token, false).map_or(Answer::Lost(Vec::new()), Answer::Ask)
    }

    fn ask_again(&mut self, token: Token, ask: Ask) -> Answer {
        let held = self.find_mut(&ask.filter);
        held.unidentified = true;
        let (filter, options, properties) = (ask.filter.clone(), held.options(), ask.properties.clone());
        self.asks.insert(token, ask);
        Answer::Ask(Subscribe { token, filter, options, properties })
    }

    /// The subscription is gone for all, except for those who have asked anew.
    fn give_up(&mut self, filter: &str) -> Answer {
        let holders = self.find(filter).map_or(Vec::new(), Held::programs);
        let mut programs = Vec::new();
        for program in holders {
            match self.next_ask(program, filter) {
                Some(ask) => ask.before = None,
                None => programs.push(program),
            }
        }
        for program in &programs {
            self.let_go(*program, filter);
        }
        self.held.iter_mut().filter(|held| held.filter == filter).for_each(|held| held.is_there = false);
        Answer::Lost(programs)
    }
}

fn with_identifier(mut properties: PropertiesBuf, identifier: Option<u32>) -> PropertiesBuf {
    if let Some(number) = identifier {
        // It is within the property's range.
        let _ = properties.set(PropertyId::SubscriptionIdentifier, Value::Int(number));
    }
    properties
}

#[cfg(test)]
#[path = "filters_tests.rs"]
mod tests;
