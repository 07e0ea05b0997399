//! Tests that every public future is `Send`, so that callers can pass it to `tokio::spawn`.
//!
//! The functions of this module only have to compile. `tests/architecture.rs` checks that this module lists each public
//! `async fn`. The auto traits of a future are part of its API, but its signature does not show a change of them
//! (rust-lang/rust#89976).

#![expect(dead_code, reason = "compiled and never called")]

use std::sync::Arc;

use okta_aws_sso::{
    AccessReport, Batch, Blueprint, Context, Pipeline, ResolvedScope, StateLock, StateStore,
    aws::{self, Aws, IdentityCenter, estate::Organization},
    okta,
    operator::Answers,
    saml_fetch::{self, Fetcher},
    scim, steps,
    sync::{DirectorySync, OktaSource},
};
use rest_core::{Clock, LimitWait, ListError, Pager, RateLimiter, Reachability, Secret, Service};
use sandbox::{HeldRequests, Sandbox, SandboxBuilder};

fn is_send<F: Future + Send>(_: F) {}

fn batch(batch: &Batch<'_>) {
    is_send(batch.start(any()));
    is_send(batch.finish(any(), any()));
    is_send(batch.wait(any()));
    is_send(batch.look(any()));
    is_send(batch.one_by_one());
}

/// Returns a placeholder for an argument; the call determines its type.
fn any<T>() -> T {
    unreachable!("these functions are never called")
}

fn rest_core(pager: &mut Pager<u8, ListError>, limiter: &RateLimiter, service: &Service) {
    is_send(pager.try_next());
    is_send(any::<Pager<u8, ListError>>().try_collect());
    is_send(any::<Pager<u8, ListError>>().collect_partial());
    is_send(limiter.acquire(any::<&dyn Clock>()));
    is_send(service.send(any()));
    is_send(LimitWait::scope(
        any::<fn(&LimitWait)>(),
        service.send(any()),
    ));
    is_send(Reachability::scope(service.send(any())));
    is_send(Reachability::scope_with_expiry(
        any(),
        any(),
        service.send(any()),
    ));
}

fn metadata_by_url(fetcher: &Fetcher) {
    is_send(fetcher.fetch());
    is_send(fetcher.refresh());
    is_send(saml_fetch::okta_app(any(), any()));
}

fn okta_users_and_groups(client: &okta::Client) {
    is_send(client.send(any()));
    is_send(client.users().me());
    is_send(client.users().get(any()));
    is_send(client.users().get_opt(any()));
    is_send(client.users().list(any()).try_collect());
    is_send(client.users().update(any(), any(), any()));
    is_send(client.users().replace(any(), any(), any()));
    is_send(client.users().create(any(), any()));
    is_send(client.users().activate(any(), any()));
    is_send(client.users().reactivate(any(), any()));
    is_send(client.users().deactivate(any(), any()));
    is_send(client.users().suspend(any()));
    is_send(client.users().unsuspend(any()));
    is_send(client.users().unlock(any()));
    is_send(client.users().reset_password(any(), any()));
    is_send(client.users().expire_password(any()));
    is_send(client.users().expire_password_with_temporary(any()));
    is_send(client.users().delete(any()));
    is_send(client.groups().replace(any(), any()));
    is_send(client.groups().get(any()));
    is_send(client.groups().get_opt(any()));
    is_send(client.groups().named(any()));
    is_send(client.groups().create(any(), any()));
    is_send(client.groups().delete(any()));
    is_send(client.groups().add_member(any(), any()));
    is_send(client.groups().remove_member(any(), any()));
}

fn okta_apps(client: &okta::Client) {
    is_send(client.apps().get(any()));
    is_send(client.apps().get_opt(any()));
    is_send(client.apps().create(any()));
    is_send(client.apps().replace(any(), any()));
    is_send(client.apps().activate(any()));
    is_send(client.apps().deactivate(any()));
    is_send(client.apps().delete(any()));
    is_send(client.apps().user_opt(any(), any()));
    is_send(client.apps().assign_user(any(), any()));
    is_send(client.apps().unassign_user(any(), any()));
    is_send(client.apps().assign_group(any(), any()));
    is_send(client.apps().unassign_group(any(), any()));
    is_send(client.apps().connection(any()));
    is_send(client.apps().set_connection(any(), any(), any(), any()));
    is_send(client.apps().activate_connection(any()));
    is_send(client.apps().deactivate_connection(any()));
    is_send(client.apps().provisioning(any()));
    is_send(client.apps().provisioning_opt(any()));
    is_send(client.apps().set_provisioning(any(), any()));
    is_send(client.apps().saml_metadata(any(), any()));
    is_send(client.apps().generate_key(any(), any()));
}

