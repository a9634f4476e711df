//! Unit tests of `filters`: what can't be arranged with a Server without luck.

use super::*;
use crate::client::sharing::held::IDENTIFIERS_KEPT;
use crate::codec::message::Message;
use crate::types::QoS;
use crate::types::reason::ReasonCode;
use crate::types::topic::TopicName;

const A: ProgramId = 1;
const B: ProgramId = 2;

fn options(qos: QoS, retain_handling: RetainHandling) -> SubscriptionOptions {
    SubscriptionOptions { maximum_qos: qos, no_local: false, retain_as_published: false, retain_handling }
}

fn asked(token: Token, filter: &str) -> Subscribe {
    let options = options(QoS::AtMostOnce, RetainHandling::Always);
    Subscribe { token, filter: filter.to_owned(), options, properties: PropertiesBuf::new() }
}

fn identifier(subscribe: &Subscribe) -> Option<u32> {
    subscribe.properties.as_properties().int(PropertyId::SubscriptionIdentifier)
}

/// Subscribes, and the Server grants it; returns the identifier.
fn granted(filters: &mut Filters, program: ProgramId, token: Token, filter: &str) -> u32 {
    let subscribe =
        filters.subscribe(program, asked(token, filter), true).unwrap_or_else(|status| panic!("{status:?}"));
    assert_eq!(told(filters.answered(token, filter, &success(), true, 0)), [program]);
    identifier(&subscribe).expect("an identifier")
}

fn success() -> Outcome {
    Outcome { failure: None, reason: Some(ReasonCode::SUCCESS), properties: PropertiesBuf::new() }
}

fn failure(status: Status) -> Outcome {
    Outcome { failure: Some(status), reason: None, properties: PropertiesBuf::new() }
}

fn told(answer: Answer) -> Vec<ProgramId> {
    match answer {
        Answer::Tell { programs, .. } | Answer::Lost(programs) => programs,
        Answer::Ask(_) => panic!("it is asked again"),
    }
}

fn message(topic: &str, retain: bool, identifiers: &[u32]) -> Message {
    let mut properties = PropertiesBuf::new();
    for number in identifiers {
        properties.add(PropertyId::SubscriptionIdentifier, Value::Int(*number)).unwrap();
    }
    let topic = TopicName::new(topic).unwrap();
    Message::new(topic, b"", QoS::AtMostOnce, retain, properties.as_properties())
}

fn recipients(filters: &mut Filters, topic: &str, retain: bool, identifiers: &[u32]) -> Vec<ProgramId> {
    let message = message(topic, retain, identifiers);
    let mut programs = filters.recipients(&message, true, |_| true).programs;
    programs.sort_unstable();
    programs
}

#[test]
fn who_wants_retained_messages_gets_them_though_others_do_not() {
    let subscribe = |filters: &mut Filters, program, retain_handling, identifies| {
        let asked = Subscribe { options: options(QoS::AtMostOnce, retain_handling), ..asked(1, "t") };
        filters.subscribe(program, asked, identifies).ok().unwrap().options.retain_handling
    };
    for identifies in [true, false] {
        let mut filters = Filters::new(1);
        subscribe(&mut filters, A, RetainHandling::Never, identifies);
        assert_eq!(subscribe(&mut filters, B, RetainHandling::Always, identifies), RetainHandling::Always);
    }
    // Without identifiers all would get them once more.
    let mut filters = Filters::new(1);
    subscribe(&mut filters, A, RetainHandling::Always, false);
    assert_eq!(subscribe(&mut filters, B, RetainHandling::Never, false), RetainHandling::Never);
}

#[test]
fn a_job_that_a_program_leaves_is_for_one_of_its_own_group() {
    const C: ProgramId = 3;
    let mut filters = Filters::new(1);
    let [_, _, _, of_other] = [(A, "$share/one/t"), (B, "$share/one/t"), (A, "$share/other/#"), (C, "$share/other/#")]
        .map(|(program, filter)| granted(&mut filters, program, 1, filter));
    assert_eq!(filters.heir(A, &message("t", false, &[of_other]), |_| true), Some(C));
    // Without identifiers it is of a group that the program is in.
    let mut filters = Filters::new(1);
    for (program, filter) in [(B, "$share/one/t"), (A, "$share/other/#"), (C, "$share/other/#")] {
        granted(&mut filters, program, 1, filter);
    }
    assert_eq!(filters.heir(A, &message("t", false, &[]), |_| true), Some(C));
}

