//! The MQL5 side declares what the C header declares: functions with their types, constants with their numbers, the event
//! with its fields. The MQL5 compiler can't check a prototype against a DLL, and on x64 a wrong one gives silent garbage.

mod common;

use common::c_header::{CHeader, Declaration};
use common::tools::project;
use std::collections::BTreeMap;
use std::fs;

const EVENT: &str = "MqttEvent";

/// What Api.mqh declares.
#[derive(Debug, Default)]
struct Api {
    library: String,
    functions: Vec<Import>,
    constants: Vec<(String, i64)>,
    event: Vec<Declaration>,
}

/// One prototype; a parameter is its type as in `const uchar &[]`.
#[derive(Debug)]
struct Import {
    name: String,
    returns: String,
    parameters: Vec<String>,
}

impl Api {
    fn parse(text: &str) -> Self {
        let mut api = Self::default();
        let mut importing = false;
        let mut block = "";
        for line in text.lines() {
            let line = line.split("//").next().expect("code before a comment").trim();
            if let Some(library) = line.strip_prefix("#import") {
                importing = !library.trim().is_empty();
                if importing {
                    api.library = library.trim().trim_matches('"').to_owned();
                }
            } else if let Some(define) = line.strip_prefix("#define ") {
                if let Some((name, value)) = define.split_once(' ') {
                    api.constants.push((name.to_owned(), value.trim().parse().expect("a number")));
                }
            } else if importing && !line.is_empty() {
                api.functions.push(import(line));
            } else if line.starts_with("enum ") || line.starts_with("struct ") {
                block = line;
            } else if line == "};" {
                block = "";
            } else if block.starts_with("enum ") && line.contains('=') {
                let (name, value) = line.trim_end_matches(',').split_once('=').expect("an enumerator");
                api.constants.push((name.trim().to_owned(), value.trim().parse().expect("a number")));
            } else if block == format!("struct {EVENT}") && line.ends_with(';') {
                let (of, name) = line.trim_end_matches(';').split_once(' ').expect("a field");
                api.event.push(Declaration { of: of.to_owned(), name: name.trim().to_owned() });
            }
        }
        api
    }
}

fn import(line: &str) -> Import {
    let (head, parameters) =
        line.trim_end_matches(';').split_once('(').unwrap_or_else(|| panic!("a prototype: {line}"));
    let (returns, name) = head.split_once(' ').expect("a return type");
    let parameters = match parameters.trim_end_matches(')').trim() {
        "" | "void" => Vec::new(),
        list => list.split(',').map(parameter).collect(),
    };
    Import { name: name.trim().to_owned(), returns: returns.to_owned(), parameters }
}

/// `const uchar &payload[]` gives `const uchar &[]`.
fn parameter(text: &str) -> String {
    let text = text.trim();
    let start = text.rfind([' ', '&']).expect("a type and a name") + 1;
    let array = if text.ends_with("[]") { "[]" } else { "" };
    format!("{}{array}", text[..start].trim_end())
}

/// The MQL5 type of a C parameter or return value.
fn mql5_type(c: &str) -> Option<&'static str> {
    Some(match c {
        "int32_t" => "int",
        "int64_t" => "long",
        "const uint16_t*" => "const string",
        "uint16_t*" => "ushort &[]",
        "const uint8_t*" => "const uchar &[]",
        "uint8_t*" => "uchar &[]",
        "mt5mqtt_event*" => "MqttEvent &",
        _ => return None,
    })
}

/// Why an MQL5 program doesn't import a function of the header; None: it has to.
fn left_out(name: &str, header: &CHeader) -> Option<&'static str> {
    if name == "mt5mqtt_test_panic" {
        return Some("for the tests of the library");
    }
    let twin = format!("{name}_w");
    header.functions.iter().any(|function| function.name == twin).then_some("UTF-8, which no MQL5 string is")
}

/// Every difference, in words.
fn differences(header: &CHeader, api: &Api) -> Vec<String> {
    let mut found = Vec::new();
    if api.library != "mt5mqtt.dll" {
        found.push(format!("imports from '{}', not from mt5mqtt.dll", api.library));
    }
    let mut imports: BTreeMap<&str, &Import> = BTreeMap::new();
    for import in &api.functions {
        if imports.insert(&import.name, import).is_some() {
            found.push(format!("{} is imported twice", import.name));
        }
    }
    for function in &header.functions {
        let name = &function.name;
        match (imports.remove(name.as_str()), left_out(name, header)) {
            (None, Some(_)) => {}
            (None, None) => found.push(format!("{name} is not imported")),
            (Some(_), Some(reason)) => found.push(format!("{name} is imported, but left out: {reason}")),
            (Some(import), None) => {
                let mapped = |c: &str| mql5_type(c).map_or_else(|| format!("nothing for {c}"), str::to_owned);
                let returns = mapped(&function.returns);
                if returns != import.returns {
                    found.push(format!("{name} returns {}, should be {returns}", import.returns));
                }
                let wanted: Vec<String> = function.parameters.iter().map(|parameter| mapped(&parameter.of)).collect();
                if wanted != import.parameters {
                    found.push(format!("{name} takes {:?}, should be {wanted:?}", import.parameters));
                }
            }
        }
    }
    found.extend(imports.keys().map(|name| format!("{name} is not in the header")));

    let in_api: BTreeMap<_, _> = api.constants.iter().cloned().collect();
    let in_header: BTreeMap<_, _> = header.constants.iter().cloned().collect();
    for (name, value) in &in_header {
        match in_api.get(name) {
            None => found.push(format!("the constant {name} is missing")),
            Some(other) if other != value => found.push(format!("{name} is {other}, should be {value}")),
            Some(_) => {}
        }
    }
    found.extend(
        in_api.keys().filter(|name| !in_header.contains_key(*name)).map(|name| format!("{name} is not in the header")),
    );

    let event = header.structs.iter().find(|structure| structure.name == "mt5mqtt_event");
    let wanted: Vec<Declaration> = event.map_or_else(Vec::new, |event| {
        let fields = event.fields.iter();
        fields
            .map(|field| Declaration { of: mql5_type(&field.of).unwrap_or("?").to_owned(), ..field.clone() })
            .collect()
    });
    if wanted.is_empty() || wanted != api.event {
        found.push(format!("{EVENT} has {:?}, should have {wanted:?}", api.event));
    }
    found
}

