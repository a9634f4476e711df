//! Writes C++ for one parsed source: most of it as it stands, the rest as the runtime has it.

use super::declarations::{Shape, Size, by_field, children, elements, head, top_level};
use super::lines::Source;
use super::{Known, Refusal, subset};
use std::collections::BTreeMap;
use std::path::PathBuf;
use tree_sitter::{Node, Parser};

/// The C++ of one source; `includes` has the C++ file for each line that includes one.
pub fn emit(
    source: &Source,
    includes: &BTreeMap<usize, PathBuf>,
    is_main: bool,
    known: &mut Known,
    refusals: &mut Vec<Refusal>,
) -> String {
    let mut parser = Parser::new();
    parser.set_language(&tree_sitter_cpp::LANGUAGE.into()).expect("the C++ grammar fits tree-sitter");
    let tree = parser.parse(&source.text, None).expect("no limit is set");
    let root = tree.root_node();
    let mut emitter = Emitter { source, known, refusals, first: None, after: String::new(), own_defaults: true };
    emitter.check(root);
    emitter.declare_ahead(root);
    let body = emitter.children(root);
    let mut lines: Vec<String> = body.lines().map(str::to_owned).collect();
    for (line, path) in includes {
        // By its name alone, as it lies beside: the same sources have the same text, wherever they are translated to.
        let name = path.file_name().expect("a file name");
        lines[line - 1] = format!("#include \"{}\"", name.display());
    }
    let mut cpp = if is_main { "#include \"mql5.hpp\"\n".to_owned() } else { String::new() };
    cpp += &format!("#line 1 \"{}\"\n", source.name);
    cpp += &lines.join("\n");
    cpp.push('\n');
    if is_main {
        cpp += "MQL_PROGRAM_BEGIN\n";
        for handler in &known.handlers {
            cpp += &format!("MQL_HANDLER({handler})\n");
        }
        cpp += "MQL_PROGRAM_END\n";
    }
    cpp
}

/// The predefined variables are functions here, since each program has its own.
fn predefined(name: &str) -> &str {
    match name {
        "_Symbol" => "Symbol()",
        "_Period" => "Period()",
        "_Digits" => "mql_chart_digits()",
        "_Point" => "mql_chart_point()",
        "_LastError" => "GetLastError()",
        "_StopFlag" => "IsStopped()",
        other => other,
    }
}

struct Emitter<'s> {
    source: &'s Source,
    known: &'s mut Known,
    refusals: &'s mut Vec<Refusal>,
    /// Declarations ahead, and the place (a byte) before which they go.
    first: Option<(usize, String)>,
    /// What goes behind the next `;` at file level.
    after: String,
    /// Whether default values of parameters stay; those of free functions go with the declaration ahead.
    own_defaults: bool,
}