#[test]
fn identifiers_of_an_earlier_process_name_no_filter_that_doesn_t_fit() {
    let mut filters = Filters::new(1);
    let of_a = granted(&mut filters, A, 1, "a/#");
    let of_b = granted(&mut filters, B, 2, "b/#");
    // The same number was another filter's then; and one that nobody knows.
    assert_eq!(recipients(&mut filters, "b/x", false, &[of_a]), [B]);
    assert_eq!(recipients(&mut filters, "a/x", false, &[of_b + 1]), [A]);
    assert_eq!(recipients(&mut filters, "c", false, &[of_a, of_b]), [] as [ProgramId; 0]);
}

#[test]
fn a_filter_without_an_identifier_is_matched_beside_those_that_have_one() {
    let mut filters = Filters::new(1);
    // Made while the connection spoke MQTT 3.1.1, or with a Server that took none.
    let plain = filters.subscribe(A, asked(1, "x/+"), false).unwrap_or_else(|status| panic!("{status:?}"));
    assert_eq!(identifier(&plain), None);
    told(filters.answered(1, "x/+", &success(), false, 0));
    let of_b = granted(&mut filters, B, 2, "x/#");
    assert_eq!(recipients(&mut filters, "x/y", false, &[of_b]), [A, B]);
    // Asked anew, it has one once the Server has granted it.
    let again = filters.subscribe(A, asked(3, "x/+"), true).unwrap_or_else(|status| panic!("{status:?}"));
    assert_eq!(recipients(&mut filters, "x/y", false, &[of_b]), [A, B]);
    told(filters.answered(3, "x/+", &success(), true, 0));
    assert_eq!(recipients(&mut filters, "x/y", false, &[of_b]), [B]);
    assert_eq!(recipients(&mut filters, "x/y", false, &[identifier(&again).unwrap()]), [A]);
}

#[test]
fn a_server_that_takes_no_identifiers_is_asked_again_without() {
    let mut filters = Filters::new(1);
    filters.subscribe(A, asked(1, "a"), true).unwrap_or_else(|status| panic!("{status:?}"));
    let refused = failure(Status::NotSupportedByServer);
    let Answer::Ask(again) = filters.answered(1, "a", &refused, false, 9) else { panic!("it isn't asked again") };
    assert_eq!((again.token, identifier(&again)), (1, None));
    assert_eq!(told(filters.answered(1, "a", &success(), false, 9)), [A]);
    assert_eq!(recipients(&mut filters, "a", false, &[]), [A]);
    // The same of one that the Session makes again: nobody's, and then all are told.
    granted(&mut filters, B, 2, "b");
    let Answer::Ask(again) = filters.answered(0, "b", &refused, false, 9) else { panic!("it isn't asked again") };
    assert_eq!((again.token, identifier(&again)), (9, None));
    assert_eq!(told(filters.answered(9, "b", &failure(Status::RefusedByServer), false, 10)), [B]);
    assert_eq!(recipients(&mut filters, "b", false, &[]), [] as [ProgramId; 0]);
    // What the Server takes no wildcard for isn't asked again: there it isn't the identifier.
    filters.subscribe(A, asked(3, "c/#"), true).unwrap_or_else(|status| panic!("{status:?}"));
    assert_eq!(told(filters.answered(3, "c/#", &refused, true, 9)), [A]);
}

