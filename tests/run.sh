#!/usr/bin/env bash
# Runs every check of the project, with all the set-up that they need: formatting, lints, the Rust tests (which drive the
# built library, the C host and real Servers), the model of what threads share (loom) and the Windows leg under Wine. Its
# last line is `N passed, N failed`.
set -uo pipefail
cd "$(dirname "$0")/.."

# command=package, for Debian and its relatives
needs=(
    mosquitto=mosquitto mosquitto_pub=mosquitto-clients openssl=openssl cc=gcc c++=g++ nm=binutils
    x86_64-w64-mingw32-gcc=gcc-mingw-w64-x86-64 x86_64-w64-mingw32-g++-posix=g++-mingw-w64-x86-64-posix wine=wine wine64=wine64
    /usr/bin/rustc=rustc-web /usr/bin/cargo=cargo-web /usr/src/rustc-*/library/std/Cargo.toml=rust-web-src
    /usr/lib/python3/dist-packages/websockets/__init__.py=python3-websockets
    /usr/lib/python3/dist-packages/paho/mqtt/__init__.py=python3-paho-mqtt
)

is_there() {
    case $1 in
        */*) compgen -G "$1" >/dev/null ;;
        *) PATH=$PATH:/usr/sbin:/usr/lib/wine command -v "$1" >/dev/null ;;
    esac
}

missing=()
for need in "${needs[@]}"; do
    is_there "${need%%=*}" || missing+=("${need#*=}")
done
if [ ${#missing[@]} -gt 0 ]; then
    echo "installing: ${missing[*]}"
    as_root=()
    [ "$(id -u)" = 0 ] || as_root=(sudo)
    "${as_root[@]}" apt-get update -qq &&
        DEBIAN_FRONTEND=noninteractive "${as_root[@]}" apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null ||
        { echo "these Debian packages are needed and could not be installed: ${missing[*]}"; echo "0 passed, 1 failed"; exit 1; }
fi

log=$(mktemp)
trap 'rm -f "$log"' EXIT
passed=0
failed=0

# Runs one check that passes or fails as a whole.
check() {
    echo "== $1"
    shift
    if "$@"; then passed=$((passed + 1)); else failed=$((failed + 1)); echo "FAILED: $*"; fi
}

# Runs a command that prints counts, and adds them up: `N passed; N failed` (cargo test) and `N passed, N failed`.
counted() {
    echo "== $1"
    shift
    "$@" 2>&1 | tee "$log"
    local code=${PIPESTATUS[0]} counts
    counts=$(sed -nE 's/^(test result: [a-zA-Z]+\. )?([0-9]+) passed[;,] ([0-9]+) failed.*/\2 \3/p' "$log" |
        awk '{ p += $1; f += $2 } END { print p + 0, f + 0 }')
    passed=$((passed + ${counts% *}))
    failed=$((failed + ${counts#* }))
    # A crash, or a build that failed, has no count of its own.
    if [ "$code" != 0 ] && [ "${counts#* }" = 0 ]; then failed=$((failed + 1)); echo "FAILED: $*"; fi
}

check "formatting" cargo fmt --check
check "lints" cargo clippy --quiet --all-targets -- -D warnings
check "documentation" env RUSTDOCFLAGS=-Dwarnings cargo doc --quiet --no-deps --document-private-items
# With every tool at hand, a test that leaves something out has failed.
counted "tests" env MT5MQTT_REQUIRE_ALL=1 cargo test --no-fail-fast
# What they do is among the tests; this is whether they can still be built.
check "fuzz targets" cargo check --quiet --locked --manifest-path fuzz/Cargo.toml --target-dir target/fuzz
counted "hand-over between threads" timeout 600 cargo test --manifest-path tests/handover/Cargo.toml
counted "Windows" tests/windows/run.sh

echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
