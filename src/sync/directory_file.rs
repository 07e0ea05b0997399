//! A directory in files: one JSON document, or a folder with CSV tables.

use std::{fs, path::Path};

use scim_types::ExternalId;
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;

use super::{
    directory::{Directory, Group, UnreadItem, User},
    profile::UserProfile,
};
use crate::{
    error::{Error, ErrorKind, Result},
    user_attribute::Attribute,
};

impl Directory {
    /// Reads a directory from a file with JSON, or from a folder with the tables of [`from_csv`](Self::from_csv) as
    /// `users.csv`, `groups.csv` and `members.csv`.
    ///
    /// # Errors
    ///
    /// Fails if a file cannot be read, and as [`from_json`](Self::from_json) and `from_csv` do.
    ///
    /// # Blocking
    ///
    /// Reads files with blocking calls. In a program with other tasks, call it on a thread for blocking work.
    #[expect(
        clippy::disallowed_methods,
        reason = "the documentation says that the function blocks"
    )]
    pub fn load(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let read = |path: &Path| {
            fs::read_to_string(path).map_err(|error| {
                let what = format!("{} could not be read: {error}", path.display());
                unusable(what, "write the file in UTF-8, and let the program read it")
            })
        };
        let named = |error: Error| error.with_context(path.display().to_string());
        if path.is_dir() {
            let [users, groups, members] =
                ["users.csv", "groups.csv", "members.csv"].map(|name| read(&path.join(name)));
            return Self::from_csv(&users?, &groups?, &members?).map_err(named);
        }
        Self::from_json(&read(path)?).map_err(named)
    }

    /// Reads a directory from JSON: an object with the lists `users` and `groups`, as [`Directory`] is serialized.
    ///
    /// A user or group that cannot be read, for example because of an unknown key, is an item of
    /// [`incomplete`](Self::incomplete), so that the sync removes nothing.
    ///
    /// # Errors
    ///
    /// Fails if the text is not JSON, if it is not such an object, or if the object has an unknown key.
    pub fn from_json(json: &str) -> Result<Self> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Lists {
            users: Vec<Value>,
            groups: Vec<Value>,
            #[serde(default)]
            remarks: Vec<String>,
            #[serde(default)]
            incomplete: Vec<UnreadItem>,
        }
        let lists: Lists = serde_json::from_str(json).map_err(|error| {
            unusable(
                format!("the directory is not usable JSON: {error}"),
                "write an object with the lists `users` and `groups`",
            )
        })?;
        let mut directory = Self {
            remarks: lists.remarks,
            incomplete: lists.incomplete,
            ..Self::default()
        };
        directory.users = directory.read_all("users", lists.users);
        directory.groups = directory.read_all("groups", lists.groups);
        Ok(directory)
    }

    /// Reads a directory from CSV tables with a header.
    ///
    /// | table | columns |
    /// | --- | --- |
    /// | `users` | `id`, `user_name`, `given_name`, `family_name`, `display_name`; optional: `email`, `active` (`true` or `false`, default: `true`) and the keys of [`Attribute`] |
    /// | `groups` | `id`, `name` |
    /// | `members` | `group`, `member`, both by id |
    ///
    /// A cell without text is no value. A row that cannot be read is an item of [`incomplete`](Self::incomplete), so that the
    /// sync removes nothing.
    ///
    /// # Errors
    ///
    /// Fails if a header has an unknown or repeated column, or lacks one.
    pub fn from_csv(users: &str, groups: &str, members: &str) -> Result<Self> {
        let mut directory = Self::default();
        let optional = ["email", "active"].into_iter();
        let optional = optional.chain(Attribute::ALL.iter().map(|attribute| attribute.key()));
        let optional: Vec<&str> = optional.collect();
        let users = Table::read("users", users, &USER_COLUMNS, &optional)?;
        directory.users = directory.read_rows(&users, user);
        let groups = Table::read("groups", groups, &["id", "name"], &[])?;
        directory.groups = directory.read_rows(&groups, |row| {
            Ok(Group {
                id: row.id("id")?,
                name: row.required("name")?.to_owned(),
                ..Group::default()
            })
        });
        let members = Table::read("members", members, &["group", "member"], &[])?;
        let pairs = directory.read_rows(&members, |row| Ok((row.id("group")?, row.id("member")?)));
        let known: std::collections::HashMap<ExternalId, usize> = directory
            .groups
            .iter()
            .enumerate()
            .map(|(index, group)| (group.id.clone(), index))
            .collect();
        for (group, member) in pairs {
            match known.get(&group) {
                Some(index) => _ = directory.groups[*index].members.insert(member),
                None => directory.incomplete.push(UnreadItem {
                    item: format!("member {member} of group {group}"),
                    reason: "table groups does not have this group".to_owned(),
                }),
            }
        }
        Ok(directory)
    }

    /// Reads the records of a list; those that cannot be read become unread items.
    fn read_all<T: DeserializeOwned>(&mut self, list: &str, records: Vec<Value>) -> Vec<T> {
        let read = records.into_iter().zip(1..).filter_map(|(record, number)| {
            let id = record.get("id").and_then(Value::as_str).unwrap_or("no id");
            let item = format!("record {number} of {list} ({id})");
            let unread = |error: serde_json::Error| UnreadItem {
                item,
                reason: error.to_string(),
            };
            T::deserialize(record)
                .map_err(|error| self.incomplete.push(unread(error)))
                .ok()
        });
        read.collect()
    }

    /// Reads the rows of a table; those that cannot be read become unread items.
    fn read_rows<T>(
        &mut self,
        table: &Table,
        read: impl Fn(&Row<'_>) -> std::result::Result<T, String>,
    ) -> Vec<T> {
        let rows = table.rows.iter().filter_map(|row| {
            let result = match row {
                (_, Err(error)) => Err(error.clone()),
                (_, Ok(cells)) => read(&Row {
                    header: &table.header,
                    cells,
                }),
            };
            let unread = |reason| UnreadItem {
                item: format!("line {} of table {}", row.0, table.name),
                reason,
            };
            result
                .map_err(|reason| self.incomplete.push(unread(reason)))
                .ok()
        });
        rows.collect()
    }
}

