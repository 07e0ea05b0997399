//! The values given to a builder read back unchanged, or building fails.
#![no_main]

use libfuzzer_sys::fuzz_target;
use saml_metadata::{
    Certificate,
    write::{IdpMetadata, SpMetadata},
};

fuzz_target!(|input: (&str, &str, &str, Vec<u8>)| {
    let (entity_id, location, name, certificate) = input;
    let mut idp = IdpMetadata::new(entity_id);
    if let Ok(certificate) = Certificate::from_der(certificate) {
        idp = idp.signing_certificate(&certificate);
    }
    let idp = idp
        .single_sign_on_service(name, location)
        .name_id_format(name)
        .technical_contact(name)
        .organization(name, location, entity_id)
        .build();
    if let Ok(idp) = idp {
        let entity = idp.entity().expect("one entity");
        assert_eq!(entity.element().attribute("entityID"), Some(entity_id));
        let role = entity.identity_provider().expect("the role built");
        let service = role
            .single_sign_on_services()
            .next()
            .expect("the service built");
        assert_eq!(service.element().attribute("Location"), Some(location));
        assert_eq!(service.element().attribute("Binding"), Some(name));
    }
    let sp = SpMetadata::new(entity_id)
        .assertion_consumer_service(name, location)
        .build();
    if let Ok(sp) = sp {
        let entity = sp.entity().expect("one entity");
        let role = entity.service_provider().expect("the role built");
        let service = role
            .assertion_consumer_services()
            .next()
            .expect("the service built");
        assert_eq!(service.element().attribute("Location"), Some(location));
    }
});
