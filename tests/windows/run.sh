#!/usr/bin/env bash
# Builds the Windows DLL on Linux and tries it under Wine, in C hosts and in the host of the MQL5 programs, against a real
# Mosquitto. Needs what tests/run.sh installs. Its last line is `N passed, N failed`.
set -uo pipefail
cd "$(dirname "$0")/../.."

target=x86_64-win7-windows-gnu
out=$PWD/target/windows
dll=$out/$target/release/mt5mqtt.dll
hosts=$out/hosts
rounds=${ROUNDS:-200}
passed=0
failed=0

ok() { echo "ok $1"; passed=$((passed + 1)); }
bad() { echo "FAILED $1"; failed=$((failed + 1)); }
finish() { echo "$passed passed, $failed failed"; [ "$failed" = 0 ]; exit; }

for tool in openssl /usr/bin/rustc /usr/bin/cargo perl x86_64-w64-mingw32-gcc x86_64-w64-mingw32-g++-posix x86_64-w64-mingw32-objdump x86_64-w64-mingw32-windres wine; do
    command -v "$tool" >/dev/null || bad "$tool is not installed: tests/run.sh installs it"
done
mosquitto=$(PATH=$PATH:/usr/sbin command -v mosquitto) || bad "mosquitto is not installed: tests/run.sh installs it"
[ "$failed" = 0 ] || finish

# The target is not one that rustup brings: std is built from the sources that come with Debian's compiler. Plain
# x86_64-pc-windows-gnu would import bcryptprimitives.dll, which Wine before 9 doesn't have.
build() {
    RUSTC_BOOTSTRAP=1 RUSTC=/usr/bin/rustc CARGO_TARGET_DIR=$1 \
        /usr/bin/cargo build --locked --release --lib -Zbuild-std=std,panic_unwind --target "$target"
}
build "$out" || { bad "building the DLL"; finish; }
ok "the DLL is built: $(stat -c %s "$dll") bytes"

imports=$(x86_64-w64-mingw32-objdump -p "$dll" | sed -n 's/.*DLL Name: //p' | tr '[:upper:]' '[:lower:]' | sort -u)
foreign=$(grep -vxE '(advapi32|bcrypt|crypt32|kernel32|msvcrt|ncrypt|ntdll|secur32|userenv|ws2_32)\.dll' <<<"$imports")
if [ -z "$foreign" ]; then ok "it needs Windows' own DLLs only: $(tr '\n' ' ' <<<"$imports")"; else bad "it needs $foreign"; fi

exports=$(x86_64-w64-mingw32-objdump -p "$dll" |
    awk '/\[Ordinal\/Name Pointer\] Table/ { names = 1; next } names && NF == 0 { exit } names { print $NF }' | sort)
declared=$( (echo DllMain; sed -nE 's/^int(32|64)_t (mt5mqtt_[a-z0-9_]+)\(.*/\2/p' include/mt5mqtt.h) | sort)
if [ "$exports" = "$declared" ]; then
    ok "it exports the $(($(wc -l <<<"$declared") - 1)) functions of the header"
else
    bad "exports and header differ: $(diff <(echo "$exports") <(echo "$declared") | grep '^[<>]' | tr '\n' ' ')"
fi

# 64-bit code has no 32-bit addresses: such a relocation falls on a number that is none, and the DLL works only as long as it
# lies where it was linked for.
narrow=$(x86_64-w64-mingw32-objdump -p "$dll" | grep -c 'HIGHLOW$')
if [ "$narrow" = 0 ]; then ok "it can be loaded at any address"; else bad "$narrow of its relocations are 32 bits wide"; fi

version=$(sed -nE '/^\[package\]/,/^\[/s/^version = "(.*)"/\1/p' Cargo.toml)
if x86_64-w64-mingw32-windres -i "$dll" -O rc 2>/dev/null | grep -q "\"FileVersion\", *L\?\"$version"; then
    ok "its version resource says $version"
else
    bad "it has no version resource with $version"
fi

mkdir -p "$hosts"
for host in roundtrip reconnect unload terminal killed store log; do
    x86_64-w64-mingw32-gcc -std=gnu11 -O1 -Wall -Wextra -Werror -Wno-cast-function-type -Wno-unused-function -Iinclude \
        "tests/windows/$host.c" -o "$hosts/$host.exe" -lpsapi -lws2_32 || { bad "compiling $host.c"; finish; }
