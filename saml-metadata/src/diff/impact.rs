//! The impact of each kind of change on sign-in.

use super::{ChangeKind, Impact, endpoint::ComparedEndpoint};
use crate::{KeyUse, names::protocol};

/// The impacts in the two cases of [`Change`](super::Change): the partner lags, the partner leads.
pub(super) type Impacts = (Impact, Impact);

pub(super) const NONE: Impacts = (Impact::None, Impact::None);

pub(super) fn endpoint_added(endpoint: &ComparedEndpoint) -> Impacts {
    if !endpoint.is_sign_in() {
        return NONE;
    }
    let lags = if endpoint.name == "AssertionConsumerService" {
        Impact::May("the partner rejects a request that asks for the endpoint")
    } else {
        Impact::None
    };
    (
        lags,
        Impact::May("the partner may use the endpoint before it works"),
    )
}

pub(super) fn endpoint_removed(endpoint: &ComparedEndpoint) -> Impacts {
    if !endpoint.is_sign_in() {
        return NONE;
    }
    let leads = if endpoint.name == "AssertionConsumerService" {
        Impact::May("the partner rejects a request that asks for the endpoint")
    } else {
        Impact::None
    };
    (
        Impact::May("the partner may still send messages to the endpoint"),
        leads,
    )
}

pub(super) fn endpoint_changed(before: &ComparedEndpoint, after: &ComparedEndpoint) -> Impacts {
    if !before.is_sign_in() {
        return NONE;
    }
    if before.location != after.location {
        const MOVED: Impact =
            Impact::Breaks("one side uses a URL that the other side does not have");
        return (MOVED, MOVED);
    }
    let may =
        Impact::May("an index or the default may select different endpoints on the two sides");
    (may, may)
}

pub(super) fn key_added(wanted: KeyUse, is_first: bool, keeps_one: bool) -> Impacts {
    match wanted {
        KeyUse::Signing if keeps_one => (
            Impact::May("the partner rejects signatures by the added key until it has the key"),
            Impact::None,
        ),
        KeyUse::Signing if is_first => (
            Impact::May("the partner cannot verify signatures until it has the key"),
            Impact::May("the partner may require signatures that the provider does not make yet"),
        ),
        // The role keeps no old key. `key_removed` covers the case in which the partner leads.
        KeyUse::Signing => (
            Impact::Breaks("signatures are made by a key that the partner does not have"),
            Impact::None,
        ),
        KeyUse::Encryption => (
            Impact::None,
            Impact::May("the partner may encrypt with a key that the provider cannot use yet"),
        ),
    }
}

pub(super) fn key_removed(wanted: KeyUse, keeps_one: bool) -> Impacts {
    match wanted {
        KeyUse::Signing if keeps_one => (
            Impact::None,
            Impact::May("the partner rejects signatures by the removed key"),
        ),
        KeyUse::Signing => (
            Impact::None,
            Impact::Breaks("the partner rejects signatures by all keys that sign now"),
        ),
        KeyUse::Encryption => (
            Impact::May(
                "the partner still encrypts with the removed key, so the provider must keep it",
            ),
            Impact::None,
        ),
    }
}

/// The impact of a certificate that the partner cannot read, in addition to that of a missing key.
pub(super) const UNREADABLE: Impact =
    Impact::May("the partner cannot read the certificate, and may refuse the document");

/// The impacts of another certificate around the same key. Only the key counts (Metadata
/// Interoperability Profile 2.6.1), but some partners look at the certificate too.
pub(super) fn certificate_changed(wanted: KeyUse) -> Impacts {
    const MAY: Impact = Impact::May(
        "the key stays the same, but a partner that also checks the certificate needs the new one",
    );
    match wanted {
        KeyUse::Signing => (MAY, MAY),
        KeyUse::Encryption => NONE,
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
            let on = (
                Impact::May("the provider rejects unsigned requests"),
                Impact::None,
            );
            let off = (
                Impact::None,
                Impact::May("the provider rejects unsigned requests"),
            );
            (ChangeKind::Requirement, toggled(on, off))
        }
        "WantAssertionsSigned" => {
            let on = (
                Impact::May("the provider rejects unsigned assertions"),
                Impact::None,
            );
            let off = (
                Impact::None,
                Impact::May("the provider rejects unsigned assertions"),
            );
            (ChangeKind::Requirement, toggled(on, off))
        }
        "AuthnRequestsSigned" => {
            let on = (
                Impact::None,
                Impact::May("the partner may reject unsigned requests"),
            );
            let off = (
                Impact::May("the partner may reject unsigned requests"),
                Impact::None,
            );
            (ChangeKind::Requirement, toggled(on, off))
        }
        "protocolSupportEnumeration" => {
            let supports = |value: Option<&str>| {
                let mut words = value.unwrap_or_default().split_ascii_whitespace();
                words.any(|word| word == protocol::SAML_2_0)
            };
            let impacts = if supports(before) == supports(after) {
                NONE
            } else {
                const NO: Impact = Impact::Breaks("only one side supports SAML 2.0 in this role");
                (NO, NO)
            };
            (ChangeKind::Requirement, impacts)
        }
        _ => (ChangeKind::Other, NONE),
    }
}
