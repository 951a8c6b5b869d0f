use super::*;

#[test]
fn the_defaults_pass() {
    let checked = Config::default().check().unwrap();
    assert_eq!(checked.external_base(), "http://127.0.0.1:8080");
}

#[test]
fn the_example_file_holds_exactly_the_defaults() {
    let text = include_str!("../../../medvan.example.toml");
    let example: Config = toml::from_str(text).unwrap();
    assert_eq!(toml::to_string(&example).unwrap(), toml::to_string(&Config::default()).unwrap());
}

#[test]
fn an_unknown_key_is_refused_with_its_line() {
    let refusal = toml::from_str::<Config>("lisen = \"127.0.0.1:1\"").unwrap_err().to_string();
    assert!(refusal.contains("line 1") && refusal.contains("lisen"), "{refusal}");
}

#[test]
fn each_contradiction_is_named() {
    for (text, key) in [
        ("listen = \"0.0.0.0:8080\"", "listen"),
        ("profile = \"production\"\nexternal_url = \"https://gw.example\"", "tls"),
        ("profile = \"production\"\nbehind_tls_proxy = true", "external_url"),
        ("external_url = \"ftp://gw.example\"", "external_url"),
        ("external_url = \"https://gw.example/?a=b\"", "external_url"),
        ("[limits]\nconnections = 0", "limits"),
        ("[dimse]\nlisten = \"0.0.0.0:104\"", "dimse.listen"),
        ("[dimse]\nassociations = 0", "dimse"),
        ("[dimse]\npdu_bytes = 1024", "dimse"),
    ] {
        let config: Config = toml::from_str(text).unwrap();
        let Err(ConfigError::Faults { faults }) = config.check() else { panic!("{text} passed") };
        assert!(faults.iter().any(|fault| fault.key == key), "{text}: {faults:?}");
    }
}

#[test]
fn production_with_a_tls_proxy_passes() {
    let text = "profile = \"production\"\nlisten = \"0.0.0.0:8443\"\nbehind_tls_proxy = true\n\
                external_url = \"https://gw.example/van/\"";
    let checked = toml::from_str::<Config>(text).unwrap().check().unwrap();
    assert_eq!(checked.external_base(), "https://gw.example/van");
}
