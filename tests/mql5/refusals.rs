//! What the translator refuses: by line, with what to write instead.

use crate::common::tools::project;
use crate::compile::{compiler, compiler_errors};
use crate::translator::translate;
use std::fs;
use std::path::{Path, PathBuf};

fn folder(test: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("refusals-{test}-{}", std::process::id()));
    fs::create_dir_all(&folder).expect("create a folder");
    folder
}

/// The refusals of a source, as `line: text`.
fn refusals(folder: &Path, source: &str) -> Vec<String> {
    let path = folder.join("source.mq5");
    fs::write(&path, source).expect("write the source");
    match translate(&path, &project("mql5/Include"), &folder.join("cpp")) {
        Ok(_) => Vec::new(),
        Err(refusals) => refusals.iter().map(|refusal| format!("{}: {}", refusal.line, refusal.text)).collect(),
    }
}

const GOOD: &str = "\
class CThing
  {
public:
   int m_value;
  };
void Take(const CThing &thing,const int &values[],CThing *pointer)
  {
   int sum=0;
   sum+=values[0];
   pointer.m_value=sum;
  }
";

#[test]
fn what_lies_outside_of_the_subset_is_refused_with_its_line() {
    let folder = folder("subset");
    assert_eq!(refusals(&folder, GOOD), [""; 0]);
    for (old, new, expected) in [
        ("pointer.m_value", "pointer->m_value", "10: no ->"),
        ("int sum=0", "auto sum=0", "8: no auto"),
        ("int sum=0", "unsigned int sum=0", "8: unsigned int: write uchar"),
        ("int sum=0", "int64_t sum=0", "8: int64_t is no type of MQL5"),
        ("int sum=0", "const int &sum=values[0]", "8: no references but parameters"),
        ("int sum=0", "int sum=0,list[]", "8: an array or a pointer is declared on its own"),
        ("int sum=0", "int *sum=NULL", "8: a pointer is to an object of a class"),
        ("int sum=0", "string *sum=NULL", "8: a pointer is to an object of a class"),
        ("int sum=0", "MqlTick *sum=NULL", "8: a pointer is to an object of a class"),
        ("class CThing", "struct CThing", "6: a pointer is to an object of a class"),
        ("CThing *pointer", "ushort *&pointer[]", "6: a pointer is to an object of a class"),
        ("int sum=0", "int table[2][3]", "8: arrays have one dimension"),
        ("int sum=0", "volatile int sum=0", "8: no volatile"),
        ("int sum=0", "int sum=0L", "8: 0L: numbers have no suffix"),
        ("int sum=0", "int sum=1'000", "8: 1'000: numbers have no suffix"),
        ("int sum=0", "int sum=010", "8: 010: numbers have no suffix"),
        ("int sum=0", "int sum=nullptr", "8: NULL, not nullptr"),
        ("int sum=0", "std::string sum", "8: no std"),
        ("int sum=0", "string s=\"a\" \"b\"; int sum=0", "8: join texts by +"),
        ("int sum=0", "string s=L\"a\"; int sum=0", "8: no prefix before a literal"),
        ("int sum=0", "string s=\"\\x41\"; int sum=0", "8: the escape \\x41 is not in the subset"),
        ("int sum=0", "int sum=*pointer", "8: no & or *"),
        ("int sum=0", "int sum=[](){ return 0; }()", "8: no lambdas"),
        ("int sum=0", "struct Inner { int a; } sum", "8: a type is declared on its own"),
        ("int sum=0", "int mql_sum=0", "8: mql_sum: names that begin with mql_"),
        ("int sum=0", "datetime sum=D'2026.01.01'", "8: not understood: D"),
        ("sum+=values[0]", "for(int value : values) sum+=value", "9: no range loops"),
        ("sum+=values[0]", "try { sum++; } catch(...) { }", "9: no exceptions"),
        ("sum+=values[0]", "throw 1", "9: no exceptions"),
        ("sum+=values[0]", "goto end", "9: no goto"),
        ("sum+=values[0]", "sum++,sum++", "9: no comma operator"),
        ("const CThing &thing", "CThing thing", "6: objects are passed by reference"),
        ("const int &values[]", "const int values[]", "6: arrays are passed by reference"),
        ("const int &values[]", "const int &values[4]", "6: an array parameter has no size"),
        ("void Take", "int &Take", "6: a function returns no reference"),
        ("void Take", "template<typename T> void Take", "6: no templates"),
        ("int m_value;", "int m_value=1;", "4: members get their values in the constructor"),
        ("class CThing", "#define SQUARE(a) ((a)*(a))\nclass CThing", "1: no macros with parameters"),
        ("class CThing", "#define SUM (1+2)\nclass CThing", "1: #define takes a number, a text or a name"),
        ("class CThing", "#if 1\n#endif\nclass CThing", "1: no #if"),
        ("class CThing", "#pragma once\nclass CThing", "1: #pragma once is not in the subset"),
        ("class CThing", "#include \"absent.mqh\"\nclass CThing", "1: "),
        ("class CThing", "namespace n { }\nclass CThing", "1: no namespaces"),
        ("class CThing", "union U { int a; };\nclass CThing", "1: no unions"),
        ("class CThing", "typedef int number;\nclass CThing", "1: type_definition is not in the subset"),
        (
            "class CThing",
            "class COther\n{\npublic:\nint Same(const int a) const;\n};\nint COther::Same(int a) const { return(a); }\nclass CThing",
            "6: COther::Same: parameters and const have to be those of the declaration",
        ),
        ("class CThing", "input int InpCount=1;\nclass CThing", "1: an input needs a comment"),
        ("class CThing", "input int InpCount; // Count\nclass CThing", "1: an input is a plain value with a default"),
        ("class CThing", "input group Name\nclass CThing", "1: write input group"),
        (
            "class CThing",
            "#import \"x.ex5\"\nint f(int a);\n#import\nclass CThing",
            "1: imports come from .dll files only",
        ),
        (
            "class CThing",
            "#import \"x.dll\"\nint f(int);\n#import\nclass CThing",
            "2: a parameter of an imported function",
        ),
        (
            "class CThing",
            "#import \"x.dll\"\nstring f(int a);\n#import\nclass CThing",
            "2: an imported function returns a number",
        ),
        ("class CThing", "#import \"x.dll\"\nint f(int a);\nclass CThing", "13: an #import without a name must end"),
        (
            "class CThing",
            "#property version \"12345678901234567890123456789012\"\nclass CThing",
            "1: #property version takes at most 31",
        ),
    ] {
        assert!(GOOD.contains(old), "{old}");
        let found = refusals(&folder, &GOOD.replacen(old, new, 1));
        assert!(
            found.iter().any(|refusal| refusal.starts_with(expected)),
            "{new}\n expected {expected}\n found {found:?}"
        );
    }
    fs::remove_dir_all(folder).expect("remove the folder");
}

