//! Serializes findings and rules. All fields are numbers or strings that need no further parsing.

use serde::{Serialize, Serializer, ser::SerializeStruct as _};

use crate::{Finding, Position, Profile, Rule, RuleId, Severity};

/// Implements `Serialize` with the text of `Display`.
macro_rules! as_text {
    ($($name:ident)+) => {$(
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }
    )+};
}

as_text!(Profile RuleId Severity);

impl Serialize for Position {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut position = serializer.serialize_struct("Position", 3)?;
        position.serialize_field("offset", &self.offset)?;
        position.serialize_field("line", &self.line)?;
        position.serialize_field("column", &self.column)?;
        position.end()
    }
}

impl Serialize for Finding {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut finding = serializer.serialize_struct("Finding", 8)?;
        finding.serialize_field("rule", &self.rule)?;
        finding.serialize_field("severity", &self.severity)?;
        finding.serialize_field("message", &self.message)?;
        finding.serialize_field("path", &self.path)?;
        finding.serialize_field("span", &self.span)?;
        finding.serialize_field("position", &self.position)?;
        finding.serialize_field("help", self.help)?;
        finding.serialize_field("clause", self.clause)?;
        finding.end()
    }
}

impl Serialize for Rule {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut rule = serializer.serialize_struct("Rule", 4)?;
        rule.serialize_field("id", &self.id)?;
        rule.serialize_field("summary", self.summary)?;
        rule.serialize_field("clause", self.clause)?;
        rule.serialize_field("help", self.help)?;
        rule.end()
    }
}
