#!/usr/bin/env bash
# Runs the C ABI's tests, some fuzz cases and a C host under AddressSanitizer (with its leak check), and what threads share
# under ThreadSanitizer. On Linux, with rustup's stable toolchain, gcc, Mosquitto, and for ThreadSanitizer Debian's rustc-web,
# cargo-web and rust-web-src (tests/run.sh installs them). Its last line is `N passed, N failed`.
#
# --target keeps build scripts and macros out of it.
set -uo pipefail
cd "$(dirname "$0")/.."

target=$(rustc -vV | sed -n 's/^host: //p')
runtime() { compgen -G "$(rustc --print target-libdir)/librustc*_rt.$1.a"; }
for wanted in asan tsan; do
    runtime "$wanted" >/dev/null ||
        { echo "this Rust toolchain has no runtime of $wanted: rustup's have"; echo "0 passed, 1 failed"; exit 1; }
done
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
    # What a sanitizer finds, a crash, and a build that failed have no count of their own.
    if [ "$code" != 0 ] && [ "${counts#* }" = 0 ]; then failed=$((failed + 1)); echo "FAILED: $*"; fi
}

# Each sanitizer builds everything its own way, and the program has the runtime that the library in it needs: -rdynamic
# shows it to the loader. A finding ends the process that it was made in, not those after it.
tests=(test --manifest-path tests/sanitizers/Cargo.toml --target "$target" --no-fail-fast)

# MT5MQTT_CFLAGS instruments the C host (tests/c_host.rs), which brings a runtime of its own.
counted "AddressSanitizer" \
    CARGO_TARGET_DIR=target/sanitizers/address RUSTFLAGS="-Zsanitizer=address -Clink-arg=-rdynamic" \
    MT5MQTT_CFLAGS=-fsanitize=address ASAN_OPTIONS=detect_leaks=1:detect_stack_use_after_return=1 \
    MT5MQTT_FUZZ_CASES=2000 \
    cargo "${tests[@]}" --test abi --test fuzz --test c_host

# ThreadSanitizer must see into the standard library, or it takes what a Mutex orders for a race. Only Debian's compiler
# comes with the sources that fit it, and only rustup's with the runtime.
counted "ThreadSanitizer" \
    CARGO_TARGET_DIR=target/sanitizers/thread RUSTC=/usr/bin/rustc \
    RUSTFLAGS="-Zsanitizer=thread -Zexternal-clangrt -Clink-arg=-rdynamic \
        -Clink-arg=-Wl,--whole-archive,$(runtime tsan),--no-whole-archive" \
    TSAN_OPTIONS=second_deadlock_stack=1 \
    /usr/bin/cargo "${tests[@]}" -Zbuild-std=std,panic_unwind,test --test abi --test client_direct_write \
    --test client_incoming --test client_outgoing --test client_lifecycle --test client_reconnect

echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
