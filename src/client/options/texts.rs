//! The ids and names of the options that take a text; `PASSWORD` and `AUTHENTICATION_DATA` take bytes too.

/// Makes the ids and the table of names from the same rows.
macro_rules! text_options {
    ($($name:ident = $id:literal;)*) => {
        $(pub const $name: i32 = $id;)*

        pub(super) const TEXT_OPTIONS: &[(i32, &str)] = &[$(($name, stringify!($name)),)*];
    };
}

text_options! {
    URL = 1;
    CLIENT_ID = 2;
    USER_NAME = 3;
    PASSWORD = 4;
    RESPONSE_TOPIC = 5;
    AUTHENTICATION_METHOD = 6;
    AUTHENTICATION_DATA = 110;
    SERVER_REFERENCE_HOSTS = 111;
    TLS_CA = 130;
    TLS_CLIENT_CERTIFICATE = 131;
    TLS_CLIENT_KEY = 132;
    TLS_CLIENT_KEY_PASSWORD = 133;
    TLS_ALPN = 134;
    TLS_SERVER_NAME = 135;
    TLS_PINS = 136;
    PROXY = 137;
    WS_HEADERS = 138;
    LOG_FILE = 145;
    STORE_PATH = 162;
    DEDUPLICATE_BY = 164;
    TLS_CRL = 220;
}

/// The name of a text option.
pub(super) fn text_name(id: i32) -> Option<&'static str> {
    TEXT_OPTIONS.iter().find(|row| row.0 == id).map(|row| row.1)
}
