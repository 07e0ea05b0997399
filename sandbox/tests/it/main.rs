//! Tests of the sandbox's real listeners with a plain HTTP client.

mod admin;
mod app_assignments;
mod apps;
mod client;
mod console;
mod csrs;
mod domains;
mod faults;
mod group_rules;
mod groups;
mod identity_store;
mod jose;
mod limits;
mod lists;
mod mappings;
mod oauth;
mod oauth_api;
mod protocol;
mod provisioning;
mod provisioning_engine;
mod schemas;
mod system_log;
mod tls;
mod user_lifecycle;
mod users;
