//! What each kind of change does to sign-in.

use super::{ChangeKind, Impact, spot::Spot};
use crate::{KeyUse, names::protocol};

/// The directions, as [`Change`](super::Change) has them: the partner lags, the partner leads.
pub(super) type Impacts = (Impact, Impact);

pub(super) const NONE: Impacts = (Impact::None, Impact::None);

pub(super) fn endpoint_added(spot: &Spot) -> Impacts {
    if !spot.is_sign_in() {
        return NONE;
    }
    let lags = if spot.name == "AssertionConsumerService" {
        Impact::May("a request that asks for the endpoint is refused by the partner")
    } else {
        Impact::None
    };
    (
        lags,
        Impact::May("the partner may use the endpoint before it is served"),
    )
}

pub(super) fn endpoint_removed(spot: &Spot) -> Impacts {
    if !spot.is_sign_in() {
        return NONE;
    }
    let leads = if spot.name == "AssertionConsumerService" {
        Impact::May("a request that asks for the endpoint is refused by the partner")
    } else {
        Impact::None
    };
    (
        Impact::May("the partner may still send to the endpoint"),
        leads,
    )
}

pub(super) fn endpoint_changed(before: &Spot, after: &Spot) -> Impacts {
    if !before.is_sign_in() {
        return NONE;
    }
    if before.location != after.location {
        const MOVED: Impact =
            Impact::Breaks("one side uses a location that the other does not have");
        return (MOVED, MOVED);
    }
    let may = Impact::May("the sides may mean different endpoints by an index or the default");
    (may, may)
}

pub(super) fn key_added(wanted: KeyUse, is_first: bool, keeps_one: bool) -> Impacts {
    match wanted {
        KeyUse::Signing if keeps_one => (
            Impact::May("signatures by the added key are refused until the partner has it"),
            Impact::None,
        ),
        KeyUse::Signing if is_first => (
            Impact::May("signatures cannot be checked until the partner has the key"),
            Impact::May("the partner may ask for signatures that are not made yet"),
        ),
        // No old key stays: the removal says the rest.
        KeyUse::Signing => (
            Impact::Breaks("signatures are made by a key that the partner does not have"),
            Impact::None,
        ),
        KeyUse::Encryption => (
            Impact::None,
            Impact::May("the partner may encrypt for a key that cannot be used yet"),
        ),
    }
}

pub(super) fn key_removed(wanted: KeyUse, keeps_one: bool) -> Impacts {
    match wanted {
        KeyUse::Signing if keeps_one => (
            Impact::None,
            Impact::May("signatures by the removed key are refused by the partner"),
        ),
        KeyUse::Signing => (
            Impact::None,
            Impact::Breaks("all keys that sign now are refused by the partner"),
        ),
        KeyUse::Encryption => (
            Impact::May("the partner still encrypts for the removed key, which must be kept"),
            Impact::None,
        ),
    }
}

/// Classifies a change of an attribute of an entity or a role.
pub(super) fn attribute(
    name: &str,
    before: Option<&str>,
    after: Option<&str>,
) -> (ChangeKind, Impacts) {
    let is_on = |value: Option<&str>| matches!(value, Some("true" | "1"));
    let toggled = |on: Impacts, off: Impacts| match (is_on(before), is_on(after)) {
        (false, true) => on,
        (true, false) => off,
        _ => NONE,
    };
    match name {
        "validUntil" | "cacheDuration" => (ChangeKind::Validity, NONE),
        "WantAuthnRequestsSigned" => {
            let on = (Impact::May("unsigned requests are refused"), Impact::None);
            let off = (Impact::None, Impact::May("unsigned requests are refused"));
            (ChangeKind::Requirement, toggled(on, off))
        }
        "WantAssertionsSigned" => {
            let on = (Impact::May("unsigned assertions are refused"), Impact::None);
            let off = (Impact::None, Impact::May("unsigned assertions are refused"));
            (ChangeKind::Requirement, toggled(on, off))
        }
        "AuthnRequestsSigned" => {
            let on = (
                Impact::None,
                Impact::May("the partner may refuse unsigned requests"),
            );
            let off = (
                Impact::May("the partner may refuse unsigned requests"),
                Impact::None,
            );
            (ChangeKind::Requirement, toggled(on, off))
        }
        "protocolSupportEnumeration" => {
            let speaks = |value: Option<&str>| {
                let mut words = value.unwrap_or_default().split_ascii_whitespace();
                words.any(|word| word == protocol::SAML_2_0)
            };
            let impacts = if speaks(before) == speaks(after) {
                NONE
            } else {
                const NO: Impact = Impact::Breaks("only one side speaks SAML 2.0 in this role");
                (NO, NO)
            };
            (ChangeKind::Requirement, impacts)
        }
        _ => (ChangeKind::Other, NONE),
    }
}
