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
fn names_of_vendors_are_kept_for_their_adapters() {
    for list in ["onfido", "acme,onfido"] {
        let fault = told(list);
        assert!(fault.contains("not in this build"), "{fault}");
    }
    assert!(told("onfido").contains("no provider in KYC_PROVIDER is reached at it"));
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
        ("--persona-key", "a b", "KYC_PERSONA_KEY"),
        ("--persona-template", "A1", "begins with itmpl_"),
        ("--persona-url", "here", "KYC_PERSONA_URL"),
        ("--persona-webhook-secret", "short", "KYC_PERSONA_WEBHOOK_SECRET"),
    ] {
        let fault = read(&[flag, value]).unwrap_err().to_string();
        assert!(fault.contains(expected) && !fault.contains("a b"), "{fault}");
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
