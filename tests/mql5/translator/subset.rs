//! The MQL5 that we write: every kind of syntax that is allowed. All else is refused, with what to write instead.

use tree_sitter::Node;

/// Objects that the runtime declares: passed by reference, as all objects.
pub const RUNTIME_OBJECTS: [&str; 8] = [
    "MqlTick",
    "MqlRates",
    "MqlDateTime",
    "MqlTradeRequest",
    "MqlTradeResult",
    "MqlTradeCheckResult",
    "MqlTradeTransaction",
    "MqlParam",
];

/// Functions that the terminal calls, as the runtime's table of handlers names them.
pub const HANDLERS: [&str; 9] = [
    "OnInit",
    "OnDeinit",
    "OnTick",
    "OnTimer",
    "OnStart",
    "OnChartEvent",
    "OnTradeTransaction",
    "OnTrade",
    "OnCalculate",
];

/// Named nodes of the C++ grammar that are MQL5 as well, and mean the same or are translated.
const ALLOWED: [&str; 85] = [
    "translation_unit",
    "comment",
    "preproc_ifdef",
    "preproc_else",
    "preproc_def",
    "preproc_call",
    "preproc_directive",
    "preproc_arg",
    "declaration",
    "function_definition",
    "class_specifier",
    "struct_specifier",
    "enum_specifier",
    "enumerator_list",
    "enumerator",
    "base_class_clause",
    "field_declaration_list",
    "field_declaration",
    "access_specifier",
    "function_declarator",
    "parameter_list",
    "parameter_declaration",
    "optional_parameter_declaration",
    "field_initializer_list",
    "field_initializer",
    "type_qualifier",
    "virtual",
    "virtual_specifier",
    "pure_virtual_clause",
    "storage_class_specifier",
    "primitive_type",
    "sized_type_specifier",
    "type_identifier",
    "type_descriptor",
    "abstract_pointer_declarator",
    "identifier",
    "field_identifier",
    "qualified_identifier",
    "namespace_identifier",
    "destructor_name",
    "operator_name",
    "init_declarator",
    "array_declarator",
    "reference_declarator",
    "pointer_declarator",
    "compound_statement",
    "expression_statement",
    "if_statement",
    "condition_clause",
    "else_clause",
    "for_statement",
    "while_statement",
    "do_statement",
    "switch_statement",
    "case_statement",
    "break_statement",
    "continue_statement",
    "return_statement",
    "binary_expression",
    "unary_expression",
    "update_expression",
    "assignment_expression",
    "conditional_expression",
    "call_expression",
    "argument_list",
    "subscript_expression",
    "subscript_argument_list",
    "field_expression",
    "parenthesized_expression",
    "cast_expression",
    "sizeof_expression",
    "number_literal",
    "string_literal",
    "string_content",
    "escape_sequence",
    "char_literal",
    "character",
    "true",
    "false",
    "null",
    "this",
    "new_expression",
    "delete_expression",
    "initializer_list",
    "concatenated_string",
];

/// What to write in place of some refused kinds.
const INSTEAD: [(&str, &str); 17] = [
    ("pointer_expression", "no & or * before an expression: GetPointer(object), and the dot for pointers too"),
    ("lambda_expression", "no lambdas: a method of a class"),
    ("template_declaration", "no templates: a class or function for each type"),
    ("template_type", "no templates: a class or function for each type"),
    (
        "template_function",
        "no templates; if it is a comparison, turn it round or take it apart: a<b && f(c)>d reads as one",
    ),
    ("placeholder_type_specifier", "no auto: name the type"),
    ("auto", "no auto: name the type"),
    ("try_statement", "no exceptions: return a bool"),
    ("throw_statement", "no exceptions: return a bool"),
    ("namespace_definition", "no namespaces: a prefix"),
    ("using_declaration", "no using"),
    ("for_range_loop", "no range loops: count with an index"),
    ("goto_statement", "no goto"),
    ("comma_expression", "no comma operator: a statement for each"),
    ("preproc_function_def", "no macros with parameters: a function"),
    ("preproc_if", "no #if: #ifdef"),
    ("union_specifier", "no unions: a struct"),
];

/// Why this node alone (not its children) is refused; None: it is in the subset.
pub fn refusal(node: Node, text: &str) -> Option<String> {
    let source = &text[node.byte_range()];
    let shortened: String = source.lines().next().unwrap_or_default().chars().take(40).collect();
    if node.is_error() || node.is_missing() {
        return Some(format!("not understood: {shortened}"));
    }
    if !node.is_named() {
        return None;
    }
    let kind = node.kind();
    if !ALLOWED.contains(&kind) {
        let instead = INSTEAD.iter().find(|(refused, _)| *refused == kind).map(|(_, instead)| *instead);
        return Some(instead.map_or_else(|| format!("{kind} is not in the subset: {shortened}"), str::to_owned));
    }
    match kind {
        "field_expression" if node.child_by_field_name("operator").is_some_and(|op| op.kind() == "->") => {
            Some("no ->: the dot, for pointers too".to_owned())
        }
        "concatenated_string" => Some("join texts by +".to_owned()),
        "primitive_type" => (!["void", "bool", "char", "int", "double", "float"].contains(&source))
            .then(|| format!("{source} is no type of MQL5: uchar, ushort, int, uint, long, ulong…")),
        "sized_type_specifier" => {
            (!["long", "short"].contains(&source)).then(|| format!("{source}: write uchar, ushort, uint or ulong"))
        }
        "type_qualifier" if source != "const" => Some(format!("no {source}")),
        "storage_class_specifier" if source != "static" => Some(format!("no {source}")),
        "number_literal" => number(source),
        "escape_sequence" => (!["\\n", "\\r", "\\t", "\\\\", "\\\"", "\\'"].contains(&source))
            .then(|| format!("the escape {source} is not in the subset")),
        "string_literal" | "char_literal" => {
            (!source.starts_with(['"', '\''])).then(|| format!("no prefix before a literal: {shortened}"))
        }
        "null" if source != "NULL" => Some(format!("NULL, not {source}")),
        "identifier" | "field_identifier" | "type_identifier" if source.starts_with("mql_") => {
            Some(format!("{source}: names that begin with mql_ are the runtime's"))
        }
        "identifier" if source.starts_with("__") => Some(format!("{source} is not in the subset")),
        "namespace_identifier" if source == "std" => Some("no std: MQL5 has its own functions".to_owned()),
        "preproc_call" => (!source.starts_with("#undef")).then(|| format!("{shortened} is not in the subset")),
        "reference_declarator" if !is_of_parameter(node) => {
            Some("no references but parameters: a pointer, or a copy".to_owned())
        }
        _ => None,
    }
}

/// Decimal, hexadecimal, or with a point and exponent: MQL5 has no suffixes.
fn number(source: &str) -> Option<String> {
    let hexadecimal = source.strip_prefix("0x").or_else(|| source.strip_prefix("0X"));
    let good = match hexadecimal {
        Some(digits) => digits.bytes().all(|digit| digit.is_ascii_hexdigit()),
        None => {
            source.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'e' | b'E' | b'+' | b'-'))
                && !(source.len() > 1 && source.starts_with('0') && !source.contains('.'))
        }
    };
    (!good).then(|| format!("{source}: numbers have no suffix, no separators, and no leading zero"))
}

fn is_of_parameter(node: Node) -> bool {
    let mut parent = node.parent();
    while let Some(above) = parent {
        match above.kind() {
            "parameter_declaration" | "optional_parameter_declaration" => return true,
            "pointer_declarator" => parent = above.parent(),
            _ => return false,
        }
    }
    false
}
