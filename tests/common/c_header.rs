//! Reads a C header of the plain kind that cbindgen writes for this library: `#define` constants, one struct, prototypes.

use super::rust_source;

/// What a C header declares, in its order.
#[derive(Debug, Default)]
pub struct CHeader {
    pub constants: Vec<(String, i64)>,
    pub structs: Vec<Struct>,
    pub functions: Vec<Function>,
}

#[derive(Debug)]
pub struct Struct {
    pub name: String,
    pub fields: Vec<Declaration>,
}

#[derive(Debug)]
pub struct Function {
    pub name: String,
    pub returns: String,
    pub parameters: Vec<Declaration>,
}

/// A type and the name that it is given to; the type without spaces around `*`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Declaration {
    pub of: String,
    pub name: String,
}

impl CHeader {
    pub fn parse(text: &str) -> Self {
        let mut header = Self::default();
        // C has Rust's comments and string literals, as far as such a header uses them. The C of `extern "C"` is blanked too.
        let text = rust_source::blank(text);
        let mut code = String::new();
        for line in text.lines() {
            match line.trim_start().strip_prefix('#') {
                None => code.extend([line, "\n"]),
                Some(directive) => header.constants.extend(constant(directive)),
            }
        }
        let code = code.replace("extern \" \" {", "");
        let mut rest = code.as_str();
        while let Some(end) = rest.find([';', '{']) {
            let head = rest[..end].trim_start_matches(['}', ' ', '\n']).trim();
            if rest[end..].starts_with('{') {
                let close = end + rest[end..].find('}').expect("end of a struct");
                let semicolon = close + rest[close..].find(';').expect("; after a struct");
                header.structs.push(structure(head, &rest[end + 1..close], &rest[close + 1..semicolon]));
                rest = &rest[semicolon + 1..];
            } else {
                if head.contains('(') {
                    header.functions.push(function(head));
                }
                rest = &rest[end + 1..];
            }
        }
        header
    }
}

/// `define NAME 12` or `define NAME (-12)`; anything that isn't a number is not a constant.
fn constant(directive: &str) -> Option<(String, i64)> {
    let mut words = directive.trim_start().strip_prefix("define")?.split_whitespace();
    let name = words.next()?;
    let value = words.collect::<String>();
    let value = value.trim_matches(['(', ')']).parse().ok()?;
    Some((name.to_owned(), value))
}

fn structure(head: &str, body: &str, after: &str) -> Struct {
    let tag = head.trim_start_matches("typedef").trim().trim_start_matches("struct").trim();
    let name = if after.trim().is_empty() { tag } else { after.trim() };
    let fields = body.split(';').filter(|field| !field.trim().is_empty()).map(declaration).collect();
    Struct { name: name.to_owned(), fields }
}

fn function(head: &str) -> Function {
    let (declared, parameters) = head.split_once('(').expect("parameters");
    let Declaration { of, name } = declaration(declared);
    let parameters = parameters.trim().trim_end_matches(')');
    let parameters = match parameters.trim() {
        "" | "void" => Vec::new(),
        list => list.split(',').map(declaration).collect(),
    };
    Function { name, returns: of, parameters }
}

fn declaration(text: &str) -> Declaration {
    let text = text.split_whitespace().filter(|word| *word != "struct").collect::<Vec<_>>().join(" ");
    let start = text.rfind([' ', '*']).map_or(0, |position| position + 1);
    let of = text[..start].replace(" *", "*").trim().to_owned();
    Declaration { of, name: text[start..].to_owned() }
}
