//! Actions that only the console offers: enabling Identity Center, exchanging SAML metadata and creating
//! SCIM tokens.

mod metadata;

use jiff::{SignedDuration, Timestamp};

use super::center::Center;
use super::cloud::Cloud;
use super::organizations::SSO;
use super::partition::Partition;
use super::reply::escape;
use super::sigv4::is_region;

pub(crate) use metadata::IdentityProvider;

/// The console's result of enabling Identity Center.
#[derive(Clone, Debug)]
pub(crate) struct Enabled {
    /// The Region.
    pub(crate) region: String,
    /// The ARN of the instance.
    pub(crate) instance_arn: String,
    /// The id of the identity store.
    pub(crate) identity_store_id: String,
}

/// The console's view of Identity Center as a SAML service provider.
#[derive(Clone, Debug)]
pub(crate) struct SpMetadata {
    /// The metadata file.
    pub(crate) xml: String,
    /// "IAM Identity Center Assertion Consumer Service (ACS) URL".
    pub(crate) acs_url: String,
    /// "IAM Identity Center issuer URL", which is also the audience of assertions.
    pub(crate) issuer: String,
    /// "AWS access portal sign-in URL".
    pub(crate) portal_url: String,
}

/// The console's result of enabling automatic provisioning, shown only once.
#[derive(Clone, Debug)]
pub(crate) struct Provisioned {
    /// "SCIM endpoint", with a slash at the end.
    pub(crate) endpoint: String,
    /// "Access token".
    pub(crate) token: String,
}

/// The SCIM endpoint and its tokens.
#[derive(Debug)]
pub(crate) struct Provisioning {
    /// The part of the URL that identifies the directory.
    pub(crate) tenant: String,
    tokens: Vec<Token>,
}

#[derive(Debug)]
struct Token {
    text: String,
    expires: Timestamp,
}

/// The prefix of every SCIM access token.
pub(crate) const SCIM_TOKEN_MARK: &str = "SandboxScimToken";

/// "You can have at most two access tokens" (Identity Center user guide, rotating access tokens).
const MAX_TOKENS: usize = 2;

impl Cloud {
    /// Enables the organization instance of Identity Center in a Region, or the account instance of the settings.
    ///
    /// # Errors
    ///
    /// Returns a message if the organization cannot have an instance, or if its instance is in another Region.
    pub(crate) fn enable_identity_center(
        &mut self,
        region: &str,
        now: Timestamp,
    ) -> Result<Enabled, String> {
        if !is_region(region) {
            return Err(format!("the Region {region:?} does not exist"));
        }
        if Partition::of_region(region) != self.organization.partition {
            return Err(format!(
                "the Region {region} is in another partition than the organization"
            ));
        }
        if !self.organization.all_features {
            return Err(
                "enable all features of the organization before you enable IAM Identity Center"
                    .to_owned(),
            );
        }
        if let Some(center) = &self.center
            && center.region != region
        {
            return Err(format!(
                "IAM Identity Center is enabled in {}; an organization has one instance",
                center.region
            ));
        }
        let options = &self.instance_options;
        match &options.account {
            None => {
                let trusted = &mut self.organization.trusted;
                trusted.entry(SSO.to_owned()).or_insert(now);
            }
            Some(account)
                if *account == self.organization.management
                    || self.organization.account(account).is_none() =>
            {
                return Err(format!(
                    "an account instance belongs to a member account, and {account} is none"
                ));
            }
            Some(_) => {}
        }
        let center = self
            .center
            .get_or_insert_with(|| Center::new(region, &self.organization, options.clone(), now));
        Ok(Enabled {
            region: center.region.clone(),
            instance_arn: center.arn.clone(),
            identity_store_id: center.identity_store.clone(),
        })
    }

    /// Returns the URL of the access portal.
    ///
    /// # Errors
    ///
    /// Returns a message if Identity Center is not enabled.
    pub(crate) fn portal_url(&self) -> Result<String, String> {
        let center = self.center.as_ref().ok_or_else(not_enabled)?;
        Ok(center.portal_url())
    }

    /// Makes an external identity provider the identity source, or replaces its metadata.
    ///
    /// Existing users, groups and their assignments are kept (Identity Center user guide, considerations
    /// for changing your identity source).
    ///
    /// # Errors
    ///
    /// Returns a message if Identity Center is not enabled or the file is not metadata of an identity
    /// provider.
    pub(crate) fn change_identity_source(
        &mut self,
        idp_metadata: &[u8],
        _now: Timestamp,
    ) -> Result<SpMetadata, String> {
        let center = self.center.as_mut().ok_or_else(not_enabled)?;
        center.identity_provider = Some(IdentityProvider::read(idp_metadata)?);
        Ok(center.sp_metadata())
    }