done
cp "$dll" "$hosts/"
# The next version of this library, which is not written yet: another ABI, an event with one more field, one more export.
other_version() {
    local other=$out/other
    rm -rf "$other" && mkdir -p "$other" && cp -r src build.rs Cargo.lock "$other" || return
    # Its tests and examples stay here, and what they need stays in the lock file.
    perl -0777 -pe 's/^\[\[(test|example)\]\]\n.*?(?=^\[)//gms; s/^version = ".*?"/version = "9.8.7"/m;
        s/^\[lib\]\n/[lib]\nname = "mt5mqtt_other"\n/m' Cargo.toml >"$other/Cargo.toml"
    perl -0777 -pi -e 's/(name = "mt5mqtt"\nversion = )".*?"/$1"9.8.7"/' "$other/Cargo.lock"
    perl -0777 -pi -e 's/(MT5MQTT_ABI_VERSION: i32 = )(\d+)/$1.($2+1)/e' "$other/src/ffi/constants/mod.rs"
    perl -0777 -pi -e 's/(pub detail: i32,\n)/$1    pub added: i64,\n/' "$other/src/ffi/event.rs"
    printf '#[unsafe(no_mangle)]\npub extern "C" fn mt5mqtt_added() -> i32 {\n    guard(|| Ok(1))\n}\n' >>"$other/src/ffi/library.rs"
    # In one folder each of the two would have everything that it needs compiled anew.
    (cd "$other" && build "$out/next") && cp "$out/next/$target/release/mt5mqtt_other.dll" "$hosts/"
}
other_version || { bad "building another version of the DLL"; finish; }

work=$(mktemp -d)
server=
stop_server() { [ -z "$server" ] || { kill "-${1:-KILL}" "$server"; wait "$server"; server=; } 2>/dev/null; }
trap 'stop_server; rm -rf "$work"' EXIT

# An address that no other run has, so that nobody takes the port of a Server that is away.
address=127.$((1 + $$ / 65536)).$(($$ / 256 % 256)).$(($$ % 256))

# A CA that no machine knows, and a certificate of it.
certificates() {
    local key='-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes'
    # shellcheck disable=SC2086
    openssl req -x509 $key -keyout "$work/ca.key" -out "$work/ca.pem" -days 2 -subj '/CN=mt5mqtt test CA' &&
        openssl req $key -keyout "$work/server.key" -out "$work/server.csr" -subj /CN=server &&
        echo "subjectAltName=IP:$address" >"$work/extensions" &&
        openssl x509 -req -in "$work/server.csr" -CA "$work/ca.pem" -CAkey "$work/ca.key" -CAcreateserial -days 2 \
            -extfile "$work/extensions" -out "$work/server.pem"
}
certificates >"$work/log" 2>&1 || { bad "openssl makes no certificate: $(cat "$work/log")"; finish; }

# Stopped by SIGTERM, Mosquitto saves its Sessions; killed, it has forgotten them. One that goes away has TCP alone: Mosquitto 2.0
# listens for WebSocket at every address.
start_server() {
    local tls="certfile $work/server.pem\nkeyfile $work/server.key\n"
    {
        printf 'allow_anonymous true\nuser root\npersistence true\npersistence_location %s/\nmax_queued_messages 0\n' "$work"
        printf 'listener %s %s\n' "$port" "$address"
        if [ "${1:-}" != tcp ]; then
            printf "listener %s %s\n$tls" "$((port + 1))" "$address"
            printf 'listener %s\nprotocol websockets\n' "$((port + 2))"
            printf "listener %s\nprotocol websockets\n$tls" "$((port + 3))"
        fi
    } >"$work/conf"
    "$mosquitto" -c "$work/conf" >"$work/log" 2>&1 &
    server=$!
    for _ in $(seq 200); do
        # By its own word: whoever accepts a connection may be another process.
        grep -q ' running$' "$work/log" && return 0
        kill -0 "$server" 2>/dev/null || return 1
        sleep 0.05
    done
    return 1
}
for _ in $(seq 20); do
    # Below those that the system gives to outgoing connections.
    port=$((20000 + RANDOM % 12000))
    start_server && break
    stop_server
done
# One of them by a name, which has to be resolved.
tcp=mqtt://$address:$port tls=mqtts://$address:$((port + 1)) ws=ws://localhost:$((port + 2)) wss=wss://$address:$((port + 3))
[ -n "$server" ] || { bad "Mosquitto doesn't start: $(cat "$work/log")"; finish; }

export WINEDEBUG=-all WINEPREFIX=$out/wine
trap 'stop_server; wineserver -k 2>/dev/null; rm -rf "$work"' EXIT
# Wine's server stays until the end. By itself it leaves some seconds after the last program, and one that is started just then
# can fail before its first instruction: "wine client error:0: recvmsg: Connection reset by peer".
wineserver -p >/dev/null 2>&1
# The first start of a prefix takes long and would count against the first host.
wine cmd /c exit >/dev/null 2>&1

# Adds up the lines of a host; one that ends badly without a FAILED line has crashed or hung.
count() {
    local name=$1 code=$2 output=$3 good wrong
    good=$(grep -ac '^ok ' "$output")
    wrong=$(grep -ac '^FAILED ' "$output")
    passed=$((passed + good))
    failed=$((failed + wrong))
    grep -avE '^wine: ' "$output"
    if [ "$code" != 0 ] && [ "$wrong" = 0 ]; then bad "$name ended with $code (124: it hung)"; fi
}

run() {
    echo "-- $*"
    (cd "$hosts" && timeout -k 5 240 wine "$@") >"$work/output" 2>&1
    count "$1" $? "$work/output"
}