fn okta_rules_mappings_and_schemas(client: &okta::Client) {
    is_send(client.group_rules().get(any()));
    is_send(client.group_rules().get_opt(any()));
    is_send(client.group_rules().create(any()));
    is_send(client.group_rules().replace(any(), any()));
    is_send(client.group_rules().delete(any(), any()));
    is_send(client.group_rules().activate(any()));
    is_send(client.group_rules().deactivate(any()));
    is_send(client.profile_mappings().get(any()));
    is_send(client.profile_mappings().update(any(), any()));
    is_send(client.schemas().user());
    is_send(client.schemas().update_user(any()));
    is_send(client.schemas().app_user(any()));
    is_send(client.schemas().update_app_user(any(), any()));
}

fn okta_org(client: &okta::Client) {
    is_send(client.org().get());
    is_send(client.org().update(any()));
    is_send(client.policies().get(any()));
    is_send(client.brands().get(any()));
    is_send(client.api_tokens().get(any()));
    is_send(client.api_tokens().revoke(any()));
    is_send(client.principal_rate_limits().get(any()));
    is_send(client.principal_rate_limits().create(any()));
    is_send(client.principal_rate_limits().replace(any(), any()));
    is_send(client.logs().list(any()).try_collect());
    is_send(client.logs().follow(any()).try_collect());
}

fn okta_app_details(client: &okta::Client) {
    is_send(client.apps().create_with(any()));
    is_send(client.apps().by_label(any()));
    is_send(client.apps().only_by_label(any()));
    is_send(client.apps().user(any(), any()));
    is_send(client.apps().assign_user_with(any(), any(), any()));
    is_send(client.apps().update_user(any(), any(), any()));
    is_send(client.apps().group(any(), any()));
    is_send(client.apps().group_opt(any(), any()));
    is_send(client.apps().assign_group_with(any(), any(), any()));
    is_send(client.apps().update_group(any(), any(), any()));
    is_send(client.apps().key(any(), any()));
    is_send(client.apps().clone_key(any(), any(), any()));
    is_send(client.apps().csr(any(), any()));
    is_send(client.apps().create_csr(any(), any()));
    is_send(client.apps().publish_csr(any(), any(), any::<Vec<u8>>()));
    is_send(client.apps().revoke_csr(any(), any()));
    is_send(client.apps().feature(any(), any()));
    is_send(client.apps().update_feature(any(), any(), any()));
    is_send(client.apps().grant(any(), any()));
    is_send(client.apps().grant_scope(any(), any()));
    is_send(client.apps().revoke_grant(any(), any()));
    is_send(client.apps().set_access_policy(any(), any()));
}

fn okta_push_mappings_and_domains(client: &okta::Client) {
    is_send(client.push_mappings(any()).get(any()));
    is_send(client.push_mappings(any()).create(any()));
    is_send(client.push_mappings(any()).set_status(any(), any()));
    is_send(client.push_mappings(any()).delete(any(), any()));
    is_send(client.domains().get(any()));
    is_send(client.domains().create(any()));
    is_send(client.domains().upload_certificate(any(), any()));
    is_send(client.domains().set_brand(any(), any()));
    is_send(client.domains().verify(any()));
    is_send(client.domains().delete(any()));
}

fn scim(client: &scim::Client) {
    is_send(client.negotiated());
    is_send(client.service_provider_config());
    is_send(client.send(any()));
    is_send(client.probe());
    is_send(client.has_users());
    is_send(client.users().get(any()));
    is_send(client.users().get_attributes(any(), any()));
    is_send(client.users().get_opt(any()));
    is_send(client.users().find(any()));
    is_send(client.users().create(any()));
    is_send(client.users().create_or_adopt(any()));
    is_send(client.users().delete(any()));
    is_send(client.users().replace(any(), any()));
    is_send(client.users().patch(any(), any()));
    is_send(client.groups().replace(any(), any()));
    is_send(client.groups().patch(any(), any()));
    is_send(client.groups().add_members(any(), any()));
    is_send(client.groups().remove_members(any(), any()));
}

fn aws_accounts(aws: &Aws) {
    is_send(Aws::connect(any()));
    is_send(aws.credentials());
    #[cfg(feature = "secrets-manager")]
    is_send(aws.secret(any()));
    is_send(aws.caller());
    is_send(aws.verify_credentials(any()));
    is_send(aws.describe_instance(any()));
    is_send(aws.enable_permission_sets(any()));
    is_send(aws.organizations().describe());
    is_send(aws.organizations().enable_trusted_access(any()));
    is_send(aws.organizations().account(any()));
    is_send(aws.organizations().account_opt(any()));
    is_send(Organization::read(aws, any(), any()));
    is_send(any::<Organization>().read_tags(aws, any::<Vec<_>>()));
}