#[test]
fn a_job_comes_to_one_program_though_the_server_takes_no_identifiers() {
    // Section 4.8.2: a message of a Shared Subscription is for one. Its copy for "jobs/#" can't be told from it.
    let subscribed = |filters: &mut Filters, program, token, filter: &str| {
        filters.subscribe(program, asked(token, filter), false).map(|_| ()).map_err(|status| status.because(filter))
    };
    let differs = |filter: &str| Err(Status::SharedDiffers.because(filter));
    for (first, second) in [("$share/g/jobs/+", "jobs/#"), ("jobs/1", "$share/g/jobs/+"), ("$share/g/a", "$share/h/a")]
    {
        let mut filters = Filters::new(1);
        assert_eq!(subscribed(&mut filters, A, 1, first), Ok(()));
        assert_eq!(subscribed(&mut filters, B, 2, second), differs(second));
        // What doesn't overlap, the same filter, and filters of one program are told apart, or needn't be.
        assert_eq!(subscribed(&mut filters, B, 3, "other"), Ok(()));
        assert_eq!(subscribed(&mut filters, A, 4, second), Ok(()));
        // Of the same filter one of several gets it, but then not by another filter.
        assert_eq!(subscribed(&mut filters, B, 5, first), differs(first));
        filters.unsubscribe(A, second);
        assert_eq!(subscribed(&mut filters, B, 6, first), Ok(()));
        assert_eq!(subscribed(&mut filters, A, 7, second), differs(second));
        // With identifiers everything can be told apart.
        granted(&mut filters, A, 8, second);
    }
    // A Server that takes none is met later: whose subscription can't be made again so, hears of it.
    let mut filters = Filters::new(1);
    granted(&mut filters, A, 1, "$share/g/a");
    granted(&mut filters, B, 2, "a");
    let refused = failure(Status::NotSupportedByServer);
    assert_eq!(told(filters.answered(0, "$share/g/a", &refused, false, 9)), [A]);
    assert!(matches!(filters.answered(0, "a", &refused, false, 10), Answer::Ask(_)));
    filters.subscribe(A, asked(3, "$share/g/a"), true).unwrap_or_else(|status| panic!("{status:?}"));
    assert_eq!(told(filters.answered(3, "$share/g/a", &refused, false, 11)), [A]);
}

#[test]
fn a_refused_subscribe_takes_away_only_what_it_would_have_given() {
    let mut filters = Filters::new(1);
    let of_a = granted(&mut filters, A, 1, "a");
    filters.subscribe(B, asked(2, "a"), true).unwrap_or_else(|status| panic!("{status:?}"));
    assert_eq!(told(filters.answered(2, "a", &failure(Status::RefusedByServer), true, 0)), [B]);
    assert_eq!(recipients(&mut filters, "a", false, &[of_a]), [A]);
    // Of two that wait, the first is refused and the second is not.
    let first = filters.subscribe(B, asked(3, "a"), true).unwrap_or_else(|status| panic!("{status:?}"));
    filters.subscribe(B, asked(4, "a"), true).unwrap_or_else(|status| panic!("{status:?}"));
    told(filters.answered(3, "a", &failure(Status::RefusedByServer), true, 0));
    told(filters.answered(4, "a", &success(), true, 0));
    assert_eq!(recipients(&mut filters, "a", false, &[identifier(&first).unwrap()]), [A, B]);
    // A grant that comes when the program has unsubscribed gives nothing.
    filters.subscribe(B, asked(5, "b"), true).unwrap_or_else(|status| panic!("{status:?}"));
    assert!(filters.unsubscribe(B, "b"));
    told(filters.answered(5, "b", &success(), true, 0));
    assert_eq!(recipients(&mut filters, "b", false, &[]), [] as [ProgramId; 0]);
}

#[test]
fn of_two_subscribes_that_wait_the_second_stands_when_the_first_is_refused() {
    let mut filters = Filters::new(1);
    filters.subscribe(A, asked(1, "a"), true).unwrap_or_else(|status| panic!("{status:?}"));
    let second = filters.subscribe(A, asked(2, "a"), true).unwrap_or_else(|status| panic!("{status:?}"));
    assert_eq!(told(filters.answered(1, "a", &failure(Status::RefusedByServer), true, 0)), [A]);
    // Section 3.8.4: messages may come before SUBACK, and retained ones do.
    let number = identifier(&second).unwrap();
    assert_eq!(recipients(&mut filters, "a", true, &[number]), [A]);
    assert_eq!(told(filters.answered(2, "a", &success(), true, 0)), [A]);
    assert_eq!(recipients(&mut filters, "a", true, &[number]), [A]);
    // Both refused: nothing is held.
    for token in [3, 4] {
        filters.subscribe(B, asked(token, "b"), true).unwrap_or_else(|status| panic!("{status:?}"));
    }
    for token in [3, 4] {
        assert_eq!(told(filters.answered(token, "b", &failure(Status::RefusedByServer), true, 0)), [B]);
    }
    assert_eq!(recipients(&mut filters, "b", false, &[]), [] as [ProgramId; 0]);
}

