// SPDX-License-Identifier: MIT OR LGPL-2.1-or-later
//! Asks pkg-config where the library is; without an answer, the linker looks.
use std::process::Command;

fn main() {
    for name in ["PKG_CONFIG_PATH", "PKG_CONFIG_LIBDIR", "PKG_CONFIG_SYSROOT_DIR"] {
        println!("cargo:rerun-if-env-changed={name}");
    }
    let output = Command::new("pkg-config").args(["--libs-only-L", "libramload"]).output();
    let flags = output.map(|output| output.stdout).unwrap_or_default();
    for flag in String::from_utf8_lossy(&flags).split_whitespace() {
        println!("cargo:rustc-link-search=native={}", flag.trim_start_matches("-L"));
    }
}
