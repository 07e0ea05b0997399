//! The part of Okta's application catalog that the sandbox supports.

/// An application of the catalog.
#[derive(Debug)]
pub(super) struct CatalogApp {
    pub(super) name: &'static str,
    /// The sign-on mode; `None` for the few applications without one.
    pub(super) sign_on_mode: Option<&'static str>,
    /// The keys of `settings.app`, in this application's spelling.
    pub(super) settings: &'static [&'static str],
    /// The settings that an update cannot leave blank.
    pub(super) required_settings: &'static [&'static str],
    /// Whether administrators can add the application. The other applications are part of every org.
    pub(super) can_be_added: bool,
    /// The key of the dashboard link, and its id, which is the same in every org.
    pub(super) link: (&'static str, &'static str),
}

/// The catalog name of AWS IAM Identity Center.
pub(crate) const IDENTITY_CENTER: &str = "amazon_aws_sso";

/// The catalog name of Active Directory, from which groups are imported.
pub(super) const DIRECTORY: &str = "active_directory";

/// Returns the application with this catalog name.
pub(super) fn find(name: &str) -> Option<&'static CatalogApp> {
    CATALOG.iter().find(|app| app.name == name)
}

const CATALOG: &[CatalogApp] = &[
    CatalogApp {
        name: IDENTITY_CENTER,
        sign_on_mode: Some("SAML_2_0"),
        settings: &["acsURL", "entityID"],
        required_settings: &["acsURL", "entityID"],
        can_be_added: true,
        link: ("login", "aln1ghfn5xxV7ZPbE1d8"),
    },
    CatalogApp {
        name: "amazon_aws",
        sign_on_mode: Some("SAML_2_0"),
        settings: &[
            "appFilter",
            "awsEnvironmentType",
            "groupFilter",
            "identityProviderArn",
            "joinAllRoles",
            "loginURL",
            "roleValuePattern",
            "sessionDuration",
            "useGroupMapping",
        ],
        required_settings: &[],
        can_be_added: true,
        link: ("login", "aln1a2b3c4d5e6f7g8h9"),
    },
    CatalogApp {
        name: "bookmark",
        sign_on_mode: Some("BOOKMARK"),
        settings: &["requestIntegration", "url"],
        required_settings: &[],
        can_be_added: true,
        link: ("login", "aln177a159h7Zf52X0g8"),
    },
    CatalogApp {
        name: DIRECTORY,
        sign_on_mode: None,
        settings: &[],
        required_settings: &[],
        can_be_added: false,
        link: ("login", "aln5b6c7d8e9f0a1b2c3"),
    },
    CatalogApp {
        name: "saasure",
        sign_on_mode: Some("OPENID_CONNECT"),
        settings: &[],
        required_settings: &[],
        can_be_added: false,
        link: ("admin", "alnfb0gP3vUI2lLgW0g1"),
    },
    // Recorded responses of real orgs contain applications without a sign-on mode.
    CatalogApp {
        name: "okta_browser_plugin",
        sign_on_mode: None,
        settings: &[],
        required_settings: &[],
        can_be_added: false,
        link: ("plugin", "aln8z1c9Vqkd2Pc3A0g2"),
    },
];