#[test]
fn api_mqh_declares_what_the_header_declares() {
    let header = CHeader::parse(&fs::read_to_string(project("include/mt5mqtt.h")).expect("the header"));
    let api = fs::read_to_string(project("mql5/Include/Mt5Mqtt/Internal/Api.mqh")).expect("Api.mqh");
    let found = differences(&header, &Api::parse(&api));
    assert!(header.functions.len() > 50 && header.constants.len() > 50, "the header was not understood");
    assert!(found.is_empty(), "{}", found.join("\n"));
}

const SMALL_HEADER: &str = "
    /* int32_t mt5mqtt_not_this(void); */
    #ifndef MT5MQTT_H
    #define MT5MQTT_H
    #include <stdint.h>
    #define MT5MQTT_E_PANIC -90
    typedef struct mt5mqtt_event {
      int32_t kind;
      /* a; b */
      int64_t token;
    } mt5mqtt_event;
    #ifdef __cplusplus
    extern \"C\" {
    #endif
    int64_t mt5mqtt_create(void);
    int32_t mt5mqtt_set_text(int64_t client, int32_t option, const char *value);
    int32_t mt5mqtt_set_text_w(int64_t client,
                               int32_t option,
                               const uint16_t *value);
    int32_t mt5mqtt_set_bytes(int64_t client, const uint8_t *value, int32_t size);
    int32_t mt5mqtt_poll(int64_t client, struct mt5mqtt_event *event);
    int32_t mt5mqtt_event_topic_w(int64_t client, uint16_t *buffer, int32_t capacity);
    int32_t mt5mqtt_event_payload(int64_t client, uint8_t *buffer, int32_t capacity);
    int32_t mt5mqtt_test_panic(int64_t client);
    #ifdef __cplusplus
    }
    #endif
    #endif";

const SMALL_API: &str = "
enum ENUM_MQTT_STATUS
  {
   MT5MQTT_E_PANIC=-90  // a fault
  };
struct MqttEvent
  {
   int               kind;
   long              token; // 8 bytes
  };
#import \"mt5mqtt.dll\"
//--- client
long mt5mqtt_create(void);
int  mt5mqtt_set_text_w(long client,int option,const string value);
int  mt5mqtt_set_bytes(long client,const uchar &value[],int size);
int  mt5mqtt_poll(long client,MqttEvent &event);
int  mt5mqtt_event_topic_w(long client,ushort &buffer[],int capacity);
int  mt5mqtt_event_payload(long client,uchar &buffer[],int capacity);
#import
";

#[test]
fn each_kind_of_difference_is_found() {
    let header = CHeader::parse(SMALL_HEADER);
    assert_eq!(differences(&header, &Api::parse(SMALL_API)), [""; 0]);
    for (old, new, expected) in [
        ("\"mt5mqtt.dll\"", "\"mqtt.dll\"", "imports from 'mqtt.dll'"),
        ("long mt5mqtt_create(void);", "", "mt5mqtt_create is not imported"),
        ("long mt5mqtt_create(void);", "int mt5mqtt_create(void);", "mt5mqtt_create returns int, should be long"),
        ("create(void)", "create(int a)", "mt5mqtt_create takes [\"int\"], should be []"),
        ("const string value", "string value", "mt5mqtt_set_text_w takes"),
        ("const uchar &value", "uchar &value", "mt5mqtt_set_bytes takes"),
        ("ushort &buffer[]", "uchar &buffer[]", "mt5mqtt_event_topic_w takes"),
        ("MqttEvent &event", "MqttEvent &event[]", "mt5mqtt_poll takes"),
        (",int size", "", "mt5mqtt_set_bytes takes"),
        ("#import\n", "int mt5mqtt_new(void);\n#import\n", "mt5mqtt_new is not in the header"),
        (
            "//--- client",
            "int mt5mqtt_set_text(long a,int b,const uchar &c[]);",
            "mt5mqtt_set_text is imported, but left out",
        ),
        ("//--- client", "int mt5mqtt_test_panic(long client);", "mt5mqtt_test_panic is imported, but left out"),
        ("//--- client", "long mt5mqtt_create(void);", "mt5mqtt_create is imported twice"),
        ("=-90", "=-91", "MT5MQTT_E_PANIC is -91, should be -90"),
        ("MT5MQTT_E_PANIC=-90", "MT5MQTT_OTHER=1", "the constant MT5MQTT_E_PANIC is missing"),
        ("long              token;", "int               token;", "MqttEvent has"),
        ("   int               kind;\n", "", "MqttEvent has"),
        ("kind;", "sort;", "MqttEvent has"),
    ] {
        assert!(SMALL_API.contains(old), "{old}");
        let found = differences(&header, &Api::parse(&SMALL_API.replacen(old, new, 1)));
        assert!(found.iter().any(|difference| difference.starts_with(expected)), "{expected}: {found:?}");
    }
}
