//! Checks the rules MD-AWSSP: the form of the service provider file of IAM Identity Center.

use super::{report::Report, rules::consumer as rules};
use crate::{
    SpSsoDescriptor,
    aws::{self, AcsHost},
    names::binding,
};

pub(super) fn check(report: &mut Report<'_>) {
    if !report.wants(&[&rules::AWSSP_01, &rules::AWSSP_02, &rules::AWSSP_03]) {
        return;
    }
    let document = report.document;
    let root = document.root();
    let entity = match document.entity() {
        Ok(entity) => entity,
        Err(error) => {
            let help = "Use the file that IAM Identity Center offers for download: it has one service provider.";
            report.add(&rules::AWSSP_01, root, (error.to_string(), help));
            return;
        }
    };
    if let Err(error) = aws::parse_issuer(entity.entity_id()) {
        let message = format!("the entityID {error}");
        report.add(&rules::AWSSP_01, (entity.element(), "entityID"), message);
    } else if !aws::has_documented_host(entity.entity_id()) {
        let message = "the host of the entityID is not documented";
        report.add(&rules::AWSSP_03, (entity.element(), "entityID"), message);
    }
    if let Some(sp) = entity.service_provider() {
        check_acs(report, sp);
        return;
    }
    let message = if entity.identity_provider().is_some() {
        (
            "the file describes an identity provider, not a service provider",
            "This is the file that belongs into IAM Identity Center. Download the service provider metadata there.",
        )
    } else {
        (
            "the file describes no service provider",
            "In IAM Identity Center, open Settings, Identity source, and download the service provider metadata again.",
        )
    };
    report.add(&rules::AWSSP_01, entity.element(), message);
}

fn check_acs(report: &mut Report<'_>, sp: SpSsoDescriptor<'_>) {
    let mut hosts = Vec::new();
    for acs in sp.assertion_consumer_services() {
        if acs.binding() != binding::HTTP_POST {
            let message = "an AssertionConsumerService does not use HTTP-POST";
            report.add(&rules::AWSSP_01, (acs.element(), "Binding"), message);
        }
        match aws::check_acs(acs.location()) {
            Ok(url) => {
                if url.host == AcsHost::OtherPartition {
                    let message = "the host of an ACS URL is not documented";
                    report.add(&rules::AWSSP_03, (acs.element(), "Location"), message);
                }
                hosts.push(url.host);
            }
            Err(error) => {
                let message = format!("the ACS URL {error}");
                report.add(&rules::AWSSP_01, (acs.element(), "Location"), message);
            }
        }
    }
    if !hosts.is_empty() && hosts.iter().all(|host| *host == AcsHost::Classic) {
        let message = "every ACS URL has the classic form";
        report.add(&rules::AWSSP_02, sp.element(), message);
    }
}