#[test]
fn a_refused_subscribe_leaves_the_options_of_the_one_before() {
    let mut filters = Filters::new(1);
    granted(&mut filters, A, 1, "a");
    let no_local = SubscriptionOptions { no_local: true, ..options(QoS::ExactlyOnce, RetainHandling::Always) };
    for token in [2, 3] {
        let other = Subscribe { options: no_local, ..asked(token, "a") };
        filters.subscribe(A, other, true).unwrap_or_else(|status| panic!("{status:?}"));
    }
    for token in [2, 3] {
        told(filters.answered(token, "a", &failure(Status::RefusedByServer), true, 0));
    }
    let wire = filters.subscribe(B, asked(4, "a"), true).unwrap_or_else(|status| panic!("{status:?}"));
    assert_eq!((wire.options.no_local, wire.options.maximum_qos), (false, QoS::AtMostOnce));
}

/// Whether the Server is asked to forget the filter.
fn ends(answer: Answer) -> bool {
    matches!(answer, Answer::Tell { ends: true, .. })
}

#[test]
fn a_subscription_that_was_kept_for_a_subscribe_ends_when_that_is_refused() {
    let mut filters = Filters::new(1);
    let (granted_it, refused) = (success(), failure(Status::RefusedByServer));
    granted(&mut filters, A, 1, "a");
    filters.subscribe(B, asked(2, "a"), true).unwrap_or_else(|status| panic!("{status:?}"));
    assert!(!filters.unsubscribe(A, "a"));
    assert!(ends(filters.answered(2, "a", &refused, true, 0)));
    // Both wait, and the answers may come in either order.
    for first in [3, 4] {
        filters.subscribe(A, asked(3, "a"), true).unwrap_or_else(|status| panic!("{status:?}"));
        filters.subscribe(B, asked(4, "a"), true).unwrap_or_else(|status| panic!("{status:?}"));
        assert_eq!(filters.leave(A), [] as [String; 0]);
        let second = 7 - first;
        let mut answer =
            |token| ends(filters.answered(token, "a", if token == 3 { &granted_it } else { &refused }, true, 0));
        assert_eq!((answer(first), answer(second)), (false, true));
    }
    // Where nothing was granted nothing ends, and what was ended already doesn't a second time.
    filters.subscribe(A, asked(5, "a"), true).unwrap_or_else(|status| panic!("{status:?}"));
    assert!(!ends(filters.answered(5, "a", &refused, true, 0)));
    filters.subscribe(A, asked(6, "a"), true).unwrap_or_else(|status| panic!("{status:?}"));
    assert!(filters.unsubscribe(A, "a"));
    assert!(!ends(filters.answered(6, "a", &success(), true, 0)));
}

#[test]
fn who_asks_anew_keeps_a_filter_that_the_session_could_not_make_again() {
    let mut filters = Filters::new(1);
    for (program, token) in [(A, 1), (B, 2)] {
        granted(&mut filters, program, token, "a");
    }
    let anew = filters.subscribe(B, asked(3, "a"), true).unwrap_or_else(|status| panic!("{status:?}"));
    assert_eq!(told(filters.answered(0, "a", &failure(Status::RefusedByServer), true, 9)), [A]);
    assert_eq!(recipients(&mut filters, "a", true, &[identifier(&anew).unwrap()]), [B]);
    assert_eq!(told(filters.answered(3, "a", &failure(Status::RefusedByServer), true, 9)), [B]);
    assert_eq!(recipients(&mut filters, "a", false, &[]), [] as [ProgramId; 0]);
}

