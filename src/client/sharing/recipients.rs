//! Which programs get a message: by its Subscription Identifiers, and where these don't tell, by its Topic Name.

use super::filters::{Filters, ProgramId};
use super::held::{self, Held};
use crate::codec::message::Message;
use crate::codec::property::{PropertyId, Value};

/// Who gets a message.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Recipients {
    pub programs: Vec<ProgramId>,
    /// A subscription was found for which the Server sent the message, even if no program is to get it.
    pub is_known: bool,
}

impl Filters {
    /// The programs that get a message, each once. Of a Shared Subscription it is one that `takes` messages, if there is one.
    /// On an `inherited` Session a number of an earlier process may be that of another filter now, so the filter has to fit as
    /// well. Otherwise the Server knows best: it may have filters of its own that start with `$`.
    pub fn recipients(&mut self, message: &Message, inherited: bool, takes: impl Fn(ProgramId) -> bool) -> Recipients {
        let topic = message.topic();
        let numbers = identifiers(message);
        // Subscriptions that ended while the message was under way. A program that holds such a filter again may have it.
        let is_late = |ended: &[u32]| numbers.iter().any(|number| ended.contains(number));
        let late: Vec<&(String, Vec<u32>)> = self.ended.iter().filter(|(_, ended)| is_late(ended)).collect();
        let names = |held: &Held| {
            numbers.iter().any(|number| held.identifier(*number).is_some())
                || late.iter().any(|(filter, _)| *filter == held.filter)
        };
        let fits = |held: &Held, is_named: bool| held::fits(&held.filter, topic) || !inherited && is_named;
        let named: Vec<bool> = self.held.iter().map(names).collect();
        let fitting: Vec<bool> = self.held.iter().zip(&named).map(|(held, is_named)| fits(held, *is_named)).collect();
        let ended =
            |number: &u32| late.iter().any(|(filter, ended)| ended.contains(number) && held::fits(filter, topic));
        let all_ended = !numbers.is_empty() && numbers.iter().all(ended);
        let is_exact = all_ended || named.iter().zip(&fitting).any(|(is_named, fits)| *is_named && *fits);
        let mut found = Recipients { programs: Vec::new(), is_known: all_ended };
        for (held, (is_named, fits)) in self.held.iter_mut().zip(named.into_iter().zip(fitting)) {
            if !fits || is_exact && !is_named && !held.unidentified {
                continue;
            }
            found.is_known = true;
            let identifier = numbers.iter().find_map(|number| held.identifier(*number));
            // [MQTT-3.3.1-12]: without Retain As Published, only what a SUBSCRIBE asked for comes with RETAIN.
            let retained_for = identifier
                .filter(|_| message.retain && !held.options().retain_as_published)
                .map(|identifier| identifier.retained_for.clone());
            for program in held.next_recipients(retained_for.as_deref(), &takes) {
                if !found.programs.contains(&program) {
                    found.programs.push(program);
                }
            }
        }
        found
    }

    /// Whether the program holds a Shared Subscription together with others.
    pub fn is_one_of_several(&self, program: ProgramId) -> bool {
        self.held.iter().any(|held| held.is_shared() && held.holders.len() > 1 && held.programs().contains(&program))
    }

    /// Who gets a message of a Shared Subscription that this program has, and leaves unread. Where no identifier says so, it may
    /// have come for another filter of the program's.
    pub fn heir(
        &mut self,
        program: ProgramId,
        message: &Message,
        takes: impl Fn(ProgramId) -> bool,
    ) -> Option<ProgramId> {
        let numbers = identifiers(message);
        let holds = |held: &Held| held.programs().contains(&program) && held::fits(&held.filter, message.topic());
        let may_be_another_s = self.held.iter().any(|held| holds(held) && !held.is_shared());
        let named = |held: &Held| numbers.iter().any(|number| held.identifier(*number).is_some());
        let is_it = |held: &&mut Held| {
            held.is_shared() && holds(held) && (named(held) || numbers.is_empty() && !may_be_another_s)
        };
        let held = self.held.iter_mut().find(is_it)?;
        let mut others = held.programs();
        others.retain(|other| *other != program);
        held.next_recipients(Some(&others), takes).first().copied()
    }
}

/// The Subscription Identifiers of a message.
fn identifiers(message: &Message) -> Vec<u32> {
    let number = |(id, value)| match value {
        Value::Int(number) if id == PropertyId::SubscriptionIdentifier => Some(number),
        _ => None,
    };
    message.properties().iter().filter_map(number).collect()
}
