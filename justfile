# Our own crate optimised too, for what runs long.
optimised := "--config .cargo/optimised.toml"

# Lists the recipes.
default:
    @just --list

# Runs exactly what CI runs.
check:
    .ci/run

# Runs all tests.
test *ARGUMENTS:
    cargo test --locked {{ARGUMENTS}}

# Writes the golden files anew; read the difference before you commit it.
bless:
    PROVISION_BLESS=1 cargo test --locked --test scenarios

# Runs the gates of the policy engine with their large counts, our own code optimised: speed and memory first, alone.
policy-full:
    POLICY_FULL=1 cargo test {{optimised}} --locked --test policy -- gate_7 limits --test-threads=1 --nocapture
    POLICY_FULL=1 cargo test {{optimised}} --locked --test policy -- --skip gate_7 --skip limits --nocapture
    POLICY_FULL=1 cargo test {{optimised}} --locked --lib policy:: -- --nocapture

# Fuzzes the policy language, SECONDS for each target; cargo-fuzz is installed under target/ once.
fuzz SECONDS="300":
    #!/usr/bin/env bash
    set -euo pipefail
    tool="$PWD/target/tools/fuzz"
    [ -x "$tool/bin/cargo-fuzz" ] || cargo install cargo-fuzz --locked --root "$tool"
    # Its flags are for a nightly compiler; the pinned one takes them with this variable.
    export RUSTC_BOOTSTRAP=1 PATH="$tool/bin:$PATH"
    for target in parse relate structured; do
        cargo fuzz run --sanitizer none --target-dir target/fuzz "$target" -- -max_total_time={{SECONDS}} -max_len=4096 -timeout=20
    done

# Runs the push tier of the fault sweeps; with arguments such as PROVISION_FAULTS_SWEEP=roll a part of them.
faults *VARIABLES:
    env PROVISION_FAULTS=push {{VARIABLES}} cargo test {{optimised}} --locked --test faults

# Runs every case of the fault sweeps, or a shard: `just faults-full PROVISION_FAULTS_SHARD=0/8`. docs/reliability.md says what they are.
faults-full *VARIABLES:
    env PROVISION_FAULTS=full {{VARIABLES}} cargo test {{optimised}} --locked --test faults

# Kills the binary at 200 random moments in the sandbox, and at 33 against moto.
killed-full:
    PROVISION_KILLED=200 cargo test --locked --test integration a_kill -- --nocapture

# Changes the code in all the ways that cargo-mutants knows, and says which changes no test notices.
mutants *ARGUMENTS:
    test -x target/tools/mutants/bin/cargo-mutants || cargo install cargo-mutants --version 27.1.0 --locked --root target/tools/mutants
    python3 scripts/mutants.py {{ARGUMENTS}}

# Plans the project's own infra.toml in the sandbox.
plan *ARGUMENTS:
    cargo run -q -- --sandbox plan {{ARGUMENTS}}

# Formats the code.
format:
    cargo fmt --all
