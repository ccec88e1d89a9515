use super::*;
use crate::sections::{Words, put};

pub(crate) fn component(version: &str) -> Vec<u8> {
    let bare = wat::parse_str(
        r#"(component
            (import "trunkline:host/log@0.1.0" (instance))
            (core module $m (memory 1)) (core instance (instantiate $m))
            (instance $i) (export "civil:crm/citizens@1.4.0" (instance $i)))"#,
    )
    .unwrap();
    let manifest = serde_json::from_value(serde_json::json!({
        "name": "crm-lookup",
        "version": version,
        "department": "civil-affairs",
        "description": "Finds citizens by phone number.",
        "license": "Apache-2.0",
        "authors": ["Li Na"],
        "source": "https://git.civil.example/crm",
    }))
    .unwrap();
    let words = Words {
        manifest: &manifest,
        wit: None,
        revision: None,
    };
    put(&bare, &words).unwrap()
}

#[test]
fn the_manifest_is_that_of_the_layout() {
    let component = component("1.4.2");
    let package = Package::of_component(component.clone()).unwrap();
    assert_eq!(package, Package::of_component(component.clone()).unwrap());
    let sha = |bytes: &[u8]| format!("sha256:{}", Digest::of(bytes));
    let config = format!(
        "{{\"created\":\"1970-01-01T00:00:00Z\",\"author\":\"Li Na\",\"architecture\":\"wasm\",\"os\":\"wasip2\",\
         \"layerDigests\":[\"{}\"],\"component\":{{\"exports\":[\"civil:crm/citizens@1.4.0\"],\
         \"imports\":[\"trunkline:host/log@0.1.0\"],\"target\":null}}}}",
        sha(&component)
    );
    assert_eq!(std::str::from_utf8(package.config()).unwrap(), config);
    let image = format!(
        "{{\"schemaVersion\":2,\"mediaType\":\"application/vnd.oci.image.manifest.v1+json\",\
         \"config\":{{\"mediaType\":\"application/vnd.wasm.config.v0+json\",\"digest\":\"{}\",\"size\":{}}},\
         \"layers\":[{{\"mediaType\":\"application/wasm\",\"digest\":\"{}\",\"size\":{}}}],\
         \"annotations\":{{\"org.opencontainers.image.authors\":\"Li Na\",\
         \"org.opencontainers.image.description\":\"Finds citizens by phone number.\",\
         \"org.opencontainers.image.licenses\":\"Apache-2.0\",\
         \"org.opencontainers.image.source\":\"https://git.civil.example/crm\",\
         \"org.opencontainers.image.title\":\"crm-lookup\",\
         \"org.opencontainers.image.vendor\":\"civil-affairs\",\
         \"org.opencontainers.image.version\":\"1.4.2\"}}}}",
        sha(config.as_bytes()),
        config.len(),
        sha(&component),
        component.len(),
    );
    assert_eq!(std::str::from_utf8(package.image()).unwrap(), image);
    assert_eq!(package.version(), Some(semver::Version::new(1, 4, 2)));
}

#[test]
fn parts_that_do_not_fit_are_refused() {
    let other = component("1.4.1");
    let package = Package::of_component(component("1.4.2")).unwrap();
    let refused = |component: &[u8], config: &[u8], image: &[u8]| {
        Package::of_parts(component.to_vec(), config.to_vec(), image.to_vec(), Vec::new())
            .unwrap_err()
            .to_string()
    };
    let (component, config, image) = (package.component(), package.config(), package.image());
    assert!(refused(&other, config, image).contains("its component is not the one"));
    assert!(refused(component, b"{}", image).contains("its configuration is not the one"));
    let text = std::str::from_utf8(image).unwrap();
    let says = |from: &str, to: &str| refused(component, config, text.replace(from, to).as_bytes());
    assert!(says("vnd.wasm.config.v0", "vnd.oci.image.config.v1").contains("image of a container"));
    assert!(says("application/wasm\"", "application/zip\"").contains("its layer is"));
    assert!(
        says(
            "\"layers\":[",
            "\"layers\":[{\"mediaType\":\"a\",\"digest\":\"b\",\"size\":1},"
        )
        .contains("2 layers")
    );
    assert!(says("\"schemaVersion\":2", "\"schemaVersion\":1").contains("schema version"));
    let size = format!("\"size\":{}}}]", component.len());
    assert!(says(&size, "\"size\":99999999999}]").contains("the most is"));
    assert!(refused(component, config, b"words").contains("is not that of a WebAssembly package"));
    let bare = wat::parse_str("(component)").unwrap();
    assert!(matches!(
        Package::of_component(bare),
        Err(PackageError::NoManifest)
    ));
    let module = wat::parse_str("(module)").unwrap();
    let refused = Package::of_component(module).unwrap_err().to_string();
    assert!(refused.contains("core module"), "{refused}");
}

#[test]
fn a_package_knows_who_signed_it() {
    let mut package = Package::of_component(component("1.4.2")).unwrap();
    let (civil, _) = PrivateKey::generate().unwrap();
    let (other, _) = PrivateKey::generate().unwrap();
    assert!(package.signed_by([civil.public()]).is_none());
    package.sign(&civil, "registry.example/civil/crm").unwrap();
    package.sign(&civil, "registry.example/civil/crm").unwrap();
    assert_eq!(package.signatures().len(), 1);
    assert_eq!(
        package.signed_by([other.public(), civil.public()]),
        Some(civil.public())
    );
    assert!(package.signed_by([other.public()]).is_none());
}