/// Reads a row of the table `users`.
fn user(row: &Row<'_>) -> std::result::Result<User, String> {
    let text = |column| row.get(column).unwrap_or_default().to_owned();
    let active = match row.get("active") {
        None | Some("true") => true,
        Some("false") => false,
        Some(other) => return Err(format!("`{other}` is neither `true` nor `false` (active)")),
    };
    let optional = Attribute::ALL.iter().filter_map(|attribute| {
        let value = row.get(attribute.key())?;
        Some((*attribute, value.to_owned()))
    });
    let profile = UserProfile {
        user_name: row.required("user_name")?.to_owned(),
        given_name: text("given_name"),
        family_name: text("family_name"),
        display_name: text("display_name"),
        email: row.get("email").map(ToOwned::to_owned),
        active,
        optional: optional.collect(),
    };
    Ok(User::new(row.id("id")?, profile))
}

/// A table with its rows, each with its line and with the reason if it cannot be read.
struct Table {
    name: &'static str,
    header: csv::StringRecord,
    rows: Vec<(u64, std::result::Result<csv::StringRecord, String>)>,
}

impl Table {
    fn read(name: &'static str, text: &str, required: &[&str], optional: &[&str]) -> Result<Self> {
        let mut reader = csv::Reader::from_reader(text.as_bytes());
        let header = reader.headers().map_err(|error| {
            let what = format!("the header of table {name} could not be read: {error}");
            unusable(what, "write a header with the names of the columns")
        })?;
        let header = header.clone();
        let expected = || [required, optional].concat().join(", ");
        let wrong = |what: String| {
            let help = format!("use the columns {}", expected());
            Err(unusable(format!("table {name} {what}"), help))
        };
        for (index, column) in header.iter().enumerate() {
            if !required.contains(&column) && !optional.contains(&column) {
                return wrong(format!("has the unknown column `{column}`"));
            }
            if header.iter().take(index).any(|other| other == column) {
                return wrong(format!("has the column `{column}` twice"));
            }
        }
        if let Some(column) = required
            .iter()
            .find(|column| !header.iter().any(|name| name == **column))
        {
            return wrong(format!("does not have the column `{column}`"));
        }
        let mut rows = Vec::new();
        for row in reader.records() {
            rows.push(match row {
                Ok(row) => (row.position().map_or(0, csv::Position::line), Ok(row)),
                Err(error) => {
                    let line = error.position().map_or(0, csv::Position::line);
                    (line, Err(error.to_string()))
                }
            });
        }
        Ok(Self { name, header, rows })
    }
}

