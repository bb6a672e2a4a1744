//! Tests of the list of identity providers.

use super::*;

/// What is told of this list of providers, for development and with an address and a secret.
fn told(providers: &str) -> String {
    let flags = [
        "--dev",
        "--provider",
        providers,
        "--provider-url",
        "https://kyc.example.com",
        "--provider-secret",
        KEY,
    ];
    faults(&given(&flags, &[])).join("\n")
}

#[test]
fn a_provider_is_named_once() {
    let fault = told("acme, acme");
    assert!(
        fault.contains("KYC_PROVIDER, given by the flag --provider: a provider is named twice"),
        "{fault}"
    );
    assert_eq!(fault.lines().count(), 1, "{fault}");
}

#[test]
fn one_provider_alone_has_the_address() {
    let fault = told("acme,other");
    assert!(fault.contains("more than one of these is reached over HTTP"), "{fault}");
    assert_eq!(fault.lines().count(), 1, "{fault}");
    assert!(!fault.contains("acme"), "values are not repeated: {fault}");
}

#[test]
fn the_sandbox_is_never_one_of_several_not_even_for_development() {
    for list in ["acme,sandbox", "sandbox,acme"] {
        let fault = told(list);
        assert!(fault.contains("never stands in for a provider that is down"), "{fault}");
        assert_eq!(fault.lines().count(), 1, "{fault}");
    }
}

#[test]
fn empty_names_are_refused() {
    for list in ["", ",", "acme,", ",acme", "acme,,other"] {
        let fault = told(list);
        assert!(fault.contains("names of 1 to 32 of a-z 0-9 _ - are expected, by commas"), "{list}: {fault}");
    }
}

#[test]
fn the_name_of_a_vendor_is_no_http_provider() {
    for list in ["onfido", "persona"] {
        assert!(told(list).contains("no provider in KYC_PROVIDER is reached at it"), "{list}");
    }
}

const ONFIDO_TOKEN: &str = "api_sandbox.0123456789";

