//! The faults of Connect and SQS.

use std::time::Duration;

use connect_simulator::{Effect, Fault, Operation, Switches};
use proptest::prelude::*;

use crate::sqs::SqsFault;

use super::scene::QUEUES;

const LIMIT_EXCEEDED: &str = "LimitExceededException";

fn error(status: u16, code: &str) -> impl Strategy<Value = Effect> + use<> {
    Just(Effect::error(status, code))
}

fn transient_effect() -> impl Strategy<Value = Effect> {
    prop_oneof![
        error(500, "InternalServiceException"),
        error(503, "ServiceUnavailableException"),
        error(429, "ThrottlingException"),
        error(403, "ExpiredTokenException"),
        Just(Effect::Reset),
        Just(Effect::ResetAfter),
        Just(Effect::Hang),
        Just(Effect::CutOff),
        Just(Effect::Malformed),
        Just(Effect::Delay(Duration::from_secs(3))),
        Just(Effect::RetryAfter { millis: 1_500, code: "TooManyRequestsException".to_owned() }),
    ]
}

fn fault(effect: impl Strategy<Value = Effect>) -> impl Strategy<Value = Fault> {
    let operation = prop_oneof![
        1 => Just(None),
        2 => Just(Some(Operation::AssociateQueueEmailAddresses)),
        2 => Just(Some(Operation::ListQueueEmailAddresses)),
        1 => Just(Some(Operation::SearchQueues)),
        1 => Just(Some(Operation::SearchEmailAddresses)),
    ];
    let queue = prop_oneof![
        3 => Just(None),
        1 => (0..QUEUES).prop_map(|queue| Some(format!("q{queue}"))),
    ];
    let (times, share) = (prop::option::of(1_u32..25), prop::option::of(0.1..0.9));
    (effect, operation, queue, times, share).prop_map(|(effect, operation, queue, times, share)| Fault {
        operation,
        queue,
        times,
        share,
        ..Fault::new(effect)
    })
}

/// Generates faults after which a retry may succeed.
pub fn transient_faults() -> impl Strategy<Value = Vec<Fault>> {
    let limit = error(429, LIMIT_EXCEEDED)
        .prop_map(|effect| Fault::new(effect).on(Operation::AssociateQueueEmailAddresses).times(1));
    let faults = prop::collection::vec(prop_oneof![4 => fault(transient_effect()), 1 => limit], 0..4);
    faults.prop_map(|mut faults| {
        // A call that should fit is retried three times. More rejections would be a reason for `QueueFull`.
        let mut limits = 0;
        faults.retain(|fault| {
            limits +=
                usize::from(matches!(&fault.effect, Effect::Error { code, .. } if code == LIMIT_EXCEEDED));
            limits <= 3
        });
        faults
    })
}

/// Generates a fault that rejects pairs permanently without a reason in the state of the world.
pub fn permanent_fault() -> impl Strategy<Value = Fault> {
    fault(prop_oneof![
        error(400, "InvalidRequestException"),
        error(404, "ResourceNotFoundException"),
        error(403, "AccessDeniedException"),
        error(429, LIMIT_EXCEEDED),
    ])
}

pub fn switches() -> impl Strategy<Value = Switches> {
    any::<[bool; 4]>().prop_map(|[repeated, unknown, slot, throttle]| Switches {
        reject_repeated_associations: repeated,
        unknown_address_is_not_found: unknown,
        use_default_slot: slot,
        throttle_as_listed: throttle,
        ..Switches::default()
    })
}

pub fn sqs_fault() -> impl Strategy<Value = SqsFault> {
    prop_oneof![
        Just(SqsFault::Status(500)),
        Just(SqsFault::Status(403)),
        any::<bool>().prop_map(|sender_fault| SqsFault::FirstEntry { sender_fault }),
        Just(SqsFault::Forgotten),
        Just(SqsFault::Reset),
        Just(SqsFault::Hang),
    ]
}