struct Row<'a> {
    header: &'a csv::StringRecord,
    cells: &'a csv::StringRecord,
}

impl<'a> Row<'a> {
    /// Returns the text of a cell; `None` if the table does not have the column, or the cell is empty.
    fn get(&self, column: &str) -> Option<&'a str> {
        let index = self.header.iter().position(|name| name == column)?;
        self.cells.get(index).filter(|text| !text.is_empty())
    }

    fn required(&self, column: &str) -> std::result::Result<&'a str, String> {
        self.get(column)
            .ok_or_else(|| format!("the row has no text in column `{column}`"))
    }

    fn id(&self, column: &str) -> std::result::Result<ExternalId, String> {
        self.required(column).map(ExternalId::new)
    }
}

fn unusable(message: String, help: impl Into<String>) -> Error {
    Error::new(ErrorKind::UnusableSubject, message).with_help(help)
}

/// The columns that the table `users` must have.
const USER_COLUMNS: [&str; 5] = [
    "id",
    "user_name",
    "given_name",
    "family_name",
    "display_name",
];

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "a test may block")]
mod tests {
    use super::*;

    const USERS: &str = "id,user_name,given_name,family_name,display_name,email,active,cost_center\n\
        u1,ada@example.com,Ada,Lovelace,\"Lovelace, Ada\",ada@example.com,true,7\n\
        u2,bob@example.com,Bob,Hope,Bob Hope,,false,\n";
    const GROUPS: &str = "id,name\ng1,engines\n";
    const MEMBERS: &str = "group,member\ng1,u1\ng1,u2\n";

    #[test]
    fn tables_and_json_give_the_same_directory() {
        let directory = Directory::from_csv(USERS, GROUPS, MEMBERS).expect("tables");
        assert_eq!(directory.incomplete, []);
        let ada = &directory.users[0].profile;
        assert_eq!(ada.display_name, "Lovelace, Ada");
        assert_eq!(ada.optional[&Attribute::CostCenter], "7");
        let bob = &directory.users[1].profile;
        assert_eq!((bob.email.as_deref(), bob.active), (None, false));
        assert_eq!(bob.optional.len(), 0);
        assert_eq!(directory.groups[0].members.len(), 2);
        let json = serde_json::to_string(&directory).expect("JSON");
        assert_eq!(Directory::from_json(&json).expect("JSON"), directory);
    }

    #[test]
    fn a_table_can_have_each_attribute() {
        let keys: Vec<&str> = { Attribute::ALL.iter() }
            .map(|attribute| attribute.key())
            .collect();
        let header = format!(
            "id,user_name,given_name,family_name,display_name,{}",
            keys.join(",")
        );
        let users = format!("{header}\nu1,ada,Ada,Lovelace,Ada,{}\n", keys.join(","));
        let directory = Directory::from_csv(&users, GROUPS, MEMBERS).expect("tables");
        let profile = &directory.users[0].profile;
        assert_eq!(profile.optional.len(), keys.len());
        for (attribute, value) in &profile.optional {
            assert_eq!(value, attribute.key());
        }
        let json = serde_json::to_string(&directory).expect("JSON");
        assert_eq!(Directory::from_json(&json).expect("JSON"), directory);
    }

