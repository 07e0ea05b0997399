//! Checks the rules MD-IAM and MD-OS, for consumers that document only limits of sizes.

use super::{
    report::{ONE_ENTITY, Report},
    rules::consumer as rules,
};

pub(super) fn check(report: &mut Report<'_>) {
    if !report.wants(&[&rules::IAM_01, &rules::OS_01]) {
        return;
    }
    let document = report.document;
    let root = document.root();
    let characters = document.text().chars().count();
    if !(1_000..=10_000_000).contains(&characters) {
        let message = format!("the file has {characters} characters, not 1000 to 10000000");
        report.add(&rules::IAM_01, root, message);
    }
    if characters > 1_048_576 {
        let message = format!("the file has {characters} characters, more than 1048576");
        report.add(&rules::OS_01, root, message);
    }
    report.one_identity_provider(&[&rules::IAM_01, &rules::OS_01], ONE_ENTITY);
    if let Ok(entity) = document.entity() {
        let length = entity.entity_id().chars().count();
        if !(8..=512).contains(&length) {
            let message = format!("the entityID has {length} characters, not 8 to 512");
            let help = "Use an entityID of 8 to 512 characters in the identity provider.";
            report.add(
                &rules::OS_01,
                (entity.element(), "entityID"),
                (message, help),
            );
        }
    }
}
