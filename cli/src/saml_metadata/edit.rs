//! The commands that write metadata: `edit` and `sign`.

use std::{error::Error, io::Write, path::Path};

use okta_aws_sso::saml::{
    Certificate, Document, Edit, Element, EntityDescriptor, KeyDescriptor, Role, RoleDescriptor,
    names::namespace,
    signature::{Signer, SigningKey},
};

use super::{
    args::{self, BomAction, EditOptions, OutputFile, RoleName, Sign, Until},
    file_error, read_bytes,
    source::{Reader, Source},
};

pub(super) async fn run(
    command: &args::Edit,
    reader: &Reader,
    out: &mut impl Write,
) -> Result<(), Box<dyn Error>> {
    match command {
        args::Edit::ValidUntil {
            until: Until(until),
            options,
        } => {
            let document = reader.read(&options.input.file).await?;
            let element = match &options.entity {
                None => document.root(),
                Some(_) => entity(&document, options)?.element(),
            };
            let edit = match until {
                Some(until) => document.edit().set_valid_until(element, *until),
                None => document.edit().remove_valid_until(element),
            };
            finish(edit, element, options, out)
        }
        args::Edit::AddCertificate {
            certificate,
            key_use,
            options,
        } => {
            let document = reader.read(&options.input.file).await?;
            let role = role(&document, options)?;
            let new = read_certificate(certificate)?;
            let edit = document
                .edit()
                .add_certificate(role, key_use.key_use(), &new);
            finish(edit, role.element(), options, out)
        }
        args::Edit::ReplaceCertificate { old, new, options } => {
            let document = reader.read(&options.input.file).await?;
            let role = role(&document, options)?;
            let (old, new) = (select(role, old)?, read_certificate(new)?);
            let edit = document.edit().replace_certificate(role, &old, &new);
            finish(edit, role.element(), options, out)
        }
        args::Edit::RemoveCertificate {
            certificate,
            options,
        } => {
            let document = reader.read(&options.input.file).await?;
            let role = role(&document, options)?;
            let old = select(role, certificate)?;
            let edit = document.edit().remove_certificate(role, &old);
            finish(edit, role.element(), options, out)
        }
        args::Edit::Bom {
            action,
            input,
            output,
        } => {
            let document = reader.read(&input.file).await?;
            let edit = match action {
                BomAction::Add => document.edit().add_byte_order_mark(),
                BomAction::Remove => document.edit().remove_byte_order_mark(),
            };
            write(&apply(edit, &input.file)?, output, out)
        }
        args::Edit::Unsign { input, output } => {
            let document = reader.read(&input.file).await?;
            let edit = document.edit().remove_signature(document.root());
            write(&apply(edit, &input.file)?, output, out)
        }
        args::Edit::Extract {
            entity_id,
            input,
            output,
        } => {
            let document = reader.read(&input.file).await?;
            let entity = document
                .entity_by_id(entity_id)
                .ok_or_else(|| format!("{} has no entity {entity_id}", input.file))?;
            let alone = entity
                .to_document()
                .map_err(|error| file_error(&input.file, error))?;
            write(&alone, output, out)
        }
    }
}

pub(super) async fn sign(
    args: &Sign,
    reader: &Reader,
    out: &mut impl Write,
) -> Result<(), Box<dyn Error>> {
    let document = reader.read(&args.input.file).await?;
    let key = read_key(&args.key)?;
    let mut signer = Signer::new(&key);
    if let Some(algorithm) = args.algorithm {
        signer = signer.algorithm(algorithm);
    }
    if let Some(path) = &args.certificate {
        signer = signer.certificate(&read_certificate(path)?);
    }
    let result = if args.renew {
        signer.renew(&document)
    } else {
        signer.sign(&document)
    };
    let document = result.map_err(|error| file_error(&args.input.file, error))?;
    write(&document, &args.output, out)
}

