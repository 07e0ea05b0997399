//! The owner of a permission set, as its tags tell it.

use std::collections::BTreeMap;

use aws_sso_glue::PermissionSet;

use crate::{
    blueprint::{Blueprint, OWNER_TAG},
    error::{Error, ErrorKind},
    plan::{Note, Subject},
};

/// An owner other than the blueprint. A run does not edit the permission sets of such an owner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::steps) enum Other {
    /// The runs of a blueprint with this name have created the set.
    Blueprint(String),
    /// AWS Control Tower, or a tool that marks its sets in the same way.
    ControlTower,
}

impl Other {
    /// Returns the owner of a set with these tags, if it is not the blueprint.
    pub(in crate::steps) fn of(
        tags: &BTreeMap<String, String>,
        blueprint: &Blueprint,
    ) -> Option<Self> {
        if let Some(name) = tags.get(OWNER_TAG)
            && name != blueprint.name()
        {
            return Some(Self::Blueprint(name.clone()));
        }
        let managed_by = tags.get(MANAGED_BY);
        let is_control_tower = managed_by.is_some_and(|by| by == CONTROL_TOWER);
        (is_control_tower && blueprint.protect.control_tower).then_some(Self::ControlTower)
    }

    /// Returns the error of a set that the blueprint describes.
    pub(super) fn error(&self, set: &PermissionSet) -> Error {
        let name = &set.name;
        let message = format!("permission set {name} is not edited: {}", self.reason());
        let use_it = format!(
            "to use the set as it is, write `existing = true` as the only key of `permission_sets.{name}`"
        );
        let help = match self {
            Self::Blueprint(other) => format!(
                "{use_it}; to describe it here, take it out of blueprint {other} and remove the tag"
            ),
            Self::ControlTower => {
                format!("{use_it}; `protect.control_tower = false` lets runs edit such sets")
            }
        };
        Error::new(ErrorKind::UnusableSubject, message).with_help(help)
    }

    /// Returns the note of a set that the blueprint only names, and that has something to complete or to provision.
    pub(super) fn note(&self, set: &PermissionSet) -> Note {
        let name = &set.name;
        let text = format!("permission set {name} is used as it is: {}", self.reason());
        Note::new("another-owner", text).about(Subject::permission_set(name.clone()))
    }

    pub(in crate::steps) fn reason(&self) -> String {
        match self {
            Self::Blueprint(name) => {
                format!("blueprint {name} has created it (tag {OWNER_TAG} = {name})")
            }
            Self::ControlTower => {
                format!("it belongs to AWS Control Tower (tag {MANAGED_BY} = {CONTROL_TOWER})")
            }
        }
    }
}

/// The tag with which tools mark the permission sets of AWS Control Tower (aws-samples,
/// aws-identitycenter-codepipeline-auto-assignment).
const MANAGED_BY: &str = "managedBy";
const CONTROL_TOWER: &str = "ControlTower";

#[cfg(test)]
mod tests {
    use super::*;

    fn other(tags: &[(&str, &str)], blueprint: &str) -> Option<Other> {
        let tags = tags.iter();
        let tags = tags.map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
        let blueprint = Blueprint::from_toml(blueprint).expect("a blueprint");
        Other::of(&tags.collect(), &blueprint)
    }

    #[test]
    fn a_set_belongs_to_the_blueprint_of_its_tag() {
        let named = "name = \"web\"";
        assert_eq!(other(&[], named), None);
        assert_eq!(other(&[(OWNER_TAG, "web")], named), None);
        let platform = Some(Other::Blueprint("platform".to_owned()));
        assert_eq!(other(&[(OWNER_TAG, "platform")], named), platform);
        assert_eq!(other(&[(OWNER_TAG, "default")], ""), None);
    }

    #[test]
    fn a_set_of_control_tower_belongs_to_it_unless_the_blueprint_does_not_protect_it() {
        let tags = [("managedBy", "ControlTower")];
        assert_eq!(other(&tags, ""), Some(Other::ControlTower));
        assert_eq!(other(&tags, "[protect]\ncontrol_tower = false"), None);
        assert_eq!(other(&[("managedBy", "Terraform")], ""), None);
    }
}