run roundtrip.exe "$tcp" 5
run roundtrip.exe "$tcp" 4
# Wine sees the root of Linux as drive Z.
ca=Z:$(tr / '\\' <<<"$work/ca.pem")
run roundtrip.exe "$tls" 5 "$ca"
run roundtrip.exe "$ws" 5
run roundtrip.exe "$wss" 4 "$ca"
ln -sfn "$work/drive" "$WINEPREFIX/dosdevices/y:"
run store.exe "$tcp" "Z:$(tr / '\\' <<<"$work/drive")"
rm "$WINEPREFIX/dosdevices/y:"
run log.exe "$tcp"
run unload.exe "$tcp" "$rounds"
run unload.exe "$tls" "$((rounds / 4))" "$ca"
run unload.exe "$ws" "$((rounds / 4))"
run unload.exe "$wss" "$((rounds / 4))" "$ca"
run terminal.exe "$tcp" mt5mqtt_other.dll
run terminal.exe "$tcp" mt5mqtt_other.dll leave

# Ends threads in the middle of a call. Where one leaves a lock of the system's locked, which is nobody's to mend, another process
# plays the rounds that are left.
killed() {
    local call=$1 left=$2 lost=0 code
    echo "-- killed.exe $call"
    while :; do
        (cd "$hosts" && timeout -k 5 240 wine killed.exe "$tcp" "$call" "$left" "$((RANDOM + 1))") >"$work/output" 2>&1
        code=$?
        [ $code = 3 ] || break
        grep -a '^LOST' "$work/output"
        lost=$((lost + 1))
        left=$((left - $(sed -nE 's/^LOST after ([0-9]+) rounds.*/\1/p' "$work/output")))
        [ "$lost" -lt "$((4 * $2))" ] || { bad "$call: the system is left locked most of the time: too little is known"; return; }
    done
    # A program that crashes has an exception, and ends with 5; a signal is a crash of Wine's own. Threads that were ended can bring that
    # about when the process ends.
    if [ $code = 139 ] && grep -aq "^ok .* threads ended in $call:" "$work/output"; then
        echo "Wine crashed at the end of the process, after all rounds"
        code=0
    fi
    count "killed.exe $call" $code "$work/output"
}

for call in publish publish_batch subscribe poll poll_batch wait wait_offline stat acknowledge disconnect create; do
    killed $call "$((rounds / 40))"
done
# The proof that the heap is what it is said to be: the threads that are ended call nothing of ours.
echo "-- killed.exe heap"
(cd "$hosts" && timeout -k 5 240 wine killed.exe "$tcp" heap 1000 1) >"$work/output" 2>&1
if [ $? = 3 ]; then ok "a thread that only takes memory: $(grep -a '^LOST' "$work/output")"; else bad "$(cat "$work/output")"; fi

reconnect() {
    echo "-- reconnect.exe, the Server ended by SIG$1"
    # What an earlier host left in the Server must not come back in this one.
    stop_server
    rm -f "$work/mosquitto.db"
    start_server tcp || bad "Mosquitto doesn't start: $(cat "$work/log")"
    (cd "$hosts" && timeout -k 5 240 wine reconnect.exe "$tcp" 4000 "$2") >"$work/output" 2>&1 &
    local host=$!
    while kill -0 $host 2>/dev/null && ! grep -q '^publishing' "$work/output"; do sleep 0.05; done
    stop_server "$1"
    sleep 0.5
    start_server tcp || bad "Mosquitto doesn't come back: $(cat "$work/log")"
    wait $host
    count reconnect.exe $? "$work/output"
}

reconnect TERM kept
reconnect KILL lost

# The host of tests/mql5, built for Windows: its tests as on Linux, but with this DLL, Windows' loader, its calling convention
# and its wchar_t. These are the tests of what the systems do differently; names, or how they begin.
mql5=(
    account:: marshalling:: runtime_language:: shared::
    wrapper::the_minimal_expert wrapper::every_method wrapper::a_chart_change wrapper::a_program_without wrapper::a_library_of
    copier_run::opens_changes
)
echo "-- MQL5 programs"
# Not part of the time that the tests have.
cargo test --quiet --no-run --test mql5
MT5MQTT_WINDOWS_DLL=$dll MT5MQTT_REQUIRE_ALL=1 timeout -k 5 600 cargo test --test mql5 -- "${mql5[@]}" >"$work/output" 2>&1
code=$?
good=$(grep -c '^test .* ok$' "$work/output")
wrong=$(grep -c '^test .* FAILED$' "$work/output")
passed=$((passed + good))
failed=$((failed + wrong))
# Its own count would be counted again by who counts this script's.
grep -v '^test result: ' "$work/output"
if [ "$code" != 0 ] && [ "$wrong" = 0 ]; then bad "the tests of the MQL5 programs ended with $code (124: they hung)"; fi
for name in "${mql5[@]}"; do
    grep -q "^test $name" "$work/output" || bad "no test of the MQL5 programs begins with $name"
done

finish