#[test]
fn leaving_gives_back_what_nobody_else_holds() {
    let mut filters = Filters::new(1);
    for (token, program, filter) in [(1, A, "a"), (2, B, "a"), (3, A, "b"), (4, A, "c")] {
        granted(&mut filters, program, token, filter);
    }
    assert!(!filters.unsubscribe(A, "a"));
    assert!(filters.unsubscribe(A, "b"));
    // One that isn't held is the Server's to answer.
    assert!(filters.unsubscribe(A, "never held"));
    assert_eq!(filters.leave(A), ["c"]);
    assert_eq!(filters.leave(A), [] as [String; 0]);
    assert_eq!(filters.leave(B), ["a"]);
}

#[test]
fn retained_messages_follow_what_each_program_asked_for() {
    let mut filters = Filters::new(1);
    let of_a = granted(&mut filters, A, 1, "a");
    let never = Subscribe { options: options(QoS::AtMostOnce, RetainHandling::Never), ..asked(2, "a") };
    let wire = filters.subscribe(B, never, true).unwrap_or_else(|status| panic!("{status:?}"));
    // After a lost Session the first wants them again, so the Server is asked for them.
    assert_eq!(wire.options.retain_handling, RetainHandling::Always);
    told(filters.answered(2, "a", &success(), true, 0));
    let of_b = identifier(&wire).unwrap();
    assert_eq!(recipients(&mut filters, "a", true, &[of_b]), [] as [ProgramId; 0]);
    assert_eq!(recipients(&mut filters, "a", true, &[of_a]), [A]);
    filters.made_again();
    assert_eq!(recipients(&mut filters, "a", true, &[of_b]), [A]);
    // "If new" is meant for the program: another one's subscription doesn't count.
    let if_new = |token| Subscribe { options: options(QoS::AtMostOnce, RetainHandling::IfNew), ..asked(token, "a") };
    let wire = filters.subscribe(3, if_new(3), true).unwrap_or_else(|status| panic!("{status:?}"));
    assert_eq!(recipients(&mut filters, "a", true, &[identifier(&wire).unwrap()]), [3]);
    let wire = filters.subscribe(3, if_new(4), true).unwrap_or_else(|status| panic!("{status:?}"));
    assert_eq!(recipients(&mut filters, "a", true, &[identifier(&wire).unwrap()]), [] as [ProgramId; 0]);
}

#[test]
fn with_retain_as_published_a_retain_flag_says_nothing_about_who_asked() {
    // MQTT-3.3.1-13
    let mut filters = Filters::new(1);
    let as_published = |token| {
        let options =
            SubscriptionOptions { retain_as_published: true, ..options(QoS::AtMostOnce, RetainHandling::Always) };
        Subscribe { options, ..asked(token, "a") }
    };
    for (program, token) in [(A, 1), (B, 2)] {
        let wire = filters.subscribe(program, as_published(token), true).unwrap_or_else(|status| panic!("{status:?}"));
        told(filters.answered(token, "a", &success(), true, 0));
        let all: &[ProgramId] = if program == A { &[A] } else { &[A, B] };
        assert_eq!(recipients(&mut filters, "a", true, &[identifier(&wire).unwrap()]), all);
    }
}

