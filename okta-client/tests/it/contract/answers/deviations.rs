//! The differences between the sandbox and Okta's description, with the reason of each.
//!
//! An example is one of the examples in the description, which contradict its schemas. A fixture is a recorded exchange
//! in `test/fixtures/vcr/idaas` of okta/terraform-provider-okta, and a cassette is one in
//! `tests/integration/cassettes` of okta/okta-sdk-python.

/// Differences for which the sandbox follows another source than the schemas of the description.
pub(super) struct Deviation {
    pub(super) differences: &'static [&'static str],
    pub(super) reason: &'static str,
    /// Where Okta's answer is recorded or documented.
    pub(super) source: &'static str,
}

pub(super) const DEVIATIONS: &[Deviation] = &[
    Deviation {
        differences: &[
            "POST /api/v1/apps/{appId}/lifecycle/activate answers a document",
            "POST /api/v1/apps/{appId}/lifecycle/deactivate answers a document",
        ],
        reason: "the body is an empty object",
        source: "cassette TestApplicationsResource.test_activate_deactivate_delete_app",
    },
    Deviation {
        differences: &[
            "POST /api/v1/users/{id}/lifecycle/suspend answers a document",
            "POST /api/v1/users/{id}/lifecycle/unsuspend answers a document",
        ],
        reason: "the body is an empty object",
        source: "cassette TestUsersResource.test_suspend_user",
    },
    Deviation {
        differences: &["POST /api/v1/users/{id}/lifecycle/deactivate answers a document"],
        reason: "the body is an empty object",
        source: "fixture TestAccResourceOktaUser_statusDeprovisioned/oie-00",
    },
    Deviation {
        differences: &["POST /api/v1/users/{id}/lifecycle/unlock answers a document"],
        reason: "the body is an empty object, as for the other transitions; no recording has it",
        source: "docs/UNVERIFIED.md",
    },
    Deviation {
        differences: &["DELETE /api/v1/apps/{appId}/group-push/mappings/{mappingId} answers 200"],
        reason: "the status is 200 and the body is empty",
        source: "fixture TestAccResourceOktaPushGroup_crud/classic-00",
    },
    Deviation {
        differences: &["POST /api/v1/apps/{appId}/group-push/mappings answers 200"],
        reason: "a mapping is created or linked with 200",
        source: "fixture TestAccResourceOktaPushGroup_crud/classic-00",
    },
    Deviation {
        differences: &["POST /api/v1/domains answers 201"],
        reason: "a domain is created with 201",
        source: "fixture TestAccDataSourceOktaDomain_read/oie-00",
    },
    Deviation {
        differences: &["DomainResponse.validationStatus has the value FAILED_TO_VERIFY"],
        reason: "a verification without the DNS records has this status",
        source: "fixture TestAccDataSourceOktaDomain_read/oie-00",
    },
    Deviation {
        differences: &["ApiToken._links is not described"],
        reason: "the schema has `_link`, which is misspelled",
        source: "example ApiTokenMetadataResponse",
    },
    Deviation {
        differences: &["AppUser.externalId is null"],
        reason: "the user is not provisioned",
        source: "example AppUserProfUpdateResponse",
    },
    Deviation {
        differences: &[
            "ApplicationAccessibility.errorRedirectUrl is null",
            "ApplicationAccessibility.loginRedirectUrl is null",
            "ApplicationSettingsNotes.admin is null",
            "ApplicationSettingsNotes.enduser is null",
            "ApplicationSettingsNotificationsVpn.helpUrl is null",
            "ApplicationSettingsNotificationsVpn.message is null",
        ],
        reason: "a setting without a value is null",
        source: "example AutoLoginAppResponseEx",
    },
    Deviation {
        differences: &["ApplicationLinks.uploadLogo is not described"],
        reason: "the schema of the links is incomplete",
        source: "example AutoLoginAppResponseEx",
    },
    Deviation {
        differences: &["ApplicationLinks.policies is not described"],
        reason: "the schema of the links is incomplete",
        source: "fixture TestAccDataSourceOktaAppUserAssignments_read/oie-00",
    },
    Deviation {
        differences: &[
            "BookmarkApplicationSettings.manualProvisioning is not described",
            "OpenIdConnectApplicationSettings.app is not described",
            "OpenIdConnectApplicationSettings.manualProvisioning is not described",
            "SamlApplicationSettings.manualProvisioning is not described",
        ],
        reason: "the schemas of the settings are incomplete",
        source: "examples BookmarkAppResponseEx, OpenidConnectResponseEx, Saml2.0ResponseEx",
    },
    Deviation {
        differences: &[
            "SamlApplicationSettings.app is not described",
            "SamlApplicationSettingsSignOn.allowMultipleAcsEndpoints is missing",
            "SamlApplicationSettingsSignOn.assertionSigned is missing",
            "SamlApplicationSettingsSignOn.audienceOverride is null",
            "SamlApplicationSettingsSignOn.defaultRelayState is null",
            "SamlApplicationSettingsSignOn.destinationOverride is null",
            "SamlApplicationSettingsSignOn.honorForceAuthn is missing",
            "SamlApplicationSettingsSignOn.recipientOverride is null",
            "SamlApplicationSettingsSignOn.requestCompressed is missing",
            "SamlApplicationSettingsSignOn.responseSigned is missing",
            "SamlApplicationSettingsSignOn.ssoAcsUrlOverride is null",
        ],
        reason: "the schema is for custom SAML apps; apps of the catalog have settings of their own and overrides",
        source: "example GetApplicationsByGroupResponseEx",
    },
    Deviation {
        differences: &[
            "signOnMode selects no type: null",
            "Group._embedded.app.signOnMode is null",
        ],
        reason: "some apps of every org have no sign-on mode",
        source: "fixtures that list apps (60 documents)",
    },
    Deviation {
        differences: &["OpenIdConnectApplication.name has the value saasure"],
        reason: "the enumeration has only the apps that the API creates, and the Admin Console is an app of every org",
        source: "fixtures that list apps",
    },
    Deviation {
        differences: &["BrandWithEmbedded.customPrivacyPolicyUrl is null"],
        reason: "the default brand has no policy of its own",
        source: "example GetBrandResponse",
    },
    Deviation {
        differences: &[
            "DefaultApp.appInstanceId is null",
            "DefaultApp.appLinkName is null",
            "DefaultApp.classicApplicationUri is null",
        ],
        reason: "the brand has no default app",
        source: "fixture TestAccDataSourceOktaBrand_read/oie-00",
    },
    Deviation {
        differences: &["Group._embedded.stats.hasAdminPrivilege is not described"],
        reason: "the schema has `hasAdminPrivlege`, which is misspelled; no recording has it",
        source: "docs/UNVERIFIED.md",
    },
    Deviation {
        differences: &["Group.source is not described"],
        reason: "a group of an app names the app",
        source: "`source.id` in the parameter `search` of listGroups",
    },
    Deviation {
        differences: &["GroupRule.allGroupsValid is not described"],
        reason: "each rule has it",
        source: "fixture TestAccDataSourceOktaGroupRules_read/oie-00",
    },
    Deviation {
        differences: &["OktaUserGroupProfile.description is null"],
        reason: "the group was created without a description",
        source: "cassette TestGroupsResource.test_group_rule_operations",
    },
    Deviation {
        differences: &[
            "ImportScheduleObject.fullImport is null",
            "ImportScheduleObject.incrementalImport is null",
            "ImportUsernameObject.userNameFormat is not described",
            "ImportUsernameObject.usernameFormat is missing",
        ],
        reason: "the schema has another case, and imports are off",
        source: "fixture TestAccDataSourceOktaAppFeatures_read/oie-00",
    },
    Deviation {
        differences: &[
            "LogActor.detailEntry is null",
            "LogClient.id is null",
            "LogClient.zone is null",
            "LogOutcome.reason is null",
            "LogTarget.detailEntry is null",
        ],
        reason: "the event has no such detail",
        source: "example ListLogs",
    },
    Deviation {
        differences: &["LogEvent.legacyEventType is null"],
        reason: "newer events have no older name",
        source: "docs/UNVERIFIED.md",
    },
    Deviation {
        differences: &[
            "OrgSetting.expiresAt is null",
            "OrgSetting.supportPhoneNumber is null",
            "OrgSetting.website is null",
        ],
        reason: "a setting without a value is null, as in other documents; no recording has it",
        source: "docs/UNVERIFIED.md",
    },
    Deviation {
        differences: &[
            "ProfileMappingProperty.costCenter is not described",
            "ProfileMappingProperty.country is not described",
            "ProfileMappingProperty.department is not described",
            "ProfileMappingProperty.displayName is not described",
            "ProfileMappingProperty.division is not described",
            "ProfileMappingProperty.email is not described",
            "ProfileMappingProperty.employeeNumber is not described",
            "ProfileMappingProperty.firstName is not described",
            "ProfileMappingProperty.formatted is not described",
            "ProfileMappingProperty.honorificPrefix is not described",
            "ProfileMappingProperty.honorificSuffix is not described",
            "ProfileMappingProperty.lastName is not described",
            "ProfileMappingProperty.locale is not described",
            "ProfileMappingProperty.locality is not described",
            "ProfileMappingProperty.managerValue is not described",
            "ProfileMappingProperty.middleName is not described",
            "ProfileMappingProperty.nickName is not described",
            "ProfileMappingProperty.organization is not described",
            "ProfileMappingProperty.postalCode is not described",
            "ProfileMappingProperty.preferredLanguage is not described",
            "ProfileMappingProperty.primaryPhone is not described",
            "ProfileMappingProperty.profileUrl is not described",
            "ProfileMappingProperty.region is not described",
            "ProfileMappingProperty.streetAddress is not described",
            "ProfileMappingProperty.timezone is not described",
            "ProfileMappingProperty.title is not described",
            "ProfileMappingProperty.userType is not described",
        ],
        reason: "the schema is the one of a property, and the document has an object with a member for each property",
        source: "example RetrieveMappingsResponse",
    },
    Deviation {
        differences: &[
            "UserSchemaBaseProperties.country is not described",
            "UserSchemaBaseProperties.formatted is not described",
            "UserSchemaBaseProperties.locality is not described",
            "UserSchemaBaseProperties.managerValue is not described",
            "UserSchemaBaseProperties.postalCode is not described",
            "UserSchemaBaseProperties.region is not described",
            "UserSchemaBaseProperties.userName is not described",
        ],
        reason: "the schema is for users of Okta, and users of an app have other base attributes",
        source: "example AppUserSchemaResponse",
    },
];
