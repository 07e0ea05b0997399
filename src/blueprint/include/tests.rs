#![expect(clippy::disallowed_methods, reason = "a test may block its thread")]

use std::{fs, path::PathBuf};

use crate::Blueprint;

/// A folder with these files. The first one is the blueprint.
fn folder(files: &[(&str, &str)]) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, text) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(path, text).expect("a file");
    }
    let main = folder.path().join(files[0].0);
    (folder, main)
}

/// Returns the explanation of the error, without the name of the folder.
#[track_caller]
fn error(files: &[(&str, &str)]) -> String {
    let (folder, main) = folder(files);
    let error = Blueprint::load(&main).expect_err("an error").explain();
    let canonical = fs::canonicalize(folder.path()).expect("a path");
    let without = error.replace(&format!("{}/", folder.path().display()), "");
    without.replace(&format!("{}/", canonical.display()), "")
}

const ENTRY: &str = "[[access]]\ngroup = \"web\"\naccount = \"x\"\npermission_set = \"Web\"\n";

#[test]
fn the_entries_sets_and_lists_of_included_files_are_added_in_order() {
    let (folder, main) = folder(&[
        (
            "company.toml",
            "include = [\"teams/*.toml\"]\n[[access]]\ngroup = \"a\"\naccount = \"x\"\npermission_set = \"Billing\"\n",
        ),
        (
            "teams/web.toml",
            "\n\n[[access]]\ngroup = \"c\"\naccount = \"x\"\npermission_set = \"Web\"\n[permission_sets.Web]\n",
        ),
        (
            "teams/app.toml",
            "lists = { env = [\"dev\"] }\n[[access]]\nfor = \"env\"\ngroup = \"b\"\naccount = \"{env}\"\npermission_set = \"Web\"\n",
        ),
        ("teams/notes.txt", "not a blueprint"),
    ]);
    let blueprint = Blueprint::load(&main).expect("a blueprint");
    let groups: Vec<_> = blueprint
        .access
        .iter()
        .map(|access| access.group.as_deref())
        .collect();
    assert_eq!(groups, [Some("a"), Some("b"), Some("c")]);
    assert!(blueprint.permission_sets.contains_key("Web"));
    let places: Vec<String> = (0..3).map(|entry| blueprint.place(entry)).collect();
    let path = folder.path().display();
    assert_eq!(
        places,
        [
            format!("access[0] ({path}/company.toml:2)"),
            format!("access[1] ({path}/teams/app.toml:2)"),
            format!("access[2] ({path}/teams/web.toml:3)"),
        ]
    );
    assert_eq!(blueprint.include, Vec::<String>::new());
}

#[test]
fn a_digest_covers_the_included_files() {
    let digest = |account: &str| {
        let team = ENTRY.replace("\"x\"", &format!("\"{account}\""));
        let (_folder, main) = folder(&[
            (
                "company.toml",
                "include = [\"team.toml\"]\n[permission_sets.Web]\n",
            ),
            ("team.toml", &team),
        ]);
        Blueprint::load(&main).expect("a blueprint").digest()
    };
    assert_eq!(digest("x"), digest("x"));
    assert_ne!(digest("x"), digest("y"));
}

#[test]
fn an_error_shows_the_file_with_the_wrong_value() {
    insta::assert_snapshot!(error(&[
        (
            "company.toml",
            "include = [\"teams/*.toml\"]\n[permission_sets.Wob]\n"
        ),
        ("teams/web.toml", ENTRY),
    ]));
}

#[test]
fn a_permission_set_in_two_files_is_an_error_with_both_places() {
    insta::assert_snapshot!(error(&[
        (
            "company.toml",
            "include = [\"teams/*.toml\"]\n\n[permission_sets.Web]\n"
        ),
        ("teams/web.toml", "[permission_sets.Web]\n"),
    ]));
}

#[test]
fn a_wrong_include_is_an_error() {
    for (include, expected) in [
        (
            "teams/*.toml",
            "`teams/*.toml` cannot be included: no file matches",
        ),
        (
            "missing.toml",
            "`missing.toml` cannot be included: no file matches",
        ),
        ("../*", "is outside the folder of the blueprint"),
        ("a***b", "`a***b` cannot be included: "),
    ] {
        let main = format!("include = [\"{include}\"]\n");
        let error = error(&[("company/company.toml", &main), ("company.toml", "")]);
        assert!(error.contains(expected), "{error}");
        assert!(error.contains("company.toml:1:12"), "{error}");
    }
}

#[test]
fn an_included_file_has_access_sets_and_lists_only() {
    for text in ["include = [\"x.toml\"]", "[okta]\napp_label = \"x\""] {
        let error = error(&[
            ("company.toml", "include = [\"team.toml\"]"),
            ("team.toml", text),
        ]);
        assert!(error.contains("unknown field"), "{error}");
        assert!(error.contains("team.toml:1"), "{error}");
    }
}

#[cfg(unix)]
#[test]
fn a_link_to_a_file_outside_the_folder_is_not_included() {
    let (other, _) = folder(&[("team.toml", "")]);
    let (folder, main) = folder(&[("company.toml", "include = [\"team.toml\"]")]);
    let link = folder.path().join("team.toml");
    std::os::unix::fs::symlink(other.path().join("team.toml"), link).expect("a link");
    let error = Blueprint::load(&main).expect_err("an error");
    assert!(
        error.to_string().contains("is outside the folder"),
        "{error}"
    );
}

#[test]
fn a_text_cannot_include_files() {
    let error = Blueprint::from_toml("include = [\"a.toml\"]").expect_err("an error");
    assert_eq!(error.help(), Some("read the file with `Blueprint::load`"));
    let missing = Blueprint::load("missing.toml".as_ref()).expect_err("an error");
    assert!(
        missing
            .to_string()
            .starts_with("the blueprint missing.toml cannot be read: ")
    );
}

#[test]
fn a_json_file_is_read_by_its_ending() {
    let (_folder, main) = folder(&[
        (
            "company.json",
            "{\"include\": [\"team.toml\"], \"permission_sets\": {\"Web\": {}}}",
        ),
        ("team.toml", ENTRY),
    ]);
    assert_eq!(Blueprint::load(&main).expect("a blueprint").access.len(), 1);
}