impl Emitter<'_> {
    fn text(&self, node: Node) -> &str {
        &self.source.text[node.byte_range()]
    }

    fn line(&self, node: Node) -> usize {
        node.start_position().row + 1
    }

    fn refuse(&mut self, node: Node, text: impl Into<String>) {
        let line = self.line(node);
        self.refusals.push(Refusal { file: self.source.name.clone(), line, text: text.into() });
    }

    /// Refuses what lies outside of the subset, whole subtrees at once.
    fn check(&mut self, node: Node) {
        if let Some(text) = subset::refusal(node, &self.source.text) {
            self.refuse(node, text);
            return;
        }
        for child in children(node) {
            self.check(child);
        }
    }

    /// MQL5 finds functions and types that stand further down in a file, C++ doesn't: declares them ahead.
    fn declare_ahead(&mut self, root: Node) {
        let nodes = top_level(root);
        let Some(first) = nodes.first() else { return };
        let mut ahead = String::new();
        for node in &nodes {
            let name = node.child_by_field_name("name").map(|name| self.text(name).to_owned()).unwrap_or_default();
            match node.kind() {
                "class_specifier" => ahead += &format!("class {name}; "),
                "struct_specifier" => ahead += &format!("struct {name}; "),
                "enum_specifier" => ahead += &format!("enum {name} : int; "),
                _ => continue,
            }
            if node.kind() == "struct_specifier" {
                self.known.structs.insert(name.clone());
            }
            if node.kind() != "enum_specifier" {
                self.known.objects.insert(name, false);
            }
        }
        for node in nodes.iter().filter(|node| node.kind() == "function_definition") {
            if self.is_free_function(*node) {
                let head: String = children(*node)
                    .into_iter()
                    .filter(|child| child.kind() != "compound_statement")
                    .map(|child| self.head_part(*node, child) + " ")
                    .collect();
                ahead += &format!("{}; ", head.replace('\n', " "));
            }
        }
        self.first = Some((first.start_byte(), ahead));
    }

    fn is_free_function(&self, node: Node) -> bool {
        let shape = Shape::of(node.child_by_field_name("declarator"));
        shape.name.is_some_and(|name| name.kind() == "identifier")
    }

    /// Children with what stands between them.
    fn children(&mut self, node: Node) -> String {
        self.children_by(node, Self::node)
    }

    fn children_by(&mut self, node: Node, mut emit: impl FnMut(&mut Self, Node) -> String) -> String {
        let mut out = String::new();
        let mut at = node.start_byte();
        if node.parent().is_none() {
            at = 0;
        }
        for child in children(node) {
            out += &self.source.text[at..child.start_byte()];
            out += &emit(self, child);
            at = child.end_byte();
        }
        out += &self.source.text[at..node.end_byte()];
        out
    }

    fn node(&mut self, node: Node) -> String {
        let ahead = match &self.first {
            Some((at, _)) if *at == node.start_byte() => self.first.take().map(|(_, ahead)| ahead),
            _ => None,
        };
        ahead.unwrap_or_default() + &self.translated(node)
    }

    fn translated(&mut self, node: Node) -> String {
        match node.kind() {
            "declaration" | "field_declaration" => self.declaration(node),
            "function_definition" => self.function(node),
            "class_specifier" | "struct_specifier" => self.object(node),
            "enum_specifier" => self.enumeration(node),
            "parameter_declaration" | "optional_parameter_declaration" => self.parameter(node),
            // The type tells of pointer and array.
            "array_declarator" => {
                node.child_by_field_name("declarator").map(|inner| self.node(inner)).unwrap_or_default()
            }
            "pointer_declarator" => {
                node.child_by_field_name("declarator").map(|inner| self.node(inner)).unwrap_or_default()
            }
            "reference_declarator" if Shape::of(Some(node)).array.is_some() => {
                node.named_child(0).map(|inner| self.node(inner)).unwrap_or_default()
            }
            "type_descriptor" => {
                let shape = Shape::of(node.child_by_field_name("declarator"));
                match node.child_by_field_name("type") {
                    Some(of) if shape.pointer => format!("mql_ptr<{}>", self.node(of)),
                    _ => self.children(node),
                }
            }
            "primitive_type" if self.text(node) == "char" => "mql_char".to_owned(),
            "sized_type_specifier" => {
                if self.text(node) == "long" {
                    "mql_long".to_owned()
                } else {
                    self.text(node).to_owned()
                }
            }
            "string_literal" => format!("u{}_s", self.text(node)),
            "char_literal" => format!("((ushort)u{})", self.text(node)),
            "null" => "mql_null".to_owned(),
            // In MQL5 the object itself; GetPointer(this) is the pointer.
            "this" => "(*this)".to_owned(),
            "field_expression" => self.dot(node),
            "assignment_expression" => self.assignment(node),
            "new_expression" => {
                let of = node.child_by_field_name("type").map(|of| self.node(of)).unwrap_or_default();
                let arguments = node.child_by_field_name("arguments").map(|arguments| self.node(arguments));
                format!("mql_new<{of}>{}", arguments.unwrap_or_else(|| "()".to_owned()))
            }
            "delete_expression" => {
                let object = node.named_child(0).map(|object| self.node(object)).unwrap_or_default();
                format!("mql_delete({object})")
            }
            "preproc_def" => self.define(node),
            "identifier" => predefined(self.text(node)).to_owned(),
            ";" if node.parent().is_some_and(|parent| {
                matches!(parent.kind(), "translation_unit" | "preproc_ifdef" | "preproc_else")
            }) =>
            {
                format!(";{}", std::mem::take(&mut self.after))
            }
            _ if node.child_count() == 0 => self.text(node).to_owned(),
            _ => self.children(node),
        }
    }

    /// `a.b` for objects and for pointers alike.
    fn dot(&mut self, node: Node) -> String {
        let argument = node.child_by_field_name("argument");
        self.children_by(node, |emitter, child| match child.kind() {
            "." => "->".to_owned(),
            _ if Some(child) == argument => format!("mql_dot({})", emitter.node(child)),
            _ => emitter.node(child),
        })
    }

    /// MQL5 assigns no arrays; C++ would. A statement that assigns asks the runtime first.
    fn assignment(&mut self, node: Node) -> String {
        let text = self.children(node);
        let is_plain = node.child_by_field_name("operator").is_some_and(|operator| self.text(operator) == "=");
        let is_statement = node.parent().is_some_and(|above| above.kind() == "expression_statement");
        match node.child_by_field_name("left") {
            Some(left) if is_plain && is_statement => {
                let left = self.node(left);
                format!("mql_assignable(mql_type<decltype(({left}))>()),{text}")
            }
            _ => text,
        }
    }

    /// A constant: a number, a text or a name.
    fn define(&mut self, node: Node) -> String {
        let text = self.text(node).to_owned();
        let Some(value) = node.child_by_field_name("value") else { return text };
        let value_text = self.text(value).split("//").next().unwrap_or_default().trim().to_owned();
        let simple = value_text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-'));
        let quoted = value_text.len() > 1 && value_text.starts_with('"') && value_text.ends_with('"');
        if quoted && value_text.matches('"').count() == 2 {
            text.replacen(&value_text, &format!("u{value_text}_s"), 1)
        } else {
            if !simple {
                self.refuse(node, "#define takes a number, a text or a name: a constant or a function for the rest");
            }
            text
        }
    }

    fn declaration(&mut self, node: Node) -> String {
        let declarators = by_field(node, "declarator");
        let shapes: Vec<Shape> = declarators.iter().map(|declarator| Shape::of(Some(*declarator))).collect();
        let Some(first) = shapes.first() else {
            self.refuse(node, "a declaration without a name");
            return String::new();
        };
        let line = self.line(node);
        if self.source.imports.contains_key(&line) {
            return self.import(node, first);
        }
        let of = node.child_by_field_name("type").map_or("", |of| of.kind());
        if matches!(of, "class_specifier" | "struct_specifier" | "enum_specifier") {
            self.refuse(node, "a type is declared on its own, at file level");
        }
        if shapes.len() > 1 && !shapes.iter().all(Shape::is_plain) {
            self.refuse(node, "an array or a pointer is declared on its own");
        }
        if node.kind() == "field_declaration" && node.child_by_field_name("default_value").is_some() {
            self.refuse(node, "members get their values in the constructor");
        }
        if self.source.inputs.contains(&line) {
            return self.input(node, first);
        }
        self.children_by(node, |emitter, child| {
            if Some(child) == node.child_by_field_name("type") {
                emitter.typed(child, first)
            } else {
                emitter.node(child)
            }
        })
    }

    /// A type as the shape of the declared name has it.
    fn typed(&mut self, of: Node, shape: &Shape) -> String {
        let mut text = self.node(of);
        if shape.pointer {
            self.check_pointer(of);
            text = format!("mql_ptr<{text}>");
        }
        if shape.dimensions > 1 {
            self.refuse(of, "arrays have one dimension");
        }
        match (shape.array, shape.list) {
            (None, _) => text,
            // A list fixes the size: such an array can't be resized.
            (Some(Size::Dynamic), Some(list)) => format!("mql_fixed<{text},{}>", elements(list)),
            (Some(Size::Dynamic), None) => format!("mql_array<{text}>"),
            (Some(Size::Fixed(size)), _) => format!("mql_fixed<{text},{}>", self.node(size)),
        }
    }

    fn check_pointer(&mut self, of: Node) {
        let name = self.text(of);
        if !self.known.objects.contains_key(name) || self.known.structs.contains(name) {
            self.refuse(of, "a pointer is to an object of a class: for the rest a parameter by reference");
        }
    }

    fn parameter(&mut self, node: Node) -> String {
        let shape = Shape::of(node.child_by_field_name("declarator"));
        let Some(of) = node.child_by_field_name("type") else { return self.children(node) };
        if shape.pointer && shape.array.is_some() {
            self.check_pointer(of);
        }
        let is_object = self.known.objects.contains_key(self.text(of));
        if is_object && !shape.reference && !shape.pointer {
            self.refuse(node, "objects are passed by reference: const Type &name");
        }
        if shape.array.is_some() && !shape.reference {
            self.refuse(node, "arrays are passed by reference: const type &name[]");
        }
        if matches!(shape.array, Some(Size::Fixed(_))) {
            self.refuse(node, "an array parameter has no size: type &name[]");
        }
        let constant = children(node).into_iter().any(|child| child.kind() == "type_qualifier");
        let strip = !self.own_defaults;
        let mut at_default = false;
        self.children_by(node, |emitter, child| match child.kind() {
            "type_qualifier" if shape.array.is_some() => String::new(),
            "=" if strip => {
                at_default = true;
                String::new()
            }
            _ if at_default => String::new(),
            _ if child == of && shape.array.is_some() => {
                let element = emitter.node(child);
                let element = if shape.pointer { format!("mql_ptr<{element}>") } else { element };
                format!("mql_array_ref<{}{element}>", if constant { "const " } else { "" })
            }
            _ if child == of => emitter.typed(child, &shape),
            _ => emitter.node(child),
        })
    }

    /// One part of a function's head: return type, name with parameters.
    fn head_part(&mut self, function: Node, part: Node) -> String {
        let shape = Shape::of(function.child_by_field_name("declarator"));
        if Some(part) == function.child_by_field_name("type") {
            if shape.reference {
                self.refuse(part, "a function returns no reference");
            }
            return self.typed(part, &shape);
        }
        self.node(part)
    }

    fn function(&mut self, node: Node) -> String {
        let free =
            self.is_free_function(node) && node.parent().is_some_and(|above| above.kind() != "field_declaration_list");
        if free {
            let name = Shape::of(node.child_by_field_name("declarator")).name.map(|name| self.text(name).to_owned());
            if let Some(name) = name.filter(|name| subset::HANDLERS.contains(&name.as_str())) {
                self.known.handlers.insert(name);
            }
        }
        let function = Shape::of(node.child_by_field_name("declarator")).function;
        let (name, behind) = function.map(|function| head(function, &self.source.text)).unwrap_or_default();
        if name.contains("::") && !self.known.methods.contains(&(name.to_owned(), behind)) {
            let text = format!("{name}: parameters and const have to be those of the declaration, word by word");
            self.refuse(node, text);
        }
        self.own_defaults = !free;
        let text = self.children_by(node, |emitter, child| {
            if child.kind() == "compound_statement" { emitter.node(child) } else { emitter.head_part(node, child) }
        });
        self.own_defaults = true;
        text
    }

    /// A class or struct; a struct of plain values is packed, as MQL5 packs it.
    fn object(&mut self, node: Node) -> String {
        let name = node.child_by_field_name("name").map(|name| self.text(name).to_owned()).unwrap_or_default();
        let simple = node.kind() == "struct_specifier" && self.is_simple(node);
        for member in node.child_by_field_name("body").map(children).unwrap_or_default() {
            if let Some(function) = Shape::of(member.child_by_field_name("declarator")).function {
                let (method, behind) = head(function, &self.source.text);
                self.known.methods.insert((format!("{name}::{method}"), behind));
            }
        }
        self.known.objects.insert(name, simple);
        let text = self.children(node);
        if simple {
            self.after = "_Pragma(\"pack(pop)\")".to_owned();
            return format!("_Pragma(\"pack(push,1)\") {text}");
        }
        text
    }

    fn is_simple(&self, node: Node) -> bool {
        let Some(body) = node.child_by_field_name("body") else { return false };
        children(body).into_iter().filter(|member| member.kind() == "field_declaration").all(|member| {
            let shape = Shape::of(member.child_by_field_name("declarator"));
            let of = member.child_by_field_name("type").map(|of| self.text(of)).unwrap_or_default();
            of != "string"
                && !shape.pointer
                && !matches!(shape.array, Some(Size::Dynamic))
                && self.known.objects.get(of).copied().unwrap_or(true)
        })
    }

    fn enumeration(&mut self, node: Node) -> String {
        let Some(name) = node.child_by_field_name("name").map(|name| self.text(name).to_owned()) else {
            self.refuse(node, "an enum has a name");
            return String::new();
        };
        let members = node.child_by_field_name("body").map(children).unwrap_or_default();
        let members = members.into_iter().filter_map(|member| member.child_by_field_name("name"));
        let names: Vec<String> = members.map(|member| self.text(member).to_owned()).collect();
        let cases: String =
            names.iter().map(|member| format!("if(value=={member}) return u\"{member}\"_s; ")).collect();
        self.after = format!(
            " inline string EnumToString({name} value) {{ {cases}return mql_unknown_enumerator(u\"{name}\"_s,(int)value); }}"
        );
        self.children_by(node, |emitter, child| {
            let text = emitter.node(child);
            if Some(child) == node.child_by_field_name("name") { format!("{text} : int") } else { text }
        })
    }

    /// An input has its value before the program's globals are made, and no statement changes it.
    fn input(&mut self, node: Node, shape: &Shape) -> String {
        let of = node.child_by_field_name("type").map(|of| self.node(of)).unwrap_or_default();
        let name = shape.name.map(|name| self.text(name).to_owned()).unwrap_or_default();
        let declarator = node.child_by_field_name("declarator");
        let value = declarator.and_then(|declarator| declarator.child_by_field_name("value"));
        match value {
            Some(value) if shape.is_plain() => {
                let value = self.node(value);
                format!("static const {of} &{name}=mql_input<{of}>(\"{name}\",{value});")
            }
            _ => {
                self.refuse(node, "an input is a plain value with a default");
                String::new()
            }
        }
    }

    /// A function of a DLL, found when the program is loaded.
    fn import(&mut self, node: Node, shape: &Shape) -> String {
        let library = self.source.imports[&self.line(node)].clone();
        let (Some(function), Some(name)) = (shape.function, shape.name) else {
            self.refuse(node, "between #import lines stand prototypes only");
            return String::new();
        };
        let name = self.text(name).to_owned();
        let of = node.child_by_field_name("type").map(|of| self.node(of)).unwrap_or_default();
        if !["void", "int", "uint", "mql_long", "ulong", "double"].contains(&of.as_str()) {
            self.refuse(node, format!("an imported function returns a number, not {of}"));
        }
        let list = function.child_by_field_name("parameters");
        let parameters: Vec<Node> = list.map(children).unwrap_or_default();
        let parameters = parameters.into_iter().filter(|parameter| parameter.kind().ends_with("parameter_declaration"));
        let mut names = Vec::new();
        for parameter in parameters {
            match Shape::of(parameter.child_by_field_name("declarator")).name {
                Some(name) => names.push(self.text(name).to_owned()),
                None if self.text(parameter) == "void" => {}
                None => self.refuse(parameter, "a parameter of an imported function needs a name"),
            }
        }
        let arguments = names.join(",");
        let list = list.map(|list| self.node(list)).unwrap_or_default();
        format!(
            "static mql_import mql_import_{name}(\"{library}\",\"{name}\"); \
             inline {of} {name}{list} {{ return mql_import_{name}.call<{of}>({arguments}); }}"
        )
    }
}
