//! The codec against random packets and random bytes. What single bytes mean is proven in codec.

mod arbitrary;

use arbitrary::{Rules, packet};
use mt5mqtt::codec::{Decoded, Packet, decode, encode};
use mt5mqtt::types::ProtocolVersion::{self, V5, V311};
use mt5mqtt::types::QoS;
use proptest::prelude::*;

const NO_LIMIT: usize = usize::MAX;

/// A file of failures is of no use here: each is to become a vector in codec.
fn cases(cases: u32) -> ProptestConfig {
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

fn version() -> impl Strategy<Value = ProtocolVersion> {
    prop_oneof![Just(V5), Just(V311)]
}

/// A valid packet and its version.
fn valid() -> impl Strategy<Value = (ProtocolVersion, Packet<'static>)> {
    version().prop_flat_map(|version| (Just(version), packet(version, Rules::Kept)))
}

fn encoded(version: ProtocolVersion, packet: &Packet<'_>) -> Vec<u8> {
    let mut out = Vec::new();
    encode(packet, version, NO_LIMIT, &mut out).expect("a valid packet");
    out
}

/// What must hold for any bytes: sizes that can be, and a packet that stays the same when it is sent on.
fn check(version: ProtocolVersion, bytes: &[u8]) -> Result<(), TestCaseError> {
    match decode(bytes, version, NO_LIMIT) {
        Ok(Decoded::NeedMore { total }) => prop_assert!(total.is_none_or(|total| total > bytes.len())),
        Ok(Decoded::Packet { packet, used }) => {
            prop_assert!((2..=bytes.len()).contains(&used));
            // CONNECT brings its own version.
            let again = encoded(version, &packet);
            prop_assert!(again.len() <= used || matches!(packet, Packet::Connack(_)));
            let used = again.len();
            prop_assert_eq!(decode(&again, version, NO_LIMIT), Ok(Decoded::Packet { packet, used }));
        }
        Err(error) => prop_assert!(error.reason().is_error() && !error.to_string().is_empty()),
    }
    Ok(())
}

proptest! {
    #![proptest_config(cases(500))]

    #[test]
    fn what_was_encoded_is_decoded((version, packet) in valid()) {
        let bytes = encoded(version, &packet);
        let used = bytes.len();
        prop_assert_eq!(decode(&bytes, version, NO_LIMIT), Ok(Decoded::Packet { packet, used }));
    }

    #[test]
    fn every_prefix_needs_more((version, packet) in valid()) {
        let bytes = encoded(version, &packet);
        let mut known = None;
        for cut in 0..bytes.len() {
            let Ok(Decoded::NeedMore { total }) = decode(&bytes[..cut], version, NO_LIMIT) else {
                return Err(TestCaseError::fail(format!("not incomplete, cut at {cut}")));
            };
            // Once the size is known it stays so.
            prop_assert!(total == Some(bytes.len()) || (total.is_none() && known.is_none() && cut < 5));
            known = total;
        }
    }

    #[test]
    fn packets_are_decoded_one_after_the_other(
        (version, packets) in version().prop_flat_map(|version| {
            (Just(version), prop::collection::vec(packet(version, Rules::Kept), 2..5))
        })
    ) {
        let mut stream = Vec::new();
        for packet in &packets {
            encode(packet, version, NO_LIMIT, &mut stream).expect("a valid packet");
        }
        let mut rest = stream.as_slice();
        for expected in &packets {
            match decode(rest, version, NO_LIMIT) {
                Ok(Decoded::Packet { packet, used }) => {
                    prop_assert_eq!(&packet, expected);
                    rest = &rest[used..];
                }
                other => prop_assert!(false, "{other:?}"),
            }
        }
        prop_assert!(rest.is_empty());
    }

    #[test]
    fn a_packet_that_breaks_a_rule_is_not_written(
        (version, packet) in version().prop_flat_map(|version| (Just(version), packet(version, Rules::Ignored))),
        before in prop::collection::vec(any::<u8>(), 0..8),
    ) {
        let mut out = before.clone();
        match encode(&packet, version, NO_LIMIT, &mut out) {
            Err(error) => {
                prop_assert!(!error.to_string().is_empty());
                prop_assert_eq!(out, before);
            }
            Ok(()) => {
                prop_assert!(out.starts_with(&before));
                let bytes = &out[before.len()..];
                let Ok(Decoded::Packet { packet: found, used }) = decode(bytes, version, NO_LIMIT) else {
                    return Err(TestCaseError::fail(format!("written, but not valid: {packet:?} {bytes:02X?}")));
                };
                prop_assert_eq!(used, bytes.len());
                prop_assert_eq!(found.packet_type(), packet.packet_type());
                // MQTT 3.1.1 has no room for some fields; DUP says nothing with QoS 0.
                if version == V5 {
                    let mut expected = packet;
                    if let Packet::Publish(publish) = &mut expected {
                        publish.dup &= publish.qos != QoS::AtMostOnce;
                    }
                    prop_assert_eq!(found, expected);
                }
            }
        }
    }

    #[test]
    fn a_packet_that_is_too_large_leaves_the_output_alone((version, packet) in valid(), missing in 1usize..10) {
        let size = encoded(version, &packet).len();
        let maximum = size.saturating_sub(missing);
        let mut out = b"before".to_vec();
        prop_assert!(encode(&packet, version, maximum, &mut out).is_err());
        prop_assert_eq!(out, b"before");
    }

    #[test]
    fn changed_bytes_never_panic(
        (version, packet) in valid(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        cut in any::<prop::sample::Index>(),
    ) {
        let mut bytes = encoded(version, &packet);
        for (place, byte) in changes {
            let place = place.index(bytes.len());
            bytes[place] = byte;
        }
        check(version, &bytes)?;
        check(version, &bytes[..cut.index(bytes.len())])?;
    }
}

proptest! {
    #![proptest_config(cases(6_000))]

    #[test]
    fn random_bytes_never_panic(version in version(), bytes in prop::collection::vec(any::<u8>(), 0..40)) {
        check(version, &bytes)?;
    }

    #[test]
    fn random_bodies_never_panic(
        version in version(),
        first in prop_oneof![
            Just(0x10), Just(0x20), 0x30u8..0x40, Just(0x40), Just(0x50), Just(0x62), Just(0x70), Just(0x82), Just(0x90),
            Just(0xA2), Just(0xB0), Just(0xC0), Just(0xD0), Just(0xE0), Just(0xF0),
        ],
        // Small numbers, so that lengths fit now and then.
        body in prop::collection::vec(prop_oneof![0u8..4, 0u8..0x30, any::<u8>()], 0..30),
    ) {
        check(version, &[&[first, body.len() as u8], body.as_slice()].concat())?;
    }
}
