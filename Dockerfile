# The directory sync as a job: one run for each start of the container. docs/SCHEDULED_SYNC.md describes the variables.
FROM rust:1.95-slim-bookworm AS build
WORKDIR /src
COPY . .
RUN cargo build --release --locked -p okta-aws-sso-cli

# The C library and the root certificates, and neither a shell nor a package manager.
FROM gcr.io/distroless/cc-debian12
COPY --from=build /src/target/release/okta-aws-sso /usr/local/bin/okta-aws-sso
# The user `nonroot` of the image.
USER 65532:65532
ENTRYPOINT ["/usr/local/bin/okta-aws-sso", "sync", "--yes"]
