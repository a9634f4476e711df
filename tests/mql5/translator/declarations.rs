//! The shape of a declarator: what stands around a declared name.

use tree_sitter::Node;

/// `*name`, `&name[]`, `name[10]`, `name(...)`, without its type.
#[derive(Debug, Default)]
pub struct Shape<'t> {
    pub pointer: bool,
    pub reference: bool,
    pub array: Option<Size<'t>>,
    /// The list that it is initialized with.
    pub list: Option<Node<'t>>,
    /// More than one dimension.
    pub dimensions: usize,
    pub function: Option<Node<'t>>,
    /// The declared name, as far as there is one.
    pub name: Option<Node<'t>>,
}

/// `[]` or `[10]`.
#[derive(Debug, Clone, Copy)]
pub enum Size<'t> {
    Dynamic,
    Fixed(Node<'t>),
}

impl<'t> Shape<'t> {
    pub fn of(declarator: Option<Node<'t>>) -> Self {
        let mut shape = Self::default();
        let mut next = declarator;
        while let Some(node) = next {
            match node.kind() {
                "pointer_declarator" | "abstract_pointer_declarator" => {
                    shape.pointer = true;
                    next = node.child_by_field_name("declarator");
                }
                "reference_declarator" => {
                    shape.reference = true;
                    next = node.named_child(0);
                }
                "array_declarator" => {
                    shape.array = Some(node.child_by_field_name("size").map_or(Size::Dynamic, Size::Fixed));
                    shape.dimensions += 1;
                    next = node.child_by_field_name("declarator");
                }
                "init_declarator" => {
                    let value = node.child_by_field_name("value");
                    shape.list = value.filter(|value| value.kind() == "initializer_list");
                    next = node.child_by_field_name("declarator");
                }
                "function_declarator" => {
                    shape.function = Some(node);
                    shape.name = node.child_by_field_name("declarator");
                    next = None;
                }
                _ => {
                    shape.name = Some(node);
                    next = None;
                }
            }
        }
        shape
    }

    /// Nothing but a name.
    pub fn is_plain(&self) -> bool {
        !self.pointer && !self.reference && self.array.is_none() && self.function.is_none()
    }
}

/// A method's name, with its class if that stands there, and what stands behind it, without blanks: parameters, const.
pub fn head<'s>(function: Node, text: &'s str) -> (&'s str, String) {
    let name = function.child_by_field_name("declarator").map_or(0..0, |name| name.byte_range());
    let behind = &text[name.end..function.end_byte()];
    (&text[name], behind.split_whitespace().collect())
}

pub fn children<'t>(node: Node<'t>) -> Vec<Node<'t>> {
    node.children(&mut node.walk()).collect()
}

pub fn by_field<'t>(node: Node<'t>, field: &str) -> Vec<Node<'t>> {
    node.children_by_field_name(field, &mut node.walk()).collect()
}

/// How many values a list has.
pub fn elements(list: Node) -> usize {
    children(list).into_iter().filter(|child| child.is_named() && child.kind() != "comment").count()
}

/// The declarations of a file, those under `#ifndef` included.
pub fn top_level<'t>(root: Node<'t>) -> Vec<Node<'t>> {
    let mut found = Vec::new();
    for node in children(root) {
        match node.kind() {
            "preproc_ifdef" | "preproc_else" => found.extend(top_level(node)),
            "declaration" | "function_definition" | "class_specifier" | "struct_specifier" | "enum_specifier" => {
                found.push(node);
            }
            _ => {}
        }
    }
    found
}
