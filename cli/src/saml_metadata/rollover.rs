//! The command `rollover`: plans the rotation of a signing key.

use std::{error::Error, io::Write, path::Path};

use okta_aws_sso::saml::{
    self,
    rollover::{Consumer, Provider, RotationPlan, RotationRequest},
    signature::Signer,
};

use super::{
    args::{ConsumerName, ProviderName, Rollover},
    edit::{read_certificate, read_key, write_file},
    file_error, now,
    source::Reader,
};
use crate::{Status, terminal};

pub(super) async fn run(
    args: &Rollover,
    reader: &Reader,
    out: &mut impl Write,
) -> Result<Status, Box<dyn Error>> {
    let metadata = reader.read(&args.metadata).await?;
    let new = read_certificate(&args.certificate)?;
    let mut consumer = match args.consumer {
        ConsumerName::AwsIdentityCenter => Consumer::aws_identity_center(),
        ConsumerName::Metadata => Consumer::metadata("the partner"),
    };
    if let Some(max) = args.max_certificates {
        consumer = consumer.max_certificates(max);
    }
    if let Some(reload) = args.reload {
        consumer = consumer.reload(reload);
    }
    let start = args.start.unwrap_or_else(now);
    let mut request = RotationRequest::new(&metadata, &new, start)
        .consumer(consumer)
        .provider(match args.provider {
            ProviderName::Okta => Provider::Okta,
            ProviderName::Other => Provider::Other,
        });
    if let Some(time) = args.activate_at {
        request = request.activate_at(time);
    }
    if let Some(time) = args.retire_at {
        request = request.retire_at(time);
    }
    let plan = match request.plan() {
        Ok(plan) => plan,
        Err(error @ saml::rollover::RotationError::Entity(_)) => {
            return Err(file_error(&args.metadata, error).into());
        }
        Err(error) => {
            terminal::note(&format!("no safe rotation: {error}"));
            return Ok(Status::Failed);
        }
    };
    let json = serde_json::to_string(&plan)?;
    if let Some(folder) = &args.output {
        write_files(&plan, folder, args.key.as_deref())?;
        write_file(&folder.join("plan.txt"), plan.to_string().as_bytes())?;
        write_file(&folder.join("plan.json"), format!("{json}\n").as_bytes())?;
    }
    if args.json {
        writeln!(out, "{json}")?;
    } else {
        write!(out, "{}", terminal::fitted(&plan.to_string()))?;
    }
    Ok(Status::Done)
}

/// Writes the files of the steps, and signs those that need a signature if there is a key.
fn write_files(
    plan: &RotationPlan,
    folder: &Path,
    key: Option<&Path>,
) -> Result<(), Box<dyn Error>> {
    #[expect(
        clippy::disallowed_methods,
        reason = "the program has nothing else to do"
    )]
    std::fs::create_dir_all(folder).map_err(|error| file_error(&folder.display(), error))?;
    let key = key.map(read_key).transpose()?;
    for file in plan.steps.iter().flat_map(|step| &step.files) {
        let path = folder.join(&file.name);
        match &key {
            Some(key) if file.needs_signature => {
                let signed = Signer::new(key).sign(&saml::read(&file.bytes)?);
                let signed = signed.map_err(|error| file_error(&file.name, error))?;
                write_file(&path, signed.bytes())?;
            }
            _ => write_file(&path, &file.bytes)?,
        }
    }
    Ok(())
}
