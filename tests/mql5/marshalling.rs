//! What a DLL gets: text, arrays, structs and numbers by the terminal's rules, in a DLL that looks and writes.

use crate::compile::{as_terminal_sees, c_library, compiler, program};
use crate::host::Terminal;
use std::fs;

/// On Windows the units of a text are those of `wchar_t`, as for every DLL that is written for the terminal.
const PROBE: &str = r#"
#include <stdint.h>
#ifdef _WIN32
#include <wchar.h>
_Static_assert(sizeof(wchar_t) == 2, "Windows");
typedef wchar_t unit;
static int length(const unit *text) { return (int)wcslen(text); }
#else
typedef uint16_t unit;
static int length(const unit *text) { int count = 0; while (text[count]) count++; return count; }
#endif

int32_t probe_text(unit *text) {
    if (!text) return -1;
    int32_t units = length(text);
    for (int32_t i = 0; i < units; i++) text[i] = '?';
    return units;
}
int32_t probe_two_texts(int32_t ahead, unit *first, int64_t between, unit *second, int32_t behind) {
    if (ahead != 7 || between != 9000000000 || behind != 8 || first == second) return -2;
    int32_t units = probe_text(first);
    return units + probe_text(second);
}
int32_t probe_increment(unsigned char *bytes, int32_t size) {
    int32_t sum = 0;
    for (int32_t i = 0; i < size; i++) sum += bytes[i]++;
    return sum;
}
int32_t probe_no_array(unsigned char *bytes) { return (uintptr_t)bytes < 4096; }

#pragma pack(push, 1)
typedef struct { int32_t size; unsigned char flag; int64_t value; double price; uint16_t units[3]; } parcel;
#pragma pack(pop)
int32_t probe_parcel(parcel *p) {
    if (p->size != 27 || sizeof *p != 27) return 1;
    if (p->flag != 200 || p->value != -9000000000 || p->price != 1.5) return 2;
    if (p->units[0] != 0 || p->units[2] != 65535) return 3;
    p->value++;
    p->price *= 2;
    return 0;
}
int64_t probe_parcels(parcel *p, int32_t count) {
    int64_t sum = 0;
    for (int32_t i = count; i-- > 0;) sum = sum * 10 + p[i].value;
    return sum;
}
int32_t probe_in_order(int32_t a, int64_t b, double c, unsigned char d, double e, int32_t f, double g, int64_t h, uint16_t i) {
    if (a != -1 || b != -9000000000 || c != 0.5 || d != 255) return 1;
    if (e != -0.25 || f != 7 || g != 1e300 || h != 9000000000 || i != 65535) return 2;
    return 0;
}
int64_t probe_long(int64_t value) { return value; }
uint64_t probe_unsigned(uint64_t value) { return value; }
double probe_half(double value) { return value / 2; }
void probe_nothing(void) {}
"#;

#[test]
fn a_dll_gets_texts_arrays_structs_and_numbers_as_the_terminal_gives_them() {
    let Some(()) = compiler("the marshalling") else { return };
    let probe = c_library("probe", PROBE);
    for empty_arrays in ["null", "dangling"] {
        let mut terminal = Terminal::start();
        terminal.command(&["library", "probe.dll", &as_terminal_sees(&probe)]);
        terminal.command(&["empty-arrays", empty_arrays]);
        let module = program("tests/mql5/programs/Marshalling.mq5");
        terminal.load("script", "marshalling", &module, ("1", "EURUSD"), &[]);
        terminal.expect("marshalling", "ended", "");
        let said = terminal.said("marshalling", "print");
        let failed: Vec<_> = said.iter().filter(|line| line.starts_with("FAIL")).collect();
        assert!(failed.is_empty(), "{failed:?}");
        assert!(said.last().is_some_and(|line| line.ends_with(" passed, 0 failed")), "{said:?}");
        terminal.close();
    }
    fs::remove_file(probe).expect("remove the library");
}
