#!/usr/bin/env bash
# Runs the C ABI's tests, some fuzz cases and a C host under AddressSanitizer, with its leak check. On Linux, with rustup's
# stable toolchain, gcc and Mosquitto. Its last line is `N passed, N failed`.
#
# Absent: ThreadSanitizer. It must see into the standard library, or it takes what a Mutex orders for a race, and rustup's
# library comes ready-made. What threads share without a lock is modelled in tests/handover.
set -uo pipefail
cd "$(dirname "$0")/.."

# --target keeps build scripts and macros out of it.
target=$(rustc -vV | sed -n 's/^host: //p')
if ! compgen -G "$(rustc --print target-libdir)/librustc*_rt.asan.a" >/dev/null; then
    echo "this Rust toolchain has no runtime of AddressSanitizer: rustup's have"
    echo "0 passed, 1 failed"
    exit 1
fi
log=$(mktemp)
trap 'rm -f "$log"' EXIT
passed=0
failed=0

# Runs a command that prints the counts of cargo test, and adds them up.
counted() {
    echo "== $1"
    shift
    # Indented, so that nobody adds these counts to those of the last line.
    env RUSTC_BOOTSTRAP=1 MT5MQTT_REQUIRE_ALL=1 "$@" 2>&1 | tee "$log" | sed -u 's/^/  /'
    local code=${PIPESTATUS[0]} counts
    counts=$(sed -nE 's/^test result: [a-zA-Z]+\. ([0-9]+) passed; ([0-9]+) failed.*/\1 \2/p' "$log" |
        awk '{ p += $1; f += $2 } END { print p + 0, f + 0 }')
    passed=$((passed + ${counts% *}))
    failed=$((failed + ${counts#* }))
    # What the sanitizer finds, a crash, and a build that failed have no count of their own.
    if [ "$code" != 0 ] && [ "${counts#* }" = 0 ]; then failed=$((failed + 1)); echo "FAILED: $*"; fi
}

# The program has the runtime that the library in it needs: -rdynamic shows it to the loader. The C host, which
# MT5MQTT_CFLAGS instruments, brings one of its own.
counted "AddressSanitizer" \
    CARGO_TARGET_DIR=target/sanitizers/address RUSTFLAGS="-Zsanitizer=address -Clink-arg=-rdynamic" \
    MT5MQTT_CFLAGS=-fsanitize=address ASAN_OPTIONS=detect_leaks=1:detect_stack_use_after_return=1 \
    MT5MQTT_FUZZ_CASES=2000 \
    cargo test --manifest-path tests/sanitizers/Cargo.toml --target "$target" --no-fail-fast \
    --test abi --test fuzz --test c_host

echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
