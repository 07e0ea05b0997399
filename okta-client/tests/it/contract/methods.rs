//! One call of each public method that sends requests.

use futures::future::BoxFuture;
use okta_client::{
    App, CertificateSource, Client, CreateUser, CsrSubject, DomainCertificate, Edit, FeatureName,
    FollowLogs, GroupRule, Id, ListAppGroups, ListAppUsers, ListApps, ListGroupRules, ListGroups,
    ListLogs, ListProfileMappings, ListUsers, NewApp, NewDomain, NewGroupRule,
    NewPrincipalRateLimit, NewPushMapping, NewUser, PolicyType, PrincipalType, ProvisioningOptions,
    PushActivation, PushTarget, RuleMembers, Secret, SendEmail, TargetGroupAction, UpdateUser,
    UserRef,
};
use serde_json::{Value, json};

use crate::{app_id, group_id, user_id};

/// A method such as `Apps::get`, and a call of it.
pub(super) type Method = (&'static str, Call);
type Call = fn(Client) -> BoxFuture<'static, ()>;

macro_rules! methods {
    ($okta:ident; $($name:literal => $call:expr,)*) => {
        vec![$((
            $name,
            (|$okta: Client| {
                Box::pin(async move { drop($call.await) }) as BoxFuture<'static, ()>
            }) as Call,
        )),*]
    };
}

pub(super) fn all() -> Vec<Method> {
    [
        apps(),
        app_resources(),
        assignments(),
        users(),
        groups(),
        org(),
        rest(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn id<T>() -> Id<T> {
    Id::parse("x1").unwrap()
}

/// Returns a document with these members.
#[expect(
    clippy::needless_pass_by_value,
    reason = "every caller passes a new `json!` value"
)]
fn edit<T>(members: Value) -> Edit<T> {
    let mut edit = Edit::new();
    for (name, value) in members.as_object().unwrap() {
        edit.set(&format!("/{name}"), value).unwrap();
    }
    edit
}

fn apps() -> Vec<Method> {
    fn new() -> NewApp {
        NewApp {
            name: "amazon_aws_sso".to_owned(),
            label: "AWS".to_owned(),
            sign_on_mode: "SAML_2_0".to_owned(),
            ..NewApp::default()
        }
    }
    fn replaced() -> Edit<App> {
        edit(json!({ "label": "AWS", "signOnMode": "SAML_2_0" }))
    }
    methods! { okta;
        "Apps::list" => okta.apps().list(ListApps::default()).try_collect(),
        "Apps::by_label" => okta.apps().by_label("x"),
        "Apps::only_by_label" => okta.apps().only_by_label("x"),
        "Apps::get" => okta.apps().get(&app_id()),
        "Apps::get_opt" => okta.apps().get_opt(&app_id()),
        "Apps::create" => okta.apps().create(&new()),
        "Apps::create_with" => okta.apps().create_with(&replaced()),
        "Apps::replace" => okta.apps().replace(&app_id(), &replaced()),
        "Apps::activate" => okta.apps().activate(&app_id()),
        "Apps::deactivate" => okta.apps().deactivate(&app_id()),
        "Apps::delete" => okta.apps().delete(&app_id()),
        "Apps::set_access_policy" => okta.apps().set_access_policy(&app_id(), &id()),
        "Apps::grants" => okta.apps().grants(&app_id()).try_collect(),
        "Apps::grant_scope" => okta.apps().grant_scope(&app_id(), "okta.apps.read"),
        "Apps::grant" => okta.apps().grant(&app_id(), &id()),
        "Apps::revoke_grant" => okta.apps().revoke_grant(&app_id(), &id()),
        "Apps::csrs" => okta.apps().csrs(&app_id()).try_collect(),
        "Apps::create_csr" => okta.apps().create_csr(&app_id(), &CsrSubject::default()),
        "Apps::csr" => okta.apps().csr(&app_id(), &id()),
        "Apps::publish_csr" => okta.apps().publish_csr(&app_id(), &id(), "der"),
        "Apps::revoke_csr" => okta.apps().revoke_csr(&app_id(), &id()),
    }
}

fn app_resources() -> Vec<Method> {
    const NAME: FeatureName = FeatureName::UserProvisioning;
    fn mapping() -> NewPushMapping {
        NewPushMapping {
            source_group: group_id(),
            target: PushTarget::NewGroup("admins".to_owned()),
        }
    }
    fn token() -> Secret {
        Secret::new("t")
    }
    methods! { okta;
        "Apps::features" => okta.apps().features(&app_id()).try_collect(),
        "Apps::feature" => okta.apps().feature(&app_id(), &NAME),
        "Apps::update_feature" => okta.apps().update_feature(&app_id(), &NAME, &Edit::new()),
        "Apps::connection" => okta.apps().connection(&app_id()),
        "Apps::set_connection" => okta.apps().set_connection(&app_id(), "https://x", &token(), true),
        "Apps::activate_connection" => okta.apps().activate_connection(&app_id()),
        "Apps::deactivate_connection" => okta.apps().deactivate_connection(&app_id()),
        "Apps::provisioning" => okta.apps().provisioning(&app_id()),
        "Apps::provisioning_opt" => okta.apps().provisioning_opt(&app_id()),
        "Apps::set_provisioning" =>
            okta.apps().set_provisioning(&app_id(), &ProvisioningOptions::default()),
        "Apps::saml_metadata" => okta.apps().saml_metadata(&app_id(), &id()),
        "Apps::keys" => okta.apps().keys(&app_id()).try_collect(),
        "Apps::key" => okta.apps().key(&app_id(), &id()),
        "Apps::generate_key" => okta.apps().generate_key(&app_id(), 2),
        "Apps::clone_key" => okta.apps().clone_key(&app_id(), &id(), &app_id()),
        "PushMappings::list" => okta.push_mappings(&app_id()).list().try_collect(),
        "PushMappings::get" => okta.push_mappings(&app_id()).get(&id()),
        "PushMappings::create" => okta.push_mappings(&app_id()).create(&mapping()),
        "PushMappings::set_status" =>
            okta.push_mappings(&app_id()).set_status(&id(), PushActivation::Active),
        "PushMappings::delete" =>
            okta.push_mappings(&app_id()).delete(&id(), TargetGroupAction::Keep),
    }
}

fn assignments() -> Vec<Method> {
    fn all_users() -> ListAppUsers {
        ListAppUsers::default()
    }
    fn all_groups() -> ListAppGroups {
        ListAppGroups::default()
    }
    methods! { okta;
        "Apps::users" => okta.apps().users(&app_id()).try_collect(),
        "Apps::list_users" => okta.apps().list_users(&app_id(), all_users()).try_collect(),
        "Apps::user" => okta.apps().user(&app_id(), &user_id()),
        "Apps::user_opt" => okta.apps().user_opt(&app_id(), &user_id()),
        "Apps::assign_user" => okta.apps().assign_user(&app_id(), &user_id()),
        "Apps::assign_user_with" =>
            okta.apps().assign_user_with(&app_id(), &user_id(), &Edit::new()),
        "Apps::update_user" => okta.apps().update_user(&app_id(), &user_id(), &Edit::new()),
        "Apps::unassign_user" => okta.apps().unassign_user(&app_id(), &user_id()),
        "Apps::groups" => okta.apps().groups(&app_id()).try_collect(),
        "Apps::list_groups" => okta.apps().list_groups(&app_id(), all_groups()).try_collect(),
        "Apps::group" => okta.apps().group(&app_id(), &group_id()),
        "Apps::group_opt" => okta.apps().group_opt(&app_id(), &group_id()),
        "Apps::assign_group" => okta.apps().assign_group(&app_id(), &group_id()),
        "Apps::assign_group_with" =>
            okta.apps().assign_group_with(&app_id(), &group_id(), &Edit::new()),
        "Apps::update_group" => okta.apps().update_group(&app_id(), &group_id(), &[]),
        "Apps::unassign_group" => okta.apps().unassign_group(&app_id(), &group_id()),
    }
}

fn users() -> Vec<Method> {
    const NO: SendEmail = SendEmail::No;
    fn ada() -> UserRef {
        UserRef::login("ada@example.com")
    }
    fn new() -> NewUser {
        NewUser {
            login: "ada@example.com".to_owned(),
            ..NewUser::default()
        }
    }
    fn options() -> UpdateUser {
        UpdateUser::default()
    }
    methods! { okta;
        "Users::me" => okta.users().me(),
        "Users::get" => okta.users().get(&ada()),
        "Users::get_opt" => okta.users().get_opt(&ada()),
        "Users::list" => okta.users().list(ListUsers::default()).try_collect(),
        "Users::update" => okta.users().update(&user_id(), &Edit::new(), &options()),
        "Users::replace" => okta.users().replace(&user_id(), &Edit::new(), &options()),
        "Users::groups" => okta.users().groups(&user_id()).try_collect(),
        "Users::create" => okta.users().create(&new(), &CreateUser::default()),
        "Users::activate" => okta.users().activate(&user_id(), NO),
        "Users::reactivate" => okta.users().reactivate(&user_id(), NO),
        "Users::deactivate" => okta.users().deactivate(&user_id(), NO),
        "Users::suspend" => okta.users().suspend(&user_id()),
        "Users::unsuspend" => okta.users().unsuspend(&user_id()),
        "Users::unlock" => okta.users().unlock(&user_id()),
        "Users::reset_password" => okta.users().reset_password(&user_id(), NO),
        "Users::expire_password" => okta.users().expire_password(&user_id()),
        "Users::expire_password_with_temporary" =>
            okta.users().expire_password_with_temporary(&user_id()),
        "Users::delete" => okta.users().delete(&user_id()),
    }
}

fn groups() -> Vec<Method> {
    fn rule() -> Id<GroupRule> {
        id()
    }
    methods! { okta;
        "Groups::get" => okta.groups().get(&group_id()),
        "Groups::get_opt" => okta.groups().get_opt(&group_id()),
        "Groups::list" => okta.groups().list(ListGroups::default()).try_collect(),
        "Groups::named" => okta.groups().named("admins"),
        "Groups::create" => okta.groups().create("admins", None),
        "Groups::replace" => okta.groups().replace(&group_id(), &Edit::new()),
        "Groups::delete" => okta.groups().delete(&group_id()),
        "Groups::members" => okta.groups().members(&group_id()).try_collect(),
        "Groups::add_member" => okta.groups().add_member(&group_id(), &user_id()),
        "Groups::remove_member" => okta.groups().remove_member(&group_id(), &user_id()),
        "Groups::apps" => okta.groups().apps(&group_id()).try_collect(),
        "GroupRules::list" => okta.group_rules().list(ListGroupRules::default()).try_collect(),
        "GroupRules::get" => okta.group_rules().get(&rule()),
        "GroupRules::get_opt" => okta.group_rules().get_opt(&rule()),
        "GroupRules::create" => okta.group_rules().create(&NewGroupRule::default()),
        "GroupRules::replace" => okta.group_rules().replace(&rule(), &Edit::new()),
        "GroupRules::delete" => okta.group_rules().delete(&rule(), RuleMembers::Keep),
        "GroupRules::activate" => okta.group_rules().activate(&rule()),
        "GroupRules::deactivate" => okta.group_rules().deactivate(&rule()),
    }
}

fn org() -> Vec<Method> {
    const KIND: PrincipalType = PrincipalType::OauthClient;
    fn limit() -> NewPrincipalRateLimit {
        NewPrincipalRateLimit {
            principal_id: "0oa1".to_owned(),
            principal_type: KIND,
            percentage: 50,
            concurrency_percentage: 50,
        }
    }
    fn replaced<T>() -> Edit<T> {
        edit(json!({ "principalId": "0oa1", "principalType": "OAUTH_CLIENT" }))
    }
    fn mappings() -> ListProfileMappings {
        ListProfileMappings::default()
    }
    methods! { okta;
        "Org::get" => okta.org().get(),
        "Org::update" => okta.org().update(&Edit::new()),
        "ApiTokens::list" => okta.api_tokens().list().try_collect(),
        "ApiTokens::get" => okta.api_tokens().get(&id()),
        "ApiTokens::revoke" => okta.api_tokens().revoke(&id()),
        "PrincipalRateLimits::list" => okta.principal_rate_limits().list(&KIND).try_collect(),
        "PrincipalRateLimits::get" => okta.principal_rate_limits().get(&id()),
        "PrincipalRateLimits::create" => okta.principal_rate_limits().create(&limit()),
        "PrincipalRateLimits::replace" =>
            okta.principal_rate_limits().replace(&id(), &replaced()),
        "Logs::list" => okta.logs().list(ListLogs::default()).try_collect(),
        "Logs::follow" => async {
            okta.logs().follow(FollowLogs::since("2026-01-01T00:00:00.000Z")).try_next().await
        },
        "ProfileMappings::list" => okta.profile_mappings().list(mappings()).try_collect(),
        "ProfileMappings::get" => okta.profile_mappings().get(&id()),
        "ProfileMappings::update" => okta.profile_mappings().update(&id(), &edit(json!({ "properties": {} }))),
        "Schemas::user" => okta.schemas().user(),
        "Schemas::update_user" => okta.schemas().update_user(&Edit::new()),
        "Schemas::app_user" => okta.schemas().app_user(&app_id()),
        "Schemas::update_app_user" => okta.schemas().update_app_user(&app_id(), &Edit::new()),
    }
}

fn rest() -> Vec<Method> {
    fn domain() -> NewDomain {
        NewDomain {
            name: "sso.example.com".to_owned(),
            certificate: CertificateSource::OktaManaged,
        }
    }
    fn certificate() -> DomainCertificate {
        DomainCertificate {
            certificate: "x".to_owned(),
            chain: "x".to_owned(),
            private_key: Secret::new("x"),
        }
    }
    methods! { okta;
        "Policies::list" => okta.policies().list(&PolicyType::AccessPolicy).try_collect(),
        "Policies::get" => okta.policies().get(&id()),
        "Brands::list" => okta.brands().list().try_collect(),
        "Brands::get" => okta.brands().get(&id()),
        "Brands::domains" => okta.brands().domains(&id()).try_collect(),
        "Domains::list" => okta.domains().list().try_collect(),
        "Domains::get" => okta.domains().get(&id()),
        "Domains::create" => okta.domains().create(&domain()),
        "Domains::verify" => okta.domains().verify(&id()),
        "Domains::upload_certificate" =>
            okta.domains().upload_certificate(&id(), &certificate()),
        "Domains::set_brand" => okta.domains().set_brand(&id(), &id()),
        "Domains::delete" => okta.domains().delete(&id()),
    }
}
