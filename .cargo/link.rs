//! Links the released binary with packed relocations: a twentieth smaller.
//!
//! Only with the linker that Rust brings along for x86-64 Linux, which knows the flag, and
//! where the system's C library reads such a binary, as it does since its version 2.36.

#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "so a build script is asked and answers"
)]

use std::{env::var, process::Command};

fn main() {
    println!("cargo::rerun-if-changed=.cargo/link.rs");
    if is("PROFILE", "release") && has_bundled_linker() && reads_packed_relocations() {
        println!("cargo::rustc-link-arg-bins=-Wl,-z,pack-relative-relocs");
    }
}

fn is(name: &str, value: &str) -> bool {
    var(name).is_ok_and(|found| found == value)
}

fn has_bundled_linker() -> bool {
    is("CARGO_CFG_TARGET_ARCH", "x86_64")
        && is("CARGO_CFG_TARGET_OS", "linux")
        && is("CARGO_CFG_TARGET_ENV", "gnu")
        && var("HOST") == var("TARGET")
}

fn reads_packed_relocations() -> bool {
    let told = Command::new("getconf").arg("GNU_LIBC_VERSION").output();
    let told = told.map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
    let version = told.unwrap_or_default();
    let numbers = version
        .trim()
        .rsplit(' ')
        .next()
        .and_then(|number| number.split_once('.'));
    let version =
        numbers.and_then(|(major, minor)| Some((major.parse().ok()?, minor.parse().ok()?)));
    version.is_some_and(|version: (u32, u32)| version >= (2, 36))
}
