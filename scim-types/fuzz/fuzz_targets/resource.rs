//! What can be read is written, and reads again as the same; nothing is lost on the way.
#![no_main]

use libfuzzer_sys::fuzz_target;
use scim_types::{Error, Group, ListResponse, PatchOp, ServiceProviderConfig, User};
use serde::{Serialize, de::DeserializeOwned};

fn there_and_back<T: DeserializeOwned + Serialize + PartialEq>(text: &str) {
    let Ok(read) = serde_json::from_str::<T>(text) else {
        return;
    };
    let written = serde_json::to_string(&read).expect("what was read is written");
    let again: T = serde_json::from_str(&written).expect("what was written is read");
    let twice = serde_json::to_string(&again).expect("what was read is written");
    assert_eq!(twice, written, "writing settles");
}

fuzz_target!(|text: &str| {
    there_and_back::<User>(text);
    there_and_back::<Group>(text);
    there_and_back::<ListResponse<User>>(text);
    there_and_back::<PatchOp>(text);
    there_and_back::<Error>(text);
    there_and_back::<ServiceProviderConfig>(text);
});