    #[test]
    fn an_unknown_key_is_an_error_and_does_not_remove_a_value() {
        let mail = USERS.replace("email", "mail");
        let error = Directory::from_csv(&mail, GROUPS, MEMBERS).expect_err("a column");
        assert!(
            error.to_string().contains("unknown column `mail`"),
            "{error}"
        );
        let json = r#"{"users": [
            {"id": "u1", "profile": {"user_name": "a", "given_name": "A", "family_name": "B", "display_name": "C", "active": true, "mail": "a@b"}},
            {"id": "u2", "profile": {"user_name": "b", "given_name": "A", "family_name": "B", "display_name": "C", "active": true}}
        ], "groups": [{"id": "g1", "name": "a", "members": [], "owner": "u1"}]}"#;
        let directory = Directory::from_json(json).expect("a directory");
        assert_eq!(directory.users.len(), 1, "the other user is read");
        let unread: Vec<String> = { directory.incomplete.iter() }
            .map(ToString::to_string)
            .collect();
        assert!(
            unread[0].starts_with("record 1 of users (u1) (unknown field `mail`"),
            "{unread:?}"
        );
        assert!(
            unread[1].starts_with("record 1 of groups (g1) (unknown field `owner`"),
            "{unread:?}"
        );
        for (text, wrong) in [
            ("{", "not usable JSON"),
            (r#"{"users": []}"#, "missing field `groups`"),
            (
                r#"{"users": [], "groups": [], "members": []}"#,
                "unknown field `members`",
            ),
        ] {
            let error = Directory::from_json(text).expect_err(text).to_string();
            assert!(error.contains(wrong), "{error}");
        }
    }

    #[test]
    fn a_row_that_cannot_be_read_is_named_by_its_line() {
        let users =
            format!("{USERS}u3,c@example.com\nu4,,D,D,D,,true,\nu5,e@example.com,E,E,E,,yes,\n");
        let members = format!("{MEMBERS}g2,u1\n");
        let directory = Directory::from_csv(&users, GROUPS, &members).expect("tables");
        assert_eq!(directory.users.len(), 2);
        let unread: Vec<String> = { directory.incomplete.iter() }
            .map(ToString::to_string)
            .collect();
        assert_eq!(unread.len(), 4, "{unread:?}");
        assert!(
            unread[0].starts_with("line 4 of table users (CSV error"),
            "{unread:?}"
        );
        assert_eq!(
            unread[1],
            "line 5 of table users (the row has no text in column `user_name`)"
        );
        assert_eq!(
            unread[2],
            "line 6 of table users (`yes` is neither `true` nor `false` (active))"
        );
        assert_eq!(
            unread[3],
            "member u1 of group g2 (table groups does not have this group)"
        );
    }

    #[test]
    fn a_header_must_have_each_column_once() {
        for (users, wrong) in [
            (
                USERS.replace("user_name", "userName"),
                "unknown column `userName`",
            ),
            (USERS.replace("active", "email"), "the column `email` twice"),
            (
                USERS.replacen("display_name,", "", 1),
                "not have the column `display_name`",
            ),
            (String::new(), "not have the column `id`"),
        ] {
            let error = Directory::from_csv(&users, GROUPS, MEMBERS).expect_err("a header");
            assert!(error.to_string().contains(wrong), "{error}");
        }
    }

    #[test]
    fn files_are_read_by_their_path() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path();
        let missing = Directory::load(path).expect_err("no tables").to_string();
        assert!(missing.contains("users.csv could not be read"), "{missing}");
        for (name, text) in [
            ("users.csv", USERS),
            ("groups.csv", GROUPS),
            ("members.csv", MEMBERS),
        ] {
            fs::write(path.join(name), text).expect("a file");
        }
        let tables = Directory::load(path).expect("tables");
        let json = path.join("directory.json");
        fs::write(&json, serde_json::to_string(&tables).expect("JSON")).expect("a file");
        assert_eq!(Directory::load(&json).expect("JSON"), tables);
    }
}