/// The providers of these settings of Onfido, or what is wrong with them.
fn onfido(providers: &str, variables: &[(&'static str, &str)]) -> Result<Vec<Provider>, String> {
    let flags = ["--dev", "--provider", providers];
    Config::read(&given(&flags, variables))
        .map(|config| config.providers)
        .map_err(|faults| faults.to_string())
}

#[test]
fn onfido_is_named_with_its_token_and_its_region() {
    let token = ("KYC_ONFIDO_TOKEN", ONFIDO_TOKEN);
    for (word, place) in [("eu", OnfidoPlace::Eu), ("us", OnfidoPlace::Us), ("ca", OnfidoPlace::Ca)] {
        let settings = OnfidoSettings { token: ONFIDO_TOKEN.into(), place, webhook_tokens: Vec::new() };
        let read = onfido("onfido", &[token, ("KYC_ONFIDO_REGION", word)]);
        assert_eq!(read, Ok(vec![Provider::Onfido(settings)]));
    }
    let url = "https://onfido.example.com/v3.6";
    let two = "0123456789abcdef, fedcba9876543210";
    let settings = OnfidoSettings {
        token: ONFIDO_TOKEN.into(),
        place: OnfidoPlace::At(url.to_owned()),
        webhook_tokens: vec!["0123456789abcdef".into(), "fedcba9876543210".into()],
    };
    let read = onfido("onfido", &[token, ("KYC_ONFIDO_URL", url), ("KYC_ONFIDO_WEBHOOK_TOKEN", two)]);
    assert_eq!(read, Ok(vec![Provider::Onfido(settings)]));
}

#[test]
fn what_onfido_lacks_is_told_at_once_and_no_secret_repeated() {
    let missing = onfido("onfido", &[]).unwrap_err();
    assert!(
        missing.contains("KYC_ONFIDO_TOKEN is missing") && missing.contains("KYC_ONFIDO_REGION is missing")
    );
    for (variable, value) in [
        ("KYC_ONFIDO_TOKEN", "two words"),
        ("KYC_ONFIDO_REGION", "EU-West"),
        ("KYC_ONFIDO_URL", "over there"),
        ("KYC_ONFIDO_WEBHOOK_TOKEN", "short-token"),
        ("KYC_ONFIDO_WEBHOOK_TOKEN", "0123456789abcdef,0123456789abcdef,0123456789abcdef"),
    ] {
        let mut variables = vec![("KYC_ONFIDO_TOKEN", ONFIDO_TOKEN), ("KYC_ONFIDO_REGION", "eu")];
        variables.retain(|(name, _)| *name != variable);
        variables.push((variable, value));
        let fault = onfido("onfido", &variables).unwrap_err();
        assert!(fault.contains(&format!("{variable}, given by the variable")), "{fault}");
        assert!(!fault.contains(value) && !fault.contains(ONFIDO_TOKEN), "{fault}");
    }
}

#[test]
fn settings_of_onfido_are_refused_where_it_is_not_asked() {
    let fault = onfido("sandbox", &[("KYC_ONFIDO_REGION", "eu")]).unwrap_err();
    assert!(
        fault.contains("KYC_ONFIDO_REGION") && fault.contains("onfido is not in KYC_PROVIDER"),
        "{fault}"
    );
}

#[test]
fn each_provider_is_capped_as_is_set() {
    let read = |flags: &[&str]| {
        let config = Config::read(&given(&[&["--dev"], flags].concat(), &[]))?;
        Ok::<_, ConfigFaults>((config.provider_concurrency, config.provider_rate_per_minute))
    };
    assert_eq!(read(&[]), Ok((0, None)));
    assert_eq!(
        read(&["--provider-concurrency", "8", "--provider-rate-per-minute", "300"]),
        Ok((8, Some(300)))
    );
    assert_eq!(read(&["--provider-rate-per-minute", "0"]), Ok((0, Some(0))));
    for wrong in ["--provider-concurrency=4097", "--provider-rate-per-minute=-1"] {
        assert!(read(&[wrong]).unwrap_err().to_string().contains("a whole number from 0 to"), "{wrong}");
    }
}

#[test]
fn persona_needs_a_key_and_a_template_and_stands_beside_others() {
    let persona = ["--persona-key", "persona_test_key", "--persona-template", "itmpl_A1"];
    let read = |flags: &[&str]| {
        let flags = [&["--dev", "--provider", "persona"][..], flags].concat();
        Config::read(&given(&flags, &[])).map(|config| config.providers)
    };
    let providers = read(&persona).unwrap();
    let [Provider::Persona(alone)] = &*providers else { panic!("Persona alone") };
    assert_eq!((alone.url.as_deref(), alone.webhook_secrets.len()), (None, 0));
    let missing = read(&[]).unwrap_err().to_string();
    assert!(
        missing.contains("KYC_PERSONA_KEY is missing") && missing.contains("KYC_PERSONA_TEMPLATE is missing")
    );
    for (flag, value, expected) in [
        ("--persona-key", "one two", "KYC_PERSONA_KEY"),
        ("--persona-template", "A1", "begins with itmpl_"),
        ("--persona-url", "here", "KYC_PERSONA_URL"),
        ("--persona-webhook-secret", "short", "KYC_PERSONA_WEBHOOK_SECRET"),
    ] {
        let fault = read(&[flag, value]).unwrap_err().to_string();
        assert!(fault.contains(expected) && !fault.contains("one two"), "{fault}");
    }
    let unused = [&["--dev", "--provider", "sandbox"][..], &persona[..]].concat();
    let unused = faults(&given(&unused, &[])).join("\n");
    assert!(unused.contains("persona is not among the providers"), "{unused}");
}

#[test]
fn a_verification_is_given_up_after_the_hours_that_are_set() {
    let after = |flags: &[&str]| Config::read(&given(flags, &[])).map(|config| config.give_up_after);
    assert_eq!(after(&["--dev"]), Ok(Duration::from_hours(72)));
    assert_eq!(after(&["--dev", "--give-up-after-hours", "8760"]), Ok(Duration::from_hours(8760)));
    for wrong in ["0", "8761", "-1", "a day"] {
        let fault = after(&["--dev", &format!("--give-up-after-hours={wrong}")]).unwrap_err().to_string();
        assert!(fault.contains("KYC_GIVE_UP_AFTER_HOURS") && fault.contains("from 1 to 8760"), "{fault}");
    }
}