fn aws_permission_sets(center: &IdentityCenter) {
    is_send(center.permission_sets().find(any()));
    is_send(center.permission_sets().get(any()));
    is_send(center.permission_sets().get_opt(any()));
    is_send(center.permission_sets().create(any()));
    is_send(center.permission_sets().update(any(), any()));
    is_send(center.permission_sets().delete(any()));
    is_send(center.permission_sets().start_provisioning(any()));
    is_send(center.permission_sets().provisioning_status(any()));
    is_send(center.permission_sets().attach_managed_policy(any(), any()));
    is_send(center.permission_sets().detach_managed_policy(any(), any()));
    is_send(center.permission_sets().inline_policy(any()));
    is_send(center.permission_sets().put_inline_policy(any(), any()));
    is_send(center.permission_sets().delete_inline_policy(any()));
    let sets = center.permission_sets();
    is_send(sets.attach_customer_managed_policy(any(), any()));
    is_send(sets.detach_customer_managed_policy(any(), any()));
    is_send(sets.boundary(any()));
    is_send(sets.put_boundary(any(), any()));
    is_send(sets.delete_boundary(any()));
    is_send(sets.tag(any(), [("", "")]));
    is_send(sets.contents(any(), true));
}

fn aws_assignments_and_identity_store(center: &IdentityCenter) {
    is_send(center.assignments().start_create(any()));
    is_send(center.assignments().start_delete(any()));
    is_send(center.assignments().status(any()));
    is_send(center.assignments().run(any()).next());
    is_send(center.permission_sets().provision(any()).next());
    is_send(center.estate().read());
    is_send(center.estate().read_principals());
    is_send(center.estate().read_permission_sets());
    is_send(center.estate().read_assignments(any(), any()));
    is_send(center.estate().refresh(any(), any()));
    is_send(center.estate().read_provisioned(any(), any()));
    is_send(center.estate().read_members([]));
    is_send(center.identity_store().user_by_name(any()));
    is_send(center.identity_store().user_opt(any()));
    is_send(center.identity_store().group_by_name(any()));
    is_send(center.identity_store().group_opt(any()));
    is_send(center.identity_store().is_member(any(), any()));
}

fn aws_sign_in(sign_in: &aws::SignIn, session: &aws::Session) {
    is_send(sign_in.start());
    is_send(sign_in.poll(any()));
    is_send(session.credentials(any(), any()));
    is_send(any::<aws::Session>().logout());
}

fn facade(pipeline: &Pipeline, store: &StateStore, cx: &Context, sync: &DirectorySync) {
    is_send(pipeline.plan());
    is_send(pipeline.apply(any()));
    is_send(pipeline.verify());
    is_send(pipeline.access(any()));
    is_send(pipeline.drift(any()));
    is_send(ResolvedScope::read(any(), any(), any()));
    is_send(AccessReport::read(any(), any()));
    is_send(AccessReport::read_with(any(), any(), any(), any()));
    is_send(cx.checkpoint());
    is_send(store.load());
    is_send(store.read(any()));
    is_send(store.lock(any()));
    #[cfg(feature = "s3")]
    is_send(StateStore::s3(any(), any()));
    is_send(any::<&StateLock>().check());
    is_send(any::<&StateLock>().save(any()));
    is_send(any::<&StateLock>().put(any(), any::<Vec<u8>>()));
    is_send(any::<StateLock>().release());
    is_send(cx.manual_step(any(), async |_: Answers| Ok(())));
    is_send(sync.plan());
    is_send(sync.prepare());
    is_send(sync.apply(any()));
    is_send(sync.apply_plan(any()));
}

fn sandbox(builder: SandboxBuilder, held: &HeldRequests) {
    is_send(builder.start());
    is_send(Sandbox::start());
    is_send(held.wait_for(any()));
    is_send(held.wait_until_at_most(any()));
}

/// A task of an embedding program: it owns everything that it uses.
fn spawned(okta: &okta::Client, aws: Aws, center: IdentityCenter, scim: &scim::Client) {
    let blueprint = Blueprint::default();
    let pipeline = Arc::new(Pipeline::new(steps::default_steps(&blueprint, okta, &aws)));
    let apply = pipeline.clone();
    tokio::spawn(async move {
        let plan = apply.plan().await?;
        apply
            .apply(&plan)
            .await
            .and_then(okta_aws_sso::Report::complete)?;
        apply.verify().await
    });
    let sync = DirectorySync::new(OktaSource::new(okta, &blueprint), scim);
    tokio::spawn(async move {
        let prepared = sync.prepare().await?;
        sync.apply(prepared).await
    });
    tokio::spawn(async move { AccessReport::read(&aws, &center).await });
    tokio::spawn(run());
}

/// The future of the README's program, which takes no arguments.
async fn run() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let okta =
        okta::Client::builder("https://acme.okta.com", Secret::new(String::new())).build()?;
    let aws = Aws::connect(aws::ConnectOptions::default()).await?;
    let blueprint = Blueprint::from_toml("")?;
    let pipeline = Pipeline::new(steps::default_steps(&blueprint, &okta, &aws))
        .blueprint(&blueprint)
        .store(StateStore::folder("state")?);
    let plan = pipeline.plan().await?;
    pipeline
        .apply(&plan)
        .await
        .and_then(okta_aws_sso::Report::complete)?;
    Ok(())
}