    /// Enables automatic provisioning; if it is already enabled, generates another access token.
    ///
    /// # Errors
    ///
    /// Returns a message if the identity source is not an external identity provider, or if two tokens
    /// exist.
    pub(crate) fn enable_provisioning(&mut self, now: Timestamp) -> Result<Provisioned, String> {
        let base = self
            .scim_url()
            .ok_or_else(|| "the SCIM listener has no address yet".to_owned())?;
        let center = self.center.as_mut().ok_or_else(not_enabled)?;
        if center.identity_provider.is_none() {
            return Err(
                "automatic provisioning needs an external identity provider: change the identity source first"
                    .to_owned(),
            );
        }
        let ids = &mut self.ids;
        let provisioning = center.provisioning.get_or_insert_with(|| {
            let first = ids.hex("scim tenant", &center.identity_store, 11);
            let rest = ids.uuid("scim tenant", &center.identity_store);
            Provisioning {
                tenant: format!("{first}{}", &rest[8..]),
                tokens: Vec::new(),
            }
        });
        provisioning.tokens.retain(|token| token.expires > now);
        if provisioning.tokens.len() >= MAX_TOKENS {
            return Err(
                "two access tokens exist, which is the maximum: delete one first".to_owned(),
            );
        }
        let mark = SCIM_TOKEN_MARK;
        let rest = self
            .ids
            .secret("scim token", &provisioning.tenant, 560 - mark.len());
        let token = format!("{mark}{rest}");
        provisioning.tokens.push(Token {
            text: token.clone(),
            // "SCIM access tokens are generated with a validity of one year" (user guide).
            expires: super::later(now, SignedDuration::from_hours(365 * 24)),
        });
        Ok(Provisioned {
            endpoint: format!("{base}{}/scim/v2/", provisioning.tenant),
            token,
        })
    }

    /// Deletes all SCIM access tokens; returns the number of deleted tokens.
    pub(crate) fn delete_scim_tokens(&mut self) -> usize {
        match self
            .center
            .as_mut()
            .and_then(|center| center.provisioning.as_mut())
        {
            Some(provisioning) => std::mem::take(&mut provisioning.tokens).len(),
            None => 0,
        }
    }

    /// Returns whether a token gives access to the SCIM endpoint of a tenant.
    pub(crate) fn accepts_scim_token(&self, tenant: &str, token: &str, now: Timestamp) -> bool {
        self.center
            .as_ref()
            .and_then(|center| center.provisioning.as_ref())
            .filter(|provisioning| provisioning.tenant == tenant)
            .is_some_and(|provisioning| {
                provisioning
                    .tokens
                    .iter()
                    .any(|known| known.text == token && known.expires > now)
            })
    }
}

impl Center {
    /// Returns the classic URL of the access portal.
    pub(crate) fn portal_url(&self) -> String {
        let name = self.portal_alias.as_deref().unwrap_or(&self.identity_store);
        self.partition().portal_url(name)
    }

    /// Returns the entity id of Identity Center, which is the audience of assertions.
    pub(crate) fn issuer(&self) -> String {
        format!(
            "https://{}.{}/platform/saml/{}",
            self.region,
            self.partition().sign_in_domain(),
            self.identity_store
        )
    }

    /// Returns the URLs that accept SAML responses: the IPv4 one, which the console shows, and the
    /// dual-stack one. Only the commercial partition has the new hosts.
    pub(crate) fn acs_urls(&self) -> [String; 2] {
        let hosts = match self.partition() {
            Partition::Aws => ["signin.aws", "sso.signin.aws"],
            other => [other.sign_in_domain(); 2],
        };
        hosts.map(|host| {
            format!(
                "https://{}.{host}/platform/saml/acs/{}",
                self.region, self.saml_tenant
            )
        })
    }

    /// Returns the metadata of Identity Center as a SAML service provider.
    pub(crate) fn sp_metadata(&self) -> SpMetadata {
        let issuer = self.issuer();
        let [acs_url, dual_stack] = self.acs_urls();
        let service = |url: &str, rest: &str| {
            format!(
                "<md:AssertionConsumerService Binding=\"urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST\" \
                 Location=\"{}\" {rest}/>",
                escape(url)
            )
        };
        let xml = format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?><md:EntityDescriptor \
             xmlns:md=\"urn:oasis:names:tc:SAML:2.0:metadata\" entityID=\"{}\"><md:SPSSODescriptor \
             AuthnRequestsSigned=\"false\" WantAssertionsSigned=\"true\" \
             protocolSupportEnumeration=\"urn:oasis:names:tc:SAML:2.0:protocol\"><md:NameIDFormat>\
             urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress</md:NameIDFormat>{}{}\
             </md:SPSSODescriptor></md:EntityDescriptor>",
            escape(&issuer),
            service(&acs_url, "index=\"0\" isDefault=\"true\""),
            service(&dual_stack, "index=\"1\""),
        );
        SpMetadata {
            xml,
            acs_url,
            issuer,
            portal_url: self.portal_url(),
        }
    }
}

/// Returns the console's error while Identity Center is not enabled.
pub(super) fn not_enabled() -> String {
    "IAM Identity Center is not enabled".to_owned()
}

#[cfg(test)]
mod tests;