#[test]
fn with_retain_as_published_none_is_asked_for_that_only_others_want() {
    // MQTT-3.3.1-11: as they would come to all.
    let mut filters = Filters::new(1);
    let as_published = |token, retain_handling| {
        let options = SubscriptionOptions { retain_as_published: true, ..options(QoS::AtMostOnce, retain_handling) };
        Subscribe { options, ..asked(token, "a") }
    };
    filters.subscribe(A, as_published(1, RetainHandling::Always), true).unwrap_or_else(|status| panic!("{status:?}"));
    told(filters.answered(1, "a", &success(), true, 0));
    for (token, retain_handling) in [(2, RetainHandling::Never), (3, RetainHandling::IfNew)] {
        let wire = filters.subscribe(B, as_published(token, retain_handling), true);
        let wire = wire.unwrap_or_else(|status| panic!("{status:?}"));
        assert_eq!(wire.options.retain_handling, RetainHandling::Never);
        told(filters.answered(token, "a", &success(), true, 0));
    }
    // The Session makes it again like that, so it is asked for them besides, once.
    assert_eq!(filters.made_again(), ["a"]);
    let wire = filters.renew("a", 4, true).expect("somebody holds it");
    assert_eq!((wire.options.retain_handling, wire.token), (RetainHandling::Always, 4));
    assert_eq!(told(filters.answered(4, "a", &success(), true, 0)), [] as [ProgramId; 0]);
    assert_eq!(recipients(&mut filters, "a", true, &[identifier(&wire).unwrap()]), [A, B]);
    assert_eq!(filters.made_again(), [] as [String; 0]);
    // A Server without identifiers is asked without one, unless nobody holds it then.
    filters.renew("a", 5, true).expect("somebody holds it");
    let refused = failure(Status::NotSupportedByServer);
    assert!(matches!(filters.answered(5, "a", &refused, false, 9), Answer::Ask(_)));
    filters.renew("a", 6, true).expect("somebody holds it");
    assert_eq!((filters.unsubscribe(A, "a"), filters.unsubscribe(B, "a")), (false, true));
    assert_eq!(told(filters.answered(6, "a", &refused, false, 9)), [] as [ProgramId; 0]);
    assert!(filters.renew("a", 7, true).is_none());
}

#[test]
fn a_late_copy_of_an_ended_subscription_doubles_nothing() {
    // MQTT-3.10.4-3: what was under way when it ended may come still, in a copy of its own (section 3.3.4).
    let mut filters = Filters::new(1);
    let of_a = granted(&mut filters, A, 1, "a/#");
    let of_b = granted(&mut filters, B, 2, "a/+");
    assert!(filters.unsubscribe(A, "a/#"));
    assert_eq!(recipients(&mut filters, "a/b", false, &[of_a]), [] as [ProgramId; 0]);
    assert_eq!(recipients(&mut filters, "a/b", false, &[of_a, of_b]), [B]);
    // One that nobody knows comes to all that it may be for.
    assert_eq!(recipients(&mut filters, "a/b", false, &[of_a, of_b + 100]), [B]);
    // Who holds the filter again has it as if it had never let go.
    filters.subscribe(A, asked(3, "a/#"), true).unwrap_or_else(|status| panic!("{status:?}"));
    assert_eq!(recipients(&mut filters, "a/b", false, &[of_a]), [A]);
}

#[test]
fn many_subscribes_in_a_row_keep_the_identifiers_bounded_and_lose_nothing() {
    let mut filters = Filters::new(u64::from(HIGHEST_IDENTIFIER) - 1);
    let first = granted(&mut filters, A, 1, "a");
    assert_eq!(first, HIGHEST_IDENTIFIER);
    for token in 2..100 {
        granted(&mut filters, B, token, "a");
    }
    assert_eq!(filters.held[0].identifiers.len(), IDENTIFIERS_KEPT);
    // It is matched instead.
    assert_eq!(recipients(&mut filters, "a", false, &[first]), [A, B]);
    assert!(filters.held[0].identifiers.iter().all(|known| known.number >= 1));
}

#[test]
fn retained_messages_come_to_who_has_subscribed_however_many_do_so_at_once() {
    // As programs do when the connection is there again.
    let mut filters = Filters::new(1);
    for round in 0..3 {
        let subscribe = |program| {
            let token = round * 100 + program as Token;
            filters.subscribe(program, asked(token, "a"), true).unwrap_or_else(|status| panic!("{status:?}"))
        };
        let wires: Vec<Subscribe> = (1..=40).map(subscribe).collect();
        for (program, wire) in (1..=40).zip(&wires) {
            assert_eq!(recipients(&mut filters, "a", true, &[identifier(wire).unwrap()]), [program]);
            told(filters.answered(wire.token, "a", &success(), true, 0));
        }
    }
    assert_eq!(filters.held[0].identifiers.len(), 80);
}
