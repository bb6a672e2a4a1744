//! The bench measures and never judges, so here it is only seen to measure.
#![cfg(test)]

use std::process::Command;

#[test]
fn every_part_of_the_bench_measures() {
    let folder = tempfile::tempdir().unwrap();
    let mut bench = Command::new(env!("CARGO_BIN_EXE_bench"));
    let ran = bench.args(["--seconds", "0.02", "--folder"]).arg(folder.path()).output().unwrap();
    let (out, err) = (String::from_utf8_lossy(&ran.stdout), String::from_utf8_lossy(&ran.stderr));
    assert!(ran.status.success(), "{err}");
    for part in ["POST /customers", "kyc-status", "Kyc::register", "decisions"] {
        assert!(out.contains(part), "{part}: {out}");
    }
}