#[test]
fn an_included_file_is_refused_by_its_own_name_and_line() {
    let folder = folder("included");
    fs::write(folder.join("part.mqh"), "\n#property strict\ninput int InpA=1;\n").expect("write a file");
    let path = folder.join("main.mq5");
    fs::write(&path, "#include \"part.mqh\"\nvoid OnStart(void) { }\n").expect("write a file");
    let refused = translate(&path, &folder, &folder.join("cpp")).expect_err("two refusals");
    let refused: Vec<String> = refused.iter().map(ToString::to_string).collect();
    assert!(refused[0].contains("part.mqh:2: a #property of an included file is ignored"), "{refused:?}");
    assert!(refused[1].contains("part.mqh:3: an input needs a comment behind it"), "{refused:?}");
    fs::remove_dir_all(folder).expect("remove the folder");
}

#[test]
fn the_compiler_names_the_line_of_the_mql5_source() {
    let Some(_) = compiler("types in the host") else { return };
    let folder = folder("types");
    for (statement, expected) in [
        ("int i=wide;", "conversion"),
        ("int i=real;", "conversion"),
        ("number=(int)(MathAbs(number)%2);", "invalid operands"),
        ("uchar u=(uchar)1+number;", "conversion"),
        ("string s=number;", "conversion from"),
        ("string s=\"a\"+number;", "no match"),
        ("ENUM_INIT_RETCODE e=number;", "invalid conversion"),
        ("InpCount=2;", "read-only"),
        ("if(number=2) number=1;", "parentheses"),
        ("if(wide>unsigned_number) number=1;", "signedness"),
        ("int uninitialised;", "unused variable"),
        ("for(int wide=0; wide<2; wide++) number++;", "shadows"),
        ("int InpCount=2; number=InpCount;", "shadows"),
        ("Unknown();", "not declared"),
        ("Change(2);", "cannot bind"),
        ("Take(constant);", "could not convert"),
        ("int one[]; int other[]; other=one;", "deleted function"),
        ("Pair one,other; one.values=other.values;", "deleted function"),
        ("uchar list[]={1,2}; ArrayResize(list,3);", "deleted function"),
        ("uchar list[2]; ArrayFree(list);", "deleted function"),
        ("CThing thing; Feed(GetPointer(thing));", "deleted function"),
        ("Feed(new CThing);", "deleted function"),
    ] {
        let path = folder.join("types.mq5");
        let source = format!(
            "input int InpCount=1; // Count\nstruct Pair {{ int values[]; }}; class CThing {{ public: int m_value; }}; \
             void Feed(CThing &thing) {{ thing.m_value=1; }} void Change(int &value)\n  {{\n   value++;\n  }}\nvoid Take(int &values[])\n  \
             {{\n   ArrayResize(values,1);\n  }}\nvoid OnStart(void)\n  {{\n   long wide=1; double real=1; int number=InpCount; \
             ulong unsigned_number=1; const int constant[]={{1}};\n   {statement}\n   Print(wide,real,number,\
             unsigned_number,constant[0]);\n  }}\n"
        );
        fs::write(&path, source).expect("write the source");
        let errors = compiler_errors(&path);
        let first = errors.lines().find(|line| line.contains("error: ")).unwrap_or_default();
        assert!(first.contains("types.mq5:13:") && first.contains(expected), "{statement}\n{errors}");
    }
    fs::remove_dir_all(folder).expect("remove the folder");
}

/// Every program of mql5/, by path below the project.
fn programs() -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![project("mql5")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("a folder of mql5") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "mq5") {
                found.push(path);
            }
        }
    }
    found
}

#[test]
fn every_program_is_translated_and_says_what_it_is() {
    let folder = folder("programs");
    let programs = programs();
    assert!(!programs.is_empty(), "no programs were found");
    for path in programs {
        let name = path.display().to_string();
        let program =
            translate(&path, &project("mql5/Include"), &folder).unwrap_or_else(|refused| panic!("{refused:?}"));
        let has = |key: &str| program.properties.iter().any(|(property, _)| property == key);
        assert!(has("version") && has("description"), "{name} has no #property version and description");
        assert_eq!(has("service"), name.contains("/Services/"), "{name}: #property service belongs to services");
        assert!(program.files.len() > 1, "{name} includes nothing");
    }
    fs::remove_dir_all(folder).expect("remove the folder");
}
