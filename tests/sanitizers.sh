#!/usr/bin/env bash
# Runs the C ABI's tests, some fuzz cases and a C host under AddressSanitizer, with its leak check; and under ThreadSanitizer
# those tests in which threads share a client: the socket that is handed to a waiting caller and back, the event queue, many
# threads on one handle. On Linux, with rustup's stable toolchain and its rust-src, gcc and Mosquitto. Its last line is
# `N passed, N failed`.
#
# ThreadSanitizer must see into the standard library, or it takes what a Mutex orders for a race; so that is built from its
# sources, which takes minutes. Tests that measure time are left out of it. It sees one order of events per run: all orders
# of what threads share without a lock are tried in the model of tests/handover.
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

if ! [ -e "$(rustc --print sysroot)/lib/rustlib/src/rust/library/std/Cargo.toml" ]; then
    echo "ThreadSanitizer needs the sources of the standard library: rustup component add rust-src"
    echo "0 passed, 1 failed"
    exit 1
fi

# The program has the runtime that the library in it needs: -rdynamic shows it to the loader. The C host, which
# MT5MQTT_CFLAGS instruments, brings one of its own; the commands that the texts show can't be given that.
counted "AddressSanitizer" \
    CARGO_TARGET_DIR=target/sanitizers/address RUSTFLAGS="-Zsanitizer=address -Clink-arg=-rdynamic" \
    MT5MQTT_CFLAGS=-fsanitize=address ASAN_OPTIONS=detect_leaks=1:detect_stack_use_after_return=1 \
    MT5MQTT_FUZZ_CASES=2000 \
    cargo test --manifest-path tests/sanitizers/Cargo.toml --target "$target" --no-fail-fast \
    --test abi --test fuzz --test c_host -- --skip the_commands_that_the_texts_show

# A report ends the program.
threads() {
    counted "ThreadSanitizer" \
        CARGO_TARGET_DIR=target/sanitizers/thread CARGO_PROFILE_DEV_OPT_LEVEL=1 CARGO_PROFILE_DEV_DEBUG=line-tables-only \
        RUSTFLAGS="-Zsanitizer=thread -Cunsafe-allow-abi-mismatch=sanitizer -Clink-arg=-rdynamic" \
        TSAN_OPTIONS=halt_on_error=1 \
        cargo test -Zbuild-std=std,panic_unwind,test --manifest-path tests/sanitizers/Cargo.toml --target "$target" \
        --no-fail-fast "$@"
}
threads --test client_waiting --test client_polling --test client_sharing --test client_backpressure --test client_reconnect
threads --test abi threads::

echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
