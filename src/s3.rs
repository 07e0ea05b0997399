//! State in Amazon S3, with the credentials and endpoints of a connection to AWS.

use std::{
    fmt,
    sync::Arc,
    time::{Duration, SystemTime},
};

use aws_sso_glue::{Aws, Partition};
use futures::future::BoxFuture;
use object_store::{
    CredentialProvider,
    aws::{AmazonS3Builder, AwsCredential},
    path::Path,
};
use rest_core::{Clock as _, SystemClock};
use tokio::sync::Mutex;
use url::Url;

use crate::{
    error::{Error, ErrorKind, Result},
    state::StateStore,
};

impl StateStore {
    /// Opens a store in Amazon S3, below `s3://BUCKET/PREFIX`. Needs the feature `s3`.
    ///
    /// The bucket is in the Region of the connection, unless the location ends with `?region=REGION`. The keys are those of the
    /// connection, from any source of the AWS SDK such as a profile or a role. `AWS_ENDPOINT_URL_S3` or the profile can set
    /// another endpoint, for a service with the API of S3.
    ///
    /// The caller needs `s3:GetObject`, `s3:PutObject` and `s3:DeleteObject` on the objects below the prefix, and
    /// `s3:ListBucket` on the bucket: without it, S3 answers 403 instead of 404 to a read of an object that does not exist
    /// (Amazon S3 API reference, `GetObject`). The bucket is not read before the first use of the state.
    ///
    /// # Errors
    ///
    /// Fails if the location has another form, if the connection has no usable credentials, or if the endpoint is neither
    /// https nor on this machine.
    pub async fn s3(location: &str, aws: &Aws) -> Result<Self> {
        let location = Location::parse(location)?;
        let region = location.region.as_deref().unwrap_or_else(|| aws.region());
        let failed = |error| Error::service("the state in Amazon S3 cannot be opened", error);
        let mut builder = AmazonS3Builder::new()
            .with_bucket_name(&location.bucket)
            .with_region(region)
            .with_credentials(Arc::new(Keys::of(aws).await.map_err(failed)?));
        if let Some(endpoint) = aws.endpoint_override("S3").map_err(failed)? {
            // An http endpoint of the connection is on this machine.
            builder = builder
                .with_allow_http(endpoint.starts_with("http://"))
                .with_endpoint(endpoint);
        } else if let Some(suffix) =
            Partition::of_region(region).and_then(|partition| partition.dns_suffix())
        {
            builder = builder.with_endpoint(format!("https://s3.{region}.{suffix}"));
        }
        let store = builder.build().map_err(|error| {
            Error::new(
                ErrorKind::State,
                format!("the bucket {} cannot be used", location.bucket),
            )
            .with_source(error)
        })?;
        Ok(Self::on(Arc::new(store), location.prefix))
    }
}

/// A place in Amazon S3.
#[derive(Debug, PartialEq, Eq)]
struct Location {
    bucket: String,
    prefix: Path,
    region: Option<String>,
}

impl Location {
    fn parse(text: &str) -> Result<Self> {
        let invalid = || {
            // The user and the password of a URL are before the last `@`.
            let shown = match text.rsplit_once('@') {
                Some((_, place)) => format!("…@{place}"),
                None => text.to_owned(),
            };
            Error::new(
                ErrorKind::State,
                format!("`{shown}` is not a place in Amazon S3"),
            )
            .with_help("write s3://BUCKET/PREFIX, or s3://BUCKET/PREFIX?region=REGION")
        };
        let url = Url::parse(text).map_err(|error| invalid().with_source(error))?;
        let mut region = None;
        for (name, value) in url.query_pairs() {
            if name != "region" || value.is_empty() || region.replace(value.into_owned()).is_some()
            {
                return Err(invalid());
            }
        }
        let bucket = url.host_str().filter(|bucket| !bucket.is_empty());
        let has_more = url.port().is_some() || !url.authority().eq(bucket.unwrap_or_default());
        match bucket {
            Some(bucket) if url.scheme() == "s3" && !has_more && url.fragment().is_none() => {
                Ok(Self {
                    bucket: bucket.to_owned(),
                    prefix: Path::from_url_path(url.path())
                        .map_err(|error| invalid().with_source(error))?,
                    region,
                })
            }
            _ => Err(invalid()),
        }
    }
}

/// The keys of a connection, which are kept until they are about to expire.
struct Keys {
    aws: Aws,
    current: Mutex<(Arc<AwsCredential>, Option<SystemTime>)>,
}

impl Keys {
    async fn of(aws: &Aws) -> std::result::Result<Self, aws_sso_glue::Error> {
        Ok(Self {
            aws: aws.clone(),
            current: Mutex::new(read(aws).await?),
        })
    }
}

async fn read(
    aws: &Aws,
) -> std::result::Result<(Arc<AwsCredential>, Option<SystemTime>), aws_sso_glue::Error> {
    let (keys, expires) = aws.credentials().await?;
    let keys = AwsCredential {
        key_id: keys.access_key_id,
        secret_key: keys.secret_access_key.expose().to_owned(),
        token: keys.session_token.map(|token| token.expose().to_owned()),
    };
    Ok((Arc::new(keys), expires))
}

impl CredentialProvider for Keys {
    type Credential = AwsCredential;

    fn get_credential<'s, 'f>(&'s self) -> BoxFuture<'f, object_store::Result<Arc<AwsCredential>>>
    where
        's: 'f,
        Self: 'f,
    {
        Box::pin(async {
            let mut current = self.current.lock().await;
            let renew_after = SystemClock.now() + MIN_LEFT;
            if current.1.is_some_and(|expires| expires < renew_after) {
                *current = read(&self.aws)
                    .await
                    .map_err(|error| object_store::Error::Generic {
                        store: "S3",
                        source: Box::new(error),
                    })?;
            }
            Ok(Arc::clone(&current.0))
        })
    }
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keys").finish_non_exhaustive()
    }
}

/// Keys with less time left are read again: a request with its retries takes less.
const MIN_LEFT: Duration = Duration::from_mins(5);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_in_s3_has_a_bucket_a_prefix_and_a_region() {
        let location = |text| Location::parse(text).expect("a place");
        let place = location("s3://my.bucket-1/identity/sync?region=eu-central-1");
        assert_eq!(place.bucket, "my.bucket-1");
        assert_eq!(place.prefix, Path::from("identity/sync"));
        assert_eq!(place.region.as_deref(), Some("eu-central-1"));
        let place = location("s3://states");
        assert_eq!((place.prefix, place.region), (Path::default(), None));
    }

    #[test]
    fn another_place_is_refused_with_the_form_to_write() {
        for text in [
            "s3://",
            "s3:///prefix",
            "https://states.s3.amazonaws.com/prefix",
            "s3://user:password@states/prefix",
            "s3://user:pass/password@states/prefix",
            "s3://states:9000/prefix",
            "s3://states/prefix#part",
            "s3://states/prefix?regoin=eu-central-1",
            "s3://states/prefix?region=",
            "states/prefix",
        ] {
            let error = Location::parse(text).expect_err(text);
            assert!(error.explain().contains("s3://BUCKET/PREFIX"), "{text}");
            assert!(!format!("{error:?}").contains("password"), "{error:?}");
        }
    }
}
