//! A decoded resource can be encoded and decoded again. A second encoding gives the same text, so nothing is lost.
#![no_main]

use libfuzzer_sys::fuzz_target;
use scim_types::{Error, Group, ListResponse, PatchOp, ServiceProviderConfig, User};
use serde::{Serialize, de::DeserializeOwned};

fn round_trip<T: DeserializeOwned + Serialize + PartialEq>(text: &str) {
    let Ok(read) = serde_json::from_str::<T>(text) else {
        return;
    };
    let written = serde_json::to_string(&read).expect("a decoded value can be encoded");
    let again: T = serde_json::from_str(&written).expect("an encoded value can be decoded");
    let twice = serde_json::to_string(&again).expect("a decoded value can be encoded");
    assert_eq!(twice, written, "encoding is stable");
}

fuzz_target!(|text: &str| {
    round_trip::<User>(text);
    round_trip::<Group>(text);
    round_trip::<ListResponse<User>>(text);
    round_trip::<PatchOp>(text);
    round_trip::<Error>(text);
    round_trip::<ServiceProviderConfig>(text);
});
