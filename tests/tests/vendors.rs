//! The adapters of vendors against the vendors' own specifications: Prism stands between an adapter and a fake of
//! the vendor, and lets nothing pass that breaks them. `tests/all` runs this.

#[cfg(test)]
mod vendors {
    mod onfido;
    mod persona;
    mod runner;
}