/// Applies an edit inside an element, without the signatures that it makes invalid, and writes the result.
fn finish<'a>(
    mut edit: Edit<'a>,
    element: Element<'a>,
    options: &EditOptions,
    out: &mut impl Write,
) -> Result<(), Box<dyn Error>> {
    for ancestor in element.ancestors() {
        let mut signatures = ancestor.children_named(namespace::SIGNATURE, "Signature");
        if signatures.next().is_none() {
            continue;
        }
        if !options.unsign && options.key.is_none() {
            return Err(format!(
                "{} is signed, and the change makes the signature of `{}` invalid: add --unsign to remove it, or --key \
                 to sign the file again",
                options.input.file,
                ancestor.qualified_name()
            )
            .into());
        }
        edit = edit.remove_signature(ancestor);
    }
    let mut document = apply(edit, &options.input.file)?;
    if let Some(path) = &options.key {
        document = Signer::new(&read_key(path)?)
            .renew(&document)
            .map_err(|error| file_error(&options.input.file, error))?;
    }
    write(&document, &options.output, out)
}

fn apply(edit: Edit<'_>, file: &Source) -> Result<Document, Box<dyn Error>> {
    Ok(edit.apply().map_err(|error| file_error(file, error))?)
}

fn entity<'a>(
    document: &'a Document,
    options: &EditOptions,
) -> Result<EntityDescriptor<'a>, Box<dyn Error>> {
    let file = &options.input.file;
    match &options.entity {
        None => Ok(document.entity().map_err(|error| file_error(file, error))?),
        Some(id) => Ok(document
            .entity_by_id(id)
            .ok_or_else(|| format!("{file} has no entity {id}"))?),
    }
}

/// Returns the role to change.
fn role<'a>(
    document: &'a Document,
    options: &EditOptions,
) -> Result<RoleDescriptor<'a>, Box<dyn Error>> {
    let entity = entity(document, options)?;
    let idp = || entity.identity_provider().map(Role::IdentityProvider);
    let sp = || entity.service_provider().map(Role::ServiceProvider);
    let role = match options.role {
        Some(RoleName::Idp) => idp(),
        Some(RoleName::Sp) => sp(),
        None => idp().or_else(sp),
    };
    let role = role.ok_or_else(|| format!("{} has no such role", entity.entity_id()))?;
    Ok(role.descriptor())
}

/// Returns a certificate of a role, given its SHA-256 fingerprint or a file.
fn select(role: RoleDescriptor<'_>, text: &str) -> Result<Certificate, Box<dyn Error>> {
    let digits: String = text.chars().filter(|c| *c != ':').collect();
    if digits.len() != 64 || !digits.chars().all(|c| c.is_ascii_hexdigit()) {
        return read_certificate(Path::new(text));
    }
    let matches = |certificate: &Certificate| {
        let own = certificate.fingerprint_sha256().replace(':', "");
        own.eq_ignore_ascii_case(&digits)
    };
    let keys = role.key_descriptors().flat_map(KeyDescriptor::certificates);
    keys.filter_map(Result::ok).find(matches).ok_or_else(|| {
        let name = role.element().local_name();
        format!("{name} has no certificate {text}").into()
    })
}

pub(super) fn read_certificate(path: &Path) -> Result<Certificate, Box<dyn Error>> {
    let certificate = Certificate::from_file(&read_bytes(path)?);
    Ok(certificate.map_err(|error| file_error(&path.display(), error))?)
}

pub(super) fn read_key(path: &Path) -> Result<SigningKey, Box<dyn Error>> {
    let key = SigningKey::from_file(&read_bytes(path)?);
    Ok(key.map_err(|error| file_error(&path.display(), error))?)
}

fn write(
    document: &Document,
    file: &OutputFile,
    out: &mut impl Write,
) -> Result<(), Box<dyn Error>> {
    match &file.output {
        Some(path) => write_file(path, document.bytes()),
        None => Ok(out.write_all(document.bytes())?),
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the program has nothing else to do"
)]
pub(super) fn write_file(path: &Path, bytes: &[u8]) -> Result<(), Box<dyn Error>> {
    std::fs::write(path, bytes).map_err(|error| file_error(&path.display(), error))?;
    Ok(())
}
